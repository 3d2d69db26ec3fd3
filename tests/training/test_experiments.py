import pytest

from cgcnn.training.answers import answer
from cgcnn.training.arms import Arm
from cgcnn.training.experiments import EXPERIMENTS, Card
from cgcnn.training.guesses import NO_EFFECT, judged
from cgcnn.training.sweep import arm_words, arms, axis_options

CARDS = pytest.mark.parametrize("card", EXPERIMENTS.values(), ids=EXPERIMENTS.keys())
MOST_RUNS = 48  # the run store takes no more in one experiment
BUDGET = 500  # core-seconds: five minutes on two cores with a margin


@CARDS
def test_an_experiment_fits_a_classroom(card: Card) -> None:
    assert 6 <= len(card.runs()) <= MOST_RUNS
    assert len(card.seeds) >= 3
    assert 0 < card.core_seconds < BUDGET


@CARDS
def test_the_runs_of_an_experiment_differ_in_its_axes_and_seeds_alone(card: Card) -> None:
    for run in card.runs():
        changes = {field: getattr(getattr(card.base, field.split(".")[0]), field.split(".")[1]) for field in card.axes}
        seeds = {"train.seed": card.base.train.seed, "dataset.seed": card.base.dataset.seed}
        assert run.config.with_(**changes, **seeds) == card.base


@CARDS
def test_an_experiment_keeps_no_networks_by_the_epoch(card: Card) -> None:
    assert card.base.train.snapshots == 0


@CARDS
def test_a_card_asks_a_question_and_offers_three_or_four_guesses(card: Card) -> None:
    assert "?" in card.question and card.why.endswith(".") and card.look
    assert 3 <= len(card.guesses) <= 4 and card.guesses[-1] is NO_EFFECT
    assert len({guess.words for guess in card.guesses}) == len(card.guesses)
    assert card.guess(card.guesses[0].words) is card.guesses[0] and card.guess("another") is None


@CARDS
def test_every_guess_speaks_of_arms_that_run(card: Card) -> None:
    found = answer([Arm(arm_words(v), v, (0.1 * n, 0.1 * n + 0.01)) for n, v in enumerate(arms(card.axes), 1)])
    assert card.axes.keys() <= axis_options().keys()
    assert all(judged(guess, found).verdict != "open" for guess in card.guesses)


@pytest.mark.parametrize(
    ("key", "words", "low"),
    [
        ("convolution", "Composition is enough", "no convolution"),
        ("convolution", "Neighbors help, but the gate does not.", "weight-shared convolution"),
        ("depth", "One is enough", "1 convolution"),
        ("data", "It saturates", "250 to learn from"),
    ],
)
def test_what_is_no_worse_may_be_better(key: str, words: str, low: str) -> None:
    card = EXPERIMENTS[key]
    (guess,) = (guess for guess in card.guesses if guess.words.startswith(words))
    worst = {"convolution": "no convolution", "depth": "0 convolutions", "data": "60 to learn from"}[key]
    means = {low: 0.1} | ({worst: 0.9} if worst != low else {})
    found = [
        Arm(arm_words(v), v, tuple(means.get(arm_words(v), 0.5) + step for step in (0, 0.01, 0.02)))
        for v in arms(card.axes)
    ]
    assert judged(guess, answer(found)).verdict == "borne out"


def test_only_the_energy_of_the_cell_grows_with_the_cell() -> None:
    assert [key for key, card in EXPERIMENTS.items() if card.target.extensive] == ["cell"]
