"""What an experiment showed: the error of each arm over its seeds, and whether it differs by more than their spread."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import isfinite, nan

from cgcnn.training.arms import Arm
from cgcnn.training.spread import (
    Level,
    Spread,
    differ,
    honest_difference,
    interaction,
    largest_difference,
    level,
    pooled,
    widest,
)
from cgcnn.training.sweep import field_words, value_words

INTERACTS = 0.05  # p value below which two settings are said to depend on each other


@dataclass(frozen=True)
class Factor:
    """One setting of a grid: its mean error at each value, over all values of the other settings."""

    field: str
    levels: tuple[Level, ...]
    difference: float  # the honest significant difference between two of these means
    matters: bool  # some two of these means differ by more than chance explains

    @property
    def best(self) -> Level:
        """The value with the lowest mean error."""
        return min(self.levels, key=lambda a: a.mean)

    @property
    def worst(self) -> Level:
        """The value with the highest mean error."""
        return max(self.levels, key=lambda a: a.mean)


@dataclass(frozen=True)
class Answer:
    """The arms in the order of the grid, and what can be said of them."""

    arms: tuple[Arm, ...]
    unit: str
    sentence: str
    found: str  # "effect", "no effect", or "unknown"
    spread: Spread | None = None
    difference: float = nan  # the honest significant difference between two arms: of the least sure pair
    factors: tuple[Factor, ...] = ()  # of a grid of two or more settings without gaps
    together: float = nan  # the p value of an interaction of two settings
    remarks: tuple[str, ...] = ()  # limits, losses and costs

    @property
    def ranking(self) -> list[Arm]:
        """The arms with a result, lowest mean error first."""
        return sorted((arm for arm in self.arms if arm.maes), key=lambda arm: arm.mean)


def answer(found: Sequence[Arm], *, unit: str = "", baseline: float | None = None) -> Answer:
    """What the arms of one experiment show; `baseline` is the error of always predicting the mean, in `unit`."""
    known = [arm for arm in found if arm.maes]
    spread = pooled([arm.maes for arm in known])
    blank = Answer(tuple(found), unit, "", "unknown", spread)
    if len(known) < 2 or spread is None:
        judged, words = blank, _unknown(known, unit)
    else:
        judged = _judged(blank, spread)
        words = _words(judged)
    sentence = _so_far(found) + words
    return replace(judged, sentence=sentence[0].upper() + sentence[1:], remarks=tuple(_remarks(judged, baseline)))


def spread_words(found: Answer) -> str:
    """How it was judged, for a reader who knows statistics; empty without a spread."""
    if found.spread is None or not isfinite(found.difference):
        return ""
    ruler = f"{found.difference:.2g} {found.unit}".rstrip()
    if found.spread.equal:
        how = f"Tukey's HSD at 95 %: two settings differ when their means lie more than {ruler} apart"
    else:
        how = f"Games and Howell's test at 95 %, each pair by its own spreads: more than {ruler} apart always differ"
    std = f"{found.spread.std:.2g} {found.unit}".rstrip()
    parts = [how, f"standard deviation of a run {std}, pooled, {found.spread.freedom} degrees of freedom"]
    if isfinite(found.together):
        parts.append(f"interaction of the two settings: F test, p = {found.together:.2g}")
    return "; ".join(parts) + "."


def _judged(found: Answer, spread: Spread) -> Answer:
    """The same with all that the runs tell of the arms and of each setting."""
    factors, levels = _factors(found.arms, spread), _levels(found.arms, spread)
    numbers = replace(
        found,
        difference=largest_difference(levels, spread),
        factors=factors,
        together=_together(found.arms, factors, spread),
    )
    alone = any(factor.matters for factor in factors) if factors else _any_differ(levels, spread)
    return replace(numbers, found="effect" if alone or _depend(numbers) else "no effect")


def _depend(found: Answer) -> bool:
    """Whether which value of one setting is best depends on the other."""
    return found.together < INTERACTS and len(_rows(found)) > 1


def _words(found: Answer) -> str:
    if _depend(found):
        parts = [f"with {_joined(values)}, {what}" for what, values in _rows(found).items()]
        return f"the two settings depend on each other: {'; '.join(parts)}."
    return _by_factor(found) if found.factors else _by_arm(found)


def _levels(found: Sequence[Arm], spread: Spread) -> list[Level]:
    return [level(arm.words, [arm.maes], spread) for arm in found if arm.maes]


def _any_differ(levels: Sequence[Level], spread: Spread) -> bool:
    return any(differ(a, b, len(levels), spread) for a in levels for b in levels)


def _factors(found: Sequence[Arm], spread: Spread) -> tuple[Factor, ...]:
    """Each setting alone; none when the grid has one setting, or an arm without a result."""
    fields = list(found[0].values)
    if len(fields) < 2 or not all(arm.maes for arm in found):
        return ()
    return tuple(_factor(field, found, spread) for field in fields if len({a.values[field] for a in found}) > 1)


def _factor(field: str, found: Sequence[Arm], spread: Spread) -> Factor:
    values = list(dict.fromkeys(arm.values[field] for arm in found))
    samples = [[arm.maes for arm in found if arm.values[field] == value] for value in values]
    levels = tuple(level(value_words(field, v), s, spread) for v, s in zip(values, samples, strict=True))
    return Factor(field, levels, largest_difference(levels, spread), _any_differ(levels, spread))


def _together(found: Sequence[Arm], factors: Sequence[Factor], spread: Spread) -> float:
    if len(factors) != 2 or len(found) != len(factors[0].levels) * len(factors[1].levels):
        return nan
    width = len(factors[1].levels)
    return interaction([[arm.maes for arm in found[i : i + width]] for i in range(0, len(found), width)], spread)


def _so_far(found: Sequence[Arm]) -> str:
    live = sum(arm.n_live for arm in found)
    total = sum(len(arm.maes) + arm.n_lost for arm in found) + live
    return f"So far, with {total - live} of {total} runs: " if live else ""


def _unknown(known: Sequence[Arm], unit: str) -> str:
    if not known:
        return "no run has a result yet, so there is nothing to compare."
    if len(known) == 1:
        return f"only “{known[0].words}” has a result, {known[0].text(unit)}; nothing to compare it with."
    best, worst = min(known, key=lambda a: a.mean), max(known, key=lambda a: a.mean)
    return (
        f"“{best.words}” has the lowest error ({best.text(unit)}) and “{worst.words}” the highest "
        f"({worst.text(unit)}), but with one seed each nobody can tell this from chance; repeat with 3 seeds or more."
    )


def _by_arm(found: Answer) -> str:
    assert found.spread is not None
    levels, spread = _levels(found.arms, found.spread), found.spread
    best, worst = min(levels, key=lambda a: a.mean), max(levels, key=lambda a: a.mean)
    chance = honest_difference(best, worst, len(levels), spread)
    if found.found == "no effect":
        return "no effect beyond the spread: " + _too_near(best, worst, chance, found.unit) + "."
    alike = [a.words for a in levels if a != best and not differ(a, best, len(levels), spread)]
    rest = f"; {_joined(alike)} cannot be told from the best" if alike else ""
    return f"an effect beyond the spread: {_apart(best, worst, chance, found.unit)}{rest}."


def _by_factor(found: Answer) -> str:
    parts = []
    assert found.spread is not None
    for factor in found.factors:
        best, worst, label = factor.best, factor.worst, field_words(factor.field)
        chance = honest_difference(best, worst, len(factor.levels), found.spread)
        if factor.matters:
            parts.append(f"“{label}” matters: {_apart(best, worst, chance, found.unit)}")
        else:
            near = _too_near(best, worst, chance, found.unit)
            parts.append(f"“{label}” has no effect beyond the spread: {near}")
    return "; ".join(parts) + "."


def _rows(found: Answer) -> dict[str, list[str]]:
    """What is best among the values of one setting -> the values of the other with which it is so."""
    outer, inner = sorted(found.factors, key=lambda factor: -len(factor.levels))
    best: dict[str, list[str]] = {}
    for value in dict.fromkeys(arm.values[outer.field] for arm in found.arms):
        row = [arm for arm in found.arms if arm.values[outer.field] == value]
        best.setdefault(_best_of(row, inner.field, found), []).append(value_words(outer.field, value))
    return best


def _best_of(row: Sequence[Arm], field: str, found: Answer) -> str:
    """The best arms of a row, or that none can be told from another, by the ruler for all arms."""
    assert found.spread is not None
    levels = [level(value_words(field, arm.values[field]), [arm.maes], found.spread) for arm in row]
    best = min(levels, key=lambda a: a.mean)
    worse = [a for a in levels if differ(a, best, len(found.arms), found.spread)]
    if not worse:
        return "there is no difference beyond the spread"
    good = [a.words for a in levels if a not in worse]
    return f"{_joined(good)} {'is' if len(good) == 1 else 'are'} better than {_joined([a.words for a in worse])}"


def _apart(best: Level, worst: Level, difference: float, unit: str) -> str:
    return (
        f"{best.mean:.3g} {unit} with {best.words} against {worst.mean:.3g} {unit} with {worst.words}, and chance "
        f"explains no more than {difference:.2g}"
    ).replace("  ", " ")


def _too_near(best: Level, worst: Level, difference: float, unit: str) -> str:
    return (
        f"from {best.words} ({best.mean:.3g}) to {worst.words} ({worst.mean:.3g}) the mean error differs by "
        f"{worst.mean - best.mean:.2g} {unit}, and chance alone explains up to {difference:.2g}"
    ).replace(" ,", ",")


def _remarks(found: Answer, baseline: float | None) -> Iterable[str]:
    known = found.ranking
    if baseline and known and known[0].mean >= baseline:
        guess = f"{baseline:.3g} {found.unit}".rstrip()
        yield (
            f"No setting beats always predicting the mean ({guess}): these networks have not learned, "
            "so compare them again after longer training."
        )
    if lost := [f"{arm.words}: {arm.n_lost}" for arm in found.arms if arm.n_lost]:
        yield f"Runs without a result are left out ({'; '.join(lost)}). A setting whose runs fail is a finding too."
    if found.together < INTERACTS and not _depend(found):
        yield f"How much one setting does depends on the other (interaction, p = {found.together:.2g})."
    if (wide := widest([arm.maes for arm in known])) is not None:
        yield f"The spread is unequal, widest for {known[wide].words}, so each pair is judged by its own spreads."
    paces = sorted((arm.seconds, arm.words) for arm in known if arm.seconds is not None)
    if len(paces) > 1 and paces[-1][0] > 1.2 * paces[0][0]:
        (low, fast), (high, slow) = paces[0], paces[-1]
        yield f"An epoch took from {low:.2g} s ({fast}) to {high:.2g} s ({slow})."


def _joined(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
