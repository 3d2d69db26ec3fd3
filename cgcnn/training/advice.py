"""What the curves of a run say in plain words; silent where noise could be the cause."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite, sqrt
from statistics import median
from typing import Any

Epochs = Sequence[Mapping[str, Any]]

ENOUGH = 12  # epochs; a shorter run shows no trend that could be told from chance
GROWN = 2.0  # a training loss this many times its best has left the valley
RISE = 0.2  # of the best validation error; a smaller rise is a usual wobble
FALL = 0.05  # of the error, over the last fifth of the run: worth more epochs
NEAR_BASELINE = 0.9  # of the error of predicting the mean
CERTAIN = 4.0  # standard errors between two medians; many places are compared, so two would not do


@dataclass(frozen=True)
class Curves:
    """The curves of a run, one value an epoch; an epoch with a missing value is left out.

    Of a class the error is counted in crystals, so its trend is read from the loss; `wrong` is the share that is wrong.
    """

    epoch: list[int]
    train_loss: list[float]
    train_error: list[float]
    val_error: list[float]
    wrong: list[float]
    score: list[float]
    is_class: bool = False

    @classmethod
    def of(cls, epochs: Epochs, is_class: bool = False) -> "Curves":
        """Read the epochs of a run: mappings with the fields of EpochMetrics."""
        errors = ("train_loss", "val_loss") if is_class else ("train_mae", "val_mae")
        names = ("epoch", "train_loss", *errors, "val_mae")
        rows = [[*(e.get(name) for name in names), _score(e)] for e in epochs]
        columns = list(zip(*[row for row in rows if None not in row], strict=True)) or [()] * 6
        epoch, loss, train, val, wrong, score = (list(column) for column in columns)
        return cls([int(n) for n in epoch], loss, train, val, wrong, score, is_class)

    @property
    def noun(self) -> str:
        """What the curves show."""
        return "loss" if self.is_class else "error"

    @property
    def window(self) -> int:
        """How many epochs are taken together against noise: a tenth of the run, 4 at least."""
        return max(4, len(self.epoch) // 10)


def advice(
    epochs: Epochs, baseline: float | None = None, *, finished: bool = True, is_class: bool = False
) -> list[str]:
    """What the curves show and what to do, or nothing; `baseline` is the MAE of predicting the mean.

    Of a class (`is_class`), the errors and the baseline are shares of crystals put into the wrong one.
    While a run is not `finished`, nothing is said that more epochs may put right.
    """
    if (at := _not_finite(epochs)) is not None:
        return [f"The loss is no number since epoch {at}: the training diverged. Lower the learning rate."]
    curves = Curves.of(epochs, is_class)
    if len(curves.epoch) < ENOUGH:
        return []
    checks: list[Check] = [_diverged, _overfitted]
    if finished:
        checks += [_still_falling, _no_better_than_one_class if is_class else _underfitted]
    found = (check(curves, baseline) for check in checks)
    return [sentence for sentence in found if sentence][:1]


def _not_finite(epochs: Epochs) -> int | None:
    for epoch in epochs:
        losses = [epoch.get("train_loss"), epoch.get("val_loss")]
        if any(loss is not None and not isfinite(loss) for loss in losses):
            return int(epoch["epoch"] or 0)
    return None


def _diverged(curves: Curves, baseline: float | None) -> str:
    smooth = _smooth(curves.train_loss, curves.window)
    best = min(smooth)
    if smooth[-1] <= GROWN * best or not _differ(best, smooth[-1], curves.train_loss, curves.window):
        return ""
    return (
        f"The training loss has grown to {smooth[-1] / best:.1f} times its lowest value: "
        "the training diverges. Lower the learning rate."
    )


def _overfitted(curves: Curves, baseline: float | None) -> str:
    val, train = _smooth(curves.val_error, curves.window), _smooth(curves.train_error, curves.window)
    at = val.index(min(val))
    rise = val[-1] / val[at] - 1 if val[at] > 0 else 0.0
    learned = train[-1] < 0.95 * train[at] and _differ(train[-1], train[at], curves.train_error, curves.window)
    if rise < RISE or not learned or not _differ(val[at], val[-1], curves.val_error, curves.window):
        return ""
    best = curves.epoch[curves.score.index(min(curves.score))]
    return (
        f"The validation {curves.noun} stands {100 * rise:.0f} % above its lowest value while the training "
        f"{curves.noun} still falls: the network learns its training crystals by heart. "
        f"Use the weights of epoch {best}; more crystals, more weight decay or a smaller network would help."
    )


def _still_falling(curves: Curves, baseline: float | None) -> str:
    span = max(6, len(curves.epoch) // 5)
    half = span // 2
    before, after = median(curves.val_error[-span:-half]), median(curves.val_error[-half:])
    if after > (1 - FALL) * before or not _differ(after, before, curves.val_error, half):
        return ""
    return (
        f"The validation {curves.noun} still falls: by {100 * (1 - after / before):.0f} % "
        f"over the last {span} epochs. Train longer."
    )


def _underfitted(curves: Curves, baseline: float | None) -> str:
    if not baseline:
        return ""
    train = _smooth(curves.train_error, curves.window)[-1] / baseline
    val = _smooth(curves.val_error, curves.window)[-1] / baseline
    if min(train, val) < NEAR_BASELINE:
        return ""
    return (
        f"After {curves.epoch[-1]} epochs the error is {val:.2f} times that of always predicting the mean, "
        "and on the training crystals it is hardly better: the network has not learned. "
        "Try another learning rate, more epochs or a larger network."
    )


def _no_better_than_one_class(curves: Curves, baseline: float | None) -> str:
    if not baseline or (wrong := _smooth(curves.wrong, curves.window)[-1]) < NEAR_BASELINE * baseline:
        return ""
    return (
        f"After {curves.epoch[-1]} epochs {100 * wrong:.0f} % of the validation crystals are put into the wrong class, "
        f"and always naming the commoner one would do that with {100 * baseline:.0f} %. "
        "Look at the ROC curve: the network may rank them well all the same."
    )


def _score(epoch: Mapping[str, Any]) -> Any:
    """What chose the best epoch; earlier versions kept the validation error alone."""
    return epoch["score"] if epoch.get("score") is not None else epoch.get("val_mae")


Check = Callable[[Curves, float | None], str]


def _smooth(values: Sequence[float], window: int) -> list[float]:
    """Medians of `window` values in a row: one outlier moves none of them."""
    return [median(values[i : i + window]) for i in range(len(values) - window + 1)]


def _differ(low: float, high: float, values: Sequence[float], window: int) -> bool:
    """Whether two medians of `window` values lie farther apart than the second half's noise explains."""
    late = values[len(values) // 2 :]
    # The bend between three values in a row is free of any steady trend.
    bends = [abs(a - 2 * b + c) for a, b, c in zip(late, late[1:], late[2:], strict=False)]
    noise = median(bends) / 1.652  # the median bend of normal noise is 0.6745 √6 standard deviations
    return high - low > CERTAIN * 1.25 * noise * sqrt(2 / window)  # a median's error is 1.25 σ / √n
