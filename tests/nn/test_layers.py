"""Each vectorised layer against a slow loop over its own equation."""

import pytest
import torch
from pymatgen.core import Structure

from cgcnn.graph import build_graph
from cgcnn.nn import ACTIVATIONS, CONVS, NORMS, POOLINGS, GaussianExpansion
from cgcnn.nn.mixed import mixed
from cgcnn.nn.segment import segment_max, segment_mean, segment_sum

D, E = 6, 5


def inputs(structure: Structure):
    torch.manual_seed(3)
    graph = build_graph(structure)
    return torch.randn(graph.n_atoms, D), torch.randn(graph.n_edges, E), graph


def layer_of(name: str, norm: str = "none"):
    torch.manual_seed(4)
    return CONVS[name](D, E, ACTIVATIONS["softplus"], NORMS[norm])


def test_the_gated_layer_is_equation_5_with_the_outer_softplus(low_symmetry: Structure) -> None:
    v, u, graph = inputs(low_symmetry)
    layer = layer_of("gated")
    expected = []
    for i in range(graph.n_atoms):
        total = torch.zeros(D)
        for edge in torch.where(graph.center == i)[0].tolist():
            z = layer.linear(torch.cat([v[i], v[graph.neighbor[edge]], u[edge]]))
            total = total + torch.sigmoid(z[:D]) * torch.nn.functional.softplus(z[D:])
        expected.append(torch.nn.functional.softplus(v[i] + total))
    torch.testing.assert_close(layer(v, u, graph), torch.stack(expected), atol=1e-5, rtol=1e-5)


def test_the_factorised_product_and_its_gradients_equal_the_concatenated_ones(
    low_symmetry: Structure,
) -> None:
    v, u, graph = inputs(low_symmetry)
    layer, v = layer_of("gated"), v.requires_grad_()
    z = torch.cat([v[graph.center], v[graph.neighbor], u], dim=1)
    plain = torch.autograd.grad(layer.linear(z).square().sum(), [v, layer.linear.weight])
    ours = torch.autograd.grad(mixed(layer.linear, v, u, graph).square().sum(), [v, layer.linear.weight])
    for a, b in zip(plain, ours, strict=True):
        torch.testing.assert_close(a, b, atol=1e-3, rtol=1e-5)


def test_the_weight_shared_layer_is_one_matrix_for_all_neighbors(low_symmetry: Structure) -> None:
    v, u, graph = inputs(low_symmetry)
    layer = layer_of("weight-shared")
    message = layer.neighbor_linear(torch.cat([v[graph.neighbor], u], dim=1))
    total = torch.stack([message[graph.center == i].sum(dim=0) for i in range(graph.n_atoms)])
    expected = torch.nn.functional.softplus(total + layer.self_linear(v))
    torch.testing.assert_close(layer(v, u, graph), expected, atol=1e-5, rtol=1e-5)


def test_without_convolution_an_atom_does_not_see_its_neighbors(low_symmetry: Structure) -> None:
    v, u, graph = inputs(low_symmetry)
    layer = layer_of("no convolution")
    changed = v.clone()
    changed[1:] += 1.0
    assert torch.equal(layer(v, u, graph)[0], layer(changed, u, graph)[0])


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("conv", CONVS)
def test_every_layer_keeps_its_shape_and_has_finite_gradients(
    conv: str, activation: str, norm: str, rutile: Structure
) -> None:
    v, u, graph = inputs(rutile)
    layer = CONVS[conv](D, E, ACTIVATIONS[activation], NORMS[norm])
    out = layer(v.requires_grad_(), u, graph)
    out.sum().backward()
    assert out.shape == v.shape and v.grad is not None and v.grad.isfinite().all()


def test_segments_agree_with_a_loop() -> None:
    values, index = torch.tensor([[1.0], [5.0], [-2.0]]), torch.tensor([0, 0, 2])
    assert segment_sum(values, index, 3).flatten().tolist() == [6.0, 0.0, -2.0]
    assert segment_mean(values, index, 3).flatten().tolist() == [3.0, 0.0, -2.0]
    assert segment_max(values, index, 3).flatten().tolist() == [5.0, 0.0, -2.0]


@pytest.mark.parametrize(("name", "expected"), [("mean", 3.0), ("sum", 6.0), ("max", 5.0)])
def test_each_pooling_does_what_its_name_says(name: str, expected: float) -> None:
    pooled = POOLINGS[name]()(torch.tensor([[1.0], [5.0]]), torch.tensor([0, 0]), 1)
    assert pooled.item() == expected


def test_mean_pooling_of_many_equal_atoms_does_not_drift() -> None:
    v = torch.full((5000, 1), 0.1)
    assert abs(POOLINGS["mean"]()(v, torch.zeros(5000, dtype=torch.long), 1).item() - 0.1) < 1e-7


def test_the_published_gaussians_are_41_from_0_to_8_angstrom() -> None:
    expand = GaussianExpansion()
    assert len(expand) == 41 and expand.centers[-1].item() == pytest.approx(8.0)
    u = expand(torch.tensor([2.0]))[0]
    assert u[10].item() == pytest.approx(1.0) and u[11].item() == pytest.approx(torch.e**-1, rel=1e-4)


def test_shifted_softplus_is_zero_at_zero() -> None:
    assert ACTIVATIONS["shifted softplus"]()(torch.zeros(1)).item() == pytest.approx(0.0, abs=1e-7)
