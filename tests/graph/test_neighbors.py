"""Facts about real crystals, and what must not change when a crystal is described differently."""

import numpy as np
import pytest
import torch
from pymatgen.core import Lattice, Structure
from pymatgen.core.operations import SymmOp

from cgcnn.errors import CrystalError, IsolatedAtomError
from cgcnn.graph import NEIGHBOR_RULES, GraphConfig, build_graph, cut_shells, shells

WHOLE = GraphConfig(rule="whole shells")


def rotated(structure: Structure) -> Structure:
    turned = structure.copy()
    turned.apply_operation(SymmOp.from_axis_angle_and_translation([1, 2, 3], 37.0))
    return turned


def shifted(structure: Structure) -> Structure:
    return structure.copy().translate_sites(range(len(structure)), [0.137, 0.291, 0.443])


VIEWS = {
    "conventional": lambda s: s,
    "primitive": lambda s: s.get_primitive_structure(),
    "rotated": rotated,
    "shifted": shifted,
    "2x2x2": lambda s: s * (2, 2, 2),
}


def test_every_atom_of_rock_salt_has_6_12_and_8_neighbors_at_the_right_distances(
    rock_salt: Structure,
) -> None:
    a, graph = 5.64, build_graph(rock_salt)
    for atom in range(8):
        own = rock_salt[atom].specie.symbol
        other = {"Na": "Cl", "Cl": "Na"}[own]
        first, second, third, *_ = shells(rock_salt, graph, atom, cutoff=8.0)
        assert (first.total, second.total, third.total) == ({other: 6}, {own: 12}, {other: 8})
        assert [s.distance for s in (first, second, third)] == pytest.approx([a / 2, a / 2**0.5, a * 3**0.5 / 2])


@pytest.mark.parametrize("view", VIEWS)
def test_k_nearest_keeps_12_and_whole_shells_18_of_rock_salt(rock_salt: Structure, view: str) -> None:
    structure = VIEWS[view](rock_salt)
    assert build_graph(structure, GraphConfig()).degree.unique().tolist() == [12]
    assert build_graph(structure, WHOLE).degree.unique().tolist() == [18]


def test_the_cut_shell_of_rock_salt_is_the_second(rock_salt: Structure) -> None:
    cuts = cut_shells(rock_salt, GraphConfig())
    assert [(c.kept, c.total) for c in cuts] == [(6, 12)] * 8
    assert cuts[0].distance == pytest.approx(5.64 / 2**0.5)
    assert cut_shells(rock_salt, WHOLE) == cut_shells(rock_salt, GraphConfig(max_neighbors=18)) == []


def test_strontium_titanate_cuts_a_shell_of_two_elements(perovskite: Structure) -> None:
    assert ("O", "Sr") in {cut.symbols for cut in cut_shells(perovskite, GraphConfig())}


@pytest.mark.parametrize("rule", NEIGHBOR_RULES)
@pytest.mark.parametrize("name", ["rock_salt", "perovskite", "rutile", "low_symmetry"])
def test_the_compiled_search_agrees_with_a_slow_loop(name: str, rule: str, request: pytest.FixtureRequest) -> None:
    structure = request.getfixturevalue(name)
    config = GraphConfig(rule=rule, cutoff=5.0)
    graph = build_graph(structure, config)
    for atom in range(len(structure)):
        expected = slow_distances(structure, atom, config)
        found = sorted(graph.distance[graph.center == atom].tolist())
        assert found == pytest.approx(expected, abs=1e-5)


def slow_distances(structure: Structure, atom: int, config: GraphConfig) -> list[float]:
    lattice, found = structure.lattice.matrix, []
    for image in np.ndindex(9, 9, 9):
        offset = (np.array(image) - 4) @ lattice
        for other in range(len(structure)):
            d = float(np.linalg.norm(structure[other].coords + offset - structure[atom].coords))
            if 1e-6 < d <= config.cutoff:
                found.append(d)
    found.sort()
    if config.rule == "radius":
        return found
    if config.rule == "whole shells":
        last = found[: config.max_neighbors][-1]
        return [d for d in found if d <= last + config.tolerance]
    return found[: config.max_neighbors]


