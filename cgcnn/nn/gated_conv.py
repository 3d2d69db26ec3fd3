"""The gated convolution of CGCNN: Xie and Grossman, Phys. Rev. Lett. 120, 145301 (2018), eq. 5."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from cgcnn.graph import CrystalGraph
from cgcnn.nn.mixed import mixed
from cgcnn.nn.segment import segment_sum


class GatedConv(nn.Module):
    """v_i ← g( v_i + N₂ Σ_j σ(z_f) ⊙ g(z_s) ),  (z_f, z_s) = N₁( W (v_i ⊕ v_j ⊕ u_ij) + b ),  over all edges (i, j).

    The paper's equation has neither the norms N₁, N₂ nor the outer g; the code published with it has both,
    and its results come from the code.
    """

    def __init__(
        self,
        atom_dim: int,
        edge_dim: int,
        activation: Callable[[], nn.Module],
        norm: Callable[[int], nn.Module],
    ) -> None:
        super().__init__()
        self.atom_dim, self.edge_dim = atom_dim, edge_dim
        self.linear = nn.Linear(2 * atom_dim + edge_dim, 2 * atom_dim)
        self.norm_message = norm(2 * atom_dim)
        self.norm_sum = norm(atom_dim)
        self.activation = activation()

    def forward(
        self, v: Float[Tensor, "atoms d"], u: Float[Tensor, "edges e"], graph: CrystalGraph
    ) -> Float[Tensor, "atoms d"]:
        """One round of messages; shapes stay as they are."""
        z = self.norm_message(mixed(self.linear, v, u, graph), graph.copies_of_edges)
        z_f, z_s = z.chunk(2, dim=1)
        message = torch.sigmoid(z_f) * self.activation(z_s)
        total = segment_sum(message, graph.center, len(v), graph.edge_multiplicity)
        return self.activation(v + self.norm_sum(total, graph.multiplicity))
