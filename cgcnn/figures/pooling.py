"""Pooling as it happens: the atoms of a cell laid end to end, their mean and their maximum."""

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from cgcnn.figures.colors import EDGE_COLOR, SHELL_COLORS, element_color

POOLING_MARKS = {  # pooling -> symbol, color, name of the mark
    "mean": ("diamond", SHELL_COLORS[1]),
    "max": ("triangle-right", SHELL_COLORS[2]),
    "sum": ("line-ns", SHELL_COLORS[3]),
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
    for cell in cells:
        starts = [sum(cell.values[:n]) for n in range(len(cell.values))]
        wide = len(cell.values) <= 80
        segments = go.Bar(y=[cell.name] * len(starts), x=list(cell.values), base=starts, orientation="h", width=0.5)
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
    for kind, (symbol, color) in POOLING_MARKS.items():
        marks = go.Scatter(
            y=[cell.name for cell in cells],
            x=[cell.pooled[kind] for cell in cells],
            mode="markers",
            name=kind,
            marker={"symbol": symbol, "size": 13, "color": color, "line": {"color": color, "width": 3}},
            hovertemplate=f"{kind}: %{{x:.4f}}<extra></extra>",
        )
        figure.add_trace(marks)
    figure.update_xaxes(title=f"Value of feature {feature + 1}", zerolinecolor=EDGE_COLOR)
    figure.update_yaxes(autorange="reversed", showgrid=False)
    clear = "rgba(0, 0, 0, 0)"
    return figure.update_layout(
        title=f"Feature {feature + 1} of every atom, end to end",
        height=330,
        barmode="overlay",
        margin={"l": 0, "r": 0, "t": 60, "b": 0},
        legend={"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom"},
        paper_bgcolor=clear,
        plot_bgcolor=clear,
    )
