import json
from math import nan

import numpy as np
import pytest

from cgcnn.data.targets import TARGETS
from cgcnn.errors import CrystalError
from cgcnn.figures.learning import (
    BATCHES,
    MOST_POINTS,
    axis_end,
    best_place,
    error_by_element,
    loss_curves,
    parity_plot,
    target_histogram,
)

ENERGY = TARGETS["formation_energy_per_atom"]


def run(n: int, best: int = 5) -> list[dict[str, float]]:
    """Errors that fall until `best` and rise afterwards."""
    rows = []
    for epoch in range(1, n + 1):
        val = 0.2 + 0.01 * abs(epoch - best)
        rows.append(dict(epoch=epoch, train_loss=1 / epoch, val_loss=2 * val, train_mae=0.5 / epoch, val_mae=val))
    return rows


def series(option: dict, name: str) -> dict:
    return next(s for s in option["series"] if s["name"] == name)


def test_the_curves_are_the_losses_by_epoch() -> None:
    option = loss_curves(run(3), total_epochs=10)
    assert series(option, "Training")["data"] == [[1, 1.0], [2, 0.5], [3, pytest.approx(1 / 3)]]
    assert option["xAxis"]["name"] == "Epoch"
    assert option["xAxis"]["max"] == 10
    assert option["yAxis"]["name"] == "Loss"


def test_training_and_validation_differ_by_more_than_color() -> None:
    train, val = loss_curves(run(3))["series"]
    assert train["color"] != val["color"]
    assert train["symbol"] != val["symbol"]
    assert train["lineStyle"] != val["lineStyle"]


def test_the_error_view_has_its_unit_and_the_bar_to_beat() -> None:
    option = loss_curves(run(3), metric="mae", unit="eV/atom", baseline=0.9)
    assert option["yAxis"]["name"] == "Mean absolute error (eV/atom)"
    line = series(option, "Predict the mean")["markLine"]
    assert line["data"] == [{"yAxis": 0.9}]
    assert line["label"]["formatter"] == "predict the mean, validation: 0.9 eV/atom"
    assert [point[1] for point in series(option, "Predict the mean")["data"]] == [0.9, 0.9]  # the axis reaches it


def test_a_loss_has_no_bar_to_beat() -> None:
    assert len(loss_curves(run(3), metric="loss", baseline=0.9)["series"]) == 2


def test_the_best_epoch_has_the_lowest_validation_error_in_both_views() -> None:
    for metric in ("loss", "mae"):
        (mark,) = series(loss_curves(run(9, best=4), metric=metric), "Validation")["markPoint"]["data"]
        assert mark["coord"][0] == 4


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize(
    ("baseline", "of_best", "of_bar"),
    [(0.21, "bottom", "insideEndTop"), (0.19, "top", "insideEndBottom"), (0.9, "top", "insideEndTop")],
)
def test_the_words_on_the_best_epoch_and_on_the_bar_do_not_lie_on_each_other(
    baseline: float, of_best: str, of_bar: str, log: bool
) -> None:
    option = loss_curves(run(9, best=4), metric="mae", baseline=baseline, log=log)
    assert series(option, "Validation")["markPoint"]["label"]["position"] == of_best
    assert series(option, "Predict the mean")["markLine"]["label"]["position"] == of_bar


def test_the_words_on_the_best_epoch_keep_away_from_the_batches_of_the_next() -> None:
    of = [loss_curves(run(4, best=4), batches=b, total_epochs=10) for b in ([], batches(5, epoch=5))]
    sides = [series(option, "Validation")["markPoint"]["label"]["align"] for option in of]
    assert sides == ["left", "right"]  # which end of the words stands at the point


def test_the_best_epoch_can_be_given() -> None:
    validation = series(loss_curves(run(9, best=4), best_epoch=7), "Validation")
    assert validation["markPoint"]["label"]["formatter"] == "best: epoch 7"
    assert "markPoint" not in series(loss_curves(run(3), best_epoch=99), "Validation")


@pytest.mark.parametrize("best", [1, 2, 777, 1234, 5000])
def test_thinning_keeps_the_first_the_last_and_the_best_epoch(best: int) -> None:
    epochs = [point[0] for point in series(loss_curves(run(5000, best)), "Validation")["data"]]
    assert len(epochs) <= MOST_POINTS
    assert {1, best, 5000} <= set(epochs)
    assert epochs == sorted(epochs)


def test_what_no_axis_can_take_becomes_a_gap() -> None:
    epochs = [{**run(1)[0], "train_loss": nan, "val_loss": 0.0}]
    option = loss_curves(epochs, log=True)
    assert option["yAxis"]["type"] == "log"
    assert [s["data"] for s in option["series"]] == [[[1, None]], [[1, None]]]


@pytest.mark.parametrize("n", [0, 1, 1000])
def test_the_option_is_strict_json(n: int) -> None:
    option = loss_curves(run(n), metric="mae", unit="eV", baseline=1.0, log=True)
    assert json.loads(json.dumps(option, allow_nan=False)) == option
    assert option["animation"] is False


def parity(truth: list[float], predicted: list[float]):
    ids = [f"mp-{i}" for i in range(len(truth))]
    return parity_plot(truth, predicted, ids=ids, unit="eV", title="Test crystals", label="Band gap")


