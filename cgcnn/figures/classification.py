"""How well a network tells two classes apart: the ROC curve, the table of confusions, the probabilities it gave."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from plotly.colors import find_intermediate_color

from cgcnn.errors import CrystalError
from cgcnn.figures.colors import EDGE_COLOR, SHELL_COLORS, label_color

CLASS_COLORS = SHELL_COLORS[:2]  # of class 0 and class 1
RIGHT_COLORS = ("#d9e8f2", "#0072b2")  # of a cell that holds none of its class, and of one that holds all
WRONG_COLORS = ("#fbe6d8", "#d55e00")
DASHES = ("solid", "dash", "dot", "dashdot")
BINS = 10


@dataclass(frozen=True)
class RocCurve:
    """One classifier on one set: shares of (0, 0) … (1, 1), the probability that each point needs, and the area.

    `RocCurve(name, *scores.roc_points(truth, probability), auc)`; the first threshold is infinite.
    """

    name: str
    false_positive: Sequence[float] | np.ndarray
    true_positive: Sequence[float] | np.ndarray
    threshold: Sequence[float] | np.ndarray
    auc: float


def roc_figure(
    curves: Sequence[RocCurve], *, classes: Sequence[str], title: str, threshold: float | None = 0.5
) -> go.Figure:
    """ROC curves with their areas in the legend, the diagonal of guessing, and a ring where p = `threshold` cuts."""
    if not curves:
        raise CrystalError("No ROC curve can be drawn without crystals of both classes; test on more crystals.")
    figure = go.Figure(
        go.Scatter(
            x=[0, 1], y=[0, 1], mode="lines", name="guessing, AUC 0.5", line={"color": EDGE_COLOR, "dash": "dash"}
        )
    )
    figure.update_traces(hoverinfo="skip")
    for place, curve in enumerate(curves):
        figure.add_trace(_roc_line(curve, place, classes))
        if threshold is not None:
            figure.add_trace(_ring(curve, place, threshold, first=place == 0))
    room = {"range": [-0.02, 1.02], "constrain": "domain", "tickformat": ".0%"}
    figure.update_xaxes(title=f"Called “{classes[1]}” though “{classes[0]}”", **room)
    figure.update_yaxes(title=f"Called “{classes[1]}” rightly", scaleanchor="x", **room)
    legend = {"orientation": "h", "x": 0, "y": -0.2, "yanchor": "top", "tracegroupgap": 0}
    figure.update_layout(title={"text": title}, legend=legend, height=500)
    return _clear(figure)


def _roc_line(curve: RocCurve, place: int, classes: Sequence[str]) -> go.Scatter:
    tip = (
        f"{curve.name}<br>“{classes[1]}” from p = %{{customdata:.3f}}<br>"
        f"%{{y:.1%}} of “{classes[1]}” found<br>%{{x:.1%}} of “{classes[0]}” called so too<extra></extra>"
    )
    return go.Scatter(
        x=list(curve.false_positive),
        y=list(curve.true_positive),
        customdata=list(np.minimum(curve.threshold, 1)),
        mode="lines",
        name=f"{curve.name}, AUC {curve.auc:.3f}",
        legendgroup=curve.name,
        hovertemplate=tip,
        line={"color": _color(place), "width": 2.5, "dash": DASHES[place // len(SHELL_COLORS) % len(DASHES)]},
    )


def _ring(curve: RocCurve, place: int, threshold: float, first: bool) -> go.Scatter:
    """Where a crystal is called the second class from `threshold` on: the last point that needs at least as much."""
    at = int((np.asarray(curve.threshold) >= threshold).sum()) - 1
    return go.Scatter(
        x=[curve.false_positive[at]],
        y=[curve.true_positive[at]],
        mode="markers",
        name=f"p = {threshold:g}",
        showlegend=first,
        legendgroup=curve.name,
        hoverinfo="skip",
        marker={"symbol": "circle-open", "size": 13, "color": _color(place), "line": {"width": 3}},
    )


def confusion_figure(counts: Sequence[Sequence[int]] | np.ndarray, *, classes: Sequence[str], title: str) -> go.Figure:
    """How many crystals of each true class (rows) were put into each class (columns): the right ones stand in blue.

    Every cell says what share of its true class it holds, and the deeper its color the larger the share.
    """
    table = np.asarray(counts)
    if not table.sum():
        raise CrystalError("No crystal has both a true and a predicted class; test the network on one at least.")
    shares = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    figure = go.Figure(_cells(shares, table, classes))
    for true, called in np.ndindex(2, 2):
        share = shares[true, called]
        words = f"<b>{table[true, called]:,}</b><br>{share:.0%} of its row"
        color = label_color(_cell_color(true == called, share))
        font = {"color": color, "size": 15}
        figure.add_annotation(x=called, y=true, text=words, showarrow=False, font=font)
    ticks = {"tickvals": [0, 1], "ticktext": list(classes), "showgrid": False, "zeroline": False}
    figure.update_xaxes(title="Predicted", **ticks)
    figure.update_yaxes(title="True", autorange="reversed", tickangle=-90, **ticks)
    right = table.trace() / table.sum()
    subtitle = {"text": f"{right:.1%} of {table.sum():,} crystals in the right class"}
    figure.update_layout(title={"text": title, "subtitle": subtitle}, height=400)
    return _clear(figure)


def _cells(shares: np.ndarray, table: np.ndarray, classes: Sequence[str]) -> go.Heatmap:
    signed = np.where(np.eye(2) == 1, shares, -shares - 1e-9)  # an empty wrong cell is no right one
    tips = [
        [f"{table[t, c]:,} crystals, true “{classes[t]}”, predicted “{classes[c]}”" for c in (0, 1)] for t in (0, 1)
    ]
    scale = [[0, WRONG_COLORS[1]], [0.5, WRONG_COLORS[0]], [0.5, RIGHT_COLORS[0]], [1, RIGHT_COLORS[1]]]
    look = {"colorscale": scale, "zmin": -1, "zmax": 1, "showscale": False, "xgap": 3, "ygap": 3}
    return go.Heatmap(z=signed, x=[0, 1], y=[0, 1], text=tips, hovertemplate="%{text}<extra></extra>", **look)


def _cell_color(is_right: bool, share: float) -> str:
    """The color of a cell as `#rrggbb`."""
    low, high = (_rgb(color) for color in (RIGHT_COLORS if is_right else WRONG_COLORS))
    mixed = find_intermediate_color(low, high, float(share))
    return "#{:02x}{:02x}{:02x}".format(*(round(c) for c in mixed))


def _rgb(color: str) -> tuple[int, int, int]:
    r, g, b = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return r, g, b


def probability_histogram(
    truth: Sequence[float], probability: Sequence[float], *, classes: Sequence[str], title: str, threshold: float = 0.5
) -> go.Figure:
    """How probable the network found the second class, for the crystals of each true class beside each other."""
    y, p = np.asarray(truth), np.asarray(probability, dtype=float)
    if not len(y):
        raise CrystalError("No crystal has both a true class and a probability; test the network on one at least.")
    edges = np.linspace(0, 1, BINS + 1)
    figure = go.Figure()
    for value, (word, color) in enumerate(zip(classes, CLASS_COLORS, strict=True)):
        counts = np.histogram(p[y == value], bins=edges)[0]
        tip = f"%{{customdata}}: %{{y:,}} crystals, truly “{word}”<extra></extra>"
        ranges = [f"{low:.1f} to {low + 1 / BINS:.1f}" for low in edges[:-1]]
        look = {"color": color, "pattern": {"shape": "/" if value else "", "fillmode": "replace"}}
        name = f"true: {word} ({int((y == value).sum()):,})"
        x = edges[:-1] + 0.5 / BINS
        figure.add_bar(x=x, y=counts, name=name, marker=look, customdata=ranges, hovertemplate=tip)
    figure.add_vline(x=threshold, line={"color": EDGE_COLOR, "dash": "dash", "width": 2})
    figure.update_xaxes(title=f"Predicted probability of “{classes[1]}”", range=[-0.01, 1.01], tickvals=edges[::2])
    figure.update_yaxes(title="Number of crystals")
    legend = {"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0}
    figure.update_layout(title={"text": title}, barmode="group", bargap=0.12, legend=legend, height=400)
    return _clear(figure)


def _color(place: int) -> str:
    return SHELL_COLORS[place % len(SHELL_COLORS)]


def _clear(figure: go.Figure) -> go.Figure:
    """Let the page's own color through, whatever the theme."""
    return figure.update_layout(paper_bgcolor="rgba(0, 0, 0, 0)", plot_bgcolor="rgba(0, 0, 0, 0)")
