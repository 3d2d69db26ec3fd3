"""What a student guesses before an experiment, and what its runs say of the guess."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cgcnn.training.answers import Answer
from cgcnn.training.arms import Arm
from cgcnn.training.spread import Level, Spread, level, pair
from cgcnn.training.sweep import arm_words


@dataclass(frozen=True)
class Claim:
    """Arms with the values `a` have a lower mean error than those with `b`; or `denied`: they do not.

    What is denied may be worse or the same: "5 are no better than 1" holds when 5 are clearly worse.
    """

    a: Mapping[str, Any]  # dotted field -> value
    b: Mapping[str, Any]
    denied: bool = False


@dataclass(frozen=True)
class Guess:
    """One choice of a student; without claims it says that nothing differs by more than the spread."""

    words: str
    claims: tuple[Claim, ...] = ()


NO_EFFECT = Guess("No effect beyond the spread over the seeds.")


@dataclass(frozen=True)
class Judgement:
    """What the runs say of a guess: "borne out", "not borne out", "contradicted" or "open", and a sentence."""

    verdict: str
    sentence: str


def judged(guess: Guess, found: Answer) -> Judgement:
    """Hold a guess against the answer; the same differences count as in the answer."""
    if found.spread is None or any(arm.n_live for arm in found.arms):
        return Judgement("open", "Your guess is judged when all runs have ended.")
    if not guess.claims:
        return _judged_no_effect(found)
    results = [_held(claim, found) for claim in guess.claims]
    for verdict in ("open", "contradicted", "not borne out"):
        if sentences := [sentence for kind, sentence in results if kind == verdict]:
            return Judgement(verdict, f"{OPENINGS[verdict]}: {sentences[0]}.")
    return Judgement("borne out", f"{OPENINGS['borne out']}: {'; '.join(sentence for _, sentence in results)}.")


OPENINGS = {
    "borne out": "The runs bear out your guess",
    "contradicted": "A fair guess, but the runs say otherwise",
    "not borne out": "A fair guess, but these runs do not show it",
    "open": "These runs cannot judge your guess",
}


def _judged_no_effect(found: Answer) -> Judgement:
    if found.found == "unknown":
        return Judgement("open", f"{OPENINGS['open']}: there is nothing to compare.")
    if found.found == "effect":
        return Judgement("contradicted", f"{OPENINGS['contradicted']}: settings differ by more than the spread.")
    detail = f"an effect smaller than {found.difference:.2g} {found.unit}".rstrip()
    return Judgement("borne out", f"The runs bear out your guess; {detail} could still hide in the spread.")


def _held(claim: Claim, found: Answer) -> tuple[str, str]:
    """The verdict on one claim, and the numbers it rests on."""
    if found.spread is None:
        return "open", "there is no spread to compare with"
    a, b = _mean(claim.a, found.arms, found.spread), _mean(claim.b, found.arms, found.spread)
    if a is None or b is None:
        return "open", f"no result of {arm_words(claim.a if a is None else claim.b)}"
    seen = pair(a, b, _family(claim, found), found.spread)
    first = f"{a.mean:.3g} {found.unit}".rstrip()
    words = f"{first} with {a.words} and {b.mean:.3g} with {b.words}"
    if not seen.differs:
        verdict = "borne out" if claim.denied else "not borne out"
        return verdict, f"{words} cannot be told apart (chance explains up to {seen.limit:.2g})"
    holds = (seen.low is a) != claim.denied
    return "borne out" if holds else "contradicted", f"{words} differ by more than the spread"


def _family(claim: Claim, found: Answer) -> int:
    """How many means are compared at once: the values of one setting, or all arms."""
    sizes = {factor.field: len(factor.levels) for factor in found.factors}
    if len(claim.a) == 1 and claim.a.keys() == claim.b.keys():
        return sizes.get(next(iter(claim.a)), len(found.ranking))
    return len(found.ranking)


def _mean(values: Mapping[str, Any], found: Sequence[Arm], spread: Spread) -> Level | None:
    """The mean over all arms with these values; None when one of them has no result."""
    matching = [arm for arm in found if values.items() <= arm.values.items()]
    if not matching or not all(arm.maes for arm in matching):
        return None
    return level(arm_words(values), [arm.maes for arm in matching], spread)
