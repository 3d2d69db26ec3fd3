"""One epoch of a run: what the network said, where the crystals lay, how far its gates stood open.

Points and axes keep their places from epoch to epoch, so that what moves in the picture is what was learned.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from plotly.colors import sequential

from cgcnn.data.targets import Target
from cgcnn.figures.colors import EDGE_COLOR, SHELL_COLORS

POINT_COLOR, MARK_COLOR = SHELL_COLORS[0], SHELL_COLORS[1]
BINS = 20  # of the gates, from closed (0) to open (1)
GOLDEN = 0.618034  # its multiples, without the whole parts, fill a width evenly
MOVE = 350  # ms in which points go to their new places
LEVELS = (15.0, 20.0, 30.0, 40.0, 60.0, 80.0, 100.0)  # %: where the axis of the gates may end


@dataclass(frozen=True)
class Plane:
    """Two directions in the space of crystal vectors, the same for all epochs, and the window that holds them all."""

    directions: np.ndarray  # (d, 2), orthonormal
    shares: tuple[float, float]  # of the variance of the vectors that they were made from
    low: tuple[float, float]
    high: tuple[float, float]

    def seen(self, vectors: np.ndarray) -> np.ndarray:
        """The places (crystals, 2) of vectors (crystals, d), from the middle of their cloud."""
        return (vectors - vectors.mean(axis=0)) @ self.directions

    def share_of(self, vectors: np.ndarray) -> float:
        """How much of the variance of these vectors the plane shows, 0 to 1."""
        total = float(vectors.var(axis=0).sum())
        return float(self.seen(vectors).var(axis=0).sum()) / total if total > 0 else 1.0


def plane_of(epochs: Sequence[np.ndarray]) -> Plane:
    """The two principal directions of the last of `epochs`, each (crystals, d); the window holds every epoch."""
    last = np.asarray(epochs[-1], dtype=float)
    _, lengths, rows = np.linalg.svd(last - last.mean(axis=0), full_matrices=False)
    rows = np.vstack([rows[:2], np.zeros((max(0, 2 - len(rows)), last.shape[1]))])
    signs = [np.sign(row[np.abs(row).argmax()]) or 1.0 for row in rows]  # else a direction could point either way
    directions = (rows * np.array(signs)[:, None]).T
    shares = np.append(lengths**2 / max(float((lengths**2).sum()), 1e-300), [0.0, 0.0])
    places = np.concatenate([(e - e.mean(axis=0)) @ directions for e in epochs])
    low, high = places.min(axis=0), places.max(axis=0)
    room = 0.05 * (high - low) + 1e-6
    (x0, y0), (x1, y1) = (low - room).tolist(), (high + room).tolist()
    return Plane(directions, (float(shares[0]), float(shares[1])), (x0, y0), (x1, y1))


def parity_at(
    truth: Sequence[float],
    predicted: Sequence[float],
    *,
    names: Sequence[str],
    span: tuple[float, float],
    target: Target,
    epoch: int,
) -> dict[str, Any]:
    """Predicted against true values of the validation crystals after one epoch, on axes from `span[0]` to `span[1]`.

    Of a class the probability, beside each other for the two true classes; every crystal keeps its place.
    """
    if target.is_class:
        return _classes_at(truth, predicted, names, target, epoch)
    mae = float(np.abs(np.asarray(predicted) - np.asarray(truth)).mean())
    low, high = (float(f"{value:.3g}") for value in span)
    beyond = sum(not span[0] <= value <= span[1] for value in predicted)
    note = f", {beyond} outside the picture" if beyond else ""
    both = zip(names, truth, predicted, strict=True)
    points = [{"name": name, "value": [round(t, 5), round(p, 5)]} for name, t, p in both]
    diagonal = {"silent": True, "symbol": "none", "label": {"show": False}, "animation": False}
    diagonal |= {"lineStyle": {"color": EDGE_COLOR, "type": "dashed", "width": 1.5}}
    diagonal["data"] = [[{"coord": [low, low]}, {"coord": [high, high]}]]
    return {
        **_moving(f"Predicted against true, {_after(epoch)}", f"MAE {target.text(mae)}{note}"),
        "tooltip": {"confine": True, "formatter": f"{{b}}<br>true, predicted ({target.unit or 'no unit'}): {{c}}"},
        "xAxis": _value_axis(f"True {_axis(target)}", low, high),
        "yAxis": _side_axis(f"Predicted {_axis(target)}", low, high),
        "series": [
            {
                "type": "scatter",
                "data": points,
                "symbolSize": 7,
                "itemStyle": {"color": POINT_COLOR, "opacity": 0.75},
                "markLine": diagonal,
                "clip": True,
            }
        ],
    }


def _classes_at(
    truth: Sequence[float], probability: Sequence[float], names: Sequence[str], target: Target, epoch: int
) -> dict[str, Any]:
    places = [t + 0.7 * ((n * GOLDEN) % 1 - 0.5) for n, t in enumerate(truth)]  # spread over the width of its class
    wrong = sum((p >= 0.5) != (t == 1) for t, p in zip(truth, probability, strict=True)) / max(len(truth), 1)
    border = {"silent": True, "symbol": "none", "label": {"show": False}, "animation": False}
    border |= {"lineStyle": {"color": EDGE_COLOR, "type": "dashed", "width": 1.5}, "data": [{"yAxis": 0.5}]}
    option = _moving(f"Probability of “{target.classes[1]}”, {_after(epoch)}", target.error_text(wrong))
    series: list[dict[str, Any]] = []
    for value, word in enumerate(target.classes):
        rows = [row for row in zip(names, places, probability, truth, strict=True) if row[3] == value]
        points = [{"name": name, "value": [round(x, 4), round(p, 5)]} for name, x, p, _ in rows]
        look = {"color": SHELL_COLORS[value], "opacity": 0.75}
        dots = {"name": word, "type": "scatter", "data": points, "symbolSize": 7, "itemStyle": look}
        series.append(dots | {"symbol": ("circle", "triangle")[value]})
    series[0]["markLine"] = border
    return {
        **option,
        "grid": {**option["grid"], "bottom": 28},
        "legend": {"data": list(target.classes), "bottom": 0, "formatter": "true: {name}"},
        "tooltip": {"confine": True, "formatter": "{b}<br>{a}"},
        "xAxis": _value_axis("", -0.5, 1.5) | {"axisLabel": {"show": False}, "splitLine": {"show": False}},
        "yAxis": {"type": "value", "min": 0, "max": 1, "axisLine": {"show": False}},
        "series": series,
    }


def parity_span(truth: Sequence[float], predicted: Sequence[Sequence[float]]) -> tuple[float, float]:
    """The axis for all epochs: all true values, and of the predictions all but one in a hundred at either end.

    Some untrained networks answer absurdly; the last epochs would be a dot beside that.
    """
    ends = np.percentile(np.concatenate([np.asarray(p, dtype=float) for p in predicted]), [1, 99])
    low, high = min(float(min(truth)), float(ends[0])), max(float(max(truth)), float(ends[1]))
    room = 0.05 * (high - low) or 0.5
    return low - room, high + room


def crystal_map(
    vectors: np.ndarray, truth: Sequence[float], plane: Plane, *, names: Sequence[str], target: Target, epoch: int
) -> dict[str, Any]:
    """The crystals' pooled vectors (crystals, d) on a plane, colored by the true target."""
    low, high = np.percentile(np.asarray(truth, dtype=float), [2, 98]).tolist()
    points = [
        {"name": name, "value": [round(x, 4), round(y, 4), round(t, 4)]}
        for name, (x, y), t in zip(names, plane.seen(vectors).tolist(), truth, strict=True)
    ]
    scale = {"type": "continuous", "dimension": 2, "min": low, "max": high, "calculable": False}
    scale |= {"orient": "horizontal", "left": "center", "bottom": 0, "itemHeight": 140, "itemWidth": 10}
    scale |= {"text": [f"{high:.3g} {target.unit}".rstrip(), f"{low:.3g}"]}
    scale |= {"inRange": {"color": list(sequential.Viridis)}}
    if target.is_class:  # the two colors of the picture beside it
        pieces = [{"value": n, "label": word, "color": SHELL_COLORS[n]} for n, word in enumerate(target.classes)]
        scale = {"type": "piecewise", "dimension": 2, "pieces": pieces, "orient": "horizontal"}
        scale |= {"left": "center", "bottom": 0, "selectedMode": False}
    first, second = (f"{share:.0%}" for share in plane.shares)
    words = f"This plane shows {plane.share_of(vectors):.0%} of their spread\ncolor: true {_axis(target)}"  # two lines
    option = _moving(f"The crystals' vectors, {_after(epoch)}", words)
    return {
        **option,
        "grid": {**option["grid"], "top": 72, "bottom": 32},
        "tooltip": {"confine": True, "formatter": "{b}"},
        "visualMap": scale,
        "xAxis": _value_axis(f"Direction 1 ({first} at the end)", plane.low[0], plane.high[0]),
        "yAxis": _side_axis(f"Direction 2 ({second} at the end)", plane.low[1], plane.high[1]),
        "series": [
            {
                "type": "scatter",
                "data": points,
                "symbolSize": 8,
                "itemStyle": {"opacity": 0.9, "borderColor": EDGE_COLOR, "borderWidth": 0.5},
            }
        ],
    }


