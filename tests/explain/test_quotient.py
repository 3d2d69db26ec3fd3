"""Merging equal edges changes the work and not the answer."""

import numpy as np
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
    assert "4 messages instead of 96 (24 times fewer)" in in_words(found, found.n_edges[1])


def test_without_symmetry_there_is_nothing_to_save(low_symmetry: Structure) -> None:
    found = both_ways(build_graph(low_symmetry), NETWORK)
    words = in_words(found, found.n_edges[1])
    assert not found.trains_merged and ("nothing to save" in words or "too little" in words)


def test_noise_that_the_picture_does_not_show_is_explained(rock_salt: Structure) -> None:
    noise = 1e-4 * np.random.default_rng(0).standard_normal((8, 3))
    noisy = Structure(rock_salt.lattice, rock_salt.species, rock_salt.frac_coords + noise / 5.64)
    words = in_words(both_ways(build_graph(noisy), NETWORK), 4)
    assert words.startswith("The picture takes lengths within the shell tolerance for equal")
