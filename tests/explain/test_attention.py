"""What is said of attention is what the network computed, and what the published score cannot hear is measured."""

import math

import pytest
import torch
from pymatgen.core import Structure

from cgcnn.data.samples import load_sample
from cgcnn.explain.attention import Attention, as_published_on, attention_of, blindness
from cgcnn.explain.equations import lines, number
from cgcnn.explain.record import record
from cgcnn.explain.steps import layer_steps
from cgcnn.explain.variants import forms_of, with_even_weights
from cgcnn.graph import GraphConfig, build_graph
from cgcnn.graph.merge import merged
from cgcnn.models import CGCNN, AttentionCGCNN
from cgcnn.nn import ATTENTIONS, NORMS, GaussianExpansion
from cgcnn.training.predictor import Predictor

ATOM, EDGE, FEATURE = 2, 7, 41
ARMS = [(attention, heads) for attention in ATTENTIONS for heads in (1, 4)]


def network(attention: str = "as published", heads: int = 1, **changes) -> AttentionCGCNN:
    torch.manual_seed(0)
    return AttentionCGCNN(AttentionCGCNN.Config(attention=attention, heads=heads, **changes)).eval()


@pytest.mark.parametrize(("attention", "heads"), ARMS)
def test_weights_and_scores_are_those_that_the_network_used(attention: str, heads: int, rutile: Structure) -> None:
    model, graph = network(attention, heads), build_graph(rutile)
    seen = record(model, graph, inside=True)
    for n, found in enumerate(attention_of(model, graph)):
        assert found.heads == heads
        torch.testing.assert_close(found.scores, seen.call(f"convs.{n}.score").output)
        torch.testing.assert_close(found.weights, seen.call(f"convs.{n}.softmax").output)


def test_a_network_without_attention_has_none_and_the_published_score_can_still_be_read_off(rutile: Structure) -> None:
    graph = build_graph(rutile)
    assert attention_of(CGCNN().eval(), graph) == []
    seen = record(network(), graph)
    ours = as_published_on(seen.atom_vectors[:-1], seen.edge_vectors, graph)
    for read, ran in zip(ours, attention_of(network(), graph), strict=True):
        torch.testing.assert_close(read.weights, ran.weights)


@pytest.mark.parametrize(
    ("weights", "count"),
    [([0.25] * 4, 4.0), ([1.0, 0, 0, 0], 1.0), ([0.5, 0.5, 0, 0], 2.0), ([0.9, 0.1, 0, 0], 0.9**-0.9 * 0.1**-0.1)],
)
def test_neighbors_that_count(weights: list[float], count: float, rock_salt: Structure) -> None:
    graph = build_graph(rock_salt.get_primitive_structure(), GraphConfig(max_neighbors=4))
    c = torch.tensor(weights * 2)[:, None]
    assert Attention(graph, c, c).effective.flatten().tolist() == pytest.approx([count] * 2)


def test_the_contrast_is_the_largest_less_the_smallest_score(rock_salt: Structure) -> None:
    graph = build_graph(rock_salt.get_primitive_structure(), GraphConfig(max_neighbors=4))
    scores = torch.tensor([3.0, 1, 2, 2, -7, -1, -3, -4])[:, None]
    assert Attention(graph, scores, scores).contrast.flatten().tolist() == [2.0, 6.0]


@pytest.mark.parametrize("attention", ATTENTIONS)
def test_a_merged_graph_counts_as_many_neighbors(attention: str, perovskite: Structure) -> None:
    plain = build_graph(perovskite, GraphConfig(rule="whole shells"))
    for few, many in zip(
        attention_of(network(attention), merged(plain)), attention_of(network(attention), plain), strict=True
    ):
        torch.testing.assert_close(
            few.effective.unique(dim=0), many.effective[[0, 1, 2]].unique(dim=0), atol=1e-3, rtol=1e-3
        )


def test_the_product_of_an_edge_vector_with_itself_is_the_same_for_every_distance() -> None:
    far = blindness(GaussianExpansion())
    assert far.mean == pytest.approx(math.sqrt(math.pi / 2), abs=1e-4), "the integral of exp(−2x²), one Gaussian a step"
    assert far.mean == pytest.approx(1.253, abs=5e-4) and far.swing == pytest.approx(0.0144, abs=5e-5)
    assert far.product.min() == pytest.approx(1.2353, abs=1e-4)
    assert far.product.max() == pytest.approx(1.2713, abs=1e-4)


