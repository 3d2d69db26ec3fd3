"""CGCNN that only answers, for one small crystal: the trained network in NumPy, in half the time.

For a few atoms the arithmetic is nothing and each call of a library is everything; NumPy's calls cost a fraction of
PyTorch's. What does not depend on the crystal is worked out once: the vector of each element, each batch norm as a
factor and a shift (the first of a layer goes into its matrix), one matrix for the edges of all layers. `CGCNN` stays
the network to read, to train and to record; this is the same function of the same weights.
"""

from collections.abc import Callable
from typing import NamedTuple, cast
from weakref import WeakKeyDictionary

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from cgcnn.graph import CrystalGraph
from cgcnn.models.cgcnn import CGCNN
from cgcnn.nn.gated_conv import GatedConv
from cgcnn.nn.norms import BatchNorm

FEW_ATOMS = 32  # beyond, PyTorch is as fast
POOL: dict[str, Callable[..., np.ndarray]] = {"segment_mean": np.mean, "segment_sum": np.sum, "segment_max": np.max}


class Layer(NamedTuple):
    """One gated layer with its norms folded in; the rows of z_f are negated: σ(z_f) = 1 / (1 + exp(−z_f))."""

    of_atoms: Tensor  # (d, 4d): what an atom gives as center, and as neighbor
    of_edges: Tensor  # (2d, edge_dim)
    bias: np.ndarray  # (2d)
    factor: np.ndarray  # (d), on the sum of messages
    shift: np.ndarray  # (d)


class Quick:
    """What `model.eval()` says of a plain graph of one crystal, to float precision."""

    def __init__(self, model: CGCNN) -> None:
        self.pool = POOL[model.pool.extra_repr()]
        self.of_element = _array(model.embed(model.atom_vectors))
        self.centers, self.width = _array(model.embed_edge.centers), model.embed_edge.width
        self.layers = [_folded(cast(GatedConv, conv)) for conv in model.convs]
        self.of_edges = torch.cat([layer.of_edges for layer in self.layers]).T.contiguous()
        linear = [layer for layer in model.head if isinstance(layer, nn.Linear)]
        self.head = [(_array(layer.weight.T), _array(layer.bias)) for layer in linear]

    def __call__(self, graph: CrystalGraph) -> Float[np.ndarray, " targets"]:
        """The normalized targets of the crystal."""
        v, d = self.of_element[graph.atomic_numbers.numpy() - 1], self.of_element.shape[1]
        steps = (graph.distance.numpy()[:, None] - self.centers) / self.width
        of_edges = _product(np.exp(-np.minimum(steps * steps, 50.0)), self.of_edges)
        neighbor, degree = graph.neighbor.numpy(), graph.degree.numpy()
        first = np.cumsum(degree) - degree
        for n, layer in enumerate(self.layers):
            of_ends = _product(v, layer.of_atoms)
            z = of_ends[:, 2 * d :].take(neighbor, axis=0)
            z += of_edges[:, 2 * d * n : 2 * d * (n + 1)]
            z += (of_ends[:, : 2 * d] + layer.bias).repeat(degree, axis=0)
            message = softplus(z[:, d:]) / (1.0 + np.exp(np.minimum(z[:, :d], 80.0)))
            v = softplus(v + np.add.reduceat(message, first, axis=0) * layer.factor + layer.shift)
        c = self.pool(v.astype(np.float64), axis=0).astype(np.float32)
        for weight, bias in self.head:
            c = softplus(c) @ weight + bias
        return c


class Kept(NamedTuple):
    """A twin, the tensors it was folded from, and how often each had been written to by then."""

    tensors: list[Tensor]
    versions: list[int]
    twin: Quick | None


_KEPT: WeakKeyDictionary[nn.Module, Kept] = WeakKeyDictionary()


@torch.no_grad()
def quick_of(model: nn.Module) -> Quick | None:
    """The quick twin of a model as it is now; None if a layer, norm or activation is not that of the published ones.

    Kept until a weight is written to. Whoever puts another layer into a model asks a copy of it.
    """
    if model.training:
        return None
    kept = _KEPT.get(model)
    if kept is None or kept.versions != [tensor._version for tensor in kept.tensors]:
        tensors = [*model.parameters(), *model.buffers()]  # a walk through all modules, as long as half an answer
        twin = Quick(cast(CGCNN, model)) if _is_published_kind(model) else None
        kept = _KEPT[model] = Kept(tensors, [tensor._version for tensor in tensors], twin)
    return kept.twin


def _is_published_kind(model: nn.Module) -> bool:
    if not isinstance(model, CGCNN) or not len(model.convs):
        return False
    return isinstance(model.head[0], nn.Softplus) and all(
        isinstance(conv, GatedConv)
        and isinstance(conv.activation, nn.Softplus)
        and isinstance(conv.norm_message, BatchNorm)
        and isinstance(conv.norm_sum, BatchNorm)
        and conv.linear.weight.dtype == torch.float32
        and conv.linear.weight.device.type == "cpu"
        for conv in model.convs
    )


def softplus(x: np.ndarray) -> np.ndarray:
    """ln(1 + eˣ) without overflow; NumPy's own logaddexp takes ten times as long."""
    return np.maximum(x, 0.0) + np.log(1.0 + np.exp(-np.abs(x)))


def _folded(conv: GatedConv) -> Layer:
    factor, shift = _affine(conv.norm_message)
    weight, bias = conv.linear.weight * factor[:, None], conv.linear.bias * factor + shift
    sign = torch.ones_like(bias)
    sign[: conv.atom_dim] = -1.0
    w_i, w_j, w_u = (weight * sign[:, None]).split([conv.atom_dim, conv.atom_dim, conv.edge_dim], dim=1)
    of_sum = map(_array, _affine(conv.norm_sum))
    return Layer(torch.cat([w_i, w_j]).T.contiguous(), w_u, _array(bias * sign), *of_sum)


def _affine(norm: nn.Module) -> tuple[Tensor, Tensor]:
    """Factor and shift of a batch norm in eval mode."""
    assert isinstance(norm, BatchNorm) and norm.running_mean is not None and norm.running_var is not None
    factor = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    return factor, norm.bias - norm.running_mean * factor


def _product(x: np.ndarray, matrix: Tensor) -> np.ndarray:
    """By PyTorch: NumPy would wake a thread for every core, which costs more than a product of this size."""
    return (torch.from_numpy(x) @ matrix).numpy()


def _array(x: Tensor) -> np.ndarray:
    return x.detach().clone().contiguous().numpy()  # no view: the twin stays one network when weights change
