"""One convolution in pictures: an atom's messages and vectors row by row, and its steps, feature by feature."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cgcnn.figures.colors import SHELL_COLORS

CHOSEN_COLOR = SHELL_COLORS[1]
BAR_COLOR = SHELL_COLORS[0]
OTHER_COLOR = SHELL_COLORS[3]
SCALES = {  # (signed, dark theme) -> colors from low to high; zero fades into the page
    (False, False): ["#e3eef7", "#9ecae1", "#2f97d8", "#084a8c"],
    (False, True): ["#16222d", "#1f5378", "#2f97d8", "#bfe3fb"],
    (True, False): ["#b35806", "#f1a340", "#f2f0ea", "#7fb4dc", "#084a8c"],  # orange below zero, blue above
    (True, True): ["#ffb45e", "#a5570f", "#20262c", "#2a6ea3", "#9fd2f7"],
}
TOP, STEP = 66, 104  # pixels above the first row of bars, and from one row to the next
_SMALL = {"fontSize": 12, "fontWeight": "normal", "rich": {"low": {"fontSize": 9, "verticalAlign": "bottom"}}}
ROW = 22  # pixels of a row of the map


@dataclass(frozen=True)
class Bars:
    """One row of the picture of steps: a title, a value for each feature, and what they are with one thing changed."""

    title: str
    values: Sequence[float]
    other: Sequence[float] | None = None


def feature_map(
    values: np.ndarray,
    names: Sequence[str],
    row: int,
    feature: int,
    title: str,
    *,
    each_row: bool = False,
    dark: bool = False,
) -> dict[str, Any]:
    """Rows of d features each as an ECharts heat map, one row and one feature framed; `picked_cell` reads a click.

    The rows are the messages to an atom, edge by edge, or the vectors of an atom, layer by layer. With `each_row`
    every row has a scale of its own, up to its largest number: layers differ by orders of magnitude.
    """
    n_rows, d = values.shape
    largest = np.abs(values).max(axis=1 if each_row else None, keepdims=True, initial=1e-12)
    scaled = values / largest
    signed = bool((scaled < -1e-6).any())
    most = "largest of the row" if each_row else f"{float(largest.max()):.3g}"
    return {
        "animation": False,
        "title": {"text": title, "top": 4, "left": 0, "textStyle": {"fontSize": 15, "overflow": "break"}},
        "grid": {"top": 40, "bottom": 84, "left": 8, "right": 16, "containLabel": True},
        "tooltip": {"confine": True, "formatter": "{b}"},
        "xAxis": [_columns(d), _overlay(d)],
        "yAxis": [
            {
                "type": "category",
                "inverse": True,
                "data": [_row_name(name, n == row) for n, name in enumerate(names)],
                "axisLabel": {"fontSize": 11},
            },
            {**_overlay(n_rows), "inverse": True},
        ],
        "visualMap": {
            "seriesIndex": 0,
            "min": -1.0 if signed else 0.0,
            "max": 1.0,
            "inRange": {"color": SCALES[signed, dark]},
            "orient": "horizontal",
            "left": "center",
            "bottom": 0,
            "itemHeight": 140,
            "itemWidth": 10,
            "calculable": False,
            "text": [most, f"−{most}" if signed and not each_row else "" if signed else "0"],
        },
        "series": [
            {
                "name": "value",
                "type": "heatmap",
                "data": _cells(values, scaled, names),
                "progressive": 0,  # in one go: later parts would cover the frame
                "selectedMode": "single",
                "select": {"itemStyle": {"borderWidth": 0}},  # what is chosen is ours to say
            },
            _rectangle(0, d, row, row + 1),
            _rectangle(feature, feature + 1, 0, n_rows),
        ],
    }


def _cells(values: np.ndarray, scaled: np.ndarray, names: Sequence[str]) -> list[dict[str, Any]]:
    """A name of its own for each cell: a tooltip shows it, and ECharts selects all cells that share one."""
    return [
        {"name": f"{names[n]}, feature {f + 1}: {values[n, f]:.4g}", "value": [f, n, round(float(scaled[n, f]), 4)]}
        for n in range(values.shape[0])
        for f in range(values.shape[1])
    ]


def _columns(d: int) -> dict[str, Any]:
    words = {"name": "Feature", "nameLocation": "middle", "nameGap": 26}
    return {"type": "category", "data": [str(f + 1) for f in range(d)], **words}


def _overlay(count: int) -> dict[str, Any]:
    """A hidden axis of numbers over `count` categories: category n lies between n and n + 1."""
    return {"type": "value", "min": 0, "max": count, "show": False}


def _rectangle(left: int, right: int, top: int, bottom: int) -> dict[str, Any]:
    corners = [[left, top], [right, top], [right, bottom], [left, bottom], [left, top]]
    line = {"color": CHOSEN_COLOR, "width": 2, "opacity": 1}
    look = {"type": "line", "symbol": "none", "silent": True, "z": 5, "lineStyle": line, "tooltip": {"show": False}}
    return {**look, "data": corners, "xAxisIndex": 1, "yAxisIndex": 1}


def map_height(n_rows: int) -> int:
    """The height in pixels at which the rows of `feature_map` can be clicked, and up to 40 of them read."""
    return 130 + max(6 if n_rows > 40 else ROW, min(ROW, 900 // max(n_rows, 1))) * n_rows


def picked_cell(d: int, selected: Sequence[Mapping[str, Any]]) -> tuple[int, int] | None:
    """The (row, feature) that was clicked; `selected` is the `selection.selected` of the chart's state."""
    places = [place for part in selected if part.get("series_index", 0) == 0 for place in part["data_indices"]]
    return divmod(places[0], d) if places else None


