"""What attention gives each edge: its score, its weight, and how many neighbors are left to count.

The score as published has no weights of its own, so it can be read off the vectors of any network, trained or not.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor, nn

from cgcnn.explain.record import record
from cgcnn.graph import CrystalGraph
from cgcnn.nn.attention_conv import AttentionConv, EdgeSoftmax, PublishedScore
from cgcnn.nn.segment import segment_max, segment_sum

FROM, TO, STEP = 1.5, 7.5, 0.005  # Å; the distances at which atoms of a crystal are neighbors, finer than a Gaussian


@dataclass(frozen=True)
class Attention:
    """What one layer gave each edge of a graph, head by head."""

    graph: CrystalGraph
    scores: Float[Tensor, "edges heads"]
    weights: Float[Tensor, "edges heads"]  # around each atom they sum to one

    @property
    def heads(self) -> int:
        """How many attentions the layer has."""
        return self.scores.shape[1]

    @cached_property
    def effective(self) -> Float[Tensor, "atoms heads"]:
        """How many neighbors count: exp of the entropy of an atom's weights, from 1 (one takes all) to their number."""
        surprise = -torch.special.xlogy(self.weights, self.weights)
        return segment_sum(surprise, self.graph.center, self.graph.n_atoms, self.graph.edge_multiplicity).exp()

    @cached_property
    def contrast(self) -> Float[Tensor, "atoms heads"]:
        """The largest less the smallest score around each atom: at 5, the last weighs 150 times less than the first."""
        center, n = self.graph.center, self.graph.n_atoms
        return segment_max(self.scores, center, n) + segment_max(-self.scores, center, n)


@dataclass(frozen=True)
class Blindness:
    """⟨u, u⟩ at many distances: all that the score as published hears of them."""

    distance: Float[Tensor, " n"]  # Å
    product: Float[Tensor, " n"]

    @property
    def mean(self) -> float:
        """The middle of the band in which ⟨u, u⟩ stays."""
        return float(self.product.max() + self.product.min()) / 2

    @property
    def swing(self) -> float:
        """Half the height of the band, as a part of its middle."""
        return float(self.product.max() - self.product.min()) / 2 / self.mean

    def factor(self, score: float) -> float:
        """By how much two weights may differ where their scores, of this size, differ by the swing alone."""
        return float(torch.tensor(2 * self.swing * score, dtype=torch.float64).exp())


def attention_of(model: nn.Module, graph: CrystalGraph) -> list[Attention]:
    """Of each convolution of a network with attention, as it ran on a graph; empty for a network without."""
    seen = record(model, graph)
    return attention_on(convs_with_attention(model), seen.atom_vectors, seen.edge_vectors, graph)


def convs_with_attention(model: nn.Module) -> list[AttentionConv]:
    """The convolutions of a network, if they attend."""
    return [conv for conv in model.get_submodule("convs").children() if isinstance(conv, AttentionConv)]


@torch.no_grad()
def attention_on(
    convs: Sequence[AttentionConv], v: Sequence[Tensor], u: Tensor, graph: CrystalGraph
) -> list[Attention]:
    """The same from what each layer came with: v (atoms, d) before each, u (edges, k); later v are not read."""
    found = []
    for conv, before in zip(convs, v, strict=False):
        scores = conv.score(before, u, graph)
        found.append(Attention(graph, scores, conv.softmax(scores, graph)))
    return found


@torch.no_grad()
def as_published_on(v: Sequence[Tensor], u: Tensor, graph: CrystalGraph, heads: int = 1) -> list[Attention]:
    """What the score as published would give in each layer of a network that came with v (atoms, d) and u (edges, k).

    The network itself need not attend: the score is only ⟨v_i, v_j⟩ ⟨u_ij, u_ij⟩.
    """
    found = []
    for before in v:
        scores = PublishedScore(before.shape[1], u.shape[1], heads)(before, u, graph)
        found.append(Attention(graph, scores, EdgeSoftmax()(scores, graph)))
    return found


@torch.no_grad()
def blindness(embed_edge: nn.Module, low: float = FROM, high: float = TO) -> Blindness:
    """⟨u, u⟩ of a network's own Gaussians from `low` to `high` Å."""
    distance = torch.arange(low, high + STEP / 2, STEP)
    return Blindness(distance, embed_edge(distance).square().sum(dim=1))
