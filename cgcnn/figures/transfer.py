"""What a network takes along: which parts are frozen, the errors by source and frozen count, and how sources learn."""

from collections.abc import Mapping, Sequence
from math import isfinite
from statistics import fmean
from typing import Any

from cgcnn.figures.colors import EDGE_COLOR, SHELL_COLORS, label_color
from cgcnn.figures.compare import Curve, overlaid_curves
from cgcnn.figures.sweep import Arm, sweep_chart
from cgcnn.figures.sweep_places import Axis

STATE_COLORS = {"frozen": "#9aa5b1", "tuned": SHELL_COLORS[4], "new": SHELL_COLORS[0]}
PART_HEIGHT = 40  # px of a row of the picture of parts
HEAD = 104  # px above and below all rows: title, key and numbers
LEGEND_LINE, LEGEND_MARK = 85, 7  # letters on a line of half a page; a name's mark takes the room of so many
LEGEND_HEIGHT, NARROW = 24, 420  # px of a line of names; px of a chart on a phone
SCRATCH = "from scratch"
SHARE = "Share of the error of guessing the mean"
Epochs = Sequence[Mapping[str, Any]]


def parts_picture(
    parts: Sequence[tuple[str, int]], columns: Sequence[tuple[str, int]], states: Sequence[Sequence[str]]
) -> dict[str, Any]:
    """Parts of a network against ways to begin it, as an ECharts option: each cell is frozen, tuned or new.

    `parts` are names with numbers of parameters from input to output, `columns` words with how many of them learn,
    `states[column][part]` one of STATE_COLORS.
    """
    cells = [
        _cell(x, y, f"{columns[x][0]}: {parts[y][0].lower()} is {state}", state)
        for x, column in enumerate(states)
        for y, state in enumerate(column)
    ]
    label = {"interval": 0, "lineHeight": 15, "fontSize": 12}
    plain = {"axisLine": {"show": False}, "axisTick": {"show": False}, "splitLine": {"show": False}}
    return {
        "animation": False,
        "title": {
            "text": "What stays and what begins anew",
            "subtext": "Columns: frozen convolutions, and how many parameters learn",
            "top": 4,
            "left": 0,
            "itemGap": 8,
        },
        "grid": {"top": 60, "bottom": 8, "left": 8, "right": 8, "containLabel": True},
        "tooltip": {"trigger": "item", "confine": True},
        "xAxis": {
            "type": "category",
            "position": "top",
            "data": [f"{words}\n{n:,}" for words, n in columns],
            "axisLabel": label,
            **plain,
        },
        "yAxis": {
            "type": "category",
            "inverse": True,
            "data": [f"{name}\n{n:,}" for name, n in parts],
            "axisLabel": label,
            **plain,
        },
        "series": [{"type": "heatmap", "data": cells, "label": {"show": True, "fontSize": 11}}],
        "visualMap": {"show": False, "min": 0, "max": 1, "dimension": 2, "inRange": {"color": [EDGE_COLOR]}},
    }


def parts_alt(columns: Sequence[tuple[str, int]]) -> str:
    """What a reader who cannot see the picture of parts is told."""
    counts = "; ".join(f"{words}: {n:,} parameters learn" for words, n in columns)
    return f"Which parts of a network stay as they are and which begin anew. {counts}."


def transfer_chart(
    found: Sequence[Arm],
    axes: Sequence[Axis],
    scratch: Arm | None,
    *,
    title: str,
    note: str = "",
    unit: str = "",
    error: str = "MAE",
    numbers: Sequence[int] = (),
) -> dict[str, Any]:
    """The test error against the frozen count, a series for each source, with training from scratch as a band.

    `found` is in the order of the grid (frozen count, source), the source fastest. The band is mean ± one standard
    deviation. A `note` takes the place of the line that says how many runs have finished; `numbers` give each source
    the color and mark that it has in every picture.
    """
    option = sweep_chart(found, axes, title=title, unit=unit, error=error, numbers=numbers)
    if scratch is not None and scratch.maes:
        option["series"].append(_scratch(scratch, unit))
        option["legend"]["data"].append(scratch.words)
    if note:
        option["title"]["subtext"] = note
    return _whole_legend(option)


def mean_epochs(runs: Sequence[Epochs]) -> list[dict[str, float | None]]:
    """The mean over runs, epoch by epoch, of their errors (train_mae, val_mae); None where one has none."""
    length = max((len(epochs) for epochs in runs), default=0)
    found = []
    for n in range(length):
        here = [epochs[n] for epochs in runs if len(epochs) > n]
        mean = {key: _mean([epoch.get(key) for epoch in here]) for key in ("train_mae", "val_mae")}
        found.append({"epoch": here[0]["epoch"], "seconds": 0.0, **mean})
    return found


