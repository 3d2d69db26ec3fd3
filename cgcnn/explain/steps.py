"""One convolution as one atom lives through it: every line of its equation, for each of the atom's edges."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from cgcnn.errors import CrystalError
from cgcnn.explain.record import Calls, record_layer
from cgcnn.graph import CrystalGraph
from cgcnn.nn.attention_conv import AttentionConv
from cgcnn.nn.gated_conv import GatedConv
from cgcnn.nn.weight_shared_conv import SelfConv, WeightSharedConv


@dataclass(frozen=True)
class Step:
    """One line of the equation: of each edge (edges of the atom, d), or of the atom (d)."""

    symbol: str
    words: str
    values: Tensor
    role: str = ""  # what it is in every kind of layer: message, norm

    @property
    def per_edge(self) -> bool:
        """True when every edge of the atom has its own values."""
        return self.values.dim() == 2


@dataclass(frozen=True)
class LayerSteps:
    """What one layer did for one atom; `edges` are the places of the atom's edges in the graph."""

    layer: Any  # one of STEPS
    v_i: Tensor  # (d) what the atom came with
    v_j: Tensor  # (edges of the atom, d) what its neighbors came with
    u: Tensor  # (edges of the atom, k)
    edges: Tensor
    steps: tuple[Step, ...]
    statistics: dict[str, tuple[Tensor, Tensor]]  # of each batch norm: the mean and variance that it used, (width)

    def __getitem__(self, symbol: str) -> Tensor:
        """The values of a step by its symbol."""
        return self._by_symbol[symbol].values

    def like(self, step: Step) -> Step | None:
        """The step of this layer that does what a step of another layer does, if there is one."""
        same = [own for own in self.steps if own.symbol == step.symbol or (step.role and own.role == step.role)]
        return same[0] if same else None

    @cached_property
    def _by_symbol(self) -> dict[str, Step]:
        return {step.symbol: step for step in self.steps}

    @property
    def of_edges(self) -> tuple[Step, ...]:
        """The steps that every edge takes on its own."""
        return tuple(step for step in self.steps if step.per_edge)

    @property
    def of_atom(self) -> tuple[Step, ...]:
        """The steps that the atom takes once its edges are summed."""
        return tuple(step for step in self.steps if not step.per_edge)


def layer_steps(layer: nn.Module, v: Tensor, u: Tensor, graph: CrystalGraph, atom: int) -> LayerSteps:
    """The steps of one layer for one atom, as the layer itself runs on v (atoms, d), u (edges, k) and the graph.

    A layer whose numbers hang on all edges (batch norm in training mode) runs on all of them, any other
    on the edges of the atom alone: the same numbers, sooner.
    """
    if type(layer) not in STEPS:
        raise CrystalError(
            f"The steps of a {type(layer).__name__} cannot be shown yet; choose a network of another kind."
        )
    own = torch.nonzero(graph.center == atom)[:, 0]
    everything = any(isinstance(part, nn.BatchNorm1d) and part.training for part in layer.modules())
    if everything and graph.n_atoms < 2:
        raise CrystalError(
            "One atom alone has no variance to normalize by; choose a larger cell, or another normalization."
        )
    seen, rows = (graph, own) if everything else (_part(graph, own), torch.arange(len(own)))
    _, calls = record_layer(layer, v, u if everything else u[own], seen)
    found = STEPS[type(layer)](layer, calls, rows, atom, (v, u[own], graph.neighbor[own]))
    return LayerSteps(layer, v[atom], v[graph.neighbor[own]], u[own], own, found, _statistics(layer, calls))


def has_messages(layer: nn.Module) -> bool:
    """False for a layer in which every atom is on its own."""
    return not isinstance(layer, SelfConv)


def _statistics(layer: nn.Module, calls: Calls) -> dict[str, tuple[Tensor, Tensor]]:
    """Of each batch norm what it remembers or, in training mode, what it just saw."""
    found = {}
    for name, part in layer.named_children():
        if isinstance(part, nn.BatchNorm1d) and part.training:
            rows = calls[name][0].inputs[0]
            found[name] = (rows.mean(dim=0), rows.var(dim=0, unbiased=False))
        elif isinstance(part, nn.BatchNorm1d) and part.running_mean is not None and part.running_var is not None:
            found[name] = (part.running_mean, part.running_var)
    return found


def _part(graph: CrystalGraph, edges: Tensor) -> CrystalGraph:
    return replace(
        graph,
        center=graph.center[edges],
        neighbor=graph.neighbor[edges],
        image=graph.image[edges],
        displacement=graph.displacement[edges],
    )


Inputs = tuple[Tensor, Tensor, Tensor]  # v of all atoms, u of the atom's edges, neighbor of each


