"""The numbers on the Convolution page are those of the network: step by step, for one edge of rock salt."""

import re

import pytest
import torch
from pymatgen.core import Structure
from torch import nn

from cgcnn.data.samples import load_sample
from cgcnn.errors import CrystalError
from cgcnn.explain.equations import lines, number
from cgcnn.explain.record import record
from cgcnn.explain.steps import layer_steps
from cgcnn.explain.variants import changed, without_gate
from cgcnn.graph import GraphConfig, build_graph
from cgcnn.models import CGCNN
from cgcnn.nn import CONVS, NORMS
from cgcnn.training.predictor import Predictor

RULES = ["k nearest", "whole shells"]
ATOM, EDGE, FEATURE = 2, 7, 11


def lived_in(model: nn.Module) -> nn.Module:
    """Batch norms with a past, as training leaves them."""
    torch.manual_seed(1)
    for part in model.modules():
        if isinstance(part, nn.BatchNorm1d):
            part.running_mean.normal_()
            part.running_var.uniform_(0.5, 2.0)
            nn.init.uniform_(part.weight, 0.5, 1.5)
            nn.init.normal_(part.bias)
    return model.eval()


def network(conv: str, norm: str = "batch norm") -> CGCNN:
    torch.manual_seed(0)
    return CGCNN(CGCNN.Config(conv=conv, norm=norm)).eval()


def steps_of(model: nn.Module, layer: int, rule: str = "k nearest"):
    graph = build_graph(load_sample("NaCl").structure, GraphConfig(rule=rule))
    seen = record(model, graph, inside=True)
    v = seen.atom_vectors[layer]
    return seen, layer_steps(model.convs[layer], v, seen.edge_vectors, graph, ATOM)


NETWORKS = {
    "gated, untrained": lambda: network("gated"),
    "gated, trained": lambda: Predictor.published("formation energy").model,
    "gated, layer norm": lambda: network("gated", "layer norm"),
    "gated, no norm": lambda: network("gated", "none"),
    "weight-shared, untrained": lambda: network("weight-shared"),
    "weight-shared, trained": lambda: lived_in(network("weight-shared")),
    "no convolution": lambda: lived_in(network("no convolution")),
}


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("layer", [0, 1, 2])
@pytest.mark.parametrize("name", [n for n in NETWORKS if n.startswith("gated")])
def test_every_step_of_a_gated_layer_is_what_the_network_computed(name: str, layer: int, rule: str) -> None:
    seen, steps = steps_of(NETWORKS[name](), layer, rule)
    part, own = f"convs.{layer}.", steps.edges
    d = len(steps.v_i)
    mixed, z = seen.call(part + "norm_message").inputs[0][own], seen.call(part + "norm_message").output[own]
    close = {"atol": 1e-5, "rtol": 1e-5}
    torch.testing.assert_close(steps["W_f z + b_f"], mixed[:, :d], **close)
    torch.testing.assert_close(steps["W_s z + b_s"], mixed[:, d:], **close)
    torch.testing.assert_close(steps["z_f"], z[:, :d], **close)
    torch.testing.assert_close(steps["z_s"], z[:, d:], **close)
    torch.testing.assert_close(steps["g(z_s)"], seen.call(part + "activation").output[own], **close)
    torch.testing.assert_close(steps["σ(z_f) ⊙ g(z_s)"].sum(0), seen.call(part + "norm_sum").inputs[0][ATOM], **close)
    torch.testing.assert_close(steps["Σ"], seen.call(part + "norm_sum").inputs[0][ATOM], **close)
    torch.testing.assert_close(steps["N(Σ)"], seen.call(part + "norm_sum").output[ATOM], **close)
    torch.testing.assert_close(steps["v_i′"], seen.atom_vectors[layer + 1][ATOM], **close)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("layer", [0, 2])
@pytest.mark.parametrize("name", [n for n in NETWORKS if n.startswith("weight-shared")])
def test_every_step_of_a_weight_shared_layer_is_what_the_network_computed(name: str, layer: int, rule: str) -> None:
    seen, steps = steps_of(NETWORKS[name](), layer, rule)
    part = f"convs.{layer}."
    close = {"atol": 1e-4, "rtol": 1e-5}
    total = seen.call(part + "norm_sum").inputs[0][ATOM]
    torch.testing.assert_close(steps["W_n (v_j ⊕ u) + b_n"].sum(0) + steps["W_s v_i + b_s"], total, **close)
    torch.testing.assert_close(steps["Σ + W_s v_i + b_s"], total, **close)
    torch.testing.assert_close(steps["N(…)"], seen.call(part + "norm_sum").output[ATOM], **close)
    torch.testing.assert_close(steps["v_i′"], seen.atom_vectors[layer + 1][ATOM], **close)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_equations_end_in_what_the_network_gave(name: str) -> None:
    seen, steps = steps_of(NETWORKS[name](), 1)
    of_edge, of_atom = lines(steps, EDGE, FEATURE)
    assert of_atom[-1].latex.endswith(f"= {number(float(seen.atom_vectors[2][ATOM, FEATURE]))}")
    assert bool(of_edge) == (name != "no convolution")
    assert all(line.words and "nan" not in line.latex for line in of_edge + of_atom)