def test_what_is_left_of_the_distance_counts_where_scores_are_large() -> None:
    far = blindness(GaussianExpansion())
    assert far.factor(0.0) == 1.0 and far.factor(3.0) < 1.1 and far.factor(200.0) > 100


def test_on_trained_vectors_the_published_score_saturates_in_depth() -> None:
    graph = build_graph(load_sample("SrTiO3").structure)
    seen = record(Predictor.published("formation energy").model, graph)
    first, *_, last = as_published_on(seen.atom_vectors[:-1], seen.edge_vectors, graph)
    assert first.scores.max() < 5 and last.scores.min() > 100
    assert first.effective.mean() > 9 and last.effective.mean() < 6


def steps_of(model: AttentionCGCNN, layer: int):
    seen = record(model, build_graph(load_sample("NaCl").structure), inside=True)
    return seen, layer_steps(model.convs[layer], seen.atom_vectors[layer], seen.edge_vectors, seen.graph, ATOM)


@pytest.mark.parametrize(("attention", "heads"), ARMS)
def test_every_step_is_what_the_network_computed_and_the_equations_end_in_it(attention: str, heads: int) -> None:
    seen, steps = steps_of(network(attention, heads), 1)
    part, own, close = "convs.1.", steps.edges, {"atol": 1e-4, "rtol": 1e-4}
    torch.testing.assert_close(steps["W_s z + b_s"], seen.call(part + "norm_message").inputs[0][own], **close)
    torch.testing.assert_close(steps["g(z_s)"], seen.call(part + "activation").output[own], **close)
    torch.testing.assert_close(steps["cᵢⱼ"][:, :: 64 // heads], seen.call(part + "softmax").output[own], **close)
    torch.testing.assert_close(steps["cᵢⱼ ⊙ g(z_s)"].sum(0), seen.call(part + "join").inputs[0][ATOM], **close)
    torch.testing.assert_close(steps["N(Σ)"], seen.call(part + "norm_sum").output[ATOM], **close)
    torch.testing.assert_close(steps["v_i′"], seen.atom_vectors[2][ATOM], **close)
    of_edge, of_atom = lines(steps, EDGE, FEATURE)
    assert of_atom[-1].latex.endswith(f"= {number(float(steps['v_i′'][FEATURE]))}")
    weight = next(line for line in of_edge if line.words.startswith("Weight"))
    assert weight.latex.endswith(f"= {number(float(steps['cᵢⱼ'][EDGE, FEATURE]))}")
    assert ("Heads joined" in [line.words for line in of_atom]) == (heads > 1)


@pytest.mark.parametrize(("attention", "heads"), ARMS)
def test_a_reader_who_works_out_the_score_gets_the_printed_number(attention: str, heads: int) -> None:
    _, steps = steps_of(network(attention, heads), 0)
    line = next(line for line in lines(steps, EDGE, FEATURE)[0] if line.words.startswith("Score"))
    middle, printed = line.latex.rsplit(" = ", 2)[1:]
    if attention == "as published":
        alike, far = (float(x) for x in middle.split(r" \times "))
        assert alike * far == pytest.approx(float(printed), abs=3e-4)
    else:
        assert middle.endswith(rf"{{\sqrt{{{64 // heads}}}}}")


@pytest.mark.parametrize("norm", NORMS)
def test_an_attention_layer_with_any_norm_can_be_shown(norm: str) -> None:
    _, steps = steps_of(network(norm=norm), 0)
    assert lines(steps, 0, 0)[0] and steps.steps[-1].symbol == "v_i′"


def test_with_even_weights_an_atom_hears_the_mean_message() -> None:
    seen, steps = steps_of(network(), 1)
    even = with_even_weights(steps.layer)
    other = layer_steps(even, seen.atom_vectors[1], seen.edge_vectors, seen.graph, ATOM)
    torch.testing.assert_close(other["Σ"], steps["g(z_s)"].mean(dim=0))
    assert list(forms_of(steps.layer)) == ["attention", "equal weights"]
    assert (other["v_i′"] - steps["v_i′"]).abs().max() > 1e-4