def _gated(layer: GatedConv, calls: Calls, rows: Tensor, atom: int, inputs: Inputs) -> tuple[Step, ...]:
    mixed, z = calls["norm_message"][0].inputs[0][rows], calls["norm_message"][0].output[rows]
    core = calls["activation"][0].output[rows]
    gate = torch.sigmoid(z.chunk(2, dim=1)[0])
    total, normed = calls["norm_sum"][0].inputs[0][atom], calls["norm_sum"][0].output[atom]
    last = calls["activation"][1]
    return (
        Step("W_f z + b_f", "mixed for the gate", mixed.chunk(2, dim=1)[0]),
        Step("W_s z + b_s", "mixed for the core", mixed.chunk(2, dim=1)[1]),
        Step("z_f", "normalized, for the gate", z.chunk(2, dim=1)[0]),
        Step("z_s", "normalized, for the core", z.chunk(2, dim=1)[1]),
        Step("σ(z_f)", "gate: how much passes", gate),
        Step("g(z_s)", "core: what would pass", core),
        Step("σ(z_f) ⊙ g(z_s)", "message: gate times core", gate * core, "message"),
        Step("Σ", "sum over the edges", total),
        Step("N(Σ)", "normalized sum", normed, "norm"),
        Step("v_i + N(Σ)", "added to what the atom was", last.inputs[0][atom]),
        Step("v_i′", "the atom after this layer", last.output[atom]),
    )


def _weight_shared(layer: WeightSharedConv, calls: Calls, rows: Tensor, atom: int, inputs: Inputs) -> tuple[Step, ...]:
    v, u, neighbor = inputs
    with torch.no_grad():
        message = layer.neighbor_linear(torch.cat([v[neighbor], u], dim=1))
    own = calls["self_linear"][0].output[atom]
    return (
        Step("W_n (v_j ⊕ u) + b_n", "message: the same matrix for all", message, "message"),
        Step("Σ", "sum over the edges", message.sum(dim=0)),
        Step("W_s v_i + b_s", "the atom's own part", own),
        Step("Σ + W_s v_i + b_s", "both together", calls["norm_sum"][0].inputs[0][atom]),
        Step("N(…)", "normalized", calls["norm_sum"][0].output[atom], "norm"),
        Step("v_i′", "the atom after this layer", calls["activation"][0].output[atom]),
    )


def _alone(layer: SelfConv, calls: Calls, rows: Tensor, atom: int, inputs: Inputs) -> tuple[Step, ...]:
    return (
        Step("W_s v_i + b_s", "the atom's own part", calls["self_linear"][0].output[atom]),
        Step("N(…)", "normalized", calls["norm_sum"][0].output[atom], "norm"),
        Step("v_i′", "the atom after this layer", calls["activation"][0].output[atom]),
    )


def _attention(layer: AttentionConv, calls: Calls, rows: Tensor, atom: int, inputs: Inputs) -> tuple[Step, ...]:
    core = calls["activation"][0].output[rows]
    score, weight = (_of_features(calls[part][0].output[rows], core) for part in ("score", "softmax"))
    total, joined = calls["join"][0].inputs[0][atom], calls["join"][0].output[atom]
    last = calls["activation"][1]
    several = (Step("W_o Σ + b_o", "the heads joined", joined),) if layer.heads > 1 else ()
    return (
        Step("W_s z + b_s", "mixed", calls["norm_message"][0].inputs[0][rows]),
        Step("z_s", "normalized", calls["norm_message"][0].output[rows]),
        Step("g(z_s)", "core: what would pass", core),
        Step("sᵢⱼ", "score: one number for each head", score),
        Step("cᵢⱼ", "weight: softmax of the scores over the edges", weight),
        Step("cᵢⱼ ⊙ g(z_s)", "message: weight times core", weight * core, "message"),
        Step("Σ", "sum over the edges", total),
        *several,
        Step("N(Σ)", "normalized sum", calls["norm_sum"][0].output[atom], "norm"),
        Step("v_i + N(Σ)", "added to what the atom was", last.inputs[0][atom]),
        Step("v_i′", "the atom after this layer", last.output[atom]),
    )


def _of_features(of_heads: Tensor, features: Tensor) -> Tensor:
    """The number of each head (edges, heads) at all features of its slice (edges, d)."""
    return of_heads.repeat_interleave(features.shape[1] // of_heads.shape[1], dim=1)


STEPS: dict[type[nn.Module], Callable[..., tuple[Step, ...]]] = {
    GatedConv: _gated,
    AttentionConv: _attention,
    WeightSharedConv: _weight_shared,
    SelfConv: _alone,
}