@pytest.mark.parametrize("rule", NEIGHBOR_RULES)
def test_an_edge_ends_where_it_says(low_symmetry: Structure, rule: str) -> None:
    graph = build_graph(low_symmetry, GraphConfig(rule=rule))
    coords = torch.tensor(low_symmetry.cart_coords)
    offset = graph.image.double() @ torch.tensor(low_symmetry.lattice.matrix)
    ends = coords[graph.neighbor] + offset - coords[graph.center]
    torch.testing.assert_close(ends.float(), graph.displacement, atol=1e-5, rtol=0)


@pytest.mark.parametrize("rule", NEIGHBOR_RULES)
def test_edges_are_sorted_by_center_and_distance(low_symmetry: Structure, rule: str) -> None:
    graph = build_graph(low_symmetry, GraphConfig(rule=rule))
    steps = graph.center.double() * 100 + graph.distance.double()
    assert (steps.diff() > -1e-5).all()


@pytest.mark.parametrize("view", ["rotated", "shifted"])
@pytest.mark.parametrize("name", ["perovskite", "rutile", "low_symmetry"])
def test_whole_shells_do_not_depend_on_the_description(name: str, view: str, request: pytest.FixtureRequest) -> None:
    structure = request.getfixturevalue(name)
    one, other = build_graph(structure, WHOLE), build_graph(VIEWS[view](structure), WHOLE)
    assert torch.equal(one.degree, other.degree)
    torch.testing.assert_close(one.distance, other.distance, atol=2e-5, rtol=0)


def test_the_order_inside_a_shell_does_not_hang_on_rounding(perovskite: Structure) -> None:
    noise = 1e-9 * np.random.default_rng(0).standard_normal((len(perovskite), 3))
    noisy = Structure(perovskite.lattice, perovskite.species, perovskite.frac_coords + noise)
    one, other = build_graph(perovskite, WHOLE), build_graph(noisy, WHOLE)
    assert torch.equal(one.neighbor, other.neighbor) and torch.equal(one.image, other.image)


def test_an_atom_without_neighbor_is_named_with_the_cutoff_it_needs() -> None:
    lonely = Structure(Lattice.cubic(9.0), ["Na"], [[0, 0, 0]])
    with pytest.raises(
        IsolatedAtomError, match=r"1 of 1 atoms of Na has no neighbor within 8 Å \(first: Na 1\).*9\.0 Å"
    ):
        build_graph(lonely)


def test_a_grown_cutoff_gives_a_lonely_atom_its_own_shells_and_leaves_the_others_alone() -> None:
    sites = [[0.1, 0.5, 0.5], [0.1 + 2.5 / 30, 0.5, 0.5], [0.6, 0.5, 0.5]]
    chain = Structure(Lattice.orthorhombic(30.0, 9.0, 9.0), ["Na", "Cl", "Ar"], sites)
    close = GraphConfig(rule="radius", cutoff=3.0, isolated="grow")
    graph = build_graph(chain, close)
    assert graph.degree.tolist() == [1, 1, 4]
    assert graph.distance[graph.center == 2].tolist() == pytest.approx([9.0] * 4)


def test_too_few_neighbors_within_the_cutoff_are_kept_as_they_are_not_padded() -> None:
    sparse = Structure(Lattice.cubic(5.0), ["Na"], [[0, 0, 0]])
    assert build_graph(sparse, GraphConfig(cutoff=6.0)).degree.tolist() == [6]


def test_a_flood_of_edges_is_refused_before_it_is_searched() -> None:
    iron = Structure(Lattice.cubic(2.87), ["Fe", "Fe"], [[0, 0, 0], [0.5, 0.5, 0.5]]) * (9, 9, 9)
    with pytest.raises(CrystalError, match=r"edges \(limit 3,000,000\); lower the cutoff"):
        build_graph(iron, GraphConfig(rule="radius", cutoff=20.0))
