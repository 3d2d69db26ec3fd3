"""What a crystal costs on a grid, and what a mere description does to grid and answers."""

import numpy as np
import pytest
import torch
from pymatgen.core import Lattice, Structure

from cgcnn.data.cells import primitive_cell
from cgcnn.errors import CrystalError
from cgcnn.explain.contributions import contributions
from cgcnn.explain.descriptions import CONTROL
from cgcnn.explain.record import record
from cgcnn.explain.voxels import (
    FROM_FILE,
    SAME,
    Change,
    changes,
    farthest_off,
    from_file,
    graph_numbers,
    grid_size,
    marks_near,
    placed,
    slice_of,
    views,
)
from cgcnn.graph import GraphConfig, build_graph
from cgcnn.models import VoxelCNN
from cgcnn.models.published import PUBLISHED
from cgcnn.nn.voxels import CHANNELS, DensityGrid
from cgcnn.training.normalizer import Normalizer
from cgcnn.training.predictor import Predictor


@pytest.fixture(scope="module")
def published() -> Predictor:
    return Predictor.published(next(iter(PUBLISHED)))


def untrained() -> VoxelCNN:
    torch.manual_seed(0)
    return VoxelCNN().eval()


def by_kind(structure: Structure, network: Predictor) -> dict[str, Change]:
    return {change.kind.split(" (")[0]: change for change in changes(structure, untrained(), network)}


@pytest.mark.parametrize(("pitch", "numbers"), [(0.5, 8_000), (0.2, 125_000), (0.1, 1_000_000)])
def test_a_cube_of_10_angstrom_is_as_many_voxels_as_the_source_says(pitch: float, numbers: int) -> None:
    size = grid_size(10.0, pitch)
    assert size.numbers == numbers and size.all_numbers == 6 * numbers and size.bytes == 24 * numbers
    assert size.off == pytest.approx(pitch * 0.8660, abs=1e-4)


def test_the_graph_of_rock_salt_is_4672_numbers(rock_salt: Structure) -> None:
    assert graph_numbers(build_graph(rock_salt)) == 8 * 92 + 8 * 12 * 41 == 4_672
    assert graph_numbers(build_graph(rock_salt, GraphConfig(max_neighbors=6))) == 8 * 92 + 8 * 6 * 41


def test_no_atom_is_farther_from_its_voxel_than_half_a_diagonal(low_symmetry: Structure) -> None:
    for pitch in (0.1, 0.5, 2.0):
        assert 0 < farthest_off(low_symmetry, pitch) <= grid_size(10, pitch).off
    corner = Structure(Lattice.cubic(4), ["Po"], [[0, 0, 0]])
    assert farthest_off(corner, 0.5) == pytest.approx(grid_size(10, 0.5).off)


def test_a_slice_is_a_layer_of_the_grid_with_x_across(low_symmetry: Structure) -> None:
    grid = DensityGrid(6.0, 0.75, 0.6)
    whole = grid(build_graph(low_symmetry))[0]
    for channel in ("Period", "Atomic volume"):
        found = slice_of(low_symmetry, grid, channel, 3)
        assert found == pytest.approx(whole[CHANNELS.index(channel), :, :, 3].T.numpy(), abs=1e-6)


def test_marks_are_the_atoms_near_the_plane(rock_salt: Structure) -> None:
    grid = DensityGrid(5.64, 5.64 / 20, 0.6)
    bottom = marks_near(rock_salt, grid, 0)
    assert {mark.symbol for mark in bottom} == {"Na", "Cl"}
    assert all(mark.off == pytest.approx(-5.64 / 40, abs=1e-5) for mark in bottom)
    assert marks_near(rock_salt, grid, 5) == [], "half way to the next layer of atoms"


def test_every_view_is_the_same_crystal_on_another_grid(rock_salt: Structure) -> None:
    given, *others = views(rock_salt).values()
    for other in others:
        nearest = build_graph(other, GraphConfig(max_neighbors=6)).distance
        torch.testing.assert_close(nearest, torch.full_like(nearest, 2.82), atol=1e-4, rtol=0)
        assert (DensityGrid()(placed(other)) - DensityGrid()(placed(given))).abs().max() > 0.05


def test_a_cell_read_back_from_a_file_has_its_lengths_and_angles_but_not_its_stand(rock_salt: Structure) -> None:
    cell = primitive_cell(rock_salt)
    assert from_file(cell).lattice.parameters == pytest.approx(cell.lattice.parameters)
    assert not np.allclose(from_file(cell).lattice.matrix, cell.lattice.matrix)


def test_turns_origins_and_files_change_the_answer_and_nothing_else_does(
    rock_salt: Structure, published: Predictor
) -> None:
    found = by_kind(rock_salt, published)
    broken = {kind for kind, change in found.items() if change.voxel > SAME}
    assert broken == {"rotated", "origin shifted", FROM_FILE, CONTROL}
    assert all((found[kind].grid > 0.5) == (kind in broken) for kind in found if kind != CONTROL)


def test_the_graph_network_keeps_its_answer_under_all(
    rock_salt: Structure, low_symmetry: Structure, published: Predictor
) -> None:
    for structure in (rock_salt, low_symmetry):
        found = by_kind(structure, published)
        assert found[CONTROL].graph == found[CONTROL].voxel == 1.0
        assert max(change.graph for kind, change in found.items() if kind != CONTROL) < SAME


def test_a_cell_too_large_to_be_told_so_often_is_one_sentence(rock_salt: Structure, published: Predictor) -> None:
    with pytest.raises(CrystalError, match=r"640 atoms .*limit 600"):
        changes(rock_salt * (5, 4, 4), untrained(), published)


def test_an_element_without_weights_is_one_sentence() -> None:
    with pytest.raises(CrystalError, match="Atomic number 101"):
        placed(Structure(Lattice.cubic(4.2), ["Md"], [[0, 0, 0]]))


def test_a_network_on_a_grid_says_nothing_of_single_atoms(rock_salt: Structure, published: Predictor) -> None:
    network = Predictor(untrained(), GraphConfig(), Normalizer((0.0,), (1.0,)), published.target)
    with pytest.raises(CrystalError, match="no atom has a vector of its own"):
        contributions(network, record(network.model, build_graph(rock_salt)))


def test_it_predicts_alone_and_together_alike(rock_salt: Structure, rutile: Structure, published: Predictor) -> None:
    network = Predictor(untrained(), GraphConfig(), Normalizer((0.0,), (1.0,)), published.target)
    together = network.predict([rock_salt, rutile])
    assert together == pytest.approx([*network.predict([rock_salt]), *network.predict([rutile])], abs=1e-5)
