"""Pooling as it happens: the atoms of a cell laid end to end, their mean and their maximum."""

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from cgcnn.figures.colors import EDGE_COLOR, SHELL_COLORS, element_color

POOLING_MARKS = {  # pooling -> mark, its color, and how far below the bar's middle it stands
    "mean": ("diamond", SHELL_COLORS[1], 0.0),
    "max": ("triangle-up", SHELL_COLORS[2], 0.38),
    "sum": ("triangle-left", SHELL_COLORS[3], 0.0),
}


@dataclass(frozen=True)
class CellBar:
    """One cell: the name of each atom, its element, its value of one feature, and what each pooling makes of them."""

    name: str
    atoms: Sequence[str]
    symbols: Sequence[str]
    values: Sequence[float]
    pooled: dict[str, float]


def pooling_bars(cells: Sequence[CellBar], feature: int) -> go.Figure:
    """A bar for each cell, made of its atoms' values of one feature end to end: its length is the sum."""
    figure = go.Figure()
    places = list(range(len(cells)))
    for place, cell in zip(places, cells, strict=True):
        starts = [sum(cell.values[:n]) for n in range(len(cell.values))]
        wide = len(cell.values) <= 80
        segments = go.Bar(y=[place] * len(starts), x=list(cell.values), base=starts, orientation="h", width=0.5)
        segments.update(
            marker={
                "color": [element_color(s) for s in cell.symbols],
                "line": {"color": EDGE_COLOR, "width": 1 if wide else 0},
            },
            customdata=list(cell.atoms),
            hovertemplate="%{customdata}: %{x:.4f}<extra></extra>",
            showlegend=False,
        )
        figure.add_trace(segments)
    for kind, (symbol, color, below) in POOLING_MARKS.items():
        marks = go.Scatter(
            y=[place + below for place in places],
            x=[cell.pooled[kind] for cell in cells],
            mode="markers",
            name=kind,
            marker={"symbol": symbol, "size": 13, "color": color, "line": {"color": "#ffffff", "width": 1}},
            hovertemplate=f"{kind}: %{{x:.4f}}<extra></extra>",
        )
        figure.add_trace(marks)
    figure.update_xaxes(title=f"Value of feature {feature + 1}", zerolinecolor=EDGE_COLOR)
    names = [cell.name for cell in cells]
    figure.update_yaxes(range=[len(cells) - 0.5, -0.5], tickvals=places, ticktext=names, showgrid=False)
    clear = "rgba(0, 0, 0, 0)"
    return figure.update_layout(
        title=f"Feature {feature + 1} of every atom, end to end",
        height=110 + 70 * len(cells),
        barmode="overlay",
        margin={"l": 0, "r": 0, "t": 50, "b": 0},
        legend={"orientation": "h", "x": 0, "y": -0.3, "yanchor": "top"},
        paper_bgcolor=clear,
        plot_bgcolor=clear,
    )
