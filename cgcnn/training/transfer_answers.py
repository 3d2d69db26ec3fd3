"""What the table of a transfer study shows of three claims, by the spread over its seeds.

A row counts by its mean over the frozen counts, seed by seed: the cells of one seed share their source, so only seeds
are repeats. All rows and training from scratch are compared with each other at once; see spread.py for the rule.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import floor, log10, sqrt
from statistics import fmean

from cgcnn.training.spread import Level, Pair, Spread, level, pair, pooled
from cgcnn.training.transfer_study import COMBINED, CUT, ENERGY, PUBLISHED_ENERGY, SCRATCH, SINGLE, TUNED, Row, Table

TWICE = 1.96  # standard deviations of a normal spread that hold 95 %


@dataclass(frozen=True)
class Finding:
    """A claim, and what the runs say of it."""

    question: str
    sentence: str
    found: str  # "yes", "no", "open" (not to be told from chance), or "unknown" (no repeats, or no such rows)


@dataclass(frozen=True)
class _Judge:
    """The rows as means that are all compared with each other."""

    levels: Mapping[str, Level]
    spread: Spread
    unit: str

    def pair(self, a: str, b: str) -> Pair:
        return pair(self.levels[a], self.levels[b], len(self.levels), self.spread)

    def better(self, a: str, b: str) -> bool:
        return self.pair(a, b).differs and self.levels[a].mean < self.levels[b].mean


def findings(table: Table) -> list[Finding]:
    """What the finished table says of the three claims of the study, one sentence each."""
    judge = _judge(table)
    return [_which_is_best(table, judge), _is_combined_better(table, judge), _is_spread_larger(table, judge)]


def row_by_seed(row: Row, columns: Sequence[str]) -> dict[int, float]:
    """A row's mean over its frozen counts for each seed that has them all; without fine-tuning, if there is more."""
    cells = [cell for cell, column in zip(row.cells, columns, strict=True) if column != TUNED] or list(row.cells)
    seeds = set.intersection(*(set(cell.by_seed) for cell in cells))
    return {seed: fmean(cell.by_seed[seed] for cell in cells) for seed in sorted(seeds)}


def named_best(table: Table) -> dict[int, str]:
    """For each seed, the cell with the lowest error: what a study of this seed alone would have announced."""
    seeds = sorted({seed for cell in table.cells for seed in cell.by_seed})
    best = {}
    for seed in seeds:
        known = [cell for cell in table.cells if seed in cell.by_seed]
        best[seed] = min(known, key=lambda cell: cell.by_seed[seed]).words
    return best


def run_spread(table: Table) -> Spread | None:
    """The standard deviation of one run about the mean of its cell, pooled over all cells; None without repeats."""
    return pooled([list(cell.by_seed.values()) for cell in table.cells])


def _judge(table: Table) -> _Judge | None:
    """None before every run has ended, and without two seeds: judging again and again finds effects that are none."""
    samples = {SCRATCH: list(table.scratch.by_seed.values())}
    samples |= {row.source: list(row_by_seed(row, table.study.columns).values()) for row in table.rows}
    samples = {words: values for words, values in samples.items() if values}
    spread = pooled(list(samples.values()))
    if not table.is_over or spread is None or len(samples) < 2:
        return None
    levels = {words: level(words, [values], spread) for words, values in samples.items()}
    return _Judge(levels, spread, table.study.unit)


def _which_is_best(table: Table, judge: _Judge | None) -> Finding:
    question = "Does formation energy transfer best?"
    planned = table.study.sources
    rows = planned if judge is None else [words for words in judge.levels if words != SCRATCH]
    named = [words for words in (ENERGY, CUT, PUBLISHED_ENERGY) if words in rows]
    if not named or len(rows) < 2:
        return Finding(question, "The table needs the row “formation energy” and another one.", "unknown")
    if judge is None:
        return Finding(question, _why_unknown(table), "unknown")
    mine, best = named[0], min(rows, key=lambda words: judge.levels[words].mean)
    others = [words for words in rows if words not in (ENERGY, CUT, PUBLISHED_ENERGY)]
    beaten = [words for words in others if judge.better(mine, words)]
    better = [words for words in others if judge.better(words, mine)]
    if better:
        found, words = "no", f"No: {_listed(better)} {_beats(better)} it beyond chance"
    elif others and len(beaten) == len(others):
        found, words = "yes", f"Yes: it beats {_listed(beaten)} beyond chance"
    elif mine == best:
        rest = [words for words in others if words not in beaten]
        found, words = "open", f"It is the lowest, but {_listed(rest)} cannot be told from it"
    else:
        found, words = "open", f"It is not the lowest, and {_near(judge.pair(mine, best), judge.unit)}"
    return Finding(question, f"{words}. {_against_scratch(judge, rows)}", found)


