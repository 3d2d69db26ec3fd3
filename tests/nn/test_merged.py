"""A row that stands for several equal ones counts as often: merged graphs give what plain graphs give."""

import numpy as np
import pytest
import torch
from pymatgen.core import Structure

from cgcnn.graph import GraphConfig, batch, build_graph
from cgcnn.graph.merge import merged
from cgcnn.models import CGCNN, MODELS
from cgcnn.nn import ACTIVATIONS, ATTENTIONS, CONVS, NORMS, POOLINGS
from cgcnn.nn.norms import BatchNorm

KNOBS = {"conv": CONVS, "activation": ACTIVATIONS, "norm": NORMS, "pooling": POOLINGS}
ARMS = [("CGCNN", {knob: value}) for knob, values in KNOBS.items() for value in values]
ARMS += [("attention CGCNN", {"attention": score, "heads": heads}) for score in ATTENTIONS for heads in (1, 4)]
WHOLE = GraphConfig(rule="whole shells")


def learned(model: torch.nn.Module, graph) -> dict[str, torch.Tensor]:
    """Outputs in training mode, gradients, and the statistics that batch norm kept."""
    model.train().zero_grad()
    out = model(graph)
    (out.square().mean() + out.mean()).backward()
    grads = {f"d {name}": p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}
    kept = {name: b.clone() for name, b in model.named_buffers() if "running" in name}
    return {"out": out.detach()} | grads | kept


@pytest.mark.parametrize(("name", "arm"), ARMS, ids=str)
def test_a_merged_graph_learns_what_the_plain_graph_learns(
    name: str, arm: dict, rock_salt: Structure, perovskite: Structure, low_symmetry: Structure, rutile: Structure
) -> None:
    plain = batch([build_graph(s, WHOLE) for s in (rock_salt, perovskite * (2, 1, 1), low_symmetry, rutile)])
    models = []
    for graph in (plain, merged(plain)):
        torch.manual_seed(0)
        models.append(learned(MODELS[name](MODELS[name].Config(atom_dim=16, **arm)), graph))
    # A bias before a batch norm has no gradient but rounding, so gradients are held against the largest of them.
    largest = max(float(t.abs().max()) for key, t in models[0].items() if key.startswith("d "))
    for key, expected in models[0].items():
        scale = max(1.0, largest if key.startswith("d ") else float(expected.abs().max()))
        torch.testing.assert_close(
            models[1][key], expected, atol=1e-5 * scale, rtol=1e-5, msg=lambda words, key=key: f"{key}: {words}"
        )


def test_a_weighted_batch_norm_is_torchs_own_on_repeated_rows() -> None:
    rows, copies = torch.randn(7, 3, dtype=torch.float64) * 3 + 5, torch.tensor([1.0, 4, 2, 1, 7, 1, 3]).double()
    ours, own = BatchNorm(3).double(), torch.nn.BatchNorm1d(3).double()
    few, many = rows.clone().requires_grad_(), rows.repeat_interleave(copies.long(), 0).requires_grad_()
    out, expected = ours(few, copies), own(many)
    torch.testing.assert_close(out.repeat_interleave(copies.long(), 0), expected)
    (out.pow(3) * copies[:, None]).sum().backward(), expected.pow(3).sum().backward()
    assert few.grad is not None and many.grad is not None
    total = torch.zeros(7, 3).double().index_add(0, torch.arange(7).repeat_interleave(copies.long()), many.grad)
    torch.testing.assert_close(few.grad, total)
    torch.testing.assert_close(ours.weight.grad, own.weight.grad)
    assert [*ours.state_dict()] == [*own.state_dict()]
    for name, kept in own.state_dict().items():
        torch.testing.assert_close(ours.state_dict()[name], kept)


@pytest.mark.parametrize("disorder", [0.0, 0.05], ids=["perfect", "disordered"])
def test_5000_atoms_in_float32_are_5000_atoms_in_float64(perovskite: Structure, disorder: float) -> None:
    large = perovskite * (10, 10, 10)
    noise = disorder * np.random.default_rng(0).standard_normal((len(large), 3))
    large = Structure(large.lattice, large.species, large.cart_coords + noise, coords_are_cartesian=True)
    plain = build_graph(large)
    torch.manual_seed(1)
    model = CGCNN().eval()
    with torch.no_grad():
        single = [model(graph) for graph in (plain, merged(plain))]
        exact = model.double()(plain)
    for found in single:
        torch.testing.assert_close(found.double(), exact, atol=1e-5, rtol=0)


def test_rounded_rows_are_normed_by_statistics_that_are_not() -> None:
    x, copies = torch.randn(500, 4) + 20.0, torch.randint(1, 9, (500,)).float()
    norm = BatchNorm(4)
    with torch.autocast("cpu", torch.bfloat16):
        norm(x.bfloat16(), copies)
    exact = copies @ x.bfloat16().float() / copies.sum()
    torch.testing.assert_close(norm.running_mean, 0.1 * exact, atol=1e-4, rtol=0)


def test_one_row_that_stands_for_itself_has_no_variance() -> None:
    with pytest.raises(ValueError, match="two rows"):
        BatchNorm(2)(torch.ones(1, 2), torch.ones(1))
    assert BatchNorm(2)(torch.ones(1, 2), torch.tensor([2.0])).tolist() == [[0.0, 0.0]]
