"""Warnings appear where a crystal leaves what the network knows, and only there."""

from dataclasses import replace

import pytest
from pymatgen.core import Lattice, Structure

from cgcnn.data.samples import sample_names
from cgcnn.explain.doubts import Answer, Known, answers, distance_doubt, doubts
from cgcnn.explain.lessons import LESSONS
from cgcnn.graph import GraphConfig, build_graph
from cgcnn.models.published import PUBLISHED
from cgcnn.training.predictor import Predictor

KNOWN = Known("100 training crystals", frozenset({"Na", "Cl"}))


@pytest.fixture(scope="module")
def published() -> Predictor:
    return Predictor.published("formation energy")


def said(published: Predictor, structure: Structure) -> Answer:
    return answers(published, [build_graph(structure, published.graph)])[0]


def test_many_answers_in_one_pass_are_those_of_each_alone(
    published: Predictor, rock_salt: Structure, perovskite: Structure
) -> None:
    graphs = [build_graph(s, published.graph) for s in (rock_salt, perovskite)]
    together = answers(published, graphs)
    assert [a.value for a in together] == pytest.approx(published.predict([rock_salt, perovskite]), abs=1e-5)
    assert [a.symbols for a in together] == [("Na", "Cl"), ("Sr", "Ti", "O")]
    assert [a.n_atoms for a in together] == [8, 5]


def test_a_familiar_crystal_raises_no_doubt(published: Predictor, rock_salt: Structure) -> None:
    assert doubts(said(published, rock_salt), KNOWN, published) == []


def test_an_element_that_was_never_seen_is_named(published: Predictor, perovskite: Structure) -> None:
    (sentence,) = doubts(said(published, perovskite), KNOWN, published)
    assert "None of the 100 training crystals holds Sr or Ti or O" in sentence


def test_atoms_with_too_few_neighbors_are_counted(published: Predictor) -> None:
    wide = Structure(Lattice.cubic(6.0), ["Na"], [[0, 0, 0]])
    (sentence,) = doubts(said(published, wide), KNOWN, published)
    assert "1 of 1 atoms has fewer than 12 neighbors within 8 Å (the fewest: 6)" in sentence
    (sentence,) = doubts(said(published, wide), replace(KNOWN, as_published=True), published)
    assert "fake ones at 9 Å" in sentence


def test_an_answer_beyond_the_training_values_is_told_with_both_ends(
    published: Predictor, rock_salt: Structure
) -> None:
    (sentence,) = doubts(said(published, rock_salt), replace(KNOWN, span=(-1.0, 2.0)), published)
    assert "-2.1" in sentence and "-1.000 to 2.000 eV/atom" in sentence


def test_the_size_of_the_cell_counts_only_where_it_is_known_to(published: Predictor, rock_salt: Structure) -> None:
    answer = said(published, rock_salt)
    assert "8 atoms" in doubts(answer, replace(KNOWN, largest=4), published)[0]
    assert not doubts(answer, replace(KNOWN, largest=8), published)


def test_far_means_beyond_the_distance_that_the_others_keep() -> None:
    assert not distance_doubt(2.0, 2.0, "100 crystals")
    assert "3.00 to the nearest" in distance_doubt(3.0, 2.0, "100 crystals")[0]


def test_lessons_name_crystals_and_networks_that_exist() -> None:
    assert all(lesson.crystal in sample_names() and lesson.network in PUBLISHED for lesson in LESSONS)
    assert all(lesson.truth and lesson.source for lesson in LESSONS)


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.title)
def test_a_lesson_is_still_a_failure(lesson) -> None:  # type: ignore[no-untyped-def]
    from cgcnn.data.samples import load_sample

    wrong = {"formation energy": 0.3, "metal or not": 0.8, "band gap": 1.0}  # at least this much; see `truth`
    predictor = Predictor.published(lesson.network)
    assert predictor.predict([load_sample(lesson.crystal).structure])[0] > wrong[lesson.network]


def test_the_mean_gap_that_the_lesson_tells_is_the_networks_own() -> None:
    assert Predictor.published("band gap").normalizer.mean[0] == pytest.approx(2.35, abs=5e-3)


def test_another_neighbor_rule_than_the_one_learned_with_is_told(published: Predictor, rock_salt: Structure) -> None:
    bent = replace(published, graph=GraphConfig(rule="whole shells"))
    (sentence,) = doubts(said(bent, rock_salt), replace(KNOWN, graph=published.graph), bent)
    assert "It is asked with whole shells, k = 12, within 8 Å, but learned with k nearest" in sentence


def test_an_absurd_answer_of_a_published_network_is_doubted(rock_salt: Structure) -> None:
    bent = replace(Predictor.published("Fermi energy"), graph=GraphConfig(max_neighbors=48))
    known = replace(KNOWN, span=(-12.8, 18.2), as_published=True)
    (sentence,) = doubts(said(bent, rock_salt), known, bent)
    assert "more than 6 standard deviations from the mean" in sentence
