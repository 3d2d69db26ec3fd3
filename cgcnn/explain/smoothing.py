"""How alike the atoms of a crystal become, layer by layer: over-smoothing (Li, Han and Wu, AAAI 2018)."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

MOST_ATOMS = 200  # a square of more cannot be read, and grows with the square


def similarities(v: Float[Tensor, "atoms d"]) -> Float[Tensor, "atoms atoms"]:
    """The cosine of the angle between the vectors of every two atoms: 1 for one direction."""
    unit = torch.nn.functional.normalize(v.double(), dim=1)
    return (unit @ unit.T).clamp(-1, 1)


def spread(v: Float[Tensor, "atoms d"], groups: Sequence[str]) -> float:
    """How far the groups' mean vectors lie apart, over their mean length: 0 when all groups look alike."""
    if len(set(groups)) < 2:
        return 0.0
    means = torch.stack([v[[g == name for g in groups]].double().mean(dim=0) for name in sorted(set(groups))])
    return float(torch.pdist(means).mean() / means.norm(dim=1).mean().clamp(min=1e-12))


def mean_similarity(square: Float[Tensor, "atoms atoms"], groups: Sequence[str], same: bool) -> float | None:
    """The mean cosine over pairs of different atoms within one group, or across groups; None without such a pair."""
    names = {name: n for n, name in enumerate(sorted(set(groups)))}
    index = torch.tensor([names[g] for g in groups])
    pairs = (index[:, None] == index) if same else (index[:, None] != index)
    pairs &= ~torch.eye(len(index), dtype=torch.bool)
    return float(square[pairs].mean()) if pairs.any() else None
