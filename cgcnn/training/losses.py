"""What training makes small, and how wrong a network is: several targets at once, each known of some crystals only."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, nn

from cgcnn.training.normalizer import Normalizer

LOSSES: dict[str, Callable[..., nn.Module]] = {"MSE": nn.MSELoss, "L1": nn.L1Loss, "Huber": nn.HuberLoss}


@dataclass(frozen=True)
class Objective:
    """L = Σ_t w_t L_t / Σ_t w_t over the targets t that a crystal of the batch has; L_t is the mean over such crystals.

    The loss of one crystal compares the network's output with the normalized target, and of a class it is the negative
    log-likelihood, −ln p, of the class that is true (binary cross-entropy of one logit). A target that no crystal of a
    batch has gets no gradient from it; momentum and weight decay of the optimizer move its output all the same.
    """

    loss: str
    weights: tuple[float, ...]  # one for each target
    is_class: tuple[bool, ...]

    def of(
        self,
        outputs: Float[Tensor, "crystals targets"],
        normalized: Float[Tensor, "crystals targets"],
        counts: Float[Tensor, " targets"] | None = None,
    ) -> Float[Tensor, ""]:
        """The loss of a batch; an unknown target is NaN.

        Where several processes share the batch, `counts` says how many of all its crystals have each target, and the
        losses of the processes add up to the loss of the batch.
        """
        counts = known_of(normalized).sum(dim=0) if counts is None else counts
        return self._weighed(self.each(outputs, normalized).sum(dim=0), counts)

    def each(
        self, outputs: Float[Tensor, "crystals targets"], normalized: Float[Tensor, "crystals targets"]
    ) -> Float[Tensor, "crystals targets"]:
        """The loss of every crystal and target; 0 where the target is unknown, so that no gradient comes from there."""
        known, z = ~normalized.isnan(), normalized.nan_to_num()
        values = LOSSES[self.loss](reduction="none")(outputs, z)
        if any(self.is_class):
            classes = torch.tensor(self.is_class, device=outputs.device)
            values = torch.where(classes, F.binary_cross_entropy_with_logits(outputs, z, reduction="none"), values)
        return torch.where(known, values, 0.0)

    def score(self, outputs: Tensor, normalized: Tensor) -> float:
        """The weighted mean over the targets of |output − z|, and of a class of 4 (p − y)², which is 1 for a coin.

        What chooses the best epoch, whatever the loss is. The score of a class is that of Brier (Mon. Weather Rev. 78,
        1 (1950)): −ln p has no bound, and a few crystals that are wrong with certainty would outvote all other targets.
        """
        outputs, known = outputs.double(), known_of(normalized)
        values = (outputs - normalized).abs()
        if any(self.is_class):
            classes = torch.tensor(self.is_class, device=outputs.device)
            values = torch.where(classes, 4 * (outputs.sigmoid() - normalized) ** 2, values)
        return float(self._weighed(torch.where(known, values, 0.0).sum(dim=0), known.sum(dim=0)))

    def _weighed(self, sums: Float[Tensor, " targets"], counts: Tensor) -> Float[Tensor, ""]:
        """Σ_t w_t sums_t / counts_t / Σ_t w_t over the targets that occur; 0 where only targets without weight do."""
        weights = sums.new_tensor(self.weights) * (counts > 0)
        return (sums / counts.clamp(min=1) * weights).sum() / weights.sum().clamp(min=1e-12)


def known_of(targets: Float[Tensor, "crystals targets"]) -> Bool[Tensor, "crystals targets"]:
    """Which crystal has which target."""
    return ~targets.isnan()


def error_sums(
    predicted: Float[Tensor, "crystals targets"],
    targets: Float[Tensor, "crystals targets"],
    normalizer: Normalizer,
) -> Float[Tensor, " targets"]:
    """Σ |predicted − target| over the crystals that have a target, in its own unit.

    Of a class, the number of crystals that are put into the wrong one: 1 where its probability is 0.5 or more.
    """
    decided = torch.tensor(normalizer.is_class, device=predicted.device) & ~predicted.isnan()
    answers = torch.where(decided, (predicted >= 0.5).to(predicted.dtype), predicted)
    return torch.where(known_of(targets), (answers - targets).abs(), 0.0).sum(dim=0)


def mean_errors(
    predicted: Float[Tensor, "crystals targets"], targets: Float[Tensor, "crystals targets"], normalizer: Normalizer
) -> list[float | None]:
    """`error_sums` for one crystal that has the target; None where no crystal has it."""
    sums = error_sums(predicted.double(), targets.double(), normalizer).tolist()
    return per_crystal(sums, known_of(targets).sum(dim=0).tolist())


def per_crystal(sums: Sequence[float], counts: Sequence[float]) -> list[float | None]:
    """Each sum divided by how many crystals went into it; None where there was none."""
    return [total / n if n else None for total, n in zip(sums, counts, strict=True)]
