"""How good a classifier is: pure functions of what is true (0 or 1) and of the probability it gave to 1.

numpy has all it takes: sorting gives the ROC curve, the trapezoid rule its area. scikit-learn would add 40 MB for
these lines, and scipy.stats takes a second to import; the tests hold the area against scipy's Mann-Whitney statistic.
A set is always judged as a whole: the mean of the areas of its batches is not its area.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from cgcnn.errors import CrystalError

THRESHOLD = 0.5  # from this probability on, a crystal is put into class 1
SURE = 1e-7  # no probability counts as nearer to 0 or 1: one sure mistake would make the mean infinite
Array = np.ndarray
Values = Sequence[float] | Array


class RocPoints(NamedTuple):
    """A ROC curve from (0, 0) to (1, 1): which shares are called 1 when the threshold falls."""

    false_positive: Float[Array, " points"]  # share of the crystals of class 0 that are called 1
    true_positive: Float[Array, " points"]  # share of the crystals of class 1 that are called 1
    threshold: Float[Array, " points"]  # probability from which on a crystal is called 1; the first is infinite


@dataclass(frozen=True)
class Scores:
    """All that is said of a classifier in one line; None where one class is missing."""

    n: int  # crystals
    base_rate: float
    accuracy: float
    balanced_accuracy: float | None
    nll: float
    auc: float | None


def scores(truth: Values, probability: Values, threshold: float = THRESHOLD) -> Scores:
    """Every score of a set of crystals at once."""
    return Scores(
        n=len(truth),
        base_rate=base_rate(truth),
        accuracy=accuracy(truth, probability, threshold),
        balanced_accuracy=balanced_accuracy(truth, probability, threshold),
        nll=nll(truth, probability),
        auc=roc_auc(truth, probability),
    )


def base_rate(truth: Values) -> float:
    """The share of crystals that belong to class 1; always naming the commoner class is right max(r, 1 − r) often."""
    return float(_checked(truth, truth)[0].mean())


def accuracy(truth: Values, probability: Values, threshold: float = THRESHOLD) -> float:
    """The share of crystals that are put into the right class."""
    counts = confusion(truth, probability, threshold)
    return float(counts.trace() / counts.sum())


def balanced_accuracy(truth: Values, probability: Values, threshold: float = THRESHOLD) -> float | None:
    """The mean over both classes of the share that is put into the right one; guessing gives 1/2."""
    counts = confusion(truth, probability, threshold)
    of_class = counts.sum(axis=1)
    return float((counts.diagonal() / of_class).mean()) if of_class.all() else None


def nll(truth: Values, probability: Values) -> float:
    """The mean over the crystals of −ln p, where p is the probability given to the class that is true (in nats)."""
    y, p = _checked(truth, probability)
    return float(-np.log(np.where(y == 1, p, 1 - p).clip(SURE, 1 - SURE)).mean())


def confusion(truth: Values, probability: Values, threshold: float = THRESHOLD) -> Int[Array, "2 2"]:
    """How many crystals of the row's true class are put into the column's class; p ≥ threshold means class 1."""
    y, p = _checked(truth, probability)
    counts = np.zeros((2, 2), dtype=int)
    np.add.at(counts, (y.astype(int), (p >= threshold).astype(int)), 1)
    return counts


def roc_points(truth: Values, probability: Values) -> RocPoints | None:
    """One point for each different probability, the highest first; None where one class is missing."""
    y, p = _checked(truth, probability)
    levels, place = np.unique(-p, return_inverse=True)
    positive = np.bincount(place, weights=y, minlength=len(levels))  # of each level; ties move the curve at once
    negative = np.bincount(place, weights=1 - y, minlength=len(levels))
    if not positive.any() or not negative.any():
        return None
    return RocPoints(_share_so_far(negative), _share_so_far(positive), np.append(np.inf, -levels))


def roc_auc(truth: Values, probability: Values) -> float | None:
    """The area under the ROC curve: how often a crystal of class 1 is given more than one of class 0, ties half.

    Hanley and McNeil, Radiology 143, 29 (1982): it is Mann and Whitney's U divided by the number of such pairs.
    None where one class is missing.
    """
    points = roc_points(truth, probability)
    return float(np.trapezoid(points.true_positive, points.false_positive)) if points else None


def _share_so_far(counts: Array) -> Array:
    return np.append(0.0, counts.cumsum() / counts.sum())


def _checked(truth: Values, probability: Values) -> tuple[Array, Array]:
    y, p = np.asarray(truth, dtype=float), np.asarray(probability, dtype=float)
    if y.shape != p.shape or y.ndim != 1:
        raise ValueError(f"{y.shape} true classes and {p.shape} probabilities: one of each is needed for each crystal.")
    if not y.size:
        raise CrystalError("No crystal has both a true class and a probability; test the network on one at least.")
    if not np.isin(y, (0, 1)).all() or not ((p >= 0) & (p <= 1)).all():
        raise ValueError("A true class is 0 or 1, and a probability lies between them.")
    return y, p