def test_the_parts_of_a_mix_add_up(rock_salt: Structure) -> None:
    _, steps = steps_of(NETWORKS["gated, trained"](), 1)
    linear, z = steps.layer.linear, torch.cat([steps.v_i, steps.v_j[EDGE], steps.u[EDGE]])
    torch.testing.assert_close(linear(z)[FEATURE], steps["W_f z + b_f"][EDGE, FEATURE], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("norm", ["as it is", "statistics of this crystal"])
def test_a_reader_who_works_out_the_batch_norm_gets_the_printed_number(norm: str) -> None:
    seen, steps = steps_of(NETWORKS["gated, trained"](), 0)
    steps = layer_steps(changed(steps.layer, norm=norm), seen.atom_vectors[0], seen.edge_vectors, seen.graph, ATOM)
    for feature in range(64):
        text = lines(steps, EDGE, feature)[1][1].latex
        assert text.count("frac") == 1
        x, mean, var, scale, shift, printed = _numbers_in(text)
        assert (x - mean) / (var + 1e-5) ** 0.5 * scale + shift == pytest.approx(printed, abs=1.5e-3)


def _numbers_in(text: str) -> list[float]:
    plain = re.sub(r" \\cdot 10\^\{(-?\d+)\}", r"e\1", text.replace("+ 10^{-5}", ""))
    return [float(x) for x in re.findall(r"-?\d+\.?\d*(?:e-?\d+)?", plain.replace(" - (", " ("))]


@pytest.mark.parametrize(("x", "text"), [(0.25, "0.2500"), (-3e-7, r"-3.00 \cdot 10^{-7}"), (0, "0.0000")])
def test_numbers_are_written_so_that_they_say_something(x: float, text: str) -> None:
    assert number(x) == text


def test_a_layer_of_another_kind_says_that_it_cannot_be_shown(rock_salt: Structure) -> None:
    graph = build_graph(rock_salt)
    with pytest.raises(CrystalError, match="steps of a Linear cannot be shown"):
        layer_steps(nn.Linear(2, 2), torch.zeros(8, 2), torch.zeros(graph.n_edges, 1), graph, 0)


def test_a_changed_layer_leaves_the_original_alone_and_differs() -> None:
    seen, steps = steps_of(NETWORKS["gated, trained"](), 0)
    before = {name: w.clone() for name, w in steps.layer.state_dict().items()}
    for other in (
        changed(steps.layer, "tanh"),
        changed(steps.layer, norm="none"),
        changed(steps.layer, norm="statistics of this crystal"),
    ):
        v = layer_steps(other, seen.atom_vectors[0], seen.edge_vectors, seen.graph, ATOM)["v_i′"]
        assert (v - steps["v_i′"]).abs().max() > 1e-3
    assert all(torch.equal(w, before[name]) for name, w in steps.layer.state_dict().items())


def test_batch_statistics_are_those_of_training_mode() -> None:
    model = NETWORKS["gated, trained"]()
    seen, steps = steps_of(model, 0)
    other = layer_steps(
        changed(model.convs[0], norm="statistics of this crystal"),
        seen.atom_vectors[0],
        seen.edge_vectors,
        seen.graph,
        ATOM,
    )
    mixed = seen.call("convs.0.norm_message").inputs[0]
    norm = model.convs[0].norm_message
    z = (mixed - mixed.mean(0)) / (mixed.var(0, unbiased=False) + norm.eps).sqrt() * norm.weight + norm.bias
    torch.testing.assert_close(other["z_f"], z[steps.edges][:, : len(steps.v_i)], atol=1e-3, rtol=1e-3)


def test_a_single_atom_has_no_statistics() -> None:
    graph = build_graph(load_sample("Cu").structure.get_primitive_structure())
    model = network("gated")
    seen = record(model, graph)
    layer = changed(model.convs[0], norm="statistics of this crystal")
    with pytest.raises(CrystalError, match="One atom alone"):
        layer_steps(layer, seen.atom_vectors[0], seen.edge_vectors, graph, 0)


def test_without_its_gate_a_layer_sums_the_linear_part_of_its_core() -> None:
    seen, steps = steps_of(NETWORKS["gated, trained"](), 0)
    plain = layer_steps(without_gate(steps.layer), seen.atom_vectors[0], seen.edge_vectors, seen.graph, ATOM)
    d = len(steps.v_i)
    own = steps.layer.linear.weight[d:, :d] @ steps.v_i
    expected = steps["W_s z + b_s"].sum(0) - len(steps.edges) * own + own
    torch.testing.assert_close(plain["Σ + W_s v_i + b_s"], expected, atol=1e-3, rtol=1e-4)


@pytest.mark.parametrize("conv", CONVS)
@pytest.mark.parametrize("norm", NORMS)
def test_every_layer_that_can_be_trained_can_be_shown(conv: str, norm: str) -> None:
    _, steps = steps_of(network(conv, norm), 0)
    assert steps.steps[-1].symbol == "v_i′" and lines(steps, 0, 0)[1]
