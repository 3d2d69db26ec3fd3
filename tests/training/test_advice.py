from math import exp, nan

import numpy as np
import pytest

from cgcnn.training.advice import advice

BASELINE = 1.0


def curves(train, val) -> list[dict[str, float]]:
    rows = enumerate(zip(train, val, strict=True), start=1)
    return [{"epoch": n, "train_loss": t, "val_loss": v, "train_mae": t, "val_mae": v} for n, (t, v) in rows]


def noisy(values, sigma: float, seed: int = 0) -> list[float]:
    return (np.array(values) * np.random.default_rng(seed).lognormal(0, sigma, len(values))).tolist()


def falling(n: int, floor: float, pace: float) -> list[float]:
    return [floor + (BASELINE - floor) * exp(-i / pace) for i in range(n)]


def test_a_run_that_settled_needs_no_advice() -> None:
    assert advice(curves(falling(60, 0.2, 6), falling(60, 0.3, 6)), BASELINE) == []


def test_the_first_epochs_prove_nothing() -> None:
    assert advice([], BASELINE) == []
    assert advice(curves([1.0, 0.9, 3.0], [1.0, 2.0, 4.0]), BASELINE) == []


def test_a_loss_that_is_no_number_is_divergence_from_that_epoch_on() -> None:
    (sentence,) = advice(curves([1.0, 0.9, nan, nan], [1.0, 0.9, nan, nan]), BASELINE)
    assert "since epoch 3" in sentence
    assert "Lower the learning rate" in sentence


def test_a_growing_training_loss_is_divergence() -> None:
    train = falling(15, 0.4, 5) + [0.4 * 1.2**i for i in range(15)]
    (sentence,) = advice(curves(train, train), BASELINE)
    assert "diverges" in sentence


def test_validation_that_rises_while_training_falls_is_overfitting_with_its_best_epoch() -> None:
    val = falling(20, 0.4, 5) + [0.41 + 0.006 * i for i in range(40)]
    (sentence,) = advice(curves(falling(60, 0.01, 15), val), BASELINE)
    assert "by heart" in sentence
    assert "weights of epoch 21;" in sentence


def test_an_error_beside_the_baseline_is_underfitting() -> None:
    (sentence,) = advice(curves(noisy([0.97] * 40, 0.02), noisy([1.0] * 40, 0.02, 1)), BASELINE)
    assert "has not learned" in sentence
    assert "1.0" in sentence


def test_without_a_baseline_nothing_is_called_underfitted() -> None:
    assert advice(curves([0.97] * 40, [1.0] * 40)) == []


def test_a_steady_fall_asks_for_more_epochs_once_the_run_is_finished() -> None:
    run = curves(falling(30, 0.0, 20), falling(30, 0.05, 20))
    assert "Train longer" in advice(run, BASELINE)[0]
    assert advice(run, BASELINE, finished=False) == []


def test_a_missing_value_is_left_out() -> None:
    run = curves(falling(40, 0.2, 5), falling(40, 0.3, 5))
    run[7]["val_mae"] = None
    assert advice(run, BASELINE) == []


@pytest.mark.parametrize("sigma", [0.03, 0.1, 0.25])
@pytest.mark.parametrize("n", [15, 40, 200])
def test_noise_alone_raises_no_alarm(n: int, sigma: float) -> None:
    train, val = falling(n, 0.3, n / 8), falling(n, 0.4, n / 8)
    runs = [curves(noisy(train, sigma, 2 * s), noisy(val, sigma, 2 * s + 1)) for s in range(100)]
    assert sum(bool(advice(run, BASELINE)) for run in runs) <= 2


def test_overfitting_is_seen_through_noise() -> None:
    val = falling(20, 0.4, 5) + [0.41 + 0.006 * i for i in range(80)]
    train = falling(100, 0.01, 25)
    runs = [curves(noisy(train, 0.05, s), noisy(val, 0.08, s + 99)) for s in range(20)]
    assert sum("by heart" in " ".join(advice(run, BASELINE)) for run in runs) >= 18


def of_class(n: int, wrong: float, val_loss: float = 0.5) -> list[dict[str, float]]:
    """A classifier whose share of wrong crystals stands still."""
    losses = {"train_loss": 0.4, "val_loss": val_loss, "train_mae": wrong, "val_mae": wrong, "score": val_loss}
    return [{"epoch": epoch} | losses for epoch in range(1, n + 1)]


def test_a_class_no_better_than_naming_the_commoner_one_is_told_and_the_roc_curve_recommended() -> None:
    (sentence,) = advice(of_class(20, 0.3), 0.3, is_class=True)
    assert "30 % of the validation crystals" in sentence and "ROC curve" in sentence
    assert advice(of_class(20, 0.1), 0.3, is_class=True) == []


def test_a_class_learned_by_heart_is_seen_in_the_loss_and_names_the_epoch_of_the_best_score() -> None:
    epochs = of_class(40, 0.1)
    for n, epoch in enumerate(epochs):
        epoch |= {"train_loss": 0.7 / (n + 1), "val_loss": 0.3 + 0.02 * abs(n - 5), "score": 0.3 + 0.02 * abs(n - 5)}
    (sentence,) = advice(epochs, 0.3, is_class=True)
    assert sentence.startswith("The validation loss stands") and "weights of epoch 6" in sentence
