"""How a run goes and how good it became: curves while it learns, pictures of its errors afterwards."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from math import isfinite
from typing import Any

import numpy as np
import plotly.graph_objects as go

from cgcnn.data.targets import Target
from cgcnn.errors import CrystalError
from cgcnn.figures.colors import EDGE_COLOR, SHELL_COLORS
from cgcnn.figures.learning_marks import bar_to_beat, best_mark, keep_apart
from cgcnn.figures.periodic_table import periodic_table

TRAIN_COLOR, VAL_COLOR = SHELL_COLORS[:2]  # Okabe and Ito's blue and vermilion: 3:1 or more on white and on black
MOST_POINTS = 400  # of a curve; more cost time on the wire and cannot be seen
METRICS = {"loss": "Loss", "mae": "Mean absolute error"}
WRONG = "Share wrong"  # the error of a class: crystals put into the wrong one at p = 0.5

BATCHES = "Batches of this epoch"

Epochs = Sequence[Mapping[str, Any]]  # fields of EpochMetrics
Batches = Sequence[Mapping[str, float]]


def loss_curves(
    epochs: Epochs,
    *,
    metric: str = "loss",
    unit: str = "",
    log: bool = False,
    baseline: float | None = None,
    best_epoch: int | None = None,
    total_epochs: int | None = None,
    batches: Batches = (),
    is_class: bool = False,
    best_words: str = "best",
    n_targets: int = 1,
) -> dict[str, Any]:
    """Training and validation curves as an ECharts option, with the best validation epoch marked.

    `epochs` have the fields of EpochMetrics; `metric` is "loss" or "mae", the latter in `unit` and beside
    `baseline`, the error of always predicting the mean. Without `best_epoch` it is the lowest `score`, or val_mae
    where an epoch has none; `best_words` say by what it is best. Of a class (`is_class`) "mae" is the share of
    crystals put into the wrong one, drawn in %.
    `batches`, with the fields of BatchMetrics, are of the epoch under way: a thin line ahead of the last epoch.
    Of several targets (`n_targets`) the loss is that of all of them.
    """
    error = error_words(metric, is_class)
    if is_class and metric == "mae":
        epochs, batches, unit = in_percent(epochs), in_percent(batches), "%"
        baseline = 100 * baseline if baseline else None
    best = _best(epochs, best_epoch)
    drawn = _thinned(epochs, best)
    last = total_epochs or (int(epochs[-1]["epoch"] or 1) if epochs else 1)
    series = [
        _curve("Training", drawn, f"train_{metric}", TRAIN_COLOR, log),
        _curve("Validation", drawn, f"val_{metric}", VAL_COLOR, log) | {"lineStyle": {"type": [7, 3], "width": 2}},
    ]
    if best is not None and (value := _plain(epochs[best].get(f"val_{metric}"), log)) is not None:
        at = int(epochs[best]["epoch"] or 0)
        series[1]["markPoint"] = best_mark(at, value, last, bool(batches), best_words)
    if batches:
        series.append(_head(batches, metric, log))
    if metric == "mae" and baseline:
        series.append(bar_to_beat(baseline, last, unit, is_class))
        keep_apart(series, log)
    together = metric == "loss" and n_targets > 1
    title = f"{error} of all targets together" if together else f"{error} after each epoch"
    return {
        "animation": False,
        "title": {"text": title, "top": 4, "left": 0},
        "legend": {"data": ["Training", "Validation", *([BATCHES] if batches else [])], "top": 28, "left": 0},
        "grid": {"top": 80, "bottom": 30, "left": 8, "right": 24},
        "tooltip": {"trigger": "axis"},
        "xAxis": _epoch_axis(last, digits=2 if batches else 0),
        "yAxis": _error_axis(error, unit if metric == "mae" else "", log),
        "series": series,
    }


def in_percent(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The epochs or batches of a class, their shares that are wrong in %."""
    shares = ("train_mae", "val_mae", "mae")
    return [{**row} | {name: 100 * row[name] for name in shares if row.get(name) is not None} for row in rows]


def error_words(metric: str, is_class: bool) -> str:
    """What a curve shows: `Loss`, `Mean absolute error`, or of a class `Share wrong`."""
    return WRONG if is_class and metric == "mae" else METRICS[metric]


def best_place(epochs: Epochs) -> int | None:
    """The place of the best epoch: the lowest `score`, or validation error where epochs have no score."""
    known = [(value, i) for i, e in enumerate(epochs) if (value := _plain(score_of(e), False)) is not None]
    return min(known)[1] if known else None


