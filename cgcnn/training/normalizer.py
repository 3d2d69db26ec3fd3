"""The way between what a network says and a target's own unit, learned from the training split alone."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
class Normalizer:
    """z = (y − mean) / std for each target; one that is learned per atom is first divided by the number of atoms.

    A class is 0 or 1 and stays so: what the network says of it is the logit of its probability.
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]
    per_atom: tuple[bool, ...] = ()  # of each target; () means none is
    is_class: tuple[bool, ...] = ()

    def __post_init__(self) -> None:
        for name in ("per_atom", "is_class"):
            object.__setattr__(self, name, getattr(self, name) or (False,) * len(self.mean))

    @classmethod
    def fit(
        cls,
        targets: Float[Tensor, "crystals targets"],
        n_atoms: Float[Tensor, " crystals"],
        per_atom: bool | Sequence[bool] = False,
        is_class: Sequence[bool] = (),
    ) -> "Normalizer":
        """Mean and (unbiased) standard deviation of the known training targets; a constant one keeps its unit."""
        n = targets.shape[1]
        flags = (per_atom,) * n if isinstance(per_atom, bool) else tuple(per_atom)
        unit = cls((0.0,) * n, (1.0,) * n, flags, tuple(is_class))
        scales = [_scale(y[~y.isnan()]) for y in unit._divided(targets.double(), n_atoms).T]
        scales = [(0.0, 1.0) if of_class else scale for of_class, scale in zip(unit.is_class, scales, strict=True)]
        return cls(tuple(mean for mean, _ in scales), tuple(std for _, std in scales), unit.per_atom, unit.is_class)

    def normalized(
        self, targets: Float[Tensor, "crystals targets"], n_atoms: Float[Tensor, " crystals"]
    ) -> Float[Tensor, "crystals targets"]:
        """From the target's own unit to what the network learns; unknown ones stay NaN."""
        return (self._divided(targets, n_atoms) - targets.new_tensor(self.mean)) / targets.new_tensor(self.std)

    def undo(
        self, outputs: Float[Tensor, "crystals targets"], n_atoms: Float[Tensor, " crystals"]
    ) -> Float[Tensor, "crystals targets"]:
        """From what the network says to the target's own unit; of a class, to the probability of 1."""
        y = outputs * outputs.new_tensor(self.std) + outputs.new_tensor(self.mean)
        if any(self.per_atom):
            y = torch.where(torch.tensor(self.per_atom, device=y.device), y * n_atoms[:, None], y)
        if any(self.is_class):
            y = torch.where(torch.tensor(self.is_class, device=y.device), y.sigmoid(), y)
        return y

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for json.dumps."""
        return {name: list(values) for name, values in asdict(self).items()}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "Normalizer":
        """The inverse of to_dict; networks of earlier versions have one word for all targets, and no classes."""
        n, per_atom = len(data["mean"]), data["per_atom"]
        flags = (per_atom,) * n if isinstance(per_atom, bool) else tuple(map(bool, per_atom))
        return cls(tuple(data["mean"]), tuple(data["std"]), flags, tuple(map(bool, data.get("is_class", ()))))

    def _divided(self, targets: Tensor, n_atoms: Tensor) -> Tensor:
        if not any(self.per_atom):
            return targets
        return torch.where(torch.tensor(self.per_atom, device=targets.device), targets / n_atoms[:, None], targets)


def _scale(known: Float[Tensor, " known"]) -> tuple[float, float]:
    std = float(known.std()) if len(known) > 1 else 0.0
    return (float(known.mean()) if len(known) else 0.0), (std if std > 1e-12 else 1.0)
