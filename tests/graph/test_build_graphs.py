"""Many crystals at once are each of them alone."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from pymatgen.core import Lattice, Structure

from cgcnn.errors import IsolatedAtomError
from cgcnn.graph import NEIGHBOR_RULES, CrystalGraph, GraphConfig, batch, build_graph, build_graphs
from cgcnn.graph import build as building
from cgcnn.graph.neighbors import TIE, Neighbors, ordered, within
from cgcnn.graph.sites import Sites

ISOLATED = Structure(Lattice.cubic(30.0), ["Ar"], [[0.2, 0.3, 0.4]])


@pytest.fixture
def handful(rock_salt: Structure, perovskite: Structure, low_symmetry: Structure) -> list[Structure]:
    """Dense, sparse, flat, skewed, large, tiny and without periods, side by side."""
    copper = Structure(Lattice.from_parameters(2.553, 2.553, 2.553, 60, 60, 60), ["Cu"], [[0, 0, 0]])
    molecule = Structure(Lattice.cubic(12.0, pbc=(False,) * 3), ["O", "H", "H"], np.eye(3) * 0.08 + 0.5)
    film = Structure(Lattice.hexagonal(2.46, 40.0, pbc=(True, True, False)), ["C", "C"], [[0, 0, 0], [1 / 3, 2 / 3, 0]])
    slab = Structure(Lattice.orthorhombic(3.0, 3.0, 60.0), ["Fe", "Fe"], [[0, 0, 0.5], [0.5, 0.5, 0.53]])
    skewed = Structure([[3.6, 0, 0], [35.0, 3.6, 0], [-21.0, 14.4, 3.6]], ["Al", "Ni"], [[0, 0, 0], [0.5, -1.5, 7.5]])
    return [rock_salt, copper, molecule, low_symmetry, film, perovskite * (4, 4, 4), slab, skewed]


def same(one: CrystalGraph, other: CrystalGraph) -> bool:
    names = ("atomic_numbers", "crystal", "center", "neighbor", "image", "displacement", "fractional", "lattice")
    return one.n_crystals == other.n_crystals and all(torch.equal(getattr(one, n), getattr(other, n)) for n in names)


@pytest.mark.parametrize("portion", [1, 3_000, 1_000_000])
@pytest.mark.parametrize("rule", NEIGHBOR_RULES)
def test_many_at_once_are_each_alone(
    handful: list[Structure], rule: str, portion: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(building, "PORTION", portion)
    config = GraphConfig(rule=rule, cutoff=6.0)
    built = build_graphs(handful, config)
    assert same(built.graph, batch([build_graph(structure, config) for structure in handful]))
    assert (built.kept, built.dropped) == (tuple(range(len(handful))), {})


@pytest.mark.parametrize("rule", NEIGHBOR_RULES)
def test_isolated_atoms_grow_among_others_as_they_do_alone(handful: list[Structure], rule: str) -> None:
    crystals, config = [handful[0], ISOLATED, handful[3], ISOLATED], GraphConfig(rule=rule, cutoff=5.0, isolated="grow")
    built = build_graphs(crystals, config)
    assert same(built.graph, batch([build_graph(structure, config) for structure in crystals]))
    assert built.graph.degree[built.graph.crystal == 1].item() >= 6


@pytest.mark.parametrize("portion", [1, 1_000_000])
def test_a_crystal_that_fails_says_why_and_spoils_no_other(
    portion: int, rock_salt: Structure, rutile: Structure, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(building, "PORTION", portion)
    alloy = Structure(Lattice.cubic(3.6), [{"Cu": 0.5, "Au": 0.5}], [[0, 0, 0]])
    built = build_graphs([rock_salt, ISOLATED, alloy, rutile])
    assert built.kept == (0, 3)
    assert same(built.graph, batch([build_graph(rock_salt), build_graph(rutile)]))
    assert list(built.dropped) == [1, 2], "the first is the first"
    assert "partly occupied" in built.dropped[2]
    with pytest.raises(IsolatedAtomError) as alone:
        build_graph(ISOLATED)
    assert built.dropped[1] == str(alone.value)


def test_a_flood_is_refused_alone(rock_salt: Structure) -> None:
    iron = Structure(Lattice.cubic(2.87), ["Fe", "Fe"], [[0, 0, 0], [0.5, 0.5, 0.5]]) * (9, 9, 9)
    built = build_graphs([iron, rock_salt], GraphConfig(rule="radius", cutoff=20.0))
    assert built.kept == (1,) and "edges (limit 3,000,000)" in built.dropped[0]


def test_an_element_that_no_network_knows_is_dropped_from_a_set_and_drawn_alone(rock_salt: Structure) -> None:
    heavy = Structure(Lattice.cubic(4.2), ["Md", "O"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    built = build_graphs([rock_salt, heavy])
    assert built.kept == (0,)
    assert built.dropped[1] == "MdO has Md, element 101; the networks know elements 1 to 100 (H to Fm), so replace it."
    assert build_graph(heavy).n_atoms == 2


def test_no_crystals_are_an_empty_graph() -> None:
    built = build_graphs([ISOLATED])
    for graph in (built.graph, build_graphs([]).graph):
        assert (graph.n_crystals, graph.n_atoms, graph.n_edges) == (0, 0, 0)


@pytest.mark.parametrize("rule", NEIGHBOR_RULES)
def test_edges_come_by_distance_then_element_index_and_image(handful: list[Structure], rule: str) -> None:
    graph = build_graphs(handful, GraphConfig(rule=rule, cutoff=6.0)).graph
    for atom in range(0, graph.n_atoms, 7):
        own = graph.center == atom
        edges = zip(
            graph.displacement[own].double().norm(dim=1).tolist(),
            graph.atomic_numbers[graph.neighbor[own]].tolist(),
            graph.neighbor[own].tolist(),
            graph.image[own].tolist(),
            strict=True,
        )
        assert_in_order(list(edges))


def assert_in_order(edges: list[tuple[float, int, int, list[int]]]) -> None:
    for (near, *one), (far, *other) in pairwise(edges):
        assert far > near - TIE
        assert far - near > TIE / 2 or one < other, "a tie is settled by element, index and image"


def test_images_too_far_for_one_number_are_sorted_all_the_same(perovskite: Structure) -> None:
    sites = Sites.of(perovskite)
    pairs = within(sites, 4.0)
    near = ordered(sites, pairs)
    moved = np.array([10**7, -(10**7), 0])
    far = ordered(sites, Neighbors(pairs.center, pairs.neighbor, pairs.image + moved, pairs.distance))
    assert np.array_equal(far.neighbor, near.neighbor) and np.array_equal(far.image, near.image + moved)


def test_a_sparse_center_needs_no_table(rock_salt: Structure) -> None:
    sites = Sites.of(rock_salt * (3, 3, 3))
    some = np.array([5, 100])
    everyone = ordered(sites, within(sites, 5.0))
    alone = ordered(sites, within(sites, 5.0, some))
    own = np.flatnonzero(np.isin(everyone.center, some))
    assert np.array_equal(alone.neighbor, everyone.neighbor[own])
    assert np.array_equal(alone.image, everyone.image[own])
