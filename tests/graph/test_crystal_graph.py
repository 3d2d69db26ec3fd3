import pytest
import torch
from pymatgen.core import Structure

from cgcnn.errors import ConfigError, CrystalError
from cgcnn.graph import GraphConfig, batch, build_graph
from cgcnn.graph.merge import merged


def test_a_batch_is_its_crystals_side_by_side(rock_salt: Structure, rutile: Structure) -> None:
    salt, oxide = build_graph(rock_salt), build_graph(rutile)
    both = batch([salt, oxide])
    assert (both.n_crystals, both.n_atoms, both.n_edges) == (2, 14, salt.n_edges + oxide.n_edges)
    assert both.atoms_per_crystal.tolist() == [8, 6]
    assert torch.equal(both.neighbor[salt.n_edges :] - 8, oxide.neighbor)
    assert torch.equal(both.crystal[both.center], both.crystal[both.neighbor]), "no edge joins two crystals"


def test_batches_batch(rock_salt: Structure) -> None:
    salt = build_graph(rock_salt)
    assert batch([batch([salt, salt]), salt]).atoms_per_crystal.tolist() == [8, 8, 8]


def test_an_empty_batch_is_refused() -> None:
    with pytest.raises(CrystalError, match="at least one graph"):
        batch([])


def test_a_graph_is_frozen_and_says_what_it_holds(rock_salt: Structure) -> None:
    graph = build_graph(rock_salt)
    assert repr(graph) == "CrystalGraph(1 crystals, 8 atoms, 96 edges)"
    with pytest.raises(AttributeError):
        graph.n_crystals = 2  # type: ignore[misc]


def test_an_unknown_rule_names_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="k nearest, whole shells, radius"):
        GraphConfig(rule="voronoi")


def test_a_graph_knows_where_its_atoms_are(low_symmetry: Structure) -> None:
    graph = build_graph(low_symmetry)
    assert graph.fractional.numpy() == pytest.approx(low_symmetry.frac_coords, abs=1e-6)
    assert graph.lattice[0].numpy() == pytest.approx(low_symmetry.lattice.matrix, abs=1e-5)
    ends = graph.fractional[graph.neighbor] + graph.image - graph.fractional[graph.center]
    torch.testing.assert_close(ends @ graph.lattice[0], graph.displacement, atol=1e-4, rtol=0)


def test_places_and_cells_go_with_their_crystals(rock_salt: Structure, rutile: Structure) -> None:
    graphs = [build_graph(rock_salt), build_graph(rutile)]
    both = batch(graphs)
    taken = both.take(torch.tensor([1, 0, 1]))
    assert torch.equal(taken.lattice, both.lattice[[1, 0, 1]])
    assert torch.equal(taken.fractional[6:14], graphs[0].fractional)
    assert torch.equal(both.take(torch.tensor([1])).fractional, graphs[1].fractional)
    assert both.to("meta").lattice.device.type == "meta"


def test_a_batch_has_places_only_where_every_graph_has_them(rock_salt: Structure) -> None:
    plain = build_graph(rock_salt)
    mixed = batch([plain, merged(plain)])
    assert mixed.fractional is None and mixed.lattice is None
    assert mixed.take(torch.tensor([0])).fractional is None
