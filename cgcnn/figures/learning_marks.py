"""What is written into the curves of a run: its best epoch, and the error of always predicting the mean."""

from collections.abc import Callable
from math import log10
from typing import Any

from cgcnn.figures.colors import EDGE_COLOR, SHELL_COLORS

BEST_COLOR = SHELL_COLORS[1]  # that of the validation curve
NEAR = 0.2  # of the height of the axis: two lines of words


def best_mark(epoch: int, value: float, last: int, is_under_way: bool, words: str = "best") -> dict[str, Any]:
    """A ring around the best epoch of the validation curve, with its words, as an ECharts markPoint."""
    # Curves fall toward the right, so there is room to the right of a point, but for the last ones, and but for the
    # batches of an epoch under way: those begin at the last point and jump up and down.
    side = "right" if epoch > (0.15 if is_under_way else 0.6) * last else "left"
    label = {"formatter": f"{words}: epoch {epoch}", "position": "top", "distance": 10, "align": side}
    ring = {"color": "transparent", "borderColor": BEST_COLOR, "borderWidth": 3}
    mark = {"name": "best epoch", "coord": [epoch, value], "symbol": "circle", "symbolSize": 13}
    return {"data": [mark], "label": {**label, "color": BEST_COLOR, "fontSize": 13}, "itemStyle": ring}


def bar_to_beat(baseline: float, last: int, unit: str, is_class: bool = False) -> dict[str, Any]:
    """A dashed line as a series of its own, so that the axis always reaches it."""
    guess = "always the commoner class" if is_class else "predict the mean"
    words = f"{guess}, validation: {baseline:.3g} {unit}".rstrip()
    return {
        "name": "Predict the mean",
        "type": "line",
        "data": [[0, baseline], [last, baseline]],
        "silent": True,
        "symbol": "none",
        "color": EDGE_COLOR,
        "lineStyle": {"width": 0},
        "tooltip": {"show": False},
        "markLine": {
            "data": [{"yAxis": baseline}],
            "symbol": "none",
            "silent": True,
            "lineStyle": {"type": [3, 4], "width": 2},
            "label": {"formatter": words, "position": "insideEndTop"},
        },
    }


def keep_apart(series: list[dict[str, Any]], log: bool) -> None:
    """Where the best epoch is near the bar to beat, their words go to the two sides: the upper one's above."""
    mark, bar = series[1].get("markPoint"), series[-1]["markLine"]
    if mark is None:
        return
    value, baseline = mark["data"][0]["coord"][1], bar["data"][0]["yAxis"]
    drawn = [y for line in series for _, y in line["data"] if y is not None]
    place: Callable[[float], float] = log10 if log else float
    span = place(max(drawn)) - (place(min(drawn)) if log else min(0.0, min(drawn)))
    if abs(place(value) - place(baseline)) > NEAR * span:
        return
    if value > baseline:
        bar["label"]["position"] = "insideEndBottom"
    else:
        mark["label"]["position"] = "bottom"
