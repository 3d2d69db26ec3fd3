"""The quotient graph of many crystals at once, against the one-crystal explanation and against the plain graph."""

import numpy as np
import pytest
import torch
from pymatgen.core import Lattice, Structure

from cgcnn.graph import GraphConfig, batch, build_graph, build_graphs
from cgcnn.graph.classes import merged_graph
from cgcnn.graph.merge import SAME, lightest, merged, shells_of

WHOLE = GraphConfig(rule="whole shells")


@pytest.fixture
def crystals(rock_salt: Structure, perovskite: Structure, rutile: Structure, low_symmetry: Structure):
    return [rock_salt, perovskite, low_symmetry, rutile * (2, 1, 1), perovskite * (1, 2, 1)]


def test_rock_salt_is_two_atoms_with_two_edges_each(rock_salt: Structure) -> None:
    small = merged(build_graph(rock_salt, WHOLE))
    assert small.multiplicity.tolist() == [4, 4] and small.edge_multiplicity.tolist() == [6, 12, 6, 12]
    assert (small.center.tolist(), small.neighbor.tolist()) == ([0, 0, 1, 1], [1, 0, 0, 1])
    assert small.distance.tolist() == pytest.approx([2.82, 3.988, 2.82, 3.988], abs=1e-3)


def test_degrees_and_numbers_of_atoms_are_those_of_the_plain_graph(crystals: list[Structure]) -> None:
    plain = batch([build_graph(s) for s in crystals])
    small = merged(plain)
    assert small.atoms_per_crystal.tolist() == plain.atoms_per_crystal.tolist() == [len(s) for s in crystals]
    assert small.degree.tolist() == [12] * small.n_atoms and float(small.copies_of_edges.sum()) == plain.n_edges


@pytest.mark.parametrize("config", [GraphConfig(), WHOLE, GraphConfig(rule="radius", cutoff=4.5)], ids=lambda c: c.rule)
def test_it_has_the_classes_and_edges_that_the_graph_page_explains(
    crystals: list[Structure], config: GraphConfig
) -> None:
    graphs = [build_graph(s, config) for s in crystals]
    together = merged(batch(graphs))
    for i, graph in enumerate(graphs):
        shown, small = merged_graph(graph, SAME), together.take(torch.tensor([i]))
        assert small.multiplicity.tolist() == list(shown.sizes)
        expected = [(e.center, round(e.distance, 3), e.neighbor, e.count) for e in shown.edges]
        rounded = [round(d, 3) for d in small.distance.tolist()]
        counts = small.edge_multiplicity.int().tolist()
        found = list(zip(small.center.tolist(), rounded, small.neighbor.tolist(), counts, strict=True))
        assert sorted(found) == sorted(expected)


def test_crystals_are_never_merged_with_each_other(rock_salt: Structure) -> None:
    twice = merged(batch([build_graph(rock_salt), build_graph(rock_salt)]))
    assert twice.crystal.tolist() == [0, 0, 1, 1] and twice.center.max() == 3


def test_lanthanum_and_cerium_stay_apart_though_the_92_bits_do_not_tell_them() -> None:
    alloy = Structure(Lattice.cubic(3.9), ["La", "Ce"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    assert merged(build_graph(alloy)).atomic_numbers.tolist() == [57, 58]


@pytest.mark.parametrize(("shift", "n_atoms"), [(2e-6, 2), (3e-3, 8)])
def test_noise_merges_and_a_real_difference_does_not(rock_salt: Structure, shift: float, n_atoms: int) -> None:
    noise = shift * np.random.default_rng(0).standard_normal((8, 3))
    moved = Structure(rock_salt.lattice, rock_salt.species, rock_salt.cart_coords + noise, coords_are_cartesian=True)
    assert merged(build_graph(moved, GraphConfig(max_neighbors=6))).n_atoms == n_atoms


def test_no_shell_is_wider_than_the_tolerance_even_where_distances_lie_close() -> None:
    rng = np.random.default_rng(1)
    glass = Structure(Lattice.cubic(25.0), ["Si"] * 900, rng.random((900, 3)))
    graph = build_graph(glass)
    shell, length = shells_of(graph), graph.distance.double().numpy()
    widths = [np.ptp(length[shell == s]) for s in np.unique(shell)[:500]]
    assert max(widths) <= SAME * 1.001 and len(np.unique(shell)) < graph.n_edges


def test_a_graph_without_symmetry_stays_as_it_is(low_symmetry: Structure, rock_salt: Structure) -> None:
    plain = build_graph(low_symmetry)
    assert lightest(plain) is plain
    assert lightest(build_graph(rock_salt)).n_atoms == 2


def test_taking_crystals_out_of_many_is_putting_single_ones_together(crystals: list[Structure]) -> None:
    graphs = [merged(build_graph(s)) for s in crystals]
    whole, chosen = batch(graphs), [3, 0, 0, 4]
    taken, expected = whole.take(torch.tensor(chosen)), batch([graphs[i] for i in chosen])
    for name, tensor in vars(expected).items():
        assert torch.equal(getattr(taken, name), tensor) if isinstance(tensor, torch.Tensor) else True, name
    assert taken.n_crystals == 4 and whole.take(torch.tensor([], dtype=torch.long)).n_atoms == 0


def test_a_batch_of_merged_and_plain_graphs_counts_both_right(rock_salt: Structure) -> None:
    plain = build_graph(rock_salt)
    both = batch([merged(plain), plain])
    assert both.multiplicity.tolist() == [4, 4] + [1] * 8 and both.atoms_per_crystal.tolist() == [8, 8]


def test_a_merged_graph_and_an_empty_one_stay_as_they_are(rock_salt: Structure) -> None:
    once, empty = merged(build_graph(rock_salt)), build_graphs([]).graph
    assert merged(once) is once and merged(empty) is empty
