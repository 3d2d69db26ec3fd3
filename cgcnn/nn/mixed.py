"""One matrix for center, neighbor and edge, without laying their joined vectors out."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from cgcnn.graph import CrystalGraph


def mixed(
    linear: nn.Linear, v: Float[Tensor, "atoms d"], u: Float[Tensor, "edges e"], graph: CrystalGraph
) -> Float[Tensor, "edges out"]:
    """W (v_i ⊕ v_j ⊕ u_ij) + b, as W₁v_i + W₂v_j + W₃u_ij + b: the first two once an atom, not once an edge."""
    w_i, w_j, w_u = linear.weight.split([v.shape[1], v.shape[1], u.shape[1]], dim=1)
    of_center, of_neighbor = F.linear(v, w_i, linear.bias), F.linear(v, w_j)
    of_atoms = of_center.index_select(0, graph.center) + of_neighbor.index_select(0, graph.neighbor)
    return torch.addmm(of_atoms, u, w_u.T)


def mixed_neighbor(
    linear: nn.Linear, v: Float[Tensor, "atoms d"], u: Float[Tensor, "edges e"], graph: CrystalGraph
) -> Float[Tensor, "edges out"]:
    """W (v_j ⊕ u_ij) + b, in the same way."""
    w_j, w_u = linear.weight.split([v.shape[1], u.shape[1]], dim=1)
    return torch.addmm(F.linear(v, w_j, linear.bias).index_select(0, graph.neighbor), u, w_u.T)
