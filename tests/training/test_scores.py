from math import log

import numpy as np
import pytest
from scipy.stats import mannwhitneyu

from cgcnn.data import DatasetConfig, load_crystals
from cgcnn.errors import CrystalError
from cgcnn.training.predictor import Predictor
from cgcnn.training.scores import (
    RocPoints,
    accuracy,
    balanced_accuracy,
    base_rate,
    confusion,
    nll,
    roc_auc,
    roc_points,
    scores,
)

TRUTH, GUESS = [0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]


def drawn(n: int = 200) -> tuple[np.ndarray, np.ndarray]:
    """A middling classifier whose probabilities have many ties."""
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, n)
    return truth, (0.3 * truth + 0.7 * rng.random(n)).round(1)


def curve(truth: list[int], guess: list[float]) -> RocPoints:
    points = roc_points(truth, guess)
    assert points is not None
    return points


def test_four_crystals_give_what_a_hand_computes() -> None:
    assert confusion(TRUTH, GUESS).tolist() == [[2, 0], [1, 1]]
    assert accuracy(TRUTH, GUESS) == balanced_accuracy(TRUTH, GUESS) == 0.75
    assert roc_auc(TRUTH, GUESS) == 0.75  # 3 of the 4 pairs are in order; 0.35 of a one is below 0.4 of a zero
    assert nll(TRUTH, GUESS) == pytest.approx(-(log(0.9) + log(0.6) + log(0.35) + log(0.8)) / 4)


def test_the_curve_goes_through_the_points_that_a_hand_draws() -> None:
    points = curve(TRUTH, GUESS)
    assert points.false_positive.tolist() == [0, 0, 0.5, 0.5, 1]
    assert points.true_positive.tolist() == [0, 0.5, 0.5, 1, 1]
    assert points.threshold.tolist() == [np.inf, 0.8, 0.4, 0.35, 0.1]


def test_equal_probabilities_are_one_step_and_count_half() -> None:
    assert roc_auc([0, 1], [0.3, 0.3]) == 0.5
    assert roc_auc([0, 1, 1], [0.3, 0.3, 0.9]) == 0.75
    assert len(curve([0, 1, 0, 1], [0.3, 0.3, 0.3, 0.3]).threshold) == 2


def test_the_area_is_that_of_mann_and_whitney() -> None:
    truth, guess = drawn()
    statistic = mannwhitneyu(guess[truth == 1], guess[truth == 0]).statistic
    assert roc_auc(truth, guess) == pytest.approx(statistic / ((truth == 1).sum() * (truth == 0).sum()), abs=1e-12)


def test_only_the_order_of_the_probabilities_counts_for_the_area() -> None:
    truth, guess = drawn()
    assert roc_auc(truth, guess**3 / 2) == roc_auc(truth, guess)
    order = np.random.default_rng(1).permutation(len(truth))
    assert roc_auc(truth[order], guess[order]) == roc_auc(truth, guess)


def test_the_other_class_has_the_rest_of_the_area() -> None:
    truth, guess = drawn()
    assert roc_auc(1 - truth, guess) == pytest.approx(1 - roc_auc(truth, guess))  # type: ignore[operator]
    assert roc_auc(1 - truth, 1 - guess) == pytest.approx(roc_auc(truth, guess))


def test_the_mean_over_batches_is_another_number() -> None:
    truth, guess = [1, 0, 1, 0], [0.9, 0.8, 0.2, 0.1]
    assert roc_auc(truth[:2], guess[:2]) == roc_auc(truth[2:], guess[2:]) == 1
    assert roc_auc(truth, guess) == 0.75


def test_a_perfect_and_a_reversed_classifier_have_areas_1_and_0() -> None:
    assert roc_auc([0, 1, 1], [0.1, 0.6, 0.7]) == 1
    assert roc_auc([1, 0, 0], [0.1, 0.6, 0.7]) == 0


@pytest.mark.parametrize("truth", [[0, 0], [1, 1]])
def test_one_class_alone_has_no_area(truth: list[int]) -> None:
    found = scores(truth, [0.2, 0.6])
    assert (found.auc, found.balanced_accuracy) == (None, None)
    assert found.accuracy == 0.5


def test_a_rare_class_that_is_always_missed_halves_the_balanced_accuracy() -> None:
    truth, guess = [1] + 9 * [0], 10 * [0.1]
    assert accuracy(truth, guess) == 0.9
    assert balanced_accuracy(truth, guess) == 0.5
    assert base_rate(truth) == 0.1


def test_the_threshold_itself_means_class_1() -> None:
    assert confusion([1], [0.5]).tolist() == [[0, 0], [0, 1]]
    assert confusion([1], [0.5], threshold=0.6).tolist() == [[0, 0], [1, 0]]


def test_every_point_of_the_curve_is_the_confusion_at_its_threshold() -> None:
    truth, guess = drawn()
    for false, true, threshold in zip(*curve(truth.tolist(), guess.tolist()), strict=True):
        counts = confusion(truth, guess, threshold)
        assert (counts / counts.sum(axis=1, keepdims=True))[:, 1] == pytest.approx([false, true])


def test_a_sure_mistake_costs_much_but_not_without_end() -> None:
    assert nll([1], [0.0]) == pytest.approx(-log(1e-7))


def test_naming_the_base_rate_costs_its_entropy() -> None:
    assert nll([1, 0, 0, 0], [0.25] * 4) == pytest.approx(-0.25 * log(0.25) - 0.75 * log(0.75))


def test_what_cannot_be_judged_is_refused() -> None:
    with pytest.raises(CrystalError, match="No crystal has both"):
        accuracy([], [])
    with pytest.raises(ValueError, match="one of each"):
        accuracy([1, 0], [0.5])
    with pytest.raises(ValueError, match="0 or 1"):
        accuracy([2], [0.5])
    with pytest.raises(ValueError, match="lies between"):
        accuracy([1], [float("nan")])


def test_the_published_classifier_finds_the_listed_metals_and_is_too_sure() -> None:
    crystals = load_crystals(DatasetConfig(target="metal", max_sites=4)).crystals
    truth = [crystal.targets["metal"] for crystal in crystals]
    found = scores(truth, Predictor.published("metal or not").predict([crystal.structure for crystal in crystals]))
    assert found.auc is not None and found.auc > 0.9
    assert found.accuracy > 0.8 > max(found.base_rate, 1 - found.base_rate)
    assert found.nll > log(2)  # its confident mistakes cost more than tossing a coin would
