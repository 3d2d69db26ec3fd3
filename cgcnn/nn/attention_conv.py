"""A convolution in which the neighbors of an atom compete: their weights are a softmax and sum to one."""

import math
from collections.abc import Callable

from jaxtyping import Float
from torch import Tensor, nn

from cgcnn.graph import CrystalGraph
from cgcnn.nn.mixed import mixed, mixed_neighbor
from cgcnn.nn.segment import segment_softmax, segment_sum


class AttentionConv(nn.Module):
    """v_i ← g( v_i + N₂ Σ_j c_ij ⊙ g(N₁(W_s z + b_s)) ),  z = v_i ⊕ v_j ⊕ u_ij.

    The weights c_ij are the softmax of the scores s_ij over all edges of i (Transfer Learning and
    Representations for Material Properties, attention CGCNN): one matrix for the message, none for a gate.
    The equation printed there has neither the norms nor the outer g; here they are as in the code
    published with CGCNN, so that only the weights set this layer apart from `GatedConv`.
    With several heads each has its own score and weighs its own slice of the features; W_o joins the slices.
    """

    def __init__(
        self,
        atom_dim: int,
        edge_dim: int,
        activation: Callable[[], nn.Module],
        norm: Callable[[int], nn.Module],
        score: Callable[[int, int, int], nn.Module],
        heads: int = 1,
    ) -> None:
        """`score` is one of ATTENTIONS; `heads` must divide `atom_dim`."""
        super().__init__()
        self.heads = heads
        self.linear = nn.Linear(2 * atom_dim + edge_dim, atom_dim)
        self.norm_message = norm(atom_dim)
        self.score = score(atom_dim, edge_dim, heads)
        self.softmax = EdgeSoftmax()
        self.join = nn.Linear(atom_dim, atom_dim) if heads > 1 else nn.Identity()
        self.norm_sum = norm(atom_dim)
        self.activation = activation()

    def forward(
        self, v: Float[Tensor, "atoms d"], u: Float[Tensor, "edges e"], graph: CrystalGraph
    ) -> Float[Tensor, "atoms d"]:
        """One round of messages; shapes stay as they are."""
        z_s = self.norm_message(mixed(self.linear, v, u, graph), graph.copies_of_edges)
        message = self.activation(z_s).unflatten(1, (self.heads, -1))  # (edges, heads, d of a head)
        c = self.softmax(self.score(v, u, graph), graph)  # (edges, heads)
        weighed = (c[:, :, None] * message).flatten(1)
        total = self.join(segment_sum(weighed, graph.center, len(v), graph.edge_multiplicity))
        return self.activation(v + self.norm_sum(total, graph.multiplicity))


class EdgeSoftmax(nn.Module):
    """c_ij = exp(s_ij) / Σ_k exp(s_ik): from a score for each edge to its weight among the edges of its center."""

    def forward(self, score: Float[Tensor, "edges heads"], graph: CrystalGraph) -> Float[Tensor, "edges heads"]:
        """Weights between 0 and 1 that sum to one around each atom, where every copy of a merged edge counts."""
        return segment_softmax(score, graph.center, graph.n_atoms, graph.edge_multiplicity)


class PublishedScore(nn.Module):
    """s_ij = ⟨v_i, v_j⟩ ⟨u_ij, u_ij⟩: no weights of its own.

    ⟨u, u⟩ of a row of Gaussians is nearly the same for every distance, so this score hardly knows how far a
    neighbor is; and dot products of positive vectors grow from layer to layer, until few neighbors take all.
    """

    def __init__(self, atom_dim: int, edge_dim: int, heads: int = 1) -> None:
        super().__init__()
        self.heads = heads

    def forward(
        self, v: Float[Tensor, "atoms d"], u: Float[Tensor, "edges e"], graph: CrystalGraph
    ) -> Float[Tensor, "edges heads"]:
        """A score for each edge and head; a head sees its slice of v, and all of u."""
        alike = _dot(v.index_select(0, graph.center), v.index_select(0, graph.neighbor), self.heads)
        return alike * u.square().sum(dim=1, keepdim=True)


class LearnedScore(nn.Module):
    """s_ij = ⟨q_i, k_ij⟩ / √d,  q_i = W_q v_i + b_q,  k_ij = W_k (v_j ⊕ u_ij),  d = features of a head.

    The scaled dot product of Vaswani et al., arXiv:1706.03762, eq. 1, with the distance in the key. The key
    needs no bias: it would add the same to all scores around an atom, which the softmax takes away again.
    """

    def __init__(self, atom_dim: int, edge_dim: int, heads: int = 1) -> None:
        super().__init__()
        self.heads, self.scale = heads, 1 / math.sqrt(atom_dim // heads)
        self.query = nn.Linear(atom_dim, atom_dim)
        self.key = nn.Linear(atom_dim + edge_dim, atom_dim, bias=False)

    def forward(
        self, v: Float[Tensor, "atoms d"], u: Float[Tensor, "edges e"], graph: CrystalGraph
    ) -> Float[Tensor, "edges heads"]:
        """A score for each edge and head."""
        query = self.query(v).index_select(0, graph.center)
        return self.scale * _dot(query, mixed_neighbor(self.key, v, u, graph), self.heads)


ATTENTIONS: dict[str, Callable[[int, int, int], nn.Module]] = {
    "as published": PublishedScore,
    "stabilised": LearnedScore,
}


def _dot(a: Float[Tensor, "rows d"], b: Float[Tensor, "rows d"], heads: int) -> Float[Tensor, "rows heads"]:
    """⟨a, b⟩ of each row, slice by slice."""
    return (a * b).unflatten(1, (heads, -1)).sum(dim=2)