def shares_of_gates(gates: np.ndarray) -> list[float]:
    """How many % of the gates σ lie in each of BINS equal steps from closed (0) to open (1)."""
    places = np.minimum((gates.ravel() * BINS).astype(np.int64), BINS - 1)  # three times as fast as np.histogram
    return (100.0 * np.bincount(places, minlength=BINS) / max(1, gates.size)).tolist()


def gate_top(epochs: Sequence[Sequence[Sequence[float]]]) -> float:
    """Where the axis ends for all `epochs`, which hold the shares in % of each layer: at least half of them fit whole.

    The gates of an untrained network may all stand alike; on an axis for their one bar, the others would be flat.
    """
    tallest = sorted(max((share for shares in layers for share in shares), default=0.0) for layers in epochs)
    most = tallest[len(tallest) // 2] if tallest else 0.0
    return next((level for level in LEVELS if most <= level), LEVELS[-1])


def gate_histograms(layers: Sequence[Sequence[float]], *, top: float, title: str) -> dict[str, Any]:
    """How open the gates σ of each layer stand, layer beside layer; `layers` are the `shares_of_gates`, in %."""
    n = len(layers)
    width = 92.0 / max(n, 1)
    steps = [f"{b / BINS:.3g}" for b in range(BINS)]  # where each begins
    lefts = [6.0 + i * width for i in range(n)]
    look = {"top": 30, "textStyle": {"fontSize": 12}}
    heads = [{"text": f"Layer {i + 1}", "left": f"{left:.1f}%", **look} for i, left in enumerate(lefts)]
    return {
        "animationDurationUpdate": MOVE,
        "title": [_title(title), *heads],
        "tooltip": {"confine": True, "trigger": "axis"},
        "grid": [{"left": f"{left:.1f}%", "width": f"{width - 4:.1f}%", "top": 64, "bottom": 42} for left in lefts],
        "xAxis": [
            {"type": "category", "gridIndex": i, "data": steps, "axisTick": {"show": False}}
            | {"axisLabel": {"interval": BINS // 2 - 1, "fontSize": 11}, "name": "Gate σ"}
            | {"nameLocation": "middle", "nameGap": 26}
            for i in range(n)
        ],
        "yAxis": [
            {"type": "value", "gridIndex": i, "min": 0, "max": top, "splitNumber": 2}
            | {"axisLabel": {"formatter": "{value} %", "show": i == 0}}
            for i in range(n)
        ],
        "series": [
            {"name": "% of the gates", "type": "bar", "xAxisIndex": i, "yAxisIndex": i, "barCategoryGap": "8%"}
            | {"data": [_bar(b, share, top) for b, share in enumerate(shares)], "itemStyle": {"color": SHELL_COLORS[2]}}
            | {"encode": {"x": 0, "y": 1, "tooltip": 2}, "labelLayout": {"hideOverlap": True}}
            for i, shares in enumerate(layers)
        ],
    }


def _bar(place: int, share: float, top: float) -> dict[str, Any]:
    """A bar of `share` %; one that is taller than the axis ends there, and says how tall it is."""
    bar: dict[str, Any] = {"value": [place, round(min(share, top), 2), round(share, 2)]}
    words = {"show": True, "position": "top", "distance": 1, "formatter": f"{share:.0f} %", "fontSize": 11}
    return bar | {"label": words} if share > top else bar


def marked_curve(
    epochs: Sequence[Mapping[str, Any]], kept: Mapping[int, float], *, epoch: int, target: Target
) -> dict[str, Any]:
    """The validation error over all epochs, a dot at each kept one (epoch -> MAE), and a line at the one in view."""
    times, unit = (100, "%") if target.is_class else (1, target.unit)
    known = sorted((e["epoch"], e["val_mae"]) for e in epochs if e.get("val_mae") is not None)
    line, dots = ([[e, float(f"{times * mae:.5g}")] for e, mae in row] for row in (known, sorted(kept.items())))
    words = {"formatter": f"epoch {epoch}", "position": "end", "distance": 4, "color": MARK_COLOR}
    mark: dict[str, Any] = {"silent": True, "symbol": "none", "animation": False, "label": words}
    mark |= {"data": [{"xAxis": epoch}], "lineStyle": {"color": MARK_COLOR, "width": 2, "type": "solid"}}
    return {
        "animation": False,
        "title": _title("Validation error; a dot where the network was kept"),
        "grid": {"top": 56, "bottom": 4, "left": 24, "right": 28},
        "tooltip": {"trigger": "axis", "confine": True},
        "xAxis": _value_axis("Epoch", 0, max([e for e, _ in dots + line], default=1)) | {"axisLabel": {}},
        "yAxis": {
            "type": "value",
            "name": f"{target.error} ({unit})" if unit else target.error,
            "nameLocation": "middle",
            "nameGap": 40,
        },
        "series": [
            {
                "name": target.error,
                "type": "line",
                "data": line,
                "showSymbol": False,
                "color": POINT_COLOR,
                "markLine": mark,
            },
            {"name": "kept", "type": "scatter", "data": dots, "symbolSize": 9, "color": POINT_COLOR}
            | {"tooltip": {"show": False}},
        ],
    }


def _moving(title: str, subtitle: str) -> dict[str, Any]:
    return {
        "animationDurationUpdate": MOVE,
        "title": _title(title) | {"subtext": subtitle, "itemGap": 6, "subtextStyle": {"lineHeight": 15}},
        "grid": {"top": 56, "bottom": 4, "left": 16, "right": 20},  # fixed: a frame that fits its labels would jump
    }


def _title(text: str) -> dict[str, Any]:
    return {"text": text, "top": 4, "left": 0, "textStyle": {"fontSize": 15}}


def _value_axis(name: str, low: float, high: float) -> dict[str, Any]:
    ends = {"min": low, "max": high, "axisLabel": {"showMinLabel": False, "showMaxLabel": False}}
    ends |= {"axisLine": {"onZero": False}}
    return {"type": "value", "name": name, "nameLocation": "middle", "nameGap": 26, **ends}


def _side_axis(name: str, low: float, high: float) -> dict[str, Any]:
    """An upright axis, its name above it: beside it, it would cost a phone half the picture."""
    axis = _value_axis(name, low, high)
    return axis | {"nameLocation": "end", "nameGap": 10, "nameTextStyle": {"align": "left"}}


def _after(epoch: int) -> str:
    return "untrained" if epoch == 0 else f"after epoch {epoch}"


def _axis(target: Target) -> str:
    return _unit_words(target.label[:1].lower() + target.label[1:], target)


def _unit_words(words: str, target: Target) -> str:
    return f"{words} ({target.unit})" if target.unit else words
