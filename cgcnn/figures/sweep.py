"""The test error of each arm of an experiment: every seed's point, their mean, and a bar of one standard deviation."""

from collections.abc import Sequence
from itertools import product
from math import isfinite
from typing import Any, Protocol

from cgcnn.figures.colors import EDGE_COLOR, SHELL_COLORS
from cgcnn.figures.sweep_places import Axis, Places, across

SYMBOLS = ("circle", "diamond", "triangle", "rect", "pin", "arrow", "roundRect")
BARS = {
    "symbol": "rect",
    "symbolSize": [14, 2],
    "lineStyle": {"width": 2},
    "connectNulls": False,
    "silent": True,
    "z": 2,
}
Point = dict[str, Any]


class Arm(Protocol):
    """What came of one combination of settings, over its seeds."""

    @property
    def words(self) -> str:
        """The combination as a reader says it."""

    @property
    def maes(self) -> tuple[float, ...]:
        """The test MAE of each seed that finished."""

    @property
    def mean(self) -> float:
        """Their mean; NaN without any."""

    @property
    def std(self) -> float:
        """Their standard deviation; NaN with fewer than two."""

    @property
    def n_live(self) -> int:
        """Runs that are still to come."""

    @property
    def n_lost(self) -> int:
        """Runs that gave no number."""


def sweep_chart(
    found: Sequence[Arm],
    axes: Sequence[Axis],
    *,
    title: str,
    unit: str = "",
    baseline: float | None = None,
    log: bool = False,
    error: str = "MAE",
    numbers: Sequence[int] = (),
) -> dict[str, Any]:
    """Test MAE against the first axis, one series for each combination of the others, as an ECharts option.

    `found` holds the arms in the order of the grid, the last axis fastest. `baseline` is the error of always
    predicting the mean, in `unit`; leave it out for a closer look. Arms with runs to come are hollow and counted.
    `error` is what the error is called; `numbers` give each series its color and mark, else they go in order.
    """
    names = [", ".join(words) for words in product(*(axis.words for axis in axes[1:]))]
    places = Places(axes[0], len(names))
    floor = _floor(found, baseline)
    series = []
    for place, name in enumerate(names):
        stands = [places.at(n, place) for n in range(len(axes[0].values))]
        spots = list(zip(found[place :: len(names)], stands, strict=True))
        side = ["top", "bottom"][place] if len(names) < 3 else ""
        number = numbers[place] if numbers else place
        series += _series(name or "mean of the seeds", number, spots, side, places.is_numeric, unit, log, floor)
    if baseline:
        series.append(_bar_to_beat(baseline, unit))
    legend = {"data": [n for n in names if n], "top": 50, "left": 0, "type": "scroll"}
    return {
        "animation": False,
        "title": {"text": title, "subtext": _progress(found), "top": 4, "left": 0, "itemGap": 8},
        "legend": {**legend, "show": len(names) > 1},
        "grid": {"top": 112 if len(names) > 1 else 88, "bottom": 36, "left": 8, "right": 24},
        "tooltip": {"trigger": "item", "confine": True},
        "xAxis": across(places),
        "yAxis": _upward(f"Test {error}", unit, log),
        "series": series,
    }


def sweep_alt(found: Sequence[Arm], *, unit: str = "") -> str:
    """What a reader who cannot see the chart is told."""
    known = sorted((arm for arm in found if arm.maes), key=lambda arm: arm.mean)
    if not known:
        return f"Test error of {len(found)} {'setting' if len(found) == 1 else 'settings'}; no run has finished yet."
    ends = [f"lowest {_text(known[0], unit)}"] + ([f"highest {_text(known[-1], unit)}"] if len(known) > 1 else [])
    return f"Mean test error of {len(known)} of {len(found)} settings: {', '.join(ends)}. {_progress(found)}."


def sweep_rows(found: Sequence[Arm], *, unit: str = "") -> list[dict[str, Any]]:
    """One row for each arm, for a table or a CSV file: mean and standard deviation in `unit`, and every seed."""
    tail = f" ({unit})" if unit else ""
    rows = []
    for arm in found:
        row = {"setting": arm.words, f"mean test MAE{tail}": _plain(arm.mean)}
        row[f"standard deviation{tail}"] = _plain(arm.std)
        counts = {"runs finished": len(arm.maes), "runs to come": arm.n_live, "runs without a result": arm.n_lost}
        rows.append({**row, **counts, "each run": " ".join(f"{mae:.6g}" for mae in arm.maes)})
    return rows


def _series(
    name: str,
    number: int,
    spots: Sequence[tuple[Arm, float]],
    side: str,
    joined: bool,
    unit: str,
    log: bool,
    floor: float,
) -> list[dict[str, Any]]:
    """Means, seeds, bars and counts of one series; they share a name, so the legend hides them together."""
    color = SHELL_COLORS[number % len(SHELL_COLORS)]
    turns = number // len(SHELL_COLORS)  # where colors come again, marks are others
    mean = {
        "type": "line",
        "data": [_mark(arm, at, color, unit, side) for arm, at in spots if arm.maes],
        "symbol": SYMBOLS[(number + turns) % len(SYMBOLS)],
        "symbolSize": 13,
        "lineStyle": {"width": 2 if joined else 0, "type": "solid" if number % 2 == 0 else [7, 3]},
        "z": 4,
    }
    seeds = {
        "type": "scatter",
        "data": [_seed(arm, mae, at, unit) for arm, at in spots for mae in arm.maes],
        "symbolSize": 7,
        "itemStyle": {"opacity": 0.5},
        "z": 3,
    }
    waiting = {"type": "scatter", "data": [_empty(arm, at, floor, side) for arm, at in spots if not arm.maes]}
    bars = {"type": "line", "data": _bars(spots, log), **BARS}
    return [{"name": name, "color": color, **part} for part in (mean, seeds, waiting, bars)]


