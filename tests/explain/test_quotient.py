"""Merging equal edges changes the work and not the answer."""

import pytest
from pymatgen.core import Structure

from cgcnn.explain.quotient import both_ways
from cgcnn.graph import build_graph
from cgcnn.training.predictor import Predictor
from cgcnn.ui.graph_both_ways import in_words

NETWORK = Predictor.published("formation energy")


def test_rock_salt_needs_four_messages_for_the_answer_of_ninety_six(rock_salt: Structure) -> None:
    found = both_ways(build_graph(rock_salt), NETWORK)
    assert (found.n_atoms, found.n_edges, found.trains_merged) == ((8, 2), (96, 4), True)
    assert found.answers[0] == pytest.approx(found.answers[1], abs=1e-5)
    assert "4 messages do the work of 96, 24 times as many" in in_words(found)


def test_without_symmetry_there_is_nothing_to_save(low_symmetry: Structure) -> None:
    found = both_ways(build_graph(low_symmetry), NETWORK)
    assert (not found.trains_merged and "nothing to save" in in_words(found)) or "too little" in in_words(found)
