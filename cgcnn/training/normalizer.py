"""The scale of a target, learned from the training split alone."""

from dataclasses import asdict, dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
class Normalizer:
    """z = (y − mean) / std for each target; with `per_atom`, y is first divided by the number of atoms."""

    mean: tuple[float, ...]
    std: tuple[float, ...]
    per_atom: bool = False

    @classmethod
    def fit(
        cls,
        targets: Float[Tensor, "crystals targets"],
        n_atoms: Float[Tensor, " crystals"],
        per_atom: bool = False,
    ) -> "Normalizer":
        """Mean and (unbiased) standard deviation of the training targets; a constant target keeps its unit."""
        y = (targets / n_atoms[:, None] if per_atom else targets).double()
        std = y.std(dim=0) if len(y) > 1 else torch.zeros(y.shape[1], dtype=torch.float64)
        return cls(tuple(y.mean(dim=0).tolist()), tuple(s if s > 1e-12 else 1.0 for s in std.tolist()), per_atom)

    def normalized(
        self, targets: Float[Tensor, "crystals targets"], n_atoms: Float[Tensor, " crystals"]
    ) -> Float[Tensor, "crystals targets"]:
        """From the target's own unit to what the network learns."""
        y = targets / n_atoms[:, None] if self.per_atom else targets
        return (y - y.new_tensor(self.mean)) / y.new_tensor(self.std)

    def undo(
        self, outputs: Float[Tensor, "crystals targets"], n_atoms: Float[Tensor, " crystals"]
    ) -> Float[Tensor, "crystals targets"]:
        """From what the network says to the target's own unit."""
        y = outputs * outputs.new_tensor(self.std) + outputs.new_tensor(self.mean)
        return y * n_atoms[:, None] if self.per_atom else y

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for json.dumps."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "Normalizer":
        """The inverse of to_dict."""
        return cls(tuple(data["mean"]), tuple(data["std"]), bool(data["per_atom"]))