def test_a_parity_plot_has_a_diagonal_equal_axes_and_its_error() -> None:
    figure = parity([0.0, 1.0], [0.5, 1.0])
    diagonal, dots = figure.data
    assert diagonal.x == diagonal.y
    assert (list(dots.x), list(dots.y), list(dots.text)) == ([0.0, 1.0], [0.5, 1.0], ["mp-0", "mp-1"])
    assert figure.layout.title.subtitle.text == "MAE 0.25 eV, 2 crystals"
    assert figure.layout.xaxis.range == figure.layout.yaxis.range
    assert figure.layout.yaxis.scaleanchor == "x"
    assert figure.layout.xaxis.title.text == "True band gap (eV)"
    assert figure.layout.yaxis.title.text == "Predicted band gap (eV)"


def test_a_parity_plot_of_nothing_says_so() -> None:
    with pytest.raises(CrystalError, match="No crystal has both"):
        parity([], [])


def test_the_error_of_an_element_carries_its_unit_and_count() -> None:
    figure = error_by_element({"Na": (0.125, 7)}, unit="eV/atom")
    assert figure.layout.title.text == "Mean absolute error by element"
    assert figure.layout.coloraxis.colorbar.title.text == "eV/atom"
    assert any("0.125 eV/atom (7 crystals)" in row for trace in figure.data for row in trace.customdata)


def test_a_histogram_counts_every_crystal_and_names_median_and_mean() -> None:
    values = [*np.linspace(-3, 0, 99), 50.0]
    figure = target_histogram(values, target=ENERGY)
    bars, median, mean = figure.data
    assert sum(bars.y) == 100
    assert median.x[0] == pytest.approx(np.median(values))
    assert median.name == f"median {ENERGY.text(np.median(values))}"
    assert mean.name == f"mean {ENERGY.text(np.mean(values))}"
    assert figure.layout.xaxis.title.text == "Formation energy (eV/atom)"


def test_a_histogram_of_one_value_or_of_none() -> None:
    assert sum(target_histogram([1.5], target=ENERGY).data[0].y) == 1
    with pytest.raises(CrystalError, match="choose another target"):
        target_histogram([], target=ENERGY)


def batches(n: int, of: int = 20, epoch: int = 1) -> list[dict[str, float]]:
    return [dict(epoch=epoch, batch=i + 1, n_batches=of, loss=1.0 - i / of, mae=0.5) for i in range(n)]


def test_the_batches_of_the_epoch_under_way_stand_ahead_of_the_last_epoch() -> None:
    option = loss_curves(run(3), batches=batches(5, epoch=4))
    assert [x for x, _ in series(option, BATCHES)["data"]] == pytest.approx([3.05, 3.1, 3.15, 3.2, 3.25])
    assert BATCHES in option["legend"]["data"]
    assert BATCHES not in loss_curves(run(3))["legend"]["data"]


def test_a_curve_begins_before_the_first_epoch_is_over() -> None:
    option = loss_curves([], metric="mae", unit="eV", batches=batches(2), total_epochs=axis_end(1, 60))
    assert series(option, BATCHES)["data"] == [[0.05, 0.5], [0.1, 0.5]]
    assert option["xAxis"]["max"] == 1


def test_many_batches_are_thinned_and_out_of_order_ones_sorted() -> None:
    points = series(loss_curves([], batches=batches(5000, of=6000)[::-1]), BATCHES)["data"]
    assert len(points) <= MOST_POINTS and points == sorted(points)


def test_the_axis_of_a_run_under_way_grows_in_round_steps_up_to_all_epochs() -> None:
    assert [axis_end(done, 60) for done in (0, 1, 2, 3, 6, 11, 21, 51, 60)] == [1, 1, 2, 5, 10, 20, 50, 60, 60]


def test_the_best_epoch_is_that_of_the_score_where_there_is_one() -> None:
    epochs = [e | {"score": 1.0 if e["epoch"] != 2 else 0.5} for e in run(6, best=4)]
    validation = series(loss_curves(epochs, metric="mae", best_words="best for all targets"), "Validation")
    assert validation["markPoint"]["label"]["formatter"] == "best for all targets: epoch 2"
    assert best_place(run(6, best=4)) == 3, "epochs of earlier versions have their validation error alone"
    assert best_place([e | {"score": nan} for e in run(6, best=4)]) == 3


def test_an_epoch_without_an_error_of_the_target_has_no_mark() -> None:
    epochs = [e | {"val_mae": None, "score": 1.0} for e in run(3)]
    assert "markPoint" not in series(loss_curves(epochs, metric="mae"), "Validation")


def test_of_a_class_the_curve_is_the_share_wrong_against_the_commoner_class() -> None:
    option = loss_curves(run(3), metric="mae", baseline=0.3, is_class=True)
    assert option["title"]["text"] == "Share wrong after each epoch" and option["yAxis"]["name"] == "Share wrong (%)"
    words = series(option, "Predict the mean")["markLine"]["label"]["formatter"]
    assert words == "always the commoner class, validation: 30 %"
    assert loss_curves(run(3), is_class=True)["yAxis"]["name"] == "Loss"
    assert error_by_element({"Na": (0.1, 7)}, unit="", is_class=True).layout.title.text == "Share wrong by element"


def test_a_class_is_counted_and_not_averaged() -> None:
    (bars,) = target_histogram([0, 1, 1, 0, 1], target=TARGETS["metal"]).data
    assert list(bars.x) == list(TARGETS["metal"].classes) and list(bars.y) == [2, 3]
    assert list(bars.text) == ["2 (40%)", "3 (60%)"]