def joined_bars(parts: Mapping[str, Sequence[float]], title: str) -> dict[str, Any]:
    """Vectors laid end to end as an ECharts option, as the layer joins them: each part a color, one bar a number."""
    series, start = [], 0
    total = sum(len(values) for values in parts.values())
    for (name, values), color in zip(parts.items(), SHELL_COLORS, strict=False):
        data = [[start + n, round(value, 4)] for n, value in enumerate(values)]
        series.append({"name": name, "type": "bar", "data": data, "itemStyle": {"color": color}, "barGap": "-100%"})
        start += len(values)
    return {
        **_frame(title),
        "legend": {"top": 4, "right": 0, "selectedMode": False},
        "grid": {"top": 40, "bottom": 44, "left": 44, "right": 8},
        "xAxis": _features(range(total), "Place in z", shown=True),
        "yAxis": {"type": "value", "splitNumber": 3},
        "series": series,
    }


def step_bars(rows: Sequence[Bars], feature: int, title: str, other_name: str = "") -> dict[str, Any]:
    """The steps of a layer as an ECharts option: one row a step, one bar a feature, the chosen feature marked.

    Where a row has `other` values (one thing changed, named by `other_name`), they stand beside it as dots.
    """
    tops = [TOP + n * STEP for n in range(len(rows))]
    series = [part for n, row in enumerate(rows) for part in _row_series(row, n, feature, other_name)]
    frame = _frame(title)
    words = [
        {"text": _lowered(row.title), "left": 0, "top": top - 24, "textStyle": _SMALL}
        for row, top in zip(rows, tops, strict=True)
    ]
    last = len(rows) - 1
    return {
        **frame,
        "title": [frame["title"], *words],
        "legend": {"data": [other_name], "top": 4, "right": 0, "show": any(row.other is not None for row in rows)},
        "grid": [{"top": top, "height": STEP - 42, "left": 44, "right": 8} for top in tops],
        "xAxis": [
            _features(range(len(row.values)), "Feature", shown=n == last) | {"gridIndex": n}
            for n, row in enumerate(rows)
        ],
        "yAxis": [{"type": "value", "splitNumber": 2, "gridIndex": n} for n in range(len(rows))],
        "series": series,
    }


def steps_height(n_rows: int) -> int:
    """The height in pixels of `step_bars`."""
    return TOP + STEP * n_rows + 24


def _frame(title: str) -> dict[str, Any]:
    return {
        "animation": False,
        "title": {"text": title, "top": 4, "left": 0, "textStyle": {"fontSize": 15}},
        "tooltip": {"trigger": "axis", "confine": True},
    }


def _features(numbers: range, name: str, shown: bool) -> dict[str, Any]:
    words = {"name": name, "nameLocation": "middle", "nameGap": 26} if shown else {}
    axis = {"type": "category", "data": [str(n + 1) for n in numbers], "axisTick": {"show": False}}
    return axis | words | {"axisLabel": {"show": shown}, "axisLine": {"onZero": True}}


def _row_series(row: Bars, n: int, feature: int, other_name: str) -> list[dict[str, Any]]:
    place = {"xAxisIndex": n, "yAxisIndex": n}
    data: list[Any] = [round(value, 4) for value in row.values]
    data[feature] = {"value": data[feature], "itemStyle": {"color": CHOSEN_COLOR}}
    found = [{"name": "this network", "type": "bar", "data": data, "itemStyle": {"color": BAR_COLOR}, **place}]
    if row.other is not None:
        dots = [round(value, 4) for value in row.other]
        look = {"symbolSize": 5, "itemStyle": {"color": OTHER_COLOR}}
        found.append({"name": other_name, "type": "scatter", "data": dots, **look, **place})
    return found


def _lowered(text: str) -> str:
    """`v_i` with its index below the line, as ECharts writes it."""
    return re.sub(r"_(\w)", r"{low|\1}", text)


def _row_name(name: str, chosen: bool) -> dict[str, Any] | str:
    return {"value": name, "textStyle": {"fontWeight": "bold", "color": CHOSEN_COLOR}} if chosen else name
