"""The density grid against a plain loop over voxels, atoms and images, and what it depends on."""

from collections.abc import Callable
from itertools import product

import numpy as np
import pytest
import torch
from pymatgen.core import Lattice, Structure

from cgcnn.data.elements import describe_bits
from cgcnn.errors import CrystalError
from cgcnn.explain.descriptions import permuted, rotated, shifted
from cgcnn.graph import GraphConfig, batch, build_graph, build_graphs
from cgcnn.graph.merge import merged
from cgcnn.nn.activations import ACTIVATIONS
from cgcnn.nn.norms import NORMS
from cgcnn.nn.voxels import (
    CHANNELS,
    DensityGrid,
    GlobalMean,
    VoxelConv,
    channel_weights,
    n_voxels,
    unknown_weights,
)

LARGEST = {  # of all elements; pm, eV and cm³/mol
    "Period": 7,
    "Electronegativity": 3.98,
    "Covalent radius": 232,
    "Valence electrons": 12,
    "First ionization energy": 24.58738794,
    "Atomic volume": 70,
}


def weight(z: int, channel: str) -> float:
    known = {bit.band.name: float(bit.value or 0) for bit in describe_bits(z) if bit.band.name in CHANNELS}
    return known[channel] / LARGEST[channel]


def slow_density(structure: Structure, x: np.ndarray, sigma: float) -> np.ndarray:
    total = np.zeros(len(CHANNELS))
    for site in structure:
        weights = np.array([weight(site.specie.Z, channel) for channel in CHANNELS])
        for image in product(range(-2, 3), repeat=3):
            r = (site.frac_coords + image) @ structure.lattice.matrix
            total += weights * np.exp(-((x - r) ** 2).sum() / (2 * sigma**2))
    return total


@pytest.mark.parametrize("crystal", ["rock_salt", "low_symmetry"])
def test_the_grid_is_the_sum_over_atoms_and_images(crystal: str, request: pytest.FixtureRequest) -> None:
    structure: Structure = request.getfixturevalue(crystal)
    found = DensityGrid(cube=6.0, pitch=2.0, sigma=0.7)(build_graph(structure))[0]
    for voxel in product(range(3), repeat=3):
        expected = slow_density(structure, (np.array(voxel) + 0.5) * 2.0, 0.7)
        assert found[:, *voxel].numpy() == pytest.approx(expected, abs=1e-3)


def density(structure: Structure, **settings: float) -> torch.Tensor:
    return DensityGrid(**settings)(build_graph(structure))


def test_a_batch_of_grids_is_each_grid_alone(rock_salt: Structure, low_symmetry: Structure) -> None:
    graphs = [build_graph(rock_salt), build_graph(low_symmetry)]
    together = DensityGrid()(batch(graphs))
    torch.testing.assert_close(together, torch.cat([DensityGrid()(graph) for graph in graphs]))


def test_many_crystals_are_filled_a_few_at_a_time(monkeypatch: pytest.MonkeyPatch, rock_salt: Structure) -> None:
    graph = build_graphs([rock_salt * (n, 1, 1) for n in (1, 2, 1)]).graph
    whole = DensityGrid()(graph)
    monkeypatch.setattr("cgcnn.nn.voxels.AT_ONCE", 1)
    torch.testing.assert_close(DensityGrid()(graph), whole)


def test_the_order_of_the_atoms_and_a_supercell_leave_the_grid_as_it_is(low_symmetry: Structure) -> None:
    given = density(low_symmetry)
    for same in (permuted(low_symmetry, np.random.default_rng(0)), low_symmetry * (2, 1, 3)):
        torch.testing.assert_close(density(same), given, atol=2e-3, rtol=0)  # at REACH a rounding may lose an image


@pytest.mark.parametrize("change", [rotated, shifted])
def test_a_turn_and_another_origin_change_it(change: Callable[..., Structure], low_symmetry: Structure) -> None:
    other = change(low_symmetry, np.random.default_rng(0))
    assert (density(other) - density(low_symmetry)).abs().max() > 0.1


def test_moving_the_origin_by_whole_voxels_moves_the_picture_by_so_many(rock_salt: Structure) -> None:
    a = rock_salt.lattice.a  # 8 voxels to the cell, so 3 voxels are 3/8 of it
    moved = rock_salt.copy().translate_sites(range(len(rock_salt)), [3 / 8, 0, 0])
    given = density(rock_salt, cube=2 * a, pitch=a / 8)
    torch.testing.assert_close(
        density(moved, cube=2 * a, pitch=a / 8), given.roll(3, dims=2), atol=2e-3, rtol=0
    )  # two whole cells, so the picture closes on itself


def test_the_cube_begins_at_the_origin_and_x_is_the_first_axis() -> None:
    lonely = Structure(Lattice.orthorhombic(30, 31, 32), ["O"], [[0.5 / 30, 1.5 / 31, 3.5 / 32]])
    grid = DensityGrid(cube=4, pitch=1, sigma=0.3)(build_graph(lonely, GraphConfig(isolated="grow")))[0]
    radius = grid[CHANNELS.index("Covalent radius")]
    assert np.unravel_index(int(radius.argmax()), radius.shape) == (0, 1, 3)
    assert float(radius.max()) == pytest.approx(63 / 232)


def test_an_element_whose_value_is_unknown_is_not_seen_in_that_channel() -> None:
    assert unknown_weights()["Electronegativity"][:2] == ["He", "Ne"]
    assert unknown_weights()["Covalent radius"] == []
    argon = Structure(Lattice.cubic(5.3), ["Ar"], [[0, 0, 0]])
    seen = dict(zip(CHANNELS, density(argon)[0].amax(dim=(1, 2, 3)).tolist(), strict=True))
    assert seen["Electronegativity"] == 0.0 and seen["Covalent radius"] > 0.3


def test_the_weights_lie_between_0_and_1() -> None:
    assert float(channel_weights().min()) == 0.0 and channel_weights().amax(dim=0).tolist() == [1.0] * len(CHANNELS)


def test_an_atom_outside_the_cell_is_the_same_atom_inside(rock_salt: Structure) -> None:
    away = rock_salt.copy()
    away.translate_sites([0, 3], [1, -2, 3], to_unit_cell=False)
    torch.testing.assert_close(density(away), density(rock_salt), atol=1e-4, rtol=0)


def test_a_merged_graph_has_no_grid(rock_salt: Structure) -> None:
    with pytest.raises(CrystalError, match=r"does not hold where its atoms are.*light=False"):
        DensityGrid()(merged(build_graph(rock_salt)))


def test_a_convolution_halves_the_grid_and_the_mean_forgets_the_place() -> None:
    conv = VoxelConv(2, 5, ACTIVATIONS["ReLU"], NORMS["none"])
    x = torch.rand(3, 2, 5, 5, 5)
    assert conv(x).shape == (3, 5, 3, 3, 3)
    torch.testing.assert_close(GlobalMean()(x.roll(2, dims=3)), GlobalMean()(x))


def test_the_norm_takes_voxels_as_rows() -> None:
    conv = VoxelConv(2, 3, torch.nn.Identity, NORMS["batch norm"]).train()
    x = torch.rand(4, 2, 4, 4, 4)
    expected = torch.nn.functional.avg_pool3d(torch.nn.BatchNorm3d(3)(conv.conv(x)), 2)
    torch.testing.assert_close(conv(x), expected)


def test_a_cube_is_a_whole_number_of_voxels() -> None:
    assert [n_voxels(10, pitch) for pitch in (0.5, 0.2, 0.1, 3.0, 40.0)] == [20, 50, 100, 3, 1]
