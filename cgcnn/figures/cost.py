"""How the cost of a graph grows with the crystal: straight lines on paper with two logarithmic axes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import nan

import plotly.graph_objects as go

from cgcnn.figures.colors import EDGE_COLOR
from cgcnn.figures.invariance import RULE_COLORS, SYMBOLS


@dataclass(frozen=True)
class Growth:
    """One line: a quantity for each number of atoms, and the exponent p of quantity ∝ atomsᵖ; NaN to name none."""

    n_atoms: Sequence[int]
    values: Sequence[float]
    exponent: float = nan
    faint: bool = False  # a comparison, drawn dashed and gray


def growth(lines: Mapping[str, Growth], *, title: str, axis: str, unit: str = "") -> go.Figure:
    """Quantities against the number of atoms, both logarithmic; the legend gives each exponent."""
    figure = go.Figure()
    for number, (name, line) in enumerate(lines.items()):
        color = EDGE_COLOR if line.faint else RULE_COLORS[number]
        words = f"{name}: N<sup>{line.exponent:.2f}</sup>" if line.exponent == line.exponent else name
        figure.add_scatter(
            x=list(line.n_atoms),
            y=list(line.values),
            mode="lines+markers",
            name=words,
            line={"color": color, "width": 2, "dash": "dash" if line.faint else "solid"},
            marker={"color": color, "size": 8, "symbol": SYMBOLS[number % len(SYMBOLS)]},
            hovertemplate=f"{name}<br>%{{x:,}} atoms: %{{y:,.4~g}} {unit}<extra></extra>",
        )
    figure.update_xaxes(title="Atoms in the cell, N", type="log", dtick=1, tickformat="~s")
    figure.update_yaxes(
        title=f"{axis} ({unit})" if unit else axis, type="log", dtick=1, tickformat="~g" if unit else "~s"
    )
    clear = "rgba(0, 0, 0, 0)"
    return figure.update_layout(
        title=title,
        height=440,
        margin={"l": 0, "r": 10, "t": 50, "b": 0},
        legend={"orientation": "h", "x": 0, "y": -0.2, "yanchor": "top"},
        paper_bgcolor=clear,
        plot_bgcolor=clear,
    )
