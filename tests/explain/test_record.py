"""What hooks catch is what the network did."""

from concurrent.futures import ThreadPoolExecutor

import torch
from pymatgen.core import Structure

from cgcnn.explain.record import _twin, record
from cgcnn.graph import build_graph
from cgcnn.models import CGCNN


def test_a_recording_holds_every_layer_of_the_pass_it_watched(rock_salt: Structure) -> None:
    model, graph = CGCNN(CGCNN.Config(n_convs=2)).eval(), build_graph(rock_salt)
    seen = record(model, graph, inside=True)
    assert [v.shape for v in seen.atom_vectors] == [(8, 64)] * 3
    assert seen.edge_vectors.shape == (graph.n_edges, 41) and seen.crystal_vectors.shape == (1, 64)
    with torch.no_grad():
        assert torch.equal(seen.call("head").output, model(graph))


def test_watching_leaves_no_hook_behind(rock_salt: Structure) -> None:
    model = CGCNN(CGCNN.Config(n_convs=1)).eval()
    record(model, build_graph(rock_salt))
    assert not any(part._forward_hooks for part in model.modules())


def test_two_readers_of_one_network_do_not_see_each_others_numbers(rock_salt: Structure) -> None:
    model, graph = CGCNN().eval(), build_graph(rock_salt * (2, 2, 2))
    with ThreadPoolExecutor(4) as readers:
        seen = list(readers.map(lambda _: record(model, graph), range(24)))
    assert {len(calls) for one in seen for calls in one.calls.values()} == {1}


def test_a_recording_shares_the_weights_and_copies_none(rock_salt: Structure) -> None:
    model = CGCNN(CGCNN.Config(n_convs=1)).eval()
    twin = _twin(model)
    assert all(a is b for a, b in zip(model.parameters(), twin.parameters(), strict=True))
    assert all(a is b for a, b in zip(model.buffers(), twin.buffers(), strict=True))


def test_a_network_without_convolutions_has_only_its_embedding(rock_salt: Structure) -> None:
    model = CGCNN(CGCNN.Config(n_convs=0)).eval()
    assert len(record(model, build_graph(rock_salt)).atom_vectors) == 1
