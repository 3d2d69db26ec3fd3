"""Peers are optional, and what they are given is what we have."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from pymatgen.core import Structure

from benchmarks import equality, learners, peers
from benchmarks.floor import Rates, floor_of
from benchmarks.graphs import all_at_once, sizes
from benchmarks.growth import slope
from benchmarks.sets import Crystals, chosen_sets, load_set, perovskite
from cgcnn.graph import build_graph
from cgcnn.graph.merge import merged

ROOT = Path(__file__).parents[2]
MODULES = ("graphs", "training", "inference", "growth", "equality", "memory")


def test_a_missing_peer_is_a_row_and_no_error() -> None:
    row = peers.entry("nobody", "no-such-package", lambda: pytest.fail("it is asked though it is missing"))
    assert row.work is None and row.why == "not installed"


def test_a_peer_that_cannot_be_imported_is_a_row_that_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cgcnn2.data", None)
    row = peers.entry("cgcnn2", "cgcnn2", lambda: peers.cgcnn2_items([]))
    assert row.work is None and "cgcnn2.data" in row.why


def test_no_peer_is_imported_with_a_benchmark() -> None:
    names = ", ".join(f"benchmarks.{name}" for name in MODULES)
    code = f"import sys, {names}; print({{'cgcnn2', 'torch_geometric', 'jarvis', 'matgl'}} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_the_original_finds_the_distances_that_we_find(low_symmetry: Structure) -> None:
    ours = build_graph(low_symmetry).distance.view(-1, 12).sort().values
    _, distance = peers.original_graph(low_symmetry)
    np.testing.assert_allclose(distance, ours, atol=1e-5)


def test_cgcnn2_reads_structures_from_memory_and_sees_what_we_see(low_symmetry: Structure) -> None:
    with peers.quiet():
        ((_, gaussians, neighbors), _, _) = peers.cgcnn2_items([perovskite(1), low_symmetry])()[1]
    ((_, ours, _), _, _) = peers.dense_items(build_graph(low_symmetry))[0]
    assert neighbors.shape == (7, 12)
    torch.testing.assert_close(gaussians.sum(1), ours.sum(1), atol=1e-4, rtol=0)


def test_dense_items_number_neighbors_inside_their_crystal(rock_salt: Structure, low_symmetry: Structure) -> None:
    items = peers.dense_items(all_at_once([rock_salt, low_symmetry]))
    assert [len(atoms) for (atoms, _, _), _, _ in items] == [8, 7]
    torch.testing.assert_close(items[1][0][2], peers.dense_items(build_graph(low_symmetry))[0][0][2])


def test_all_learners_begin_with_one_loss(rock_salt: Structure, low_symmetry: Structure) -> None:
    graph, targets = all_at_once([rock_salt, low_symmetry]), torch.tensor([[1.0], [-1.0]])
    weights = peers.cgcnn2_network().state_dict()
    both = [
        learners.of_cgcnn2(peers.dense_items(graph), targets, weights),
        learners.ours("ours", graph, targets, weights),
        learners.ours("merged", merged(graph), targets, weights),
    ]
    losses = torch.stack([learner.step(torch.tensor([1, 0])) for learner in both])
    torch.testing.assert_close(losses, losses[:1].expand(3), atol=1e-5, rtol=0)


def test_equality_finds_our_outputs_equal(rock_salt: Structure, low_symmetry: Structure) -> None:
    graph = all_at_once([rock_salt, low_symmetry])
    found = equality.worst(graph, torch.tensor([[1.0], [-1.0]]), seeds=[0])
    assert max(found["ours, plain"].values()) < 1e-4
    assert "ours, plain" in equality.shown(found)


def test_an_epoch_shows_every_crystal_once(low_symmetry: Structure) -> None:
    learner = learners.ours("ours", all_at_once([low_symmetry] * 7), torch.zeros(7, 1))
    shares = learner.shares(seed=0, batch_size=3)
    assert [len(share) for share in shares] == [3, 2, 2]
    assert torch.cat(shares).sort().values.tolist() == list(range(7))


def test_the_floor_adds_up_what_the_rates_say(low_symmetry: Structure) -> None:
    graph = build_graph(low_symmetry)
    weight = torch.ones(3, 3)
    floor = floor_of(graph, lambda: weight @ weight, Rates(flops=54.0, exps=1e9, bytes=1e9))
    assert floor.products == 1.0  # s; 2 × 3³ operations
    assert floor.total == floor.products + floor.exps + floor.traffic


def test_a_merged_graph_is_smaller(rock_salt: Structure) -> None:
    found = sizes([rock_salt])
    assert found["bytes per atom, ours merged"] < found["bytes per atom, ours"] < found["bytes per atom, original"]


def test_the_slope_of_a_square_is_two_and_small_cells_do_not_count() -> None:
    assert slope([10, 100, 1000], [7.0, 1.0, 100.0]) == pytest.approx(2)
    assert np.isnan(slope([10, 100], [1.0, 1.0]))


def test_a_set_that_is_not_there_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(chosen_sets(["nothing.parquet"], 5)) == []
    assert "skipped" in capsys.readouterr().out


def test_the_built_in_set_has_targets_and_twelve_neighbors_everywhere() -> None:
    crystals = load_set("built-in", 5)
    assert len(crystals) + crystals.n_left_out == 5 and len(crystals.values) == len(crystals)
    assert all((build_graph(structure).degree == 12).all() for structure in crystals.structures)


def test_targets_are_normalized() -> None:
    values = Crystals("some", [], "a", [1.0, 2.0, 6.0]).normalized
    assert float(values.mean()) == pytest.approx(0, abs=1e-6) and float(values.std()) == pytest.approx(1)


def test_a_disordered_cell_has_the_atoms_of_the_perfect_one_nearly_where_they_are() -> None:
    perfect, disordered = perovskite(2), perovskite(2, noise=0.01)
    assert perfect.composition == disordered.composition
    moved = np.linalg.norm(perfect.cart_coords - disordered.cart_coords, axis=1)
    assert 0 < moved.max() < 0.1
