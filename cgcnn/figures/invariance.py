"""One crystal, described in many ways: how far each description moves a network's answer."""

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from cgcnn.figures.colors import EDGE_COLOR, SHELL_COLORS

RULE_COLORS = (SHELL_COLORS[1], SHELL_COLORS[0], *SHELL_COLORS[2:])  # vermilion for the rule as published
SYMBOLS = ("circle", "diamond", "square", "cross")
APART = 0.17  # of a row, between the marks of one rule and the middle
ROW, GAP = 46, 70  # px: of one kind, and between the two pictures
NOISE = 0.02  # of the control's change; the axis of the others shows at least so much, or rounding would look large


def moved_answers(changes: Mapping[str, Sequence[tuple[str, float]]], *, unit: str, control: str) -> go.Figure:
    """A dot for each description, by kind (rows) and neighbor rule (color); zero is the crystal as given.

    `changes` of the prediction are given as (kind, change in `unit`) for each rule. The kind `control`, which must
    move, has a picture of its own below, on a scale of its own: it may move a thousand times as far.
    """
    kinds = list(dict.fromkeys(kind for dots in changes.values() for kind, _ in dots if kind != control))
    heights = [len(kinds), 1]
    figure = make_subplots(2, 1, row_heights=heights, vertical_spacing=GAP / (ROW * sum(heights) + GAP))
    for part, names in enumerate((kinds, [control]), start=1):
        for number, (rule, dots) in enumerate(changes.items()):
            offset = (number - (len(changes) - 1) / 2) * 2 * APART
            trace = _dots(rule, [dot for dot in dots if dot[0] in names], names, offset, unit)
            figure.add_trace(trace.update(marker=_mark(number), showlegend=part == 1), row=part, col=1)
        _lay_out_rows(figure, part, names)
    figure.add_vline(x=0, line={"color": EDGE_COLOR, "width": 1})
    far = 1.1 * max((abs(change) for dots in changes.values() for kind, change in dots if kind != control), default=0)
    least = NOISE * max(
        (abs(change) for dots in changes.values() for kind, change in dots if kind == control), default=1
    )
    figure.update_xaxes(range=[-max(far, least), max(far, least)], row=1)
    return _laid_out(figure, unit, ROW * sum(heights) + GAP)


def _dots(rule: str, dots: Sequence[tuple[str, float]], rows: Sequence[str], offset: float, unit: str) -> go.Scatter:
    return go.Scatter(
        x=[change for _, change in dots],
        y=[rows.index(kind) + offset for kind, _ in dots],
        mode="markers",
        name=rule,
        legendgroup=rule,
        customdata=[kind for kind, _ in dots],
        hovertemplate=f"%{{customdata}}, {rule}: %{{x:+.3f}} {unit}<extra></extra>",
    )


def _mark(number: int) -> dict[str, object]:
    return {"size": 11, "color": RULE_COLORS[number], "symbol": SYMBOLS[number], "opacity": 0.75}


def _lay_out_rows(figure: go.Figure, part: int, names: Sequence[str]) -> None:
    figure.update_yaxes(
        tickvals=list(range(len(names))),
        ticktext=[name.replace(" (", "<br>(") for name in names],
        range=[len(names) - 0.5, -0.5],
        showgrid=False,
        zeroline=False,
        fixedrange=True,
        row=part,
    )


def _laid_out(figure: go.Figure, unit: str, height: float) -> go.Figure:
    words = f"Change of the prediction ({unit})" if unit else "Change of the prediction"
    figure.update_xaxes(title=words, row=1)
    figure.update_xaxes(title=f"{words}, on its own scale", row=2)
    clear = "rgba(0, 0, 0, 0)"
    return figure.update_layout(
        title="The same crystal in other words, and one strained",
        height=height + 120,
        margin={"l": 0, "r": 10, "t": 76, "b": 0},
        legend={"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom"},
        paper_bgcolor=clear,
        plot_bgcolor=clear,
    )