def score_of(epoch: Mapping[str, Any]) -> float | None:
    """What chose the best epoch, the lower the better; epochs of earlier versions have their validation error alone."""
    score = epoch.get("score")
    return score if score is not None and score == score else epoch.get("val_mae")


def axis_end(done: float, total: int) -> int:
    """Where the epoch axis of a run under way ends: 1, 2, 5, 10, 20 … epochs, so that the first batches are seen."""
    return min(total, next(n * 10**k for k in range(9) for n in (1, 2, 5) if n * 10**k >= done))


def _best(epochs: Epochs, best_epoch: int | None) -> int | None:
    if best_epoch is None:
        return best_place(epochs)
    return next((i for i, e in enumerate(epochs) if e["epoch"] == best_epoch), None)


def _thinned(epochs: Epochs, best: int | None) -> Epochs:
    """At most MOST_POINTS epochs at even steps: the first, the last and the best are among them."""
    if len(epochs) <= MOST_POINTS:
        return epochs
    chosen = {round(i) for i in np.linspace(0, len(epochs) - 1, MOST_POINTS - 1)}
    return [epochs[i] for i in sorted(chosen | ({best} if best is not None else set()))]


def _plain(value: float | None, log: bool) -> float | None:
    """A number that JSON and the axis can take, or None: then the curve has a gap."""
    return None if value is None or not isfinite(value) or (log and value <= 0) else float(value)


def _curve(name: str, epochs: Epochs, key: str, color: str, log: bool) -> dict[str, Any]:
    return {
        "name": name,
        "type": "line",
        "data": [[e["epoch"], _plain(e.get(key), log)] for e in epochs],
        "color": color,
        "lineStyle": {"width": 2},
        "symbol": "circle" if name == "Training" else "diamond",
        "symbolSize": 7,
        "showSymbol": len(epochs) <= 20,
    }


