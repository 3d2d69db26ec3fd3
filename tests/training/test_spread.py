import numpy as np
import pytest
from scipy.stats import f_oneway, t, tukey_hsd

from cgcnn.training.spread import differ, honest_difference, interaction, level, pooled, widest

RNG = np.random.default_rng(5)
SAMPLES = [RNG.normal(mean, 0.01, size=n).tolist() for mean, n in ((0.2, 4), (0.21, 3), (0.26, 5))]


def test_differences_are_those_of_tukey_and_kramer() -> None:
    oracle, spread = tukey_hsd(*SAMPLES), pooled(SAMPLES)
    assert spread is not None and spread.equal
    levels = [level(str(n), [values], spread) for n, values in enumerate(SAMPLES)]
    for i, j in ((0, 1), (0, 2), (1, 2)):
        ends = oracle.confidence_interval(0.95)
        half = (ends.high[i, j] - ends.low[i, j]) / 2
        assert honest_difference(levels[i], levels[j], 3, spread) == pytest.approx(half)
        assert differ(levels[i], levels[j], 3, spread) == (oracle.pvalue[i, j] < 0.05)


def test_with_unequal_spreads_differences_are_those_of_games_and_howell() -> None:
    samples = [[6.1, 6.9, 7.7, 6.6], [2.5, 2.7, 3.0, 2.8], [1.8, 1.9, 2.0, 1.94]]
    oracle, spread = tukey_hsd(*samples, equal_var=False), pooled(samples)
    assert spread is not None and not spread.equal
    levels = [level(str(n), [values], spread) for n, values in enumerate(samples)]
    for i, j in ((0, 1), (0, 2), (1, 2)):
        ends = oracle.confidence_interval(0.95)
        half = (ends.high[i, j] - ends.low[i, j]) / 2
        # degrees of freedom are rounded down, so ours is never the smaller
        assert half <= honest_difference(levels[i], levels[j], 3, spread) < 1.3 * half
        assert differ(levels[i], levels[j], 3, spread) == (oracle.pvalue[i, j] < 0.05)


def test_the_pooled_spread_is_the_residual_of_an_analysis_of_variance() -> None:
    a, b = SAMPLES[0], SAMPLES[2]
    spread = pooled([a, b])
    assert spread is not None and spread.freedom == 7
    weight = 1 / (1 / len(a) + 1 / len(b))
    by_hand = weight * (np.mean(a) - np.mean(b)) ** 2 / spread.std**2
    assert by_hand == pytest.approx(f_oneway(a, b).statistic)


def test_one_run_each_has_no_spread() -> None:
    assert pooled([[0.1], [0.2], []]) is None


def test_a_false_alarm_comes_up_in_one_experiment_of_twenty() -> None:
    alarms = 0
    for _ in range(400):
        samples = RNG.normal(1.0, 0.1, size=(5, 3)).tolist()
        spread = pooled(samples)
        assert spread is not None
        levels = [level("", [values], spread) for values in samples]
        alarms += any(differ(a, b, 5, spread) for a in levels for b in levels)
    assert 5 < alarms < 40  # 20 expected, standard deviation 4.4


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
    samples = [[0.3, 0.3], [0.3, 0.1 + 0.2], [0.4, 0.4]]
    spread = pooled(samples)
    assert spread is not None
    levels = [level("", [values], spread) for values in samples]
    assert not differ(levels[0], levels[1], 3, spread)
    assert differ(levels[0], levels[2], 3, spread)


def test_the_limit_of_an_unequal_spread_is_that_of_cochrans_table() -> None:
    # C = 0.8709 for three samples of three values each (Cochran 1941; Dixon and Massey, Table A-17)
    shares = {0.865: None, 0.875: 2}
    for share, expected in shares.items():
        rest = (1 - share) / 2
        samples = [[1 - var**0.5, 1.0, 1 + var**0.5] for var in (rest, rest, share)]
        assert widest(samples) == expected
    assert widest([[1.0], [2.0, 2.0]]) is None