def as_shares(epochs: Epochs, guesses: Sequence[float | None]) -> list[dict[str, float | None]]:
    """The errors of a run over those of always guessing the mean, so that targets of any unit fit one axis.

    `guesses` are the errors of the guess on the validation crystals, one for each target; of several targets the
    shares are averaged.
    """
    found = []
    for epoch in epochs:
        shares = {}
        for side in ("train_mae", "val_mae"):
            errors = epoch.get(f"{side}s") or [epoch.get(side)]
            pairs = zip(errors, guesses, strict=False)
            shares[side] = _mean([e / g if e is not None and g else None for e, g in pairs])
        found.append({"epoch": epoch["epoch"], "seconds": epoch.get("seconds", 0.0), **shares})
    return found


def source_curves(curves: Sequence[Curve], *, log: bool = False) -> dict[str, Any]:
    """How the sources learned, as shares (see `as_shares`): validation solid, training dashed."""
    option = overlaid_curves(curves, training=True, log=log)
    option["title"]["text"] = "How the sources learned"
    option["yAxis"]["name"] = SHARE
    return _two_sides(option)


def target_curves(
    curves: Sequence[Curve], *, unit: str, words: str, log: bool = False, is_class: bool = False
) -> dict[str, Any]:
    """How the new property was learned from each source and from scratch: validation solid, training dashed."""
    option = overlaid_curves(curves, unit=unit, training=True, log=log, is_class=is_class)
    option["title"]["text"] = f"How the new property was learned, {words}"
    for part in option["series"]:
        if part["name"] == SCRATCH:
            part["color"] = EDGE_COLOR  # as in the chart of errors
    return _two_sides(option)


def curve_rows(curves: Sequence[Curve], *, unit: str = "", is_class: bool = False) -> list[dict[str, Any]]:
    """One row for each curve and epoch, as drawn: both errors in `unit`, of a class the shares wrong."""
    error = f"{'share wrong' if is_class else 'MAE'}{f' ({unit})' if unit else ''}"
    return [
        {
            "learned first": curve.label,
            "epoch": epoch["epoch"],
            f"training {error}": epoch["train_mae"],
            f"validation {error}": epoch["val_mae"],
        }
        for curve in curves
        for epoch in curve.epochs
    ]


def _two_sides(option: dict[str, Any]) -> dict[str, Any]:
    """The same with a line below its title that says which curves are which."""
    option["title"] |= {"subtext": "Solid: validation, dashed: training", "itemGap": 8}
    option["legend"]["top"], option["grid"]["top"] = 50, 112
    return _whole_legend(option)


def _whole_legend(option: dict[str, Any]) -> dict[str, Any]:
    """The same with all names of the legend in view, on as many lines as they need; a phone turns its pages."""
    letters = sum(len(name) + LEGEND_MARK for name in option["legend"]["data"])
    if letters > LEGEND_LINE:
        option["grid"]["top"] += LEGEND_HEIGHT * (letters // LEGEND_LINE)
    option["legend"] |= {"type": "plain", "right": 0}
    option["media"] = [{"query": {"maxWidth": NARROW}, "option": {"legend": option["legend"] | {"type": "scroll"}}}]
    return option


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None and isfinite(value)]
    return fmean(known) if known and len(known) == len(values) else None


def _cell(x: int, y: int, tip: str, state: str) -> dict[str, Any]:
    color = STATE_COLORS[state]
    style = {"color": color, "borderColor": "rgba(128, 134, 142, 0.35)", "borderWidth": 2, "borderRadius": 4}
    label = {"formatter": state, "color": label_color(color)}
    return {"value": [x, y, 1], "itemStyle": style, "label": label, "tooltip": {"formatter": tip}}


def _scratch(arm: Arm, unit: str) -> dict[str, Any]:
    """A line at the mean of the runs from scratch, in a band of one standard deviation up and down."""
    spread = arm.std if isfinite(arm.std) else 0.0
    line = {"lineStyle": {"type": [6, 4], "width": 2}, "label": {"show": False}}
    area = {"itemStyle": {"color": EDGE_COLOR, "opacity": 0.18}, "silent": True}
    return {
        "name": arm.words,
        "type": "line",
        "data": [[None, arm.mean - spread], [None, arm.mean + spread]],  # the axis reaches both
        "color": EDGE_COLOR,
        "lineStyle": {"type": [6, 4], "width": 2},
        "symbol": "none",
        "tooltip": {"formatter": f"{arm.words}: {arm.mean:.4g} {unit}".rstrip()},
        "markLine": {"data": [{"yAxis": arm.mean}], "symbol": "none", "silent": True, **line},
        "markArea": {"data": [[{"yAxis": arm.mean - spread}, {"yAxis": arm.mean + spread}]], **area},
    }
