"""Atoms that no network can tell apart."""

import numpy as np
import pytest
import torch
from pymatgen.core import Lattice, Structure

from cgcnn.data.cells import supercell, symmetry
from cgcnn.explain.record import record
from cgcnn.graph import NEIGHBOR_RULES, GraphConfig, build_graph
from cgcnn.graph.classes import MergedGraph, compared, distance_groups, merged_graph
from cgcnn.models import CGCNN

WHOLE = GraphConfig(rule="whole shells")


def merged(structure: Structure, config: GraphConfig = WHOLE) -> MergedGraph:
    return merged_graph(build_graph(structure, config))


def edges(found: MergedGraph) -> set[tuple[int, int, float, int]]:
    return {(e.center, e.neighbor, round(e.distance, 3), e.count) for e in found.edges}


def test_rock_salt_is_two_atoms_and_four_kinds_of_edges(rock_salt: Structure) -> None:
    found = merged(rock_salt)
    assert found.symbols == (("Na",), ("Cl",)) and found.fractions == (0.5, 0.5)
    assert edges(found) == {(0, 1, 2.82, 6), (1, 0, 2.82, 6), (0, 0, 3.988, 12), (1, 1, 3.988, 12)}
    assert found.rounds == (2,), "elements alone tell them apart"


@pytest.mark.parametrize("name", ["rock_salt", "perovskite", "rutile", "low_symmetry"])
def test_a_supercell_merges_to_the_same_graph(name: str, request: pytest.FixtureRequest) -> None:
    structure = request.getfixturevalue(name)
    one, many = merged(structure), merged(supercell(structure, (2, 1, 2)))
    assert edges(one) == edges(many)
    assert (one.symbols, one.fractions) == (many.symbols, many.fractions)


@pytest.mark.parametrize(("name", "n_classes"), [("rock_salt", 2), ("perovskite", 3), ("rutile", 2)])
def test_with_whole_shells_the_classes_are_the_orbits(
    name: str, n_classes: int, request: pytest.FixtureRequest
) -> None:
    structure = request.getfixturevalue(name)
    found = merged(structure)
    assert found.n_classes == n_classes
    assert compared(found.classes, symmetry(structure).orbits).equal


def test_k_nearest_tells_the_equal_oxygens_of_strontium_titanate_apart(perovskite: Structure) -> None:
    structure = supercell(perovskite, (2, 2, 2))  # in the cell of 5 atoms the accident may spare them
    found = merged(structure, GraphConfig())
    difference = compared(found.classes, symmetry(structure).orbits)
    assert found.n_classes > 5 and max(map(len, difference.split)) > 2 and not difference.merged


def test_lanthanum_and_cerium_are_one_class_where_they_see_the_same() -> None:
    alloy = Structure(Lattice.cubic(3.9), ["La", "Ce"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    found = merged(alloy)
    assert found.symbols == (("La", "Ce"),)
    assert compared(found.classes, symmetry(alloy).orbits).merged == ((0, 1),)


@pytest.mark.parametrize("rule", NEIGHBOR_RULES)
@pytest.mark.parametrize("name", ["perovskite", "rutile"])
def test_a_network_gives_atoms_of_one_class_one_vector(name: str, rule: str, request: pytest.FixtureRequest) -> None:
    torch.manual_seed(0)
    graph = build_graph(request.getfixturevalue(name) * (2, 1, 1), GraphConfig(rule=rule, cutoff=6.0))
    classes = torch.tensor(merged_graph(graph).classes)
    for v in record(CGCNN(CGCNN.Config(n_convs=4)).eval(), graph).atom_vectors:
        for one in classes.unique():
            mine = v[classes == one]
            torch.testing.assert_close(mine, mine[:1].expand_as(mine), atol=1e-5, rtol=1e-5)


def test_as_many_convolutions_as_rounds_tell_all_classes_apart(rutile: Structure) -> None:
    torch.manual_seed(0)
    doped = supercell(rutile, (2, 2, 1))
    doped.replace(0, "Zr")
    graph = build_graph(doped, WHOLE)
    found = merged_graph(graph)
    *_, last = record(CGCNN(CGCNN.Config(n_convs=len(found.rounds) - 1)).eval(), graph).atom_vectors
    same = torch.cdist(last, last, compute_mode="donot_use_mm_for_euclid_dist") < 1e-4
    classes = torch.tensor(found.classes)
    assert len(found.rounds) > 2 and torch.equal(same, classes[:, None] == classes)


def test_equal_distances_are_never_put_into_two_groups() -> None:
    noise = 1e-6 * np.random.default_rng(0).random(1000)
    group, mean = distance_groups(np.concatenate([2.0 + noise, 2.0004 + noise, 2.0012 + noise]), 1e-3)
    assert [len(np.unique(part)) for part in np.split(group, 3)] == [1, 1, 1]
    assert len(mean) == 2 and mean[1] == pytest.approx(2.0012, abs=1e-5)


def test_a_crystal_with_one_distance_is_one_atom_and_one_kind_of_edge() -> None:
    copper = Structure(Lattice.from_parameters(2.553, 2.553, 2.553, 60, 60, 60), ["Cu"], [[0, 0, 0]])
    assert edges(merged(copper)) == {(0, 0, 2.553, 12)}


def test_counts_of_a_merged_graph_give_back_every_edge(low_symmetry: Structure) -> None:
    graph = build_graph(low_symmetry, WHOLE)
    found = merged_graph(graph)
    assert sum(edge.count * found.sizes[edge.center] for edge in found.edges) == graph.n_edges
