import re
from math import isnan, nan

import pytest

from cgcnn.training.answers import Answer, _best_of, answer, spread_words
from cgcnn.training.arms import Arm, Outcome, gathered
from cgcnn.training.experiment import RunConfig
from cgcnn.training.guesses import NO_EFFECT, Claim, Guess, judged
from cgcnn.training.spread import pooled

K = "graph.max_neighbors"
POOL, PER_ATOM = "model.pooling", "train.per_atom"
EQUAL, BETTER = (0.200, 0.204, 0.196), (0.100, 0.104, 0.096)


def one(*samples: tuple[float, ...], **more: int) -> list[Arm]:
    """One axis: k = 1, 2, …"""
    return [Arm(f"k = {k}", {K: k}, maes, **more) for k, maes in enumerate(samples, 1)]


def two(*samples: tuple[float, ...]) -> list[Arm]:
    """Learned as it is or per atom, mean or sum pooling, the last fastest."""
    places = [(per_atom, pooling) for per_atom in (False, True) for pooling in ("mean", "sum")]
    return [
        Arm(f"{'per atom' if per_atom else 'as it is'}, {pooling}", {PER_ATOM: per_atom, POOL: pooling}, maes)
        for (per_atom, pooling), maes in zip(places, samples, strict=True)
    ]


def moved(by: float) -> tuple[float, ...]:
    return tuple(mae + by for mae in EQUAL)


def test_an_effect_larger_than_the_spread_is_named_with_its_numbers() -> None:
    found = answer(one(BETTER, EQUAL, moved(0.001)), unit="eV")
    assert found.found == "effect"
    assert found.sentence == (
        "An effect beyond the spread: 0.100 eV with k = 1 against 0.201 eV with k = 3, and chance explains up to 0.010."
    )
    assert [arm.words for arm in found.ranking] == ["k = 1", "k = 2", "k = 3"]


def test_what_cannot_be_told_from_the_best_is_said() -> None:
    found = answer(one(EQUAL, moved(0.003), moved(0.1)))
    assert found.sentence.endswith(" Not to be told from the lowest, k = 1: k = 2.")


def test_no_effect_is_said_with_what_chance_alone_explains() -> None:
    found = answer(one(EQUAL, moved(0.002)), unit="eV/atom")
    assert found.found == "no effect"
    assert found.sentence.startswith("No effect beyond the spread: k = 1 (0.2000 eV/atom) and k = 2 (0.2020")
    assert "are 0.0020 apart, and chance alone explains up to 0.0091" in found.sentence


def test_the_two_arms_that_differ_most_clearly_are_quoted_though_another_is_lowest() -> None:
    found = answer(one((0.07, 0.10, 0.13), *[(0.10, 0.11, 0.12)] * 4, (0.165, 0.175, 0.185)))
    assert found.found == "effect" and found.ranking[0].words == "k = 1"
    assert "0.110 with k = 2 against 0.175 with k = 6" in found.sentence
    assert "Not to be told from the lowest, k = 1: k = 2, k = 3, k = 4, k = 5 and k = 6." in found.sentence


@pytest.mark.parametrize("by", [0.0, 0.002, 0.005, 0.02])
def test_no_effect_is_announced_with_numbers_that_contradict_it(by: float) -> None:
    for found in (
        answer(one((0.02, 0.16, 0.09), (0.1200, 0.1201, 0.1202), (0.1300, 0.1301, 0.1302))),
        answer(one(EQUAL, moved(by), moved(2 * by))),
        answer(two(EQUAL, moved(by), (0.02, 0.16, 0.09), moved(3 * by))),
    ):
        for sentence in found.sentence.split(". "):
            if clear := re.search(r"([\d.]+) with .* against ([\d.]+) with .* up to ([\d.]+\d)", sentence):
                low, high, limit = (float(number) for number in clear.groups())
                assert high - low > limit
            if near := re.search(r"are ([\d.]+) apart, and chance alone explains up to ([\d.]+\d)", sentence):
                assert float(near[1]) < float(near[2])


def test_a_borderline_setting_of_a_grid_is_not_announced() -> None:
    # eight arms of three runs whose means over the rule lie 0.0085 apart, where one question alone would need 0.0083
    runs = (-0.0096, 0.0, 0.0096)
    arms = [
        Arm("", {K: k, "graph.rule": rule}, tuple(0.181 + by + step for step in runs))
        for k in (6, 12, 18, 24)
        for rule, by in (("k nearest", 0.0), ("whole shells", 0.0085))
    ]
    found = answer(arms, unit="eV/atom")
    assert found.found == "no effect"
    assert (
        "“Neighbor rule” has no effect beyond the spread: k nearest (0.181 eV/atom) and whole shells (0.190 eV/atom) "
        "are 0.009 apart, and chance alone explains up to 0.010." in found.sentence
    )