def _mark(arm: Arm, at: float, color: str, unit: str, side: str) -> Point:
    """The mean of an arm: filled when all its runs have ended, hollow and counted while some are to come."""
    style = {"color": "transparent" if arm.n_live else color, "borderColor": color, "borderWidth": 2}
    tip = {"formatter": _tip(arm, unit)}
    return {"value": [at, arm.mean], "itemStyle": style, "label": _count(arm, side), "tooltip": tip}


def _empty(arm: Arm, at: float, floor: float, side: str) -> Point:
    """An arm without a result stands at the foot of the picture, only to be counted."""
    style = {"color": "transparent", "borderColor": EDGE_COLOR, "borderWidth": 1, "borderType": "dotted"}
    tip = {"formatter": f"{arm.words}<br>{_done(arm)}"}
    mark = {"symbolSize": 11, "itemStyle": style, "tooltip": tip}
    return {"value": [at, floor], "label": _count(arm, side), **mark}


def _count(arm: Arm, side: str) -> dict[str, Any]:
    """How many runs of an arm are done, beside its mark; nothing when all are, or where it would be crowded."""
    if not side or not (arm.n_live or not arm.maes):
        return {"show": False}
    return {"show": True, "formatter": _done(arm), "position": side, "color": EDGE_COLOR, "distance": 9}


def _done(arm: Arm) -> str:
    total = len(arm.maes) + arm.n_live + arm.n_lost
    return f"{len(arm.maes)} of {total}" if arm.n_live else "no result"


def _seed(arm: Arm, mae: float, spot: float, unit: str) -> Point:
    return {"value": [spot, mae], "tooltip": {"formatter": f"{arm.words}<br>one seed: {mae:.4g} {unit}".rstrip()}}


def _bars(spots: Sequence[tuple[Arm, float]], log: bool) -> list[list[float | None]]:
    """One standard deviation up and down, as a line with gaps whose flat symbols are the caps."""
    points: list[list[float | None]] = []
    for arm, at in spots:
        if isfinite(arm.std):
            low = max(arm.mean - arm.std, 0.1 * arm.mean) if log else arm.mean - arm.std
            points += [[at, low], [at, arm.mean + arm.std], [None, None]]
    return points


def _bar_to_beat(baseline: float, unit: str) -> dict[str, Any]:
    """A dashed line as a series of its own, so that the axis always reaches it."""
    words = f"predict the mean: {baseline:.3g} {unit}".rstrip()
    line = {"lineStyle": {"type": [3, 4], "width": 2}, "label": {"formatter": words, "position": "insideEndTop"}}
    mark = {"data": [{"yAxis": baseline}], "symbol": "none", "silent": True, **line}
    return {
        "name": "Predict the mean",
        "type": "line",
        "data": [[None, baseline]],
        "color": EDGE_COLOR,
        "silent": True,
        "symbol": "none",
        "markLine": mark,
    }


def _upward(error: str, unit: str, log: bool) -> dict[str, Any]:
    name = f"{error} ({unit})" if unit else error
    words = {"name": name, "nameLocation": "end", "nameGap": 12, "nameTextStyle": {"align": "left"}}
    return {"type": "log" if log else "value", "scale": True, **words}


def _progress(found: Sequence[Arm]) -> str:
    done, live = sum(len(arm.maes) for arm in found), sum(arm.n_live for arm in found)
    lost = sum(arm.n_lost for arm in found)
    tail = f", {lost} without a result" if lost else ""
    if live or lost:
        return f"{done} of {done + live + lost} runs finished{tail}"
    if not any(len(arm.maes) > 1 for arm in found):
        return "One run each: no spread is known"
    return f"Mean ± one standard deviation, {done} runs"


def _floor(found: Sequence[Arm], baseline: float | None) -> float:
    """Where arms without a result are counted: at the lowest point of the picture."""
    return min((mae for arm in found for mae in arm.maes), default=baseline or 1.0)


def _text(arm: Arm, unit: str) -> str:
    spread = f" ± {arm.std:.2g}" if isfinite(arm.std) else ""
    return f"{arm.mean:.3g}{spread} {unit}".rstrip() + f" with {arm.words}"


def _tip(arm: Arm, unit: str) -> str:
    spread = f" ± {arm.std:.2g}" if isfinite(arm.std) else ""
    runs = _done(arm) if arm.n_live else "1 run" if len(arm.maes) == 1 else f"{len(arm.maes)} runs"
    return f"<b>{arm.words}</b><br>{arm.mean:.4g}{spread} {unit}<br>{runs}"


def _plain(value: float) -> float | None:
    return value if isfinite(value) else None
