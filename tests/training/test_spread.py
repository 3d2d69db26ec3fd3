from collections.abc import Sequence
from itertools import product

import numpy as np
import pytest
from scipy.stats import f_oneway, t, ttest_ind, tukey_hsd

import cgcnn.training.spread as spread_module
from cgcnn.training.answers import answer
from cgcnn.training.arms import Arm
from cgcnn.training.spread import Level, Spread, interaction, level, pair, pairs, pooled

FIELDS = ("graph.max_neighbors", "model.n_convs", "train.epochs")

RNG = np.random.default_rng(5)
SAMPLES = [RNG.normal(mean, 0.01, size=n).tolist() for mean, n in ((0.2, 4), (0.21, 3), (0.26, 5))]


def places_of(shape: tuple[int, ...]) -> list[dict[str, int]]:
    """The arms of a grid with so many values of each field."""
    return [dict(zip(FIELDS, place, strict=False)) for place in product(*map(range, shape))]


def levels_of(samples: Sequence[Sequence[float]], questions: int = 1) -> tuple[list[Level], Spread]:
    spread = pooled(samples, questions)
    assert spread is not None
    return [level(str(n), [values], spread) for n, values in enumerate(samples)], spread


def test_of_equally_wide_arms_differences_are_those_of_tukey_and_kramer() -> None:
    samples = [[0.19, 0.20, 0.21], [0.20, 0.21, 0.22], [0.25, 0.26, 0.27]]
    oracle, (levels, spread) = tukey_hsd(*samples).confidence_interval(0.95), levels_of(samples)
    for i, j in ((0, 1), (0, 2), (1, 2)):
        half = (oracle.high[i, j] - oracle.low[i, j]) / 2
        assert pair(levels[i], levels[j], 3, spread).limit == pytest.approx(half)


def test_a_mean_is_never_surer_than_the_pool_or_than_its_own_runs() -> None:
    samples = [[1.0, 2.0, 3.0], [5.0, 5.1, 5.2]]
    (wide, narrow), spread = levels_of(samples)
    assert wide.variance == pytest.approx(1 / 3)
    assert narrow.variance == pytest.approx(spread.std**2 / 3)
    assert pair(wide, narrow, 2, spread).limit > ttest_limit(samples)


def ttest_limit(samples: Sequence[Sequence[float]]) -> float:
    """Half the 95 % interval of Welch's t test."""
    ends = ttest_ind(*samples, equal_var=False).confidence_interval(0.95)
    return float(ends.high - ends.low) / 2


def test_degrees_of_freedom_fall_when_one_arm_holds_the_variance() -> None:
    equal, wild = pooled([[0.0, 1.0, 2.0]] * 4), pooled([[0.0, 100.0, 200.0], *[[0.0, 1.0, 2.0]] * 3])
    assert equal is not None and equal.freedom == pytest.approx(8)
    assert wild is not None and wild.freedom == pytest.approx(2, abs=0.01)


def test_questions_share_the_false_alarms() -> None:
    (a, b, _), spread = levels_of(SAMPLES, questions=3)
    assert spread.chance == pytest.approx(0.05 / 3)
    (a_alone, b_alone, _), alone = levels_of(SAMPLES)
    assert pair(a, b, 3, spread).limit > pair(a_alone, b_alone, 3, alone).limit


def test_the_pooled_spread_is_the_residual_of_an_analysis_of_variance() -> None:
    a, b = SAMPLES[0], SAMPLES[2]
    spread = pooled([a, b])
    assert spread is not None and spread.freedom <= 7
    weight = 1 / (1 / len(a) + 1 / len(b))
    by_hand = weight * (np.mean(a) - np.mean(b)) ** 2 / spread.std**2
    assert by_hand == pytest.approx(f_oneway(a, b).statistic)


def test_one_run_each_has_no_spread() -> None:
    assert pooled([[0.1], [0.2], []]) is None


@pytest.mark.parametrize("shape", [(4,), (6,), (2, 2), (4, 2), (3, 3), (2, 2, 2)], ids=str)
@pytest.mark.parametrize("noise", [1, 4])
def test_a_false_alarm_comes_up_in_one_experiment_of_twenty_at_most(shape: tuple[int, ...], noise: int) -> None:
    draw = np.random.default_rng(3)
    places = places_of(shape)
    alarms = 0
    for _ in range(200):
        runs = draw.normal(1.0, 0.1, size=(len(places), 3))
        runs[0] = 1 + noise * (runs[0] - 1)
        arms = [Arm("", values, tuple(maes)) for values, maes in zip(places, runs, strict=True)]
        alarms += answer(arms).found == "effect"
    assert alarms <= 18  # at most 10 expected, standard deviation 3.1


@pytest.mark.parametrize(("shape", "seeds", "least"), [((3,), 8, 0.95), ((4,), 3, 0.75), ((6,), 4, 0.9)], ids=str)
def test_an_effect_of_five_standard_deviations_is_found(shape: tuple[int], seeds: int, least: float) -> None:
    draw, hits = np.random.default_rng(4), 0
    for _ in range(100):
        runs = draw.normal(2.0, 0.1, size=(*shape, seeds))
        runs[0] -= 0.5
        hits += answer([Arm("", {FIELDS[0]: n}, tuple(r)) for n, r in enumerate(runs)]).found == "effect"
    assert hits >= least * 100


def test_a_first_answer_asks_scipy_for_few_numbers() -> None:
    spread_module._critical.cache_clear()
    answer([Arm("", values, (0.1 * n, 0.1, 0.2)) for n, values in enumerate(places_of((4, 2)))])
    assert spread_module._critical.cache_info().misses <= 3


def test_settings_that_only_add_up_do_not_interact() -> None:
    noise = RNG.normal(0, 0.01, size=(2, 3, 4))
    table = np.array([[0.2, 0.3, 0.4], [0.5, 0.6, 0.7]])[:, :, None] + noise
    spread = pooled(table.reshape(6, 4).tolist())
    assert spread is not None
    assert interaction(table.tolist(), spread) > 0.05
    table[1, 2] += 0.2
    assert interaction(table.tolist(), spread) < 1e-3


def test_an_interaction_is_the_f_test_of_the_contrast_in_a_table_of_two_by_two() -> None:
    table = RNG.normal(1, 0.1, size=(2, 2, 3))
    spread, means = pooled(table.reshape(4, 3).tolist()), table.mean(axis=2)
    assert spread is not None
    contrast = (means[0, 0] - means[0, 1] - means[1, 0] + means[1, 1]) / (spread.std * np.sqrt(4 / 3))
    assert interaction(table.tolist(), spread) == pytest.approx(2 * t.sf(abs(contrast), spread.freedom))


def test_without_any_spread_equal_means_do_not_differ() -> None:
    levels, spread = levels_of([[0.3, 0.3], [0.3, 0.1 + 0.2], [0.4, 0.4]])
    assert not pair(levels[0], levels[1], 3, spread).differs
    assert pair(levels[0], levels[2], 3, spread).differs


def test_the_clearest_difference_comes_first() -> None:
    levels, spread = levels_of([[0.0, 0.14, 0.07], [0.12, 0.1201], [0.19, 0.1901]])
    found = pairs(levels, spread)
    assert [one.clearness for one in found] == sorted((one.clearness for one in found), reverse=True)
    assert len(found) == 3 and all(one.low.mean <= one.high.mean for one in found)
