"""One convolution in pictures: an atom's messages and vectors row by row, and its steps, feature by feature."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from cgcnn.figures.colors import EDGE_COLOR, SHELL_COLORS

CHOSEN_COLOR = SHELL_COLORS[1]
BAR_COLOR = SHELL_COLORS[0]
OTHER_COLOR = SHELL_COLORS[3]
MESSAGE_SCALE = ["#e3eef7", "#9ecae1", "#2f97d8", "#084a8c"]  # light to dark; reads in both themes
SIGNED_SCALE = ["#b35806", "#f1a340", "#f2f0ea", "#7fb4dc", "#084a8c"]  # orange below zero, blue above
ROW = 22  # pixels of a row of the map
CLEAR = "rgba(0, 0, 0, 0)"
_FRAME = {
    "margin": {"l": 0, "r": 0, "t": 70, "b": 0},
    "legend": {"orientation": "h", "x": 1, "xanchor": "right", "y": 1.0, "yanchor": "bottom"},
    "paper_bgcolor": CLEAR,
    "plot_bgcolor": CLEAR,
}


@dataclass(frozen=True)
class Bars:
    """One row of the picture of steps: a title, a value for each feature, and what they are with one thing changed."""

    title: str
    values: Sequence[float]
    other: Sequence[float] | None = None


def feature_map(values: np.ndarray, names: Sequence[str], row: int, feature: int, title: str) -> dict[str, Any]:
    """Rows of d features each as an ECharts heat map, one row and one feature framed; `picked_cell` reads a click.

    The rows are the messages to an atom, edge by edge, or the vectors of an atom, layer by layer.
    """
    n_rows, d = values.shape
    low, high = float(values.min(initial=0.0)), float(values.max(initial=0.0))
    signed = low < 0
    reach = max(-low, high) or 1.0
    # A name of its own for each cell: ECharts selects all that share one.
    cells = [
        {"name": f"{names[n]}, feature {f + 1}", "value": [f, n, round(float(values[n, f]), 4)]}
        for n in range(n_rows)
        for f in range(d)
    ]
    frame = [[f, row, 0] for f in range(d)] + [[feature, n, 0] for n in range(n_rows) if n != row]
    labels = [_row_name(name, n == row) for n, name in enumerate(names)]
    return {
        "animation": False,
        "title": {"text": title, "top": 4, "left": 0, "textStyle": {"fontSize": 15, "overflow": "break"}},
        "grid": {"top": 40, "bottom": 84, "left": 8, "right": 16, "containLabel": True},
        "tooltip": {"confine": True},
        "xAxis": {
            "type": "category",
            "data": [str(f + 1) for f in range(d)],
            "name": "Feature",
            "nameLocation": "middle",
            "nameGap": 26,
        },
        "yAxis": {"type": "category", "inverse": True, "data": labels, "axisLabel": {"fontSize": 11}},
        "visualMap": {
            "seriesIndex": 0,
            "min": -reach if signed else 0.0,
            "max": reach,
            "inRange": {"color": SIGNED_SCALE if signed else MESSAGE_SCALE},
            "orient": "horizontal",
            "left": "center",
            "bottom": 0,
            "itemHeight": 140,
            "itemWidth": 10,
            "precision": 2,
            "calculable": False,
            "text": [f"{reach:.2f}", f"{-reach:.2f}" if signed else "0"],
        },
        "series": [
            {
                "name": "value",
                "type": "heatmap",
                "data": cells,
                "dimensions": ["feature", "row", "value"],
                "encode": {"x": "feature", "y": "row", "tooltip": ["value"]},
                "selectedMode": "single",
                "select": {"itemStyle": {"borderWidth": 0}},  # what is chosen is ours to say
            },
            {
                "type": "heatmap",
                "data": frame,
                "silent": True,
                "itemStyle": {"color": CLEAR, "borderColor": CHOSEN_COLOR, "borderWidth": 1},
            },
        ],
    }


def map_height(n_rows: int) -> int:
    """The height in pixels at which the rows of `feature_map` can be clicked, and up to 40 of them read."""
    return 130 + max(6 if n_rows > 40 else ROW, min(ROW, 900 // max(n_rows, 1))) * n_rows


def picked_cell(d: int, selected: Sequence[Mapping[str, Any]]) -> tuple[int, int] | None:
    """The (row, feature) that was clicked; `selected` is the `selection.selected` of the chart's state."""
    places = [place for part in selected if part.get("series_index", 0) == 0 for place in part["data_indices"]]
    return divmod(places[0], d) if places else None


def joined_bars(parts: Mapping[str, Sequence[float]], title: str) -> go.Figure:
    """Vectors laid end to end, as the layer joins them: each part a color, one bar a number."""
    figure, start = go.Figure(), 1
    for (name, values), color in zip(parts.items(), SHELL_COLORS, strict=False):
        x = list(range(start, start + len(values)))
        bars = go.Bar(x=x, y=list(values), name=name, marker={"color": color, "line": {"width": 0}})
        figure.add_trace(bars.update(hovertemplate=f"{name}, number %{{x}} of z: %{{y:.4f}}<extra></extra>"))
        start += len(values)
    figure.update_yaxes(nticks=4, zeroline=True, zerolinecolor=EDGE_COLOR)
    figure.update_xaxes(title="Place in z")
    return figure.update_layout(title=title, height=250, bargap=0.1, **_FRAME)


def step_bars(rows: Sequence[Bars], feature: int, title: str, other_name: str = "") -> go.Figure:
    """The steps of a layer, one row a step, one bar a feature; the chosen feature is marked.

    Where a row has `other` values (one thing changed, named by `other_name`), they stand beside it as dots.
    """
    figure = make_subplots(
        rows=len(rows),
        cols=1,
        shared_xaxes=True,
        vertical_spacing=0.22 / len(rows),
        subplot_titles=[_lowered(r.title) for r in rows],
    )
    for n, row in enumerate(rows, start=1):
        x = list(range(1, len(row.values) + 1))
        colors = [CHOSEN_COLOR if f == feature else BAR_COLOR for f in range(len(x))]
        bars = go.Bar(x=x, y=list(row.values), marker={"color": colors, "line": {"width": 0}}, name="this network")
        figure.add_trace(bars.update(showlegend=False, hovertemplate="feature %{x}: %{y:.4f}<extra></extra>"), n, 1)
        if row.other is not None:
            dots = go.Scatter(x=x, y=list(row.other), mode="markers", name=other_name, legendgroup="other")
            dots.update(marker={"color": OTHER_COLOR, "size": 5}, showlegend=n == _first_with_other(rows))
            dots.update(hovertemplate=f"feature %{{x}}: %{{y:.4f}}, {other_name}<extra></extra>")
            figure.add_trace(dots, n, 1)
    figure.update_yaxes(nticks=4, zeroline=True, zerolinecolor=EDGE_COLOR)
    figure.update_xaxes(title="Feature", row=len(rows), col=1)
    figure.update_annotations(x=0, xanchor="left", font={"size": 13})
    return figure.update_layout(title=title, height=110 + 105 * len(rows), bargap=0.15, **_FRAME)


def _lowered(text: str) -> str:
    """`v_i` with its index below the line."""
    return re.sub(r"_(\w)", r"<sub>\1</sub>", text)


def _first_with_other(rows: Sequence[Bars]) -> int:
    return next(n for n, row in enumerate(rows, start=1) if row.other is not None)


def _row_name(name: str, chosen: bool) -> dict[str, Any] | str:
    return {"value": name, "textStyle": {"fontWeight": "bold", "color": CHOSEN_COLOR}} if chosen else name
