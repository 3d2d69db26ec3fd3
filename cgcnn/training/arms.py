"""The arms of a grid: one combination of settings each, with what came of its runs."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import floor, isfinite, log10, nan
from statistics import fmean, median, stdev
from typing import Any

from cgcnn.training.experiment import RunConfig
from cgcnn.training.sweep import Axes, arm_words, arms, values_of


@dataclass(frozen=True)
class Outcome:
    """What came of one run: `mae` of the test crystals is None while it is live, and when it failed."""

    config: RunConfig
    mae: float | None = None
    is_live: bool = False  # a number may still come: queued, running, or paused
    mean_mae: float | None = None  # of always predicting the mean, on the same crystals
    seconds: float | None = None  # for an epoch


@dataclass(frozen=True)
class Arm:
    """One combination of settings, with the test MAE of each seed that finished."""

    words: str
    values: Mapping[str, Any]  # dotted field -> value
    maes: tuple[float, ...] = ()
    n_live: int = 0
    n_lost: int = 0  # runs that failed, were stopped, or gave no number
    seconds: float | None = None  # for an epoch: the median over its runs

    @property
    def mean(self) -> float:
        """The mean over the seeds; NaN without any."""
        return fmean(self.maes) if self.maes else nan

    @property
    def std(self) -> float:
        """The standard deviation over the seeds (n - 1); NaN with fewer than two."""
        return stdev(self.maes) if len(self.maes) > 1 else nan

    def text(self, unit: str = "") -> str:
        """Its mean and standard deviation to the same digit: `0.1810 ± 0.0032 eV/atom`."""
        if not isfinite(self.std) or self.std <= 0:
            return f"{self.mean:.3g} {unit}".rstrip()
        digits = max(0, 1 - floor(log10(self.std)))
        return f"{self.mean:.{digits}f} ± {self.std:.{digits}f} {unit}".rstrip()


def gathered(axes: Axes, outcomes: Iterable[Outcome]) -> list[Arm]:
    """The arms of a grid in their order, with what came of their runs; other runs are left out."""
    found: dict[tuple[Any, ...], list[Outcome]] = {tuple(values.values()): [] for values in arms(axes)}
    for outcome in outcomes:
        place = tuple(values_of(outcome.config, axes).values())
        if place in found:
            found[place].append(outcome)
    return [_arm(values, found[tuple(values.values())]) for values in arms(axes)]


def _arm(values: Mapping[str, Any], outcomes: Sequence[Outcome]) -> Arm:
    maes = tuple(o.mae for o in outcomes if o.mae is not None and isfinite(o.mae))
    n_live = sum(o.is_live and o.mae is None for o in outcomes)
    paces = [o.seconds for o in outcomes if o.seconds is not None and isfinite(o.seconds)]
    pace = median(paces) if paces else None
    return Arm(arm_words(values), values, maes, n_live, len(outcomes) - len(maes) - n_live, pace)
