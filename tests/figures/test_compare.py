"""Runs side by side: what is drawn is what was measured, and smoothing is honest about it."""

from typing import Any

import pytest

from cgcnn.data.targets import TARGETS
from cgcnn.figures.compare import (
    Curve,
    error_difference,
    overlaid_curves,
    parity_plots,
    places_of,
    run_color,
    smoothed,
)

ENERGY = TARGETS["formation_energy_per_atom"]


def epochs(*maes: float | None) -> list[dict[str, Any]]:
    return [
        {"epoch": n, "val_mae": mae, "train_mae": 0.5, "val_loss": mae, "train_loss": 0.5, "seconds": 2.0}
        for n, mae in enumerate(maes, 1)
    ]


def judged(*predicted: float) -> dict[str, Any]:
    n = len(predicted)
    return {"ids": ["a", "b"][:n], "formulas": ["NaCl", "MgO"][:n], "truth": [0.0] * n, "predicted": list(predicted)}


def test_each_run_keeps_its_color_in_every_curve() -> None:
    option = overlaid_curves([Curve("A", 0, epochs(1, 2)), Curve("B", 1, epochs(3))], training=True, smoothing=0.5)
    colors = {(series["name"], series["color"]) for series in option["series"]}
    assert colors == {("A", run_color(0)), ("B", run_color(1))} and len(option["series"]) == 6


def test_without_smoothing_the_line_is_what_was_measured() -> None:
    (series,) = overlaid_curves([Curve("A", 0, epochs(3.0, 2.0, None, 1.0))])["series"]
    assert series["data"] == [[1, 3.0], [2, 2.0], [3, None], [4, 1.0]]


def test_smoothing_leaves_a_constant_as_it_is_and_a_gap_a_gap() -> None:
    assert smoothed([2.0, 2.0, None, 2.0], 0.9) == pytest.approx([2.0, 2.0, None, 2.0])


def test_smoothing_weighs_the_epoch_before_by_its_weight() -> None:
    assert smoothed([0.0, 3.0], 0.5)[1] == pytest.approx(3.0 / 1.5)


def test_time_is_the_sum_of_the_seconds() -> None:
    assert places_of(epochs(1, 1, 1), "time") == [2.0, 4.0, 6.0]


def test_a_logarithmic_axis_leaves_out_what_has_no_logarithm() -> None:
    (series,) = overlaid_curves([Curve("A", 0, epochs(1.0, 0.0))], log=True)["series"]
    assert series["data"][1][1] is None


def test_long_runs_are_thinned_but_keep_their_ends() -> None:
    curves = [Curve(str(n), n, epochs(*range(1, 2001))) for n in range(12)]
    for series in overlaid_curves(curves)["series"]:
        assert len(series["data"]) <= 100 and series["data"][0][0] == 1 and series["data"][-1][0] == 2000


def test_the_error_axis_carries_the_unit() -> None:
    assert "eV/atom" in overlaid_curves([Curve("A", 0, epochs(1))], unit="eV/atom")["yAxis"]["name"]


def test_parity_plots_of_one_target_share_their_axes() -> None:
    curves = [Curve("A", 0, []), Curve("B", 1, [])]
    first, second = parity_plots([judged(0.1, 0.2), judged(5.0, -5.0)], curves, [ENERGY] * 2)
    assert first.layout.xaxis.range == second.layout.xaxis.range == first.layout.yaxis.range
    assert first.layout.xaxis.range[1] > 5 and second.data[1].marker.color == run_color(1)


def test_parity_plots_of_two_targets_have_axes_of_their_own() -> None:
    curves, targets = [Curve("A", 0, []), Curve("B", 1, [])], [ENERGY, TARGETS["density"]]
    first, second = parity_plots([judged(0.1, 0.2), judged(5.0, -5.0)], curves, targets)
    assert first.layout.xaxis.range != second.layout.xaxis.range


def test_the_difference_by_element_is_centered_on_zero_and_leaves_out_what_one_run_does_not_know() -> None:
    figure = error_difference({"Na": (0.3, 2), "K": (1.0, 1)}, {"Na": (0.1, 2)}, unit="eV/atom", title="A − B")
    assert figure.layout.coloraxis.cmin == -figure.layout.coloraxis.cmax
    values = [v for trace in figure.data[1:] for row in trace.z for v in row if v is not None]
    assert values == pytest.approx([0.2]) and figure.layout.title.text == "A − B"


def test_one_difference_far_beyond_the_others_does_not_take_all_colors() -> None:
    symbols = ["H", "Li", "Na", "K", "Rb", "Cs", "Be", "Mg", "Ca", "Sr", "Ba", "O", "S", "Se", "Te", "F", "Cl", "Br"]
    one = {symbol: (0.1 * (-1) ** n, 9) for n, symbol in enumerate(symbols * 2)} | {"Kr": (-3.0, 1)}
    figure = error_difference(one, {symbol: (0.0, 9) for symbol in one}, unit="eV", title="t")
    bar = figure.layout.coloraxis
    assert (bar.cmin, bar.cmax) == (-0.1, 0.1) and bar.colorbar.ticktext == ("≤ -0.1", "0", "0.1")
