"""The same crystal in other cells: what pooling makes of it, and how alike its atoms become."""

import pytest
import torch
from pymatgen.core import Lattice, Structure

from cgcnn.explain.crystal_cells import cells_of, pooled_cells
from cgcnn.explain.smoothing import mean_similarity, similarities, spread
from cgcnn.graph import GraphConfig
from cgcnn.models import CGCNN
from cgcnn.training.predictor import Predictor

WHOLE = GraphConfig(rule="whole shells")


def test_rock_salt_has_8_8_2_and_16_atoms_in_its_cells(rock_salt: Structure) -> None:
    assert [len(cell) for cell in cells_of(rock_salt).values()] == [8, 8, 2, 16]


def test_a_large_cell_is_not_doubled() -> None:
    large = Structure(Lattice.cubic(40.0), ["H"] * 301, torch.rand(301, 3).tolist())
    assert "2 × 1 × 1 supercell" not in cells_of(large)


def test_mean_and_max_stay_and_sum_grows_with_the_cell(perovskite: Structure) -> None:
    torch.manual_seed(0)
    _, conventional, _, double = pooled_cells(CGCNN().eval(), perovskite, WHOLE)
    for kind, factor in (("mean", 1), ("max", 1), ("sum", 2)):
        torch.testing.assert_close(double.pooled[kind], factor * conventional.pooled[kind], atol=1e-4, rtol=1e-4)


def test_a_cell_is_answered_as_the_predictor_answers(rock_salt: Structure) -> None:
    predictor = Predictor.published("formation energy")
    cell = pooled_cells(predictor.model, rock_salt, predictor.graph)[0]
    assert cell.value(predictor) == pytest.approx(predictor.predict([cell.structure])[0], abs=1e-6)


def test_vectors_of_one_direction_are_alike_and_of_two_are_not() -> None:
    v = torch.tensor([[1.0, 0.0], [2.0, 0.0], [0.0, 1.0]])
    square = similarities(v)
    assert mean_similarity(square, ["Na", "Na", "Cl"], same=True) == pytest.approx(1.0)
    assert mean_similarity(square, ["Na", "Na", "Cl"], same=False) == pytest.approx(0.0)
    assert mean_similarity(square, ["Na", "Cl", "O"], same=True) is None


def test_the_spread_of_groups_is_zero_when_all_look_alike() -> None:
    assert spread(torch.ones(4, 3), ["Na", "Na", "Cl", "Cl"]) == pytest.approx(0.0)
    assert spread(torch.eye(2), ["Na", "Cl"]) == pytest.approx(2**0.5)
    assert spread(torch.eye(2), ["C", "C"]) == 0.0
