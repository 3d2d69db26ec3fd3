"""What if: the same layer with the same weights, and one thing about it changed."""

from collections.abc import Callable
from copy import deepcopy

import torch
from torch import Tensor, nn

from cgcnn.errors import CrystalError
from cgcnn.graph import CrystalGraph
from cgcnn.nn import ACTIVATIONS
from cgcnn.nn.attention_conv import AttentionConv
from cgcnn.nn.gated_conv import GatedConv
from cgcnn.nn.norms import NoNorm
from cgcnn.nn.weight_shared_conv import WeightSharedConv


def _as_it_is(norm: nn.Module) -> nn.Module:
    return norm


def _of_this_crystal(norm: nn.Module) -> nn.Module:
    """Batch norm as in training, with the mean and variance of what it sees now, not those it remembers."""
    return norm.train()


def _none(norm: nn.Module) -> nn.Module:
    return NoNorm()


NORM_VARIANTS = {"as it is": _as_it_is, "statistics of this crystal": _of_this_crystal, "none": _none}


def norm_variants(layer: nn.Module) -> list[str]:
    """Those of NORM_VARIANTS that change something about this layer."""
    norm = getattr(layer, "norm_sum", NoNorm())
    if isinstance(norm, nn.BatchNorm1d):
        return list(NORM_VARIANTS)
    return ["as it is"] if isinstance(norm, NoNorm) else ["as it is", "none"]


def changed(layer: nn.Module, activation: str | None = None, norm: str = "as it is") -> nn.Module:
    """A copy of a layer with another activation (of ACTIVATIONS) or norm (of NORM_VARIANTS); its weights stay."""
    if norm not in NORM_VARIANTS:
        raise CrystalError(f"The norm is {norm!r}; choose one of {', '.join(NORM_VARIANTS)}.")
    other = deepcopy(layer)
    if activation is not None:
        other.activation = ACTIVATIONS[activation]()
    for name in ("norm_message", "norm_sum"):
        if hasattr(other, name):
            setattr(other, name, NORM_VARIANTS[norm](getattr(other, name)))
    return other


@torch.no_grad()
def without_gate(layer: GatedConv) -> WeightSharedConv:
    """The weight-shared layer (Xie and Grossman, eq. 4) with the core matrix of a gated one.

    The core's part for v_j and u, with its bias, becomes the matrix for all neighbors; its part for v_i
    becomes the atom's own matrix, used once and not once an edge. Gate, residual, and what the gated layer does
    to each message (norm, activation) are gone. A batch norm remembers sums of other messages, so it takes the
    statistics of what it sees.
    """
    d, k = layer.atom_dim, layer.edge_dim
    plain = WeightSharedConv(d, k, lambda: deepcopy(layer.activation), lambda width: deepcopy(layer.norm_sum))
    core = layer.linear.weight[d:]
    plain.self_linear.weight.copy_(core[:, :d])
    plain.self_linear.bias.zero_()
    plain.neighbor_linear.weight.copy_(core[:, d:])
    plain.neighbor_linear.bias.copy_(layer.linear.bias[d:])
    plain.eval()
    plain.norm_sum.train()
    return plain


class EvenScore(nn.Module):
    """s_ij = 0: the softmax then gives every edge the same weight."""

    def __init__(self, heads: int) -> None:
        super().__init__()
        self.heads = heads

    def forward(self, v: Tensor, u: Tensor, graph: CrystalGraph) -> Tensor:
        """Zeros, (edges, heads)."""
        return v.new_zeros(graph.n_edges, self.heads)


def with_even_weights(layer: AttentionConv) -> AttentionConv:
    """A copy of an attention layer in which all neighbors of an atom count alike; its other weights stay."""
    other = deepcopy(layer)
    other.score = EvenScore(layer.heads)
    return other


FORMS: dict[type[nn.Module], dict[str, Callable[..., nn.Module]]] = {  # the first of each is the layer as it is
    GatedConv: {"gated": deepcopy, "weight-shared": without_gate},
    AttentionConv: {"attention": deepcopy, "equal weights": with_even_weights},
}


def forms_of(layer: nn.Module) -> dict[str, Callable[..., nn.Module]]:
    """The forms that this layer can take with its own weights, by name; the first is as it is."""
    return FORMS.get(type(layer), {"as it is": deepcopy})