def _against_scratch(judge: _Judge, rows: Sequence[str]) -> str:
    """Which sources help and which harm, against training from scratch."""
    if SCRATCH not in judge.levels:
        return "No run from scratch has a result."
    groups = {
        "help": [words for words in rows if judge.better(words, SCRATCH)],
        "harm": [words for words in rows if judge.better(SCRATCH, words)],
    }
    rest = [words for words in rows if words not in (*groups["help"], *groups["harm"])]
    parts = [f"{_listed(names)} {verb}{'s' if len(names) == 1 else ''}" for verb, names in groups.items() if names]
    if rest:
        parts.append(f"{_listed(rest)} cannot be told from it")
    mean = f"{_rounded(judge.levels[SCRATCH].mean, judge.spread.std)} {judge.unit}".rstrip()
    return f"Against training from scratch ({mean}), {'; '.join(parts)}."


def _is_combined_better(table: Table, judge: _Judge | None) -> Finding:
    question = "Does combined beat single at equal size?"
    rows = table.study.sources if judge is None else judge.levels
    singles = [words for words in SINGLE if words in rows]
    if COMBINED not in rows or not singles:
        return Finding(question, "The table needs the row “combined” and a single property of equal size.", "unknown")
    if judge is None:
        return Finding(question, _why_unknown(table), "unknown")
    beaten = [words for words in singles if judge.better(COMBINED, words)]
    better = [words for words in singles if judge.better(words, COMBINED)]
    rest = [words for words in singles if words not in beaten and words not in better]
    parts = [_apart(judge.pair(COMBINED, words), judge.unit) for words in (*beaten, *better)]
    parts += [_near(judge.pair(COMBINED, words), judge.unit) for words in rest]
    found = "no" if better else "yes" if len(beaten) == len(singles) else "open"
    start = {"yes": "Yes", "no": "No", "open": "Not to be told" if not beaten else "Not from all"}[found]
    return Finding(question, f"{start}: {'; '.join(parts)}.", found)


def _is_spread_larger(table: Table, judge: _Judge | None) -> Finding:
    """One run scatters so much; the cells differ so much; and what each seed alone would have said."""
    question = "Is the spread over the seeds larger than the effect?"
    spread = run_spread(table)
    if judge is None or spread is None:
        return Finding(question, _why_unknown(table), "unknown")
    means = [fmean(cell.by_seed.values()) for cell in table.cells if cell.by_seed]
    ruler = TWICE * sqrt(2) * spread.std
    all_pairs = list(combinations(means, 2))
    hidden = sum(abs(a - b) <= ruler for a, b in all_pairs)
    std, least, most, limit = (
        f"{_rounded(value, spread.std)} {judge.unit}".rstrip() for value in (spread.std, min(means), max(means), ruler)
    )
    best = named_best(table)
    chosen = "; ".join(f"seed {seed}: {words}" for seed, words in best.items())
    agree = "all name the same cell" if len(set(best.values())) == 1 else "they do not agree"
    larger = 2 * hidden > len(all_pairs)
    return Finding(
        question,
        f"{'Yes, for most cells' if larger else 'No, for most cells'}: one run scatters by {std} (standard "
        f"deviation) and the means of the cells lie between {least} and {most}; with one run "
        f"each, {hidden} of {len(all_pairs)} pairs of cells lie closer than the {limit} that chance explains. "
        f"The lowest error of each seed alone, {chosen}: {agree}.",
        "yes" if larger else "no",
    )


def _why_unknown(table: Table) -> str:
    if not table.is_over:
        return "Judged when all runs have ended: who looks again and again finds effects that are none."
    if n_missing := sum(cell.n_lost for cell in table.cells):
        verb = "has" if n_missing == 1 else "have"
        return f"Nobody can tell: {n_missing} of the runs {verb} no result, and too few are left to judge by."
    return "Nobody can tell: it takes two rows with two seeds or more, to see how far chance goes."


def _near(unclear: Pair, unit: str) -> str:
    low, high, apart, limit = _numbers(unclear, unit)
    return (
        f"{unclear.low.words} ({low}) and {unclear.high.words} ({high}) are {apart} apart, and chance alone explains "
        f"up to {limit}"
    )


def _apart(clear: Pair, unit: str) -> str:
    low, high, _, limit = _numbers(clear, unit)
    return f"{clear.low.words} ({low}) beats {clear.high.words} ({high}), and chance explains up to {limit}"


def _numbers(one: Pair, unit: str) -> Iterator[str]:
    """Both means with their unit, their distance and its limit, all to two digits of the limit at least."""
    scale = min(one.limit, one.high.mean / 10)  # a limit beyond the means would leave nothing of them
    for value in (one.low.mean, one.high.mean):
        yield f"{_rounded(value, scale)} {unit}".rstrip()
    for value in (one.apart, one.limit):
        yield _rounded(value, scale)


def _rounded(value: float, scale: float) -> str:
    """A number with the decimals of two digits of `scale`."""
    return f"{value:.{max(0, 1 - floor(log10(scale))) if scale > 0 else 3}f}"


def _beats(names: Sequence[str]) -> str:
    return "beats" if len(names) == 1 else "beat"


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