def _head(batches: Batches, metric: str, log: bool) -> dict[str, Any]:
    """The batches of one epoch between its beginning and its end; one batch is noisier than a whole epoch."""
    drawn = sorted(batches, key=lambda b: b["batch"])[:: -len(batches) // MOST_POINTS][::-1]  # with the last
    return {
        "name": BATCHES,
        "type": "line",
        "data": [[b["epoch"] - 1 + b["batch"] / b["n_batches"], _plain(b[metric], log)] for b in drawn],
        "color": TRAIN_COLOR,
        "lineStyle": {"width": 1, "opacity": 0.7},
        "symbolSize": 4,
        "showSymbol": len(drawn) <= 60,
    }


def _epoch_axis(last: int, digits: int) -> dict[str, Any]:
    pointer = {"label": {"formatter": "Epoch {value}", "precision": digits}}
    words = {"name": "Epoch", "nameLocation": "middle", "nameGap": 26, "axisPointer": pointer}
    return {"type": "value", "min": 0, "max": last, "minInterval": 1, **words}


def _error_axis(label: str, unit: str, log: bool) -> dict[str, Any]:
    name = f"{label} ({unit})" if unit else label
    words = {"name": name, "nameLocation": "end", "nameGap": 12, "nameTextStyle": {"align": "left"}}
    room = {} if log else {"boundaryGap": [0, "8%"]}  # for the words on the bar to beat
    return {"type": "log" if log else "value", **room, **words}


def parity_plot(
    truth: Sequence[float],
    predicted: Sequence[float],
    *,
    ids: Sequence[str],
    unit: str,
    title: str,
    label: str,
) -> go.Figure:
    """Predicted against true values; a perfect network would put every crystal on the diagonal."""
    if not len(truth):
        raise CrystalError("No crystal has both a true and a predicted value; test the network on one at least.")
    x, y = np.asarray(truth, dtype=float), np.asarray(predicted, dtype=float)
    axis = f"{label} ({unit})" if unit else label
    low, high = _padded(np.concatenate([x, y]))
    mae = f"MAE {np.abs(x - y).mean():.3g} {unit}".rstrip() + f", {_counted(len(x), 'crystal')}"
    diagonal = {"x": [low, high], "y": [low, high], "mode": "lines", "name": "perfect", "hoverinfo": "skip"}
    tip = f"<b>%{{text}}</b><br>true %{{x:.4g}} {unit}<br>predicted %{{y:.4g}} {unit}<extra></extra>"
    dots = {"color": TRAIN_COLOR, "size": 7, "opacity": 0.8}
    figure = go.Figure(
        [
            go.Scatter(diagonal, line={"color": EDGE_COLOR, "dash": "dash"}),
            go.Scatter(x=x, y=y, mode="markers", text=list(ids), hovertemplate=tip, marker=dots, name="crystals"),
        ]
    )
    figure.update_xaxes(title=f"True {_lowered(axis)}", range=[low, high], constrain="domain")
    figure.update_yaxes(title=f"Predicted {_lowered(axis)}", range=[low, high], scaleanchor="x", constrain="domain")
    figure.update_layout(title={"text": title, "subtitle": {"text": mae}}, showlegend=False, height=480)
    return _clear(figure)


def error_by_element(errors: Mapping[str, tuple[float, int]], *, unit: str, is_class: bool = False) -> go.Figure:
    """The mean absolute error over the crystals that contain each element: symbol -> (MAE in `unit`, how many).

    Of a class, the share in % of these crystals that is put into the wrong one; `errors` have it from 0 to 1.
    """
    values = {symbol: 100 * mae if is_class else mae for symbol, (mae, _) in errors.items()}
    unit = "%" if is_class else unit
    counts = {symbol: n for symbol, (_, n) in errors.items()}
    return periodic_table(values, title=f"{error_words('mae', is_class)} by element", unit=unit, counts=counts)


def target_histogram(values: Iterable[float], *, target: Target) -> go.Figure:
    """How a target is distributed over the crystals, with its median and mean."""
    known = np.fromiter(values, dtype=float)
    if not len(known):
        raise CrystalError(f"No crystal has a value of {target.label.lower()}; choose another target.")
    if target.is_class:
        return _class_bars(known, target)
    counts, edges = np.histogram(known, bins=int(np.clip(np.sqrt(len(known)), 8, 48)))
    figure = go.Figure(_bars(counts, edges, target))
    for name, at, dash in (("median", np.median(known), "solid"), ("mean", known.mean(), "dash")):
        words = f"{name} {target.text(float(at))}"
        line = {"color": VAL_COLOR, "width": 2, "dash": dash}
        figure.add_scatter(x=[at, at], y=[0, int(counts.max())], mode="lines", name=words, line=line, hoverinfo="name")
    title = {"text": f"{target.label} of {_counted(len(known), 'crystal')}"}
    figure.update_layout(title=title, legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0}, height=380)
    figure.update_xaxes(title=target.axis)
    figure.update_yaxes(title="Number of crystals")
    return _clear(figure)


def _class_bars(known: np.ndarray, target: Target) -> go.Figure:
    """How many crystals belong to each of two classes."""
    counts = [int((known < 0.5).sum()), int((known >= 0.5).sum())]
    words = [f"{n:,} ({n / len(known):.0%})" for n in counts]
    tip = "%{x}: %{y:,} crystals<extra></extra>"
    colors = {"color": [TRAIN_COLOR, VAL_COLOR]}
    figure = go.Figure(go.Bar(x=list(target.classes), y=counts, text=words, marker=colors, hovertemplate=tip))
    figure.update_layout(title={"text": f"{target.label} of {_counted(len(known), 'crystal')}"}, height=380)
    figure.update_xaxes(title=target.label)
    figure.update_yaxes(title="Number of crystals")
    return _clear(figure)


def _bars(counts: np.ndarray, edges: np.ndarray, target: Target) -> go.Bar:
    ranges = [f"{a:.4g} to {b:.4g} {target.unit}".rstrip() for a, b in pairwise(edges)]
    return go.Bar(
        x=(edges[:-1] + edges[1:]) / 2,
        y=counts,
        width=np.diff(edges) * 0.94,
        marker={"color": TRAIN_COLOR},
        customdata=ranges,
        hovertemplate="%{customdata}: %{y:,} crystals<extra></extra>",
        showlegend=False,
    )


def _padded(values: np.ndarray) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    room = 0.05 * (high - low) or 0.5
    return low - room, high + room


def _counted(n: int, noun: str) -> str:
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def _lowered(label: str) -> str:
    return label[:1].lower() + label[1:]


def _clear(figure: go.Figure) -> go.Figure:
    """Let the page's own color through, whatever the theme."""
    return figure.update_layout(paper_bgcolor="rgba(0, 0, 0, 0)", plot_bgcolor="rgba(0, 0, 0, 0)")