def test_in_a_case_every_arm_that_is_called_better_is_better_than_every_other_named() -> None:
    # the middle arm of the first case cannot be told from either of its neighbors
    cases = {"mean": (EQUAL, moved(0.012), moved(0.024)), "sum": (moved(0.1), moved(0.1), EQUAL)}
    arms = [Arm("", {POOL: pool, K: k}, maes) for pool, row in cases.items() for k, maes in enumerate(row, 1)]
    assert answer([arm for arm in arms if arm.values[POOL] == "mean"]).found == "effect"
    sentence = answer(arms).sentence
    assert sentence.startswith("The two settings depend on each other")
    assert "k = 3, sum pooling is better than mean pooling" in sentence
    turned = [Arm("", {K: k, POOL: pool}, maes) for pool, row in cases.items() for k, maes in enumerate(row, 1)]
    spread = pooled([arm.maes for arm in arms], 3)
    assert spread and _best_of(turned[:3], K, 6, spread) == "k = 1 is better than k = 3"


def test_an_arm_has_the_mean_and_the_standard_deviation_with_n_minus_one() -> None:
    arm = Arm("", {}, (1.0, 2.0, 3.0))
    assert (arm.mean, arm.std) == (2.0, 1.0)
    assert arm.text("eV") == "2.0 ± 1.0 eV"
    assert isnan(Arm("", {}, (1.0,)).std) and isnan(Arm("", {}).mean)
    assert Arm("", {}, (1.0,)).text() == "1"


@pytest.mark.parametrize(
    ("arms", "words"),
    [
        (one((), ()), "No run has a result yet, so there is nothing to compare."),
        (one(EQUAL, ()), "Only “k = 1” has a result, 0.2000 ± 0.0040 eV; nothing to compare it with."),
        (one((0.1,), (0.2,)), "with one seed each nobody can tell this from chance; repeat with 3 seeds or more."),
    ],
)
def test_without_enough_runs_nothing_is_claimed(arms: list[Arm], words: str) -> None:
    found = answer(arms, unit="eV")
    assert found.found == "unknown" and isnan(found.difference)
    assert found.sentence.endswith(words)
    assert spread_words(found) == ""


def test_while_runs_are_to_come_the_answer_says_so_far() -> None:
    arms = [*one(BETTER), Arm("k = 2", {K: 2}, EQUAL[:2], n_live=1)]
    assert answer(arms).sentence.startswith("So far, with 5 of 6 runs: an effect beyond the spread")


def test_lost_runs_are_counted_and_named() -> None:
    found = answer([*one(BETTER), Arm("k = 2", {K: 2}, EQUAL, n_lost=2)])
    assert any("left out (k = 2: 2)" in remark for remark in found.remarks)


def test_equal_runs_show_no_effect() -> None:
    assert answer(one((0.2, 0.2), (0.2, 0.2))).found == "no effect"


def test_networks_no_better_than_the_mean_are_called_so() -> None:
    assert any("have not learned" in remark for remark in answer(one(EQUAL, BETTER), baseline=0.09).remarks)
    assert not any("have not learned" in remark for remark in answer(one(EQUAL, BETTER), baseline=0.7).remarks)


def test_the_cost_is_named_where_it_differs() -> None:
    arms = [Arm(f"k = {k}", {K: k}, EQUAL, seconds=0.1 * k) for k in (1, 2)]
    assert answer(arms).remarks[-1] == "An epoch took from 0.1 s (k = 1) to 0.2 s (k = 2)."


def test_one_wild_arm_is_named() -> None:
    found = answer(one(EQUAL, moved(0.01), (0.2, 0.5, 0.8)))
    assert found.found == "no effect"
    assert any("Most of the spread comes from k = 3 alone and hides" in remark for remark in found.remarks)
    assert not answer(one(EQUAL, moved(0.01), moved(0.02))).remarks


def test_of_two_settings_the_one_that_matters_is_named() -> None:
    found = answer(two(EQUAL, moved(0.1), moved(0.001), moved(0.101)), unit="eV")
    assert [factor.matters for factor in found.factors] == [False, True]
    assert "“Learn per atom” has no effect beyond the spread" in found.sentence
    assert "“Pooling” matters: 0.2005 eV with mean pooling against 0.3005 eV with sum pooling" in found.sentence
    assert found.together > 0.05


