"""Whether means differ by more than the spread of their runs: Tukey's comparison of all pairs, made safe for wild arms.

Tukey, "The problem of multiple comparisons" (1953), and Kramer, Biometrics 12, 307 (1956) for unequal numbers of runs:
all pairs are compared at once by one spread, pooled over the arms. With one arm much noisier than the others that gives
false alarms in 10 to 20 % of experiments, so here (a rule of ours, checked by simulation, see docs/experiments.md)
- a mean counts as uncertain as the pool says or as its own runs say, whichever is more;
- the degrees of freedom are those of the pool after Satterthwaite, Biometrics Bull. 2, 110 (1946): fewer, the more of
  the variance comes from few arms;
- several questions of one experiment share the 5 % (Bonferroni).
With equal arms the rule is careful: 1 to 4 % false alarms in place of 5. Runs are taken as independent, and their
errors as normal.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from math import inf, isfinite, sqrt
from statistics import fmean, variance

FALSE_ALARMS = 0.05  # share of experiments without any effect in which one is announced: at most


@dataclass(frozen=True)
class Spread:
    """The standard deviation of one run about its arm's mean, pooled over all arms."""

    std: float
    freedom: float  # degrees of freedom, fewer where few arms hold most of the variance
    questions: int = 1  # how many questions share the false alarms

    @property
    def chance(self) -> float:
        """The probability of a false alarm that each question may have."""
        return FALSE_ALARMS / self.questions


@dataclass(frozen=True)
class Level:
    """A mean that is compared: of one arm, or over all arms that share a value."""

    words: str
    mean: float
    variance: float  # of this mean


@dataclass(frozen=True)
class Pair:
    """Two means, and how far they must lie apart before chance is a poor explanation."""

    low: Level
    high: Level
    limit: float

    @property
    def apart(self) -> float:
        """How far the two means lie apart; 0 where only their last bits differ."""
        apart = self.high.mean - self.low.mean
        return apart if apart > 1e-9 * max(abs(self.high.mean), abs(self.low.mean)) else 0.0

    @property
    def differs(self) -> bool:
        """Whether chance is a poor explanation."""
        return self.apart > self.limit

    @property
    def clearness(self) -> float:
        """How far they lie apart, in units of the limit."""
        return self.apart / self.limit if self.limit else (inf if self.apart else 0.0)


def pooled(samples: Sequence[Sequence[float]], questions: int = 1) -> Spread | None:
    """The spread within the samples; None where no sample has two values."""
    known = [(len(values) - 1, variance(values)) for values in samples if len(values) > 1]
    if not known:
        return None
    n_free = sum(freedom for freedom, _ in known)
    squares = sum(freedom * own for freedom, own in known)
    fourths = sum(freedom * own**2 for freedom, own in known)
    return Spread(sqrt(squares / n_free), squares**2 / fourths if fourths else n_free, questions)


def level(words: str, samples: Sequence[Sequence[float]], spread: Spread) -> Level:
    """The mean of the samples' means, so that a sample of more runs counts no more than another."""
    pool = [spread.std**2 / len(values) for values in samples]
    own = [variance(v) / len(v) if len(v) > 1 else shared for v, shared in zip(samples, pool, strict=True)]
    mean = fmean(fmean(values) for values in samples)
    return Level(words, mean, max(sum(pool), sum(own)) / len(samples) ** 2)


def pair(a: Level, b: Level, n_levels: int, spread: Spread) -> Pair:
    """Two of `n_levels` means that are all compared with each other."""
    low, high = sorted((a, b), key=lambda one: one.mean)
    critical = _critical(spread.chance, n_levels, max(1, int(spread.freedom + 1e-9)))
    return Pair(low, high, critical * sqrt((a.variance + b.variance) / 2))


def pairs(levels: Sequence[Level], spread: Spread) -> list[Pair]:
    """Every two of two or more means, the clearest difference first."""
    found = [pair(a, b, len(levels), spread) for a, b in combinations(levels, 2)]
    return sorted(found, key=lambda one: (-one.clearness, -one.apart))


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


@cache
def _critical(chance: float, n_levels: int, freedom: int) -> float:
    """The studentized range of `n_levels` means that chance exceeds this often; for two it is √2 of Student's t."""
    from scipy.stats import studentized_range, t  # here, since it takes a second to import

    if n_levels == 2:
        return sqrt(2) * float(t.isf(chance / 2, freedom))
    value = float(studentized_range.ppf(1 - chance, n_levels, freedom))
    assert isfinite(value)
    return value
