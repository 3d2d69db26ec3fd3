"""Whether means differ by more than the spread of their runs: Tukey's honest significant difference.

Tukey, "The problem of multiple comparisons" (1953), and Kramer, Biometrics 12, 307 (1956) for unequal numbers of
runs: all pairs are compared at once, and with no true difference a false alarm comes up in at most 5 % of families.
Where the spreads are unequal (Cochran, Ann. Eugen. 11, 47 (1941)), each pair is judged by its own, as Games and Howell,
J. Educ. Stat. 1, 113 (1976), do it. Runs are taken as independent and their errors as normal.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from math import isfinite, nan, sqrt
from statistics import fmean, variance

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Spread:
    """The standard deviation of one run about its arm's mean, pooled over all arms."""

    std: float
    freedom: int  # degrees of freedom: runs less arms
    equal: bool = True  # no arm spreads too wide for the others


@dataclass(frozen=True)
class Level:
    """A mean that is compared: of one arm, or over all arms that share a value."""

    words: str
    mean: float
    variance: float  # of this mean
    freedom: float  # degrees of freedom of that variance


def pooled(samples: Sequence[Sequence[float]]) -> Spread | None:
    """The spread within the samples; None where no sample has two values."""
    freedom = sum(len(values) - 1 for values in samples if values)
    if freedom < 1:
        return None
    squares = sum((len(values) - 1) * variance(values) for values in samples if len(values) > 1)
    return Spread(sqrt(squares / freedom), freedom, widest(samples) is None)


def level(words: str, samples: Sequence[Sequence[float]], spread: Spread) -> Level:
    """The mean of the samples' means, so that a sample of more runs counts no more than another."""
    parts = [_of_mean(values, spread) for values in samples]
    scaled = [(own / len(samples) ** 2, freedom) for own, freedom in parts]
    freedom = spread.freedom if spread.equal else _joint_freedom(scaled)
    return Level(words, fmean(fmean(values) for values in samples), sum(own for own, _ in scaled), freedom)


def honest_difference(a: Level, b: Level, n_levels: int, spread: Spread) -> float:
    """How far two of `n_levels` means must lie apart before chance is a poor explanation."""
    pair = [(a.variance, a.freedom), (b.variance, b.freedom)]
    freedom = spread.freedom if spread.equal else max(1, int(_joint_freedom(pair)))
    return _critical(n_levels, freedom) * sqrt((a.variance + b.variance) / 2)


def differ(a: Level, b: Level, n_levels: int, spread: Spread) -> bool:
    """Whether two of `n_levels` means lie farther apart than chance explains."""
    rounding = 1e-9 * max(abs(a.mean), abs(b.mean))  # without any spread, equal means differ in their last bits
    return abs(a.mean - b.mean) > max(honest_difference(a, b, n_levels, spread), rounding)


def largest_difference(levels: Sequence[Level], spread: Spread) -> float:
    """The honest significant difference of a family; with unequal numbers of runs, that of its least sure pair."""
    pairs = combinations(levels, 2)
    return max((honest_difference(a, b, len(levels), spread) for a, b in pairs), default=nan)


def interaction(table: Sequence[Sequence[Sequence[float]]], spread: Spread) -> float:
    """The p value of an F test: does the effect of the rows depend on the column? Every cell holds some runs.

    With unequal numbers of runs it is the analysis of unweighted means (Yates, 1934), which is approximate.
    """
    from scipy.stats import f  # here, since it takes a second to import

    means = [[fmean(cell) for cell in row] for row in table]
    n_rows, n_columns = len(means), len(means[0])
    rows, columns = [fmean(row) for row in means], [fmean(column) for column in zip(*means, strict=True)]
    grand = fmean(rows)
    squares = sum((means[i][j] - rows[i] - columns[j] + grand) ** 2 for i in range(n_rows) for j in range(n_columns))
    n_runs = n_rows * n_columns / sum(1 / len(cell) for row in table for cell in row)  # harmonic mean
    freedom = (n_rows - 1) * (n_columns - 1)
    if squares <= (1e-9 * grand) ** 2:
        return 1.0
    if spread.std == 0:
        return 0.0
    return float(f.sf(n_runs * squares / freedom / spread.std**2, freedom, spread.freedom))


def widest(samples: Sequence[Sequence[float]]) -> int | None:
    """The sample with a spread too wide for the others, by Cochran's C test (1941) at 95 %; None where none is."""
    from scipy.stats import f  # here, since it takes a second to import

    known = [values for values in samples if len(values) > 1]
    variances = [variance(values) if len(values) > 1 else 0.0 for values in samples]
    if len(known) < 2 or not sum(variances):
        return None
    freedom, others = fmean(len(values) for values in known) - 1, len(known) - 1
    limit = 1 / (1 + others / float(f.isf((1 - CONFIDENCE) / len(known), freedom, others * freedom)))
    return variances.index(max(variances)) if max(variances) > limit * sum(variances) else None


def _of_mean(values: Sequence[float], spread: Spread) -> tuple[float, float]:
    """The variance of a sample's mean and its degrees of freedom; from the pool where the sample has too few."""
    if spread.equal or len(values) < 2:
        return spread.std**2 / len(values), spread.freedom
    return variance(values) / len(values), len(values) - 1


def _joint_freedom(parts: Sequence[tuple[float, float]]) -> float:
    """The degrees of freedom of a sum of variances (Satterthwaite, Biometrics Bull. 2, 110 (1946))."""
    total = sum(own for own, _ in parts)
    if not total:
        return min(freedom for _, freedom in parts)
    return total**2 / sum(own**2 / freedom for own, freedom in parts)


@cache
def _critical(n_levels: int, freedom: int) -> float:
    from scipy.stats import studentized_range  # here, since it takes a second to import

    value = float(studentized_range.ppf(CONFIDENCE, n_levels, freedom))
    assert isfinite(value)
    return value
