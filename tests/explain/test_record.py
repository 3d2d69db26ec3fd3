"""What hooks catch is what the network did."""

import torch
from pymatgen.core import Structure

from cgcnn.explain.record import record
from cgcnn.graph import build_graph
from cgcnn.models import CGCNN


def test_a_recording_holds_every_layer_of_the_pass_it_watched(rock_salt: Structure) -> None:
    model, graph = CGCNN(CGCNN.Config(n_convs=2)).eval(), build_graph(rock_salt)
    seen = record(model, graph)
    assert [v.shape for v in seen.atom_vectors] == [(8, 64)] * 3
    assert seen.edge_vectors.shape == (graph.n_edges, 41) and seen.crystal_vectors.shape == (1, 64)
    with torch.no_grad():
        assert torch.equal(seen.call("head").output, model(graph))


def test_watching_leaves_no_hook_behind(rock_salt: Structure) -> None:
    model = CGCNN(CGCNN.Config(n_convs=1)).eval()
    record(model, build_graph(rock_salt))
    assert not any(part._forward_hooks for part in model.modules())


def test_a_network_without_convolutions_has_only_its_embedding(rock_salt: Structure) -> None:
    model = CGCNN(CGCNN.Config(n_convs=0)).eval()
    assert len(record(model, build_graph(rock_salt)).atom_vectors) == 1
