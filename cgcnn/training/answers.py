"""What an experiment showed: the error of each arm over its seeds, and whether it differs by more than their spread."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from math import floor, isfinite, log10, nan

from cgcnn.training.arms import Arm
from cgcnn.training.spread import FALSE_ALARMS, Level, Pair, Spread, interaction, level, pair, pairs, pooled
from cgcnn.training.sweep import field_words, value_words

MOST = 0.8  # of the variance in one arm: with equal arms that happens in one experiment of eight at most


@dataclass(frozen=True)
class Factor:
    """One setting of a grid: its mean error at each value, over all values of the other settings."""

    field: str
    levels: tuple[Level, ...]
    clearest: Pair  # the two of these means that differ most, in units of what chance explains

    @property
    def matters(self) -> bool:
        """Some two of these means differ by more than chance explains."""
        return self.clearest.differs


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
    fields = _fields(found)
    spread = pooled([arm.maes for arm in known], questions=3 if len(fields) == 2 else max(1, len(fields)))
    blank = Answer(tuple(found), unit, "", "unknown", spread)
    if len(known) < 2 or spread is None:
        judged, words = blank, _unknown(known, unit)
    else:
        judged = _judged(blank, fields, spread)
        words = _words(judged, spread)
    sentence = _so_far(found) + words
    return replace(judged, sentence=sentence[0].upper() + sentence[1:], remarks=tuple(_remarks(judged, baseline)))


def spread_words(found: Answer) -> str:
    """How it was judged, for a reader who knows statistics; empty without a spread."""
    if found.spread is None or not isfinite(found.difference):
        return ""
    ruler, std = (f"{value:.2g} {found.unit}".rstrip() for value in (found.difference, found.spread.std))
    what = "combinations" if found.factors else "settings"
    parts = [
        f"all pairs compared at once (Tukey), a wild setting by its own spread: two {what} that lie more than {ruler} "
        f"apart differ",
        f"standard deviation of a run {std}, pooled, {found.spread.freedom:.3g} effective degrees of freedom",
    ]
    if isfinite(found.together):
        parts.append(f"interaction of the two settings: F test, p = {found.together:.2g}")
    if (n := found.spread.questions) > 1:
        parts.append(f"each of the {n} questions has {100 * found.spread.chance:.2g} % for a false alarm")
    else:
        parts.append(f"false alarms: about {100 * FALSE_ALARMS:g} % at most")
    words = "; ".join(parts)
    return f"{words[0].upper()}{words[1:]}."


def _fields(found: Sequence[Arm]) -> list[str]:
    """The settings to judge one by one; none when the grid varies one setting, or an arm has no result."""
    fields = [field for field in found[0].values if len({arm.values[field] for arm in found}) > 1] if found else []
    return fields if len(fields) > 1 and all(arm.maes for arm in found) else []


def _judged(found: Answer, fields: Sequence[str], spread: Spread) -> Answer:
    """The same with all that the runs tell of the arms and of each setting."""
    factors = tuple(_factor(field, found.arms, spread) for field in fields)
    all_pairs = pairs(_levels(found.arms, spread), spread)
    numbers = replace(
        found,
        difference=max(one.limit for one in all_pairs),
        factors=factors,
        together=_together(found.arms, factors, spread),
    )
    alone = any(factor.matters for factor in factors) if factors else all_pairs[0].differs
    return replace(numbers, found="effect" if alone or _depend(numbers, spread) else "no effect")


def _depend(found: Answer, spread: Spread) -> bool:
    """Whether which value of one setting is best depends on the other."""
    return found.together < spread.chance and len(_rows(found, spread)) > 1


def _words(found: Answer, spread: Spread) -> str:
    if _depend(found, spread):
        parts = [f"with {_joined(values)}, {what}" for what, values in _rows(found, spread).items()]
        return f"the two settings depend on each other: {'; '.join(parts)}."
    return _by_factor(found) if found.factors else _by_arm(found, spread)


def _levels(found: Sequence[Arm], spread: Spread) -> list[Level]:
    return [level(arm.words, [arm.maes], spread) for arm in found if arm.maes]


def _factor(field: str, found: Sequence[Arm], spread: Spread) -> Factor:
    values = list(dict.fromkeys(arm.values[field] for arm in found))
    samples = [[arm.maes for arm in found if arm.values[field] == value] for value in values]
    levels = tuple(level(value_words(field, v), s, spread) for v, s in zip(values, samples, strict=True))
    return Factor(field, levels, pairs(levels, spread)[0])


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


def _by_arm(found: Answer, spread: Spread) -> str:
    levels = _levels(found.arms, spread)
    ordered = pairs(levels, spread)
    if found.found == "no effect":
        return f"no effect beyond the spread: {_near(ordered[0], found.unit)}."
    best = min(levels, key=lambda a: a.mean)
    alike = [a.words for a in levels if a != best and not pair(a, best, len(levels), spread).differs]
    rest = f" Not to be told from the lowest, {best.words}: {_joined(alike)}." if alike else ""
    return f"an effect beyond the spread: {_apart(ordered[0], found.unit)}.{rest}"


def _by_factor(found: Answer) -> str:
    """One sentence for each setting, those that matter first."""
    parts = []
    for factor in sorted(found.factors, key=lambda factor: not factor.matters):
        label, clearest = field_words(factor.field), factor.clearest
        if factor.matters:
            parts.append(f"“{label}” matters: {_apart(clearest, found.unit)}.")
        else:
            parts.append(f"“{label}” has no effect beyond the spread: {_near(clearest, found.unit)}.")
    return " ".join(parts)


def _rows(found: Answer, spread: Spread) -> dict[str, list[str]]:
    """What is best among the values of one setting -> the values of the other with which it is so."""
    outer, inner = sorted(found.factors, key=lambda factor: -len(factor.levels))
    best: dict[str, list[str]] = {}
    for value in dict.fromkeys(arm.values[outer.field] for arm in found.arms):
        row = [arm for arm in found.arms if arm.values[outer.field] == value]
        words = _best_of(row, inner.field, len(found.arms), spread)
        best.setdefault(words, []).append(value_words(outer.field, value))
    return best


def _best_of(row: Sequence[Arm], field: str, n_arms: int, spread: Spread) -> str:
    """Which arms of a row are better than which, by the ruler for all arms: every one named than every other named."""
    levels = [level(value_words(field, arm.values[field]), [arm.maes], spread) for arm in row]
    clear = [one for a, b in combinations(levels, 2) if (one := pair(a, b, n_arms, spread)).differs]
    if not clear:
        return "there is no difference beyond the spread"
    least = min((one.low for one in clear), key=lambda a: a.mean)
    worse = [a for a in levels if any(one.low == least and one.high == a for one in clear)]
    good = [a.words for a in levels if all(any(one.low == a and one.high == b for one in clear) for b in worse)]
    return f"{_joined(good)} {'is' if len(good) == 1 else 'are'} better than {_joined([a.words for a in worse])}"


def _apart(clear: Pair, unit: str) -> str:
    low, high, _, limit = _rounded(clear, unit)
    return f"{low} with {clear.low.words} against {high} with {clear.high.words}, and chance explains up to {limit}"


def _near(unclear: Pair, unit: str) -> str:
    low, high, apart, limit = _rounded(unclear, unit)
    return (
        f"{unclear.low.words} ({low}) and {unclear.high.words} ({high}) are {apart} apart, and chance alone explains "
        f"up to {limit}"
    )


def _rounded(one: Pair, unit: str) -> tuple[str, str, str, str]:
    """Both means, their distance and its limit with the decimals of two digits of the limit; more where those tie."""
    scale = one.limit or one.apart
    decimals = max(0, 1 - floor(log10(scale))) if scale else 3
    while f"{one.apart:.{decimals}f}" == f"{one.limit:.{decimals}f}" and one.apart != one.limit and decimals < 9:
        decimals += 1
    low, high = (f"{mean:.{decimals}f} {unit}".rstrip() for mean in (one.low.mean, one.high.mean))
    return low, high, f"{one.apart:.{decimals}f}", f"{one.limit:.{decimals}f}"


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
    if found.spread and found.together < found.spread.chance and not _depend(found, found.spread):
        yield f"How much one setting does depends on the other (interaction, p = {found.together:.2g})."
    variances = [arm.std**2 if len(arm.maes) > 1 else 0.0 for arm in known]
    if len(known) > 2 and max(variances) > MOST * sum(variances):
        wild = known[variances.index(max(variances))].words
        yield f"Most of the spread comes from {wild} alone and hides differences of the others; repeat without it."
    paces = sorted((arm.seconds, arm.words) for arm in known if arm.seconds is not None)
    if len(paces) > 1 and paces[-1][0] > 1.2 * paces[0][0]:
        (low, fast), (high, slow) = paces[0], paces[-1]
        yield f"An epoch took from {low:.2g} s ({fast}) to {high:.2g} s ({slow})."


def _joined(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
