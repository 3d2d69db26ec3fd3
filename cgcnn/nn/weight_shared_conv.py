"""The two plain layers that the gated one is compared with: one matrix for all neighbors, and no neighbors at all."""

from collections.abc import Callable

from jaxtyping import Float
from torch import Tensor, nn

from cgcnn.graph import CrystalGraph
from cgcnn.nn.mixed import mixed_neighbor
from cgcnn.nn.segment import segment_sum


class WeightSharedConv(nn.Module):
    """v_i ← g( N( Σ_j W_n (v_j ⊕ u_ij) + b_n + W_s v_i + b_s ) ): every neighbor counts alike, no gate, no residual.

    The first convolution of Xie and Grossman (their eq. 4); its error is about three times that of the gated one.
    """

    def __init__(
        self,
        atom_dim: int,
        edge_dim: int,
        activation: Callable[[], nn.Module],
        norm: Callable[[int], nn.Module],
    ) -> None:
        super().__init__()
        self.neighbor_linear = nn.Linear(atom_dim + edge_dim, atom_dim)
        self.self_linear = nn.Linear(atom_dim, atom_dim)
        self.norm_sum = norm(atom_dim)
        self.activation = activation()

    def forward(
        self, v: Float[Tensor, "atoms d"], u: Float[Tensor, "edges e"], graph: CrystalGraph
    ) -> Float[Tensor, "atoms d"]:
        """One round of messages; shapes stay as they are."""
        message = mixed_neighbor(self.neighbor_linear, v, u, graph)
        total = segment_sum(message, graph.center, len(v), graph.edge_multiplicity)
        return self.activation(self.norm_sum(total + self.self_linear(v), graph.multiplicity))


class SelfConv(nn.Module):
    """v_i ← g( N( W_s v_i + b_s ) ): no convolution; the network knows what the crystal is made of, not how."""

    def __init__(
        self,
        atom_dim: int,
        edge_dim: int,
        activation: Callable[[], nn.Module],
        norm: Callable[[int], nn.Module],
    ) -> None:
        super().__init__()
        self.self_linear = nn.Linear(atom_dim, atom_dim)
        self.norm_sum = norm(atom_dim)
        self.activation = activation()

    def forward(
        self, v: Float[Tensor, "atoms d"], u: Float[Tensor, "edges e"], graph: CrystalGraph
    ) -> Float[Tensor, "atoms d"]:
        """Each atom on its own; shapes stay as they are."""
        return self.activation(self.norm_sum(self.self_linear(v), graph.multiplicity))
