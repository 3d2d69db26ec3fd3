"""Runs beside each other: their curves in one picture, their parity plots on one scale, their errors by element."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from math import isfinite
from typing import Any

import numpy as np
import plotly.graph_objects as go

from cgcnn.data.targets import Target
from cgcnn.figures.colors import SHELL_COLORS
from cgcnn.figures.learning import error_words, in_percent, parity_plot
from cgcnn.figures.periodic_table import clipped_ticks, periodic_table, scale_end

MOST_POINTS = 1200  # of all curves together; more cost time on the wire and cannot be seen
LONGEST_TITLE = 34  # letters above a third of the page
X_AXES = {"epoch": "Epoch", "time": "Training time (s)"}
DASHES: tuple[Any, ...] = ("solid", [2, 3])  # the second round of colors is dotted
# From "less error" to "more error"; every shade of it is light enough for black letters.
DIVERGING = ["#56b4e9", "#b9d9ea", "#f2f0ea", "#efcf8a", "#e69f00"]


@dataclass(frozen=True)
class Curve:
    """One run of a picture: its words, its place in the order of colors, and its epochs (fields of EpochMetrics)."""

    label: str
    number: int
    epochs: Sequence[Mapping[str, Any]]

    @property
    def color(self) -> str:
        """The color of the run in every picture."""
        return run_color(self.number)


def run_color(number: int) -> str:
    """The color of the run at this place of the list, from 0."""
    return SHELL_COLORS[number % len(SHELL_COLORS)]


def overlaid_curves(
    curves: Sequence[Curve],
    *,
    metric: str = "mae",
    unit: str = "",
    x: str = "epoch",
    smoothing: float = 0.0,
    training: bool = False,
    log: bool = False,
    is_class: bool = False,
) -> dict[str, Any]:
    """The validation curves of several runs as an ECharts option, the error in `unit`; of a class the share wrong in %.

    With `smoothing` the strong line is `smoothed` and the measured one stays faint behind it; `training` adds the
    training curves, dashed; `x` is one of X_AXES.
    """
    if is_class and metric == "mae":
        curves, unit = [replace(curve, epochs=in_percent(curve.epochs)) for curve in curves], "%"
    most = max(2, MOST_POINTS // max(len(curves), 1))
    series = [part for curve in curves for part in _of_run(curve, metric, x, smoothing, training, log, most)]
    error = error_words(metric, is_class)
    name = f"{error} ({unit})" if unit else error
    words = {"nameLocation": "end", "nameGap": 12, "nameTextStyle": {"align": "left"}}
    return {
        "animation": False,
        "title": {"text": f"{error} on the validation crystals", "top": 4, "left": 0},
        "legend": {"data": [c.label for c in curves], "type": "scroll", "top": 30, "left": 0, "right": 0},
        "grid": {"top": 92, "bottom": 34, "left": 8, "right": 24, "containLabel": True},
        "tooltip": {"trigger": "axis", "confine": True, "order": "valueAsc"},
        "xAxis": {"type": "value", "min": 0, "name": X_AXES[x], "nameLocation": "middle", "nameGap": 26},
        "yAxis": {"type": "log" if log else "value", "name": name, "scale": False, **words},
        "series": series,
    }


def _of_run(
    curve: Curve, metric: str, x: str, smoothing: float, training: bool, log: bool, most: int
) -> list[dict[str, Any]]:
    places = places_of(curve.epochs, x)
    found = [e.get(f"val_{metric}") for e in curve.epochs]
    strong = _line(curve, places, smoothed(found, smoothing), log, most) | {"z": 3}
    strong["lineStyle"] = {"width": 2.5, "type": DASHES[curve.number // len(SHELL_COLORS) % 2]}
    lines = [strong]
    if smoothing:
        lines.append(_line(curve, places, found, log, most) | _faint(1.2, "solid", 0.5))
    if training:
        seen = smoothed([e.get(f"train_{metric}") for e in curve.epochs], smoothing)
        lines.append(_line(curve, places, seen, log, most) | _faint(1.6, [6, 4], 0.8))
    return lines


def _line(
    curve: Curve, places: Sequence[float], values: Sequence[float | None], log: bool, most: int
) -> dict[str, Any]:
    # One name for all lines of a run: the legend hides them together.
    chosen = sorted({round(i) for i in np.linspace(0, len(places) - 1, min(most, len(places)))})
    points = [[round(places[i], 3), _drawable(values[i], log)] for i in chosen]
    look = {"showSymbol": len(points) < 3, "symbolSize": 6, "color": curve.color}
    return {"name": curve.label, "type": "line", "data": points, **look}


def _faint(width: float, dash: Any, opacity: float) -> dict[str, Any]:
    style = {"width": width, "type": dash, "opacity": opacity}
    return {"lineStyle": style, "tooltip": {"show": False}, "silent": True, "showSymbol": False, "z": 2}


def places_of(epochs: Sequence[Mapping[str, Any]], x: str) -> list[float]:
    """Where each epoch stands on the axis: its number, or the seconds of training up to its end."""
    if x == "epoch":
        return [float(e["epoch"]) for e in epochs]
    return list(accumulate(float(e["seconds"]) for e in epochs))


def smoothed(values: Sequence[float | None], weight: float) -> list[float | None]:
    """The exponential moving average: the value of n epochs ago counts weightⁿ times the present one.

    Divided by the sum of those weights, so that the first values are not drawn toward zero; a gap stays a gap.
    """
    total, norm, found = 0.0, 0.0, list[float | None]()
    for value in values:
        if value is None or not isfinite(value):
            found.append(None)
            continue
        total, norm = weight * total + value, weight * norm + 1.0
        found.append(total / norm)
    return found


def _drawable(value: float | None, log: bool) -> float | None:
    """A number that JSON and the axis can take, or None: then the curve has a gap."""
    return None if value is None or not isfinite(value) or (log and value <= 0) else float(f"{value:.6g}")


def parity_plots(
    tests: Sequence[Mapping[str, Any]], curves: Sequence[Curve], targets: Sequence[Target]
) -> list[go.Figure]:
    """One parity plot for each run, in its color; runs with one target share their axes.

    `tests` have the fields of TestMetrics.
    """
    figures = []
    for test, curve, target in zip(tests, curves, targets, strict=True):
        labels = [f"{formula} ({crystal})" for formula, crystal in zip(test["formulas"], test["ids"], strict=True)]
        words = {"unit": target.unit, "label": target.label, "title": shortened(curve.label)}
        figure = parity_plot(test["truth"], test["predicted"], ids=labels, **words)
        figure.data[1].marker.color = curve.color
        figure.update_layout(height=400, margin={"t": 80, "b": 50, "l": 50, "r": 10})
        low, high = _span([t for t, other in zip(tests, targets, strict=True) if other == target])
        figure.data[0].update(x=[low, high], y=[low, high])
        figure.update_xaxes(range=[low, high])
        figure.update_yaxes(range=[low, high])
        figures.append(figure)
    return figures


def shortened(label: str) -> str:
    """As much of a label as fits above a narrow picture."""
    return label if len(label) <= LONGEST_TITLE else f"{label[: LONGEST_TITLE - 1]}…"


def _span(tests: Sequence[Mapping[str, Any]]) -> tuple[float, float]:
    values = np.concatenate([np.asarray(test[side], dtype=float) for test in tests for side in ("truth", "predicted")])
    low, high = float(values.min()), float(values.max())
    room = 0.05 * (high - low) or 0.5
    return low - room, high + room


def error_difference(
    errors: Mapping[str, tuple[float, int]], others: Mapping[str, tuple[float, int]], *, unit: str, title: str
) -> go.Figure:
    """How much larger the mean absolute error of the first run is than that of the second, by element, in `unit`.

    Both map symbol -> (MAE, how many crystals); an element that only one of them knows stays gray.
    """
    shared = [symbol for symbol in errors if symbol in others]
    values = {symbol: errors[symbol][0] - others[symbol][0] for symbol in shared}
    counts = {symbol: min(errors[symbol][1], others[symbol][1]) for symbol in shared}
    figure = periodic_table(values, title=title, unit=unit, counts=counts)
    figure.update_traces(textfont_color="#000000", selector=lambda trace: trace.coloraxis is not None)
    end = scale_end([abs(value) for value in values.values()] or [0.0]) or 1.0
    ticks = {"tickvals": None, "ticktext": None} | clipped_ticks(-end, end, values.values())
    figure.update_layout(coloraxis={"colorscale": DIVERGING, "cmin": -end, "cmax": end, "colorbar": ticks})
    return figure