def test_two_settings_that_depend_on_each_other_are_told_case_by_case() -> None:
    found = answer(two(moved(0.3), EQUAL, EQUAL, moved(0.3)))
    assert found.together < 1e-6 and found.found == "effect"
    assert found.sentence == (
        "The two settings depend on each other: with learned as it is, sum pooling is better than mean pooling; "
        "with learned per atom, mean pooling is better than sum pooling."
    )


def test_an_effect_of_another_size_but_the_same_sign_is_a_remark() -> None:
    found = answer(two(EQUAL, moved(0.1), EQUAL, moved(0.2)))
    assert "“Pooling” matters" in found.sentence
    assert any(remark.startswith("How much one setting does depends on the other") for remark in found.remarks)


def test_a_gap_in_the_grid_leaves_the_arms_to_be_compared() -> None:
    found = answer(two(EQUAL, moved(0.1), (), EQUAL))
    assert found.factors == () and found.found == "effect" and isnan(found.together)


def outcome(k: int, seed: int, mae: float | None, **more: bool) -> Outcome:
    return Outcome(RunConfig().with_(**{K: k, "train.seed": seed}), mae, **more)


def test_runs_are_gathered_by_arm_whatever_became_of_them() -> None:
    runs = [outcome(6, 0, 0.2), outcome(6, 1, nan), outcome(6, 2, None, is_live=True), outcome(9, 0, 0.3)]
    six, twelve = gathered({K: (6, 12)}, runs)
    assert (six.maes, six.n_lost, six.n_live) == ((0.2,), 1, 1)
    assert (twelve.maes, twelve.n_lost, twelve.n_live) == ((), 0, 0)


def test_how_it_was_judged_is_said_to_those_who_know_statistics() -> None:
    words = spread_words(answer(one(EQUAL, BETTER), unit="eV"))
    assert "(Tukey)" in words and "0.0091 eV apart" in words and "4 effective degrees of freedom" in words
    assert words.endswith("false alarms: about 5 % at most.")
    grid = spread_words(answer(two(EQUAL, EQUAL, EQUAL, BETTER)))
    assert grid.endswith("each of the 3 questions has 1.7 % for a false alarm.")


FIRST, SECOND = {K: 1}, {K: 2}


@pytest.mark.parametrize(
    ("guess", "samples", "verdict"),
    [
        (Guess("", (Claim(FIRST, SECOND),)), (BETTER, EQUAL), "borne out"),
        (Guess("", (Claim(FIRST, SECOND),)), (EQUAL, BETTER), "contradicted"),
        (Guess("", (Claim(FIRST, SECOND),)), (EQUAL, moved(0.002)), "not borne out"),
        (Guess("", (Claim(FIRST, SECOND, denied=True),)), (EQUAL, moved(0.002)), "borne out"),
        (Guess("", (Claim(FIRST, SECOND, denied=True),)), (EQUAL, BETTER), "borne out"),
        (Guess("", (Claim(FIRST, SECOND, denied=True),)), (BETTER, EQUAL), "contradicted"),
        (Guess("", (Claim(FIRST, SECOND), Claim(SECOND, FIRST))), (EQUAL, BETTER), "contradicted"),
        (Guess("", (Claim(FIRST, {K: 7}),)), (EQUAL, BETTER), "open"),
        (NO_EFFECT, (EQUAL, BETTER), "contradicted"),
        (NO_EFFECT, (EQUAL, moved(0.002)), "borne out"),
        (NO_EFFECT, ((0.1,), (0.2,)), "open"),
    ],
)
def test_a_guess_is_held_against_the_runs(guess: Guess, samples: tuple, verdict: str) -> None:
    assert judged(guess, answer(one(*samples))).verdict == verdict


def test_a_guess_is_not_judged_while_runs_are_to_come() -> None:
    arms = [*one(BETTER), Arm("k = 2", {K: 2}, EQUAL, n_live=1)]
    assert judged(NO_EFFECT, answer(arms)).verdict == "open"


def test_a_guess_about_one_of_two_settings_takes_all_arms_with_its_values() -> None:
    found: Answer = answer(two(EQUAL, moved(0.1), moved(0.002), moved(0.102)), unit="eV")
    judgement = judged(Guess("", (Claim({POOL: "mean"}, {POOL: "sum"}),)), found)
    assert judgement.sentence == (
        "The runs bear out your guess: 0.201 eV with mean pooling and 0.301 with sum pooling differ by more than the "
        "spread."
    )


def test_no_effect_is_never_called_proven() -> None:
    sentence = judged(NO_EFFECT, answer(one(EQUAL, moved(0.002)), unit="eV")).sentence
    assert "smaller than 0.0091 eV could still hide in the spread" in sentence
