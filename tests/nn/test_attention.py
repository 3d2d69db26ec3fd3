"""The attention layer against a slow loop over its own equation, and its softmax against PyTorch's."""

import math

import pytest
import torch
from pymatgen.core import Structure

from cgcnn.graph import GraphConfig, build_graph
from cgcnn.graph.merge import merged
from cgcnn.nn import ACTIVATIONS, ATTENTIONS, NORMS, AttentionConv
from cgcnn.nn.segment import segment_softmax

D, E = 6, 5
HEADS = [1, 3]


def inputs(structure: Structure):
    torch.manual_seed(3)
    graph = build_graph(structure)
    return torch.randn(graph.n_atoms, D), torch.randn(graph.n_edges, E), graph


def layer_of(attention: str, heads: int, activation: str = "softplus", norm: str = "none") -> AttentionConv:
    torch.manual_seed(4)
    return AttentionConv(D, E, ACTIVATIONS[activation], NORMS[norm], ATTENTIONS[attention], heads)


def score_by_hand(layer: AttentionConv, v_i, v_j, u, own: slice) -> torch.Tensor:
    if isinstance(layer.score, ATTENTIONS["as published"]):
        return (v_i[own] @ v_j[own]) * (u @ u)
    key = layer.score.key(torch.cat([v_j, u]))
    return layer.score.query(v_i)[own] @ key[own] / math.sqrt(D // layer.heads)


@pytest.mark.parametrize("heads", HEADS)
@pytest.mark.parametrize("attention", ATTENTIONS)
def test_the_attention_layer_is_its_equation(attention: str, heads: int, low_symmetry: Structure) -> None:
    (v, u, graph), layer, g = inputs(low_symmetry), layer_of(attention, heads), torch.nn.functional.softplus
    slices = [slice(h * D // heads, (h + 1) * D // heads) for h in range(heads)]
    for i in range(graph.n_atoms):
        edges = [(e, int(graph.neighbor[e])) for e in torch.where(graph.center == i)[0].tolist()]
        message = torch.stack([g(layer.linear(torch.cat([v[i], v[j], u[e]]))) for e, j in edges])
        total = []
        for own in slices:
            scores = torch.stack([score_by_hand(layer, v[i], v[j], u[e], own) for e, j in edges])
            total.append(scores.softmax(dim=0) @ message[:, own])
        expected = g(v[i] + layer.join(torch.cat(total)))
        torch.testing.assert_close(layer(v, u, graph)[i], expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("attention", ATTENTIONS)
def test_it_keeps_its_shape_and_has_finite_gradients(
    attention: str, activation: str, norm: str, rutile: Structure
) -> None:
    v, u, graph = inputs(rutile)
    layer = layer_of(attention, 2, activation, norm)
    out = layer(v.requires_grad_(), u, graph)
    out.square().sum().backward()
    assert out.shape == v.shape
    assert all(x.grad is not None and x.grad.isfinite().all() for x in (v, *layer.parameters()))


def test_the_softmax_is_pytorchs_own_for_each_index() -> None:
    values, index = torch.randn(7, 2), torch.tensor([0, 0, 0, 2, 2, 3, 3])
    parts = torch.cat([values[index == k].softmax(dim=0) for k in (0, 2, 3)])
    torch.testing.assert_close(segment_softmax(values, index, 4), parts)


def test_scores_of_ten_thousand_do_not_overflow() -> None:
    values = torch.tensor([[1e4], [1e4 - 1.0], [-1e4], [-1e4 - 1.0]], requires_grad=True)
    weights = segment_softmax(values, torch.tensor([0, 0, 1, 1]), 2)  # each atom has a largest score of its own
    weights[0].sum().backward()
    expected = torch.tensor([0.0, -1.0]).softmax(dim=0)
    torch.testing.assert_close(weights[:, 0].detach(), torch.cat([expected, expected]))
    assert values.grad is not None and values.grad.isfinite().all()


def test_a_row_with_copies_weighs_what_each_of_its_copies_would() -> None:
    values, copies = torch.randn(3, 2), torch.tensor([3.0, 1.0, 2.0])
    many = segment_softmax(values.repeat_interleave(copies.long(), 0), torch.zeros(6, dtype=torch.long), 1)
    few = segment_softmax(values, torch.zeros(3, dtype=torch.long), 1, copies)
    torch.testing.assert_close(few.repeat_interleave(copies.long(), 0), many)


@pytest.mark.parametrize("attention", ATTENTIONS)
def test_the_weights_around_an_atom_sum_to_one_on_merged_graphs_too(attention: str, perovskite: Structure) -> None:
    graph = merged(build_graph(perovskite, GraphConfig(rule="whole shells")))
    layer = layer_of(attention, 2)
    v, u = torch.randn(graph.n_atoms, D), torch.randn(graph.n_edges, E)
    c = layer.softmax(layer.score(v, u, graph), graph)
    counted = torch.zeros(graph.n_atoms, 2).index_add(0, graph.center, c * graph.edge_multiplicity[:, None])
    torch.testing.assert_close(counted, torch.ones(graph.n_atoms, 2))


def test_only_the_learned_score_hears_the_direction_of_an_edge_vector(rutile: Structure) -> None:
    v, u, graph = inputs(rutile)
    turned = u.roll(1, dims=1)  # as long as before
    published, learned = (layer_of(name, 1).score for name in ("as published", "stabilised"))
    torch.testing.assert_close(published(v, turned, graph), published(v, u, graph))
    assert (learned(v, turned, graph) - learned(v, u, graph)).abs().max() > 0.1
