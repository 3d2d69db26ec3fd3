"""One crystal, described in many ways: how far each description moves a network's answer."""

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from cgcnn.figures.colors import EDGE_COLOR, SHELL_COLORS

RULE_COLORS = (SHELL_COLORS[1], SHELL_COLORS[0], *SHELL_COLORS[2:])  # vermilion for the rule as published
SYMBOLS = ("circle", "diamond", "square", "cross")
APART = 0.17  # of a row, between the marks of one rule and the middle


def moved_answers(changes: Mapping[str, Sequence[tuple[str, float]]], *, unit: str, control: str) -> go.Figure:
    """A dot for each description, by kind (rows) and neighbor rule (color); zero is the crystal as given.

    `changes` of the prediction are given as (kind, change in `unit`) for each rule; the row of the kind
    `control`, which must move, stands apart at the bottom.
    """
    kinds = list(dict.fromkeys(kind for dots in changes.values() for kind, _ in dots if kind != control))
    rows = {kind: float(row) for row, kind in enumerate(kinds)} | {control: len(kinds) + 0.3}
    figure = go.Figure()
    for number, (rule, dots) in enumerate(changes.items()):
        offset = (number - (len(changes) - 1) / 2) * 2 * APART
        figure.add_scatter(
            x=[change for _, change in dots],
            y=[rows[kind] + offset for kind, _ in dots],
            mode="markers",
            name=rule,
            customdata=[kind for kind, _ in dots],
            hovertemplate=f"%{{customdata}}, {rule}: %{{x:+.3f}} {unit}<extra></extra>",
            marker={"size": 11, "color": RULE_COLORS[number], "symbol": SYMBOLS[number], "opacity": 0.75},
        )
    figure.add_vline(x=0, line={"color": EDGE_COLOR, "width": 1})
    figure.add_hline(y=len(kinds) - 0.35, line={"color": EDGE_COLOR, "width": 1, "dash": "dot"})
    return _laid_out(figure, rows, unit)


def _laid_out(figure: go.Figure, rows: Mapping[str, float], unit: str) -> go.Figure:
    figure.update_yaxes(
        tickvals=list(rows.values()),
        ticktext=list(rows),
        range=[max(rows.values()) + 0.55, -0.55],
        showgrid=False,
        zeroline=False,
        fixedrange=True,
    )
    figure.update_xaxes(title=f"Change of the prediction ({unit})" if unit else "Change of the prediction")
    clear = "rgba(0, 0, 0, 0)"
    return figure.update_layout(
        title="The same crystal in other words, and one strained",
        height=110 + 46 * len(rows),
        margin={"l": 0, "r": 10, "t": 76, "b": 0},
        legend={"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom"},
        paper_bgcolor=clear,
        plot_bgcolor=clear,
    )
