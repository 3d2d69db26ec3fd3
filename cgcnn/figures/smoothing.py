"""Over-smoothing: how alike the atoms' vectors are after each layer."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from cgcnn.figures.colors import SHELL_COLORS

CLEAR = "rgba(0, 0, 0, 0)"
MOST_NUMBERS = 12  # atoms; cells of more are too small for a number


def similarity_curves(curves: Mapping[str, Sequence[float | None]]) -> go.Figure:
    """A line for each kind of pair: the mean cosine of their vectors after layer 0 (the embedding) to R."""
    figure = go.Figure()
    for (name, values), color in zip(curves.items(), SHELL_COLORS, strict=False):
        x = list(range(len(values)))
        line = go.Scatter(x=x, y=list(values), name=name, mode="lines+markers", line={"color": color, "width": 2})
        figure.add_trace(line.update(hovertemplate=f"{name}, after layer %{{x}}: %{{y:.4f}}<extra></extra>"))
    figure.update_xaxes(title="Layer (0: the embedding)", dtick=1)
    figure.update_yaxes(title="Mean cosine of two atoms")
    return figure.update_layout(
        title="How alike the atoms look, layer by layer",
        height=400,
        showlegend=True,
        legend={"orientation": "h", "x": 0, "y": -0.2, "yanchor": "top"},
        margin={"l": 0, "r": 0, "t": 50, "b": 0},
        paper_bgcolor=CLEAR,
        plot_bgcolor=CLEAR,
    )


def similarity_map(square: np.ndarray, labels: Sequence[str], layer: int) -> go.Figure:
    """The cosine between the vectors of every two atoms after one layer, from 0 to 1; of few atoms in numbers too."""
    low = min(float(square.min(initial=0.0)), 0.0)
    bar = {"title": {"text": "Cosine"}, "thickness": 10, "outlinewidth": 0}
    cells = go.Heatmap(x=list(labels), y=list(labels), z=square, colorscale="Viridis", zmin=low, zmax=1.0, colorbar=bar)
    cells.update(hovertemplate="%{y} and %{x}: %{z:.4f}<extra></extra>")
    if len(labels) <= MOST_NUMBERS:
        cells.update(texttemplate="%{z:.2f}")
    figure = go.Figure(cells)
    figure.update_xaxes(showgrid=False, type="category", constrain="domain")
    figure.update_yaxes(autorange="reversed", showgrid=False, type="category", scaleanchor="x", constrain="domain")
    return figure.update_layout(
        title=f"Every two atoms after layer {layer}",
        height=400,
        margin={"l": 0, "r": 0, "t": 50, "b": 0},
        paper_bgcolor=CLEAR,
        plot_bgcolor=CLEAR,
    )
