"""Pictures of a transfer study: parts, errors, curves."""

import json
from dataclasses import dataclass
from statistics import fmean, stdev

import pytest

from cgcnn.figures.colors import EDGE_COLOR, SHELL_COLORS
from cgcnn.figures.compare import Curve
from cgcnn.figures.transfer import (
    STATE_COLORS,
    as_shares,
    curve_rows,
    mean_epochs,
    parts_alt,
    parts_picture,
    source_curves,
    target_curves,
    transfer_chart,
)

PARTS = [("Embedding", 5952), ("Convolution 1", 22144), ("Head", 2113)]
COLUMNS = [("scratch", 30209), ("1", 2113)]
STATES = [["new", "new", "new"], ["frozen", "frozen", "new"]]


@dataclass(frozen=True)
class OneArm:
    words: str
    maes: tuple[float, ...]
    n_live: int = 0
    n_lost: int = 0

    @property
    def mean(self) -> float:
        return fmean(self.maes)

    @property
    def std(self) -> float:
        return stdev(self.maes) if len(self.maes) > 1 else float("nan")


@dataclass(frozen=True)
class OneAxis:
    label: str
    values: tuple[object, ...]
    words: tuple[str, ...]


AXES = [OneAxis("Frozen convolutions", (1, 2), ("1", "2")), OneAxis("Learned first", ("a", "b"), ("a", "b"))]
FOUND = [OneArm(f"{source}, {n} frozen", (n + 0.0, n + 0.2)) for n in (1, 2) for source in "ab"]


def epoch(n: int, train: float, val: float | None, **more: object) -> dict[str, object]:
    return {"epoch": n, "train_mae": train, "val_mae": val, "seconds": 1.0, **more}


def test_every_part_is_colored_by_what_becomes_of_it() -> None:
    option = parts_picture(PARTS, COLUMNS, STATES)
    cells = {tuple(cell["value"][:2]): cell for cell in option["series"][0]["data"]}
    assert len(cells) == 6 and cells[1, 0]["itemStyle"]["color"] == STATE_COLORS["frozen"]
    assert cells[1, 2]["label"]["formatter"] == "new"
    assert option["xAxis"]["data"] == ["scratch\n30,209", "1\n2,113"] and option["yAxis"]["inverse"]
    assert "1: 2,113 parameters learn" in parts_alt(COLUMNS)


def test_the_chart_has_a_series_for_each_source_and_a_band_from_scratch() -> None:
    option = transfer_chart(FOUND, AXES, OneArm("from scratch", (1.0, 1.4)), title="Test error", unit="eV")
    assert option["legend"]["data"] == ["a", "b", "from scratch"] and option["yAxis"]["name"] == "Test MAE (eV)"
    band = option["series"][-1]
    low, high = (end["yAxis"] for end in band["markArea"]["data"][0])
    assert band["markLine"]["data"][0]["yAxis"] == pytest.approx((low + high) / 2) == pytest.approx(1.2)
    json.dumps(option, allow_nan=False)


def test_a_class_has_its_own_axis_and_a_source_its_own_color_in_every_picture() -> None:
    option = transfer_chart(FOUND, AXES, None, title="x", unit="%", error="share wrong", numbers=[3, 1])
    assert option["yAxis"]["name"] == "Test share wrong (%)" and option["legend"]["type"] == "plain"
    colors = {part["name"]: part["color"] for part in option["series"]}
    assert colors == {"a": SHELL_COLORS[3], "b": SHELL_COLORS[1]}


def test_where_colors_come_again_marks_are_others() -> None:
    option = transfer_chart(FOUND, AXES, None, title="x", numbers=[0, 7])
    marks = {part["name"]: part["symbol"] for part in option["series"] if part.get("symbolSize") == 13}
    assert marks["a"] != marks["b"]


def test_curves_are_rows_of_a_table_too() -> None:
    (row,) = curve_rows([Curve("bulk modulus", 0, [epoch(1, 0.5, 0.6)])], unit="eV")
    assert row == {"learned first": "bulk modulus", "epoch": 1, "training MAE (eV)": 0.5, "validation MAE (eV)": 0.6}


def test_one_run_each_is_said_to_have_no_spread() -> None:
    single = [OneArm(arm.words, arm.maes[:1]) for arm in FOUND]
    option = transfer_chart(single, AXES, OneArm("from scratch", (1.0,)), title="Theirs", note="One seed each")
    low, high = (end["yAxis"] for end in option["series"][-1]["markArea"]["data"][0])
    assert option["title"]["subtext"] == "One seed each" and low == high == 1.0


def test_without_a_run_from_scratch_there_is_no_band() -> None:
    assert "from scratch" not in transfer_chart(FOUND, AXES, OneArm("from scratch", ()), title="x")["legend"]["data"]


def test_a_share_of_one_is_no_better_than_guessing_the_mean() -> None:
    (share,) = as_shares([epoch(1, 0.5, 2.0)], [2.0])
    assert (share["train_mae"], share["val_mae"]) == (0.25, 1.0)


def test_the_share_of_several_targets_is_the_mean_of_theirs() -> None:
    several = epoch(1, 9.0, 9.0, train_maes=[1.0, 2.0], val_maes=[0.5, 4.0])
    (share,) = as_shares([several], [1.0, 4.0])
    assert (share["train_mae"], share["val_mae"]) == (0.75, 0.75)


def test_curves_are_means_over_the_runs_that_came_so_far() -> None:
    found = mean_epochs([[epoch(1, 1.0, 2.0), epoch(2, 1.0, 1.0)], [epoch(1, 3.0, 4.0)]])
    assert [(e["epoch"], e["train_mae"], e["val_mae"]) for e in found] == [(1, 2.0, 3.0), (2, 1.0, 1.0)]


def test_an_unknown_error_leaves_a_gap() -> None:
    assert mean_epochs([[epoch(1, 1.0, None)]])[0]["val_mae"] is None


def test_sources_share_one_axis_without_a_unit() -> None:
    option = source_curves([Curve("bulk modulus", 0, [epoch(1, 0.5, 0.6)])])
    assert option["title"]["text"] == "How the sources learned" and "Share" in option["yAxis"]["name"]
    assert len(option["series"]) == 2, "validation and training"


def test_the_network_from_scratch_is_gray_among_the_curves() -> None:
    curves = [Curve("bulk modulus", 0, [epoch(1, 1, 1)]), Curve("from scratch", 1, [epoch(1, 1, 1)])]
    option = target_curves(curves, unit="eV", words="2 frozen")
    gray = {part["name"] for part in option["series"] if part["color"] == EDGE_COLOR}
    assert gray == {"from scratch"} and option["title"]["text"].endswith("2 frozen") and "eV" in option["yAxis"]["name"]
