"""Looking back, epoch by epoch: axes and directions stay, so that what moves was learned."""

import json

import numpy as np
import pytest

from cgcnn.data.targets import TARGETS
from cgcnn.figures.epochs import (
    BINS,
    crystal_map,
    gate_histograms,
    gate_top,
    marked_curve,
    parity_at,
    parity_span,
    plane_of,
    shares_of_gates,
)

ENERGY = TARGETS["formation_energy_per_atom"]
RNG = np.random.default_rng(0)
CLOUD = RNG.normal(size=(40, 5)) * [5.0, 3.0, 0.5, 0.1, 0.1]


def test_the_plane_shows_the_widest_directions_of_the_last_epoch() -> None:
    plane = plane_of([RNG.normal(size=(40, 5)), CLOUD])
    assert abs(plane.directions[0, 0]) > 0.98 and abs(plane.directions[1, 1]) > 0.98
    assert plane.share_of(CLOUD) == pytest.approx(sum(plane.shares)) and plane.shares[0] > plane.shares[1]


def test_every_epoch_lies_within_the_window() -> None:
    wide = 10 * RNG.normal(size=(40, 5))
    plane = plane_of([wide, CLOUD])
    for epoch in (wide, CLOUD):
        places = plane.seen(epoch)
        assert (places > plane.low).all() and (places < plane.high).all()


def test_the_directions_do_not_turn_around_with_the_order_of_the_crystals() -> None:
    there, back = plane_of([CLOUD]), plane_of([CLOUD[::-1]])
    np.testing.assert_allclose(there.directions, back.directions, atol=1e-9)


@pytest.mark.parametrize("d", [1, 2])
def test_vectors_of_few_features_have_a_plane_too(d: int) -> None:
    plane = plane_of([CLOUD[:, :d]])
    assert plane.seen(CLOUD[:, :d]).shape == (40, 2) and plane.share_of(CLOUD[:, :d]) == pytest.approx(1.0)


def test_vectors_that_are_all_equal_are_drawn_as_one_point() -> None:
    plane = plane_of([np.ones((4, 3))])
    assert plane.share_of(np.ones((4, 3))) == 1.0 and np.isfinite(plane.low + plane.high).all()


def test_the_axes_of_the_parity_plot_are_those_that_were_asked_for() -> None:
    option = parity_at([0.0, 1.0], [0.5, 9.0], names=["a", "b"], span=(-1.0, 2.0), target=ENERGY, epoch=3)
    assert (option["xAxis"]["min"], option["yAxis"]["max"]) == (-1.0, 2.0)
    assert "after epoch 3" in option["title"]["text"] and "1 outside" in option["title"]["subtext"]
    assert "MAE 4.250 eV/atom" in option["title"]["subtext"] and "eV/atom" in option["xAxis"]["name"]


def test_one_absurd_answer_does_not_squeeze_all_epochs() -> None:
    low, high = parity_span([0.0, 1.0], [[0.5] * 500 + [1e6], [0.2] * 501])
    assert low < 0 and 1 < high < 2


def test_the_map_names_its_directions_and_colors_by_the_truth() -> None:
    plane = plane_of([CLOUD])
    option = crystal_map(CLOUD, CLOUD[:, 0].tolist(), plane, names=["x"] * 40, target=ENERGY, epoch=0)
    assert "untrained" in option["title"]["text"] and "%" in option["xAxis"]["name"]
    assert option["visualMap"]["dimension"] == 2 and len(option["series"][0]["data"]) == 40


def test_the_shares_of_the_gates_sum_to_a_hundred() -> None:
    shares = shares_of_gates(np.array([[0.0, 0.5], [1.0, 0.51]]))
    assert len(shares) == BINS and sum(shares) == pytest.approx(100) and shares[0] == shares[-1] == 25.0


def test_the_axis_of_the_gates_holds_every_epoch() -> None:
    assert gate_top([[[10.0, 3.0]], [[35.0, 2.0]]]) == 40.0


def test_each_layer_has_a_histogram_on_the_same_axis() -> None:
    option = gate_histograms([[5.0] * BINS, [5.0] * BINS], top=20.0, title="Gates")
    assert len(option["grid"]) == len(option["series"]) == 2 and {axis["max"] for axis in option["yAxis"]} == {20.0}


def test_the_curve_marks_the_epoch_in_view() -> None:
    option = marked_curve([{"epoch": 1, "val_mae": 0.5}], {0: 1.0, 1: 0.5}, epoch=1, target=ENERGY)
    assert option["series"][0]["markLine"]["data"] == [{"xAxis": 1}]
    assert option["series"][1]["data"] == [[0, 1.0], [1, 0.5]]


def test_the_bars_of_an_untrained_network_do_not_flatten_all_others() -> None:
    trained = [[[9.0, 4.0]]] * 11
    assert gate_top([[[58.0, 0.0]], *trained]) == 15.0
    bar = gate_histograms([[58.0] + [1.0] * (BINS - 1)], top=15.0, title="Gates")["series"][0]["data"][0]
    assert bar["value"] == [0, 15.0, 58.0] and bar["label"]["formatter"] == "58 %"


def test_no_line_of_the_map_is_longer_than_a_phone_is_wide() -> None:
    option = crystal_map(CLOUD, CLOUD[:, 0].tolist(), plane_of([CLOUD]), names=["x"] * 40, target=ENERGY, epoch=0)
    assert max(len(line) for line in option["title"]["subtext"].split("\n")) < 50


def test_epochs_that_came_late_are_drawn_in_their_place() -> None:
    epochs = [{"epoch": n, "val_mae": 0.1 * n} for n in (2, 1, 3)]
    line = marked_curve(epochs, {}, epoch=1, target=ENERGY)["series"][0]["data"]
    assert [place for place, _ in line] == [1, 2, 3]


def test_of_a_class_the_probability_stands_above_its_true_class_and_every_crystal_keeps_its_place() -> None:
    metal, truth = TARGETS["metal"], [0.0, 1.0, 1.0]
    one, other = (
        parity_at(truth, p, names=["a", "b", "c"], span=(0.0, 1.0), target=metal, epoch=4)
        for p in ([0.2, 0.9, 0.4], [0.1, 0.8, 0.7])
    )
    assert one["title"]["text"] == "Probability of “metal”, after epoch 4"
    assert one["title"]["subtext"] == "33.3 % in the wrong class"
    assert [len(series["data"]) for series in one["series"]] == [1, 2]
    for before, after in zip(one["series"], other["series"], strict=True):
        assert [d["value"][0] for d in before["data"]] == [d["value"][0] for d in after["data"]]
    assert json.loads(json.dumps(one)) == one


def test_a_class_has_the_same_two_colors_in_both_pictures() -> None:
    truth, metal = [float(n % 2) for n in range(40)], TARGETS["metal"]
    option = crystal_map(CLOUD, truth, plane_of([CLOUD]), names=["x"] * 40, target=metal, epoch=0)
    left = parity_at(truth, truth, names=["x"] * 40, span=(0, 1), target=metal, epoch=0)
    pieces = [(piece["label"], piece["color"]) for piece in option["visualMap"]["pieces"]]
    assert pieces == [(series["name"], series["itemStyle"]["color"]) for series in left["series"]]
