import pytest

from cgcnn.data.targets import TARGETS, Target
from cgcnn.models.published import PUBLISHED

METAL = TARGETS["metal"]


@pytest.mark.parametrize("target", [*TARGETS.values(), *(card.target for card in PUBLISHED.values())])
def test_a_class_has_two_words_and_no_unit(target: Target) -> None:
    assert len(set(target.classes)) == (2 if target.is_class else 0)
    assert not (target.is_class and target.unit)


def test_no_two_targets_have_one_label() -> None:
    labels = [target.label for target in TARGETS.values()]
    assert len(set(labels)) == len(labels)
    assert PUBLISHED["metal or not"].target.label not in labels


@pytest.mark.parametrize(
    ("probability", "words"),
    [
        (0.83, "metal (83 %)"),
        (0.5, "metal (50 %)"),
        (0.2, "has a band gap (80 %)"),
        (0.994, "metal (99 %)"),
        (0.995, "metal (over 99 %)"),
        (0.999, "metal (over 99 %)"),
        (0.0, "has a band gap (over 99 %)"),
    ],
)
def test_a_probability_reads_as_the_likelier_class(probability: float, words: str) -> None:
    assert METAL.text(probability) == words


def test_a_label_is_a_word() -> None:
    assert [METAL.word(value) for value in (0, 1)] == list(METAL.classes) == ["has a band gap", "metal"]


def test_a_number_has_its_unit() -> None:
    energy = TARGETS["formation_energy_per_atom"]
    assert energy.text(-1.7, 2) == "-1.70 eV/atom"
    assert energy.error_text(0.0391) == "MAE 0.039 eV/atom"
    assert TARGETS["poisson_ratio"].error_text(0.03) == "MAE 0.030"


def test_the_error_of_a_class_is_the_share_that_is_wrong() -> None:
    assert (METAL.error, TARGETS["density"].error) == ("Share wrong", "MAE")
    assert METAL.error_text(0.125) == "12.5 % in the wrong class"
