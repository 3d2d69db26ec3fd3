"""A crystal on a grid of voxels: one slice through it, and how many numbers the grid is made of."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from cgcnn.figures.colors import EDGE_COLOR, SHELL_COLORS, element_color

CLEAR = "rgba(0, 0, 0, 0)"
GRID_COLOR, GRAPH_COLOR = SHELL_COLORS[0], SHELL_COLORS[1]
LEGEND = {"orientation": "h", "x": 0, "y": -0.16, "yanchor": "top"}


def density_slice(
    values: Float[np.ndarray, "n n"],
    *,
    pitch: float,
    z: float,
    channel: str,
    highest: float,
    atoms: Sequence[tuple[str, float, float, float]] = (),
) -> go.Figure:
    """The density of the voxels at height z (Å), rows y and columns x; `highest` ends the color scale for every slice.

    `atoms` that lie near the plane are rings: symbol, x, y and how far off the plane they are, in Å.
    """
    centers = ((np.arange(len(values)) + 0.5) * pitch).round(4)
    bar = {"title": {"text": "Density"}, "thickness": 10, "outlinewidth": 0}
    figure = go.Figure(go.Heatmap(x=centers, y=centers, z=values.round(3), colorscale="Viridis", colorbar=bar))
    figure.update_traces(zmin=0, zmax=highest, hovertemplate="x %{x:.2f} Å, y %{y:.2f} Å: %{z:.3f}<extra></extra>")
    for symbol in dict.fromkeys(atom[0] for atom in atoms):
        figure.add_trace(_rings(symbol, [atom[1:] for atom in atoms if atom[0] == symbol]))
    end = len(values) * pitch
    axis = {"range": [0, end], "showgrid": False, "zeroline": False, "constrain": "domain"}
    figure.update_xaxes(title="x (Å)", **axis)
    figure.update_yaxes(title="y (Å)", scaleanchor="x", **axis)
    return figure.update_layout(
        title=f"{channel}: the voxels from z = {z - pitch / 2:.4g} to {z + pitch / 2:.4g} Å",
        height=480,
        margin={"l": 0, "r": 0, "t": 50, "b": 0},
        legend=LEGEND,
        showlegend=bool(atoms),
        paper_bgcolor=CLEAR,
        plot_bgcolor=CLEAR,
    )


def _rings(symbol: str, places: Sequence[tuple[float, float, float]]) -> go.Scatter:
    """The atoms of one element, white-rimmed so that they show on any density."""
    return go.Scatter(
        x=[x for x, _, _ in places],
        y=[y for _, y, _ in places],
        mode="markers",
        name=symbol,
        customdata=[off for _, _, off in places],
        marker={"size": 11, "color": element_color(symbol), "line": {"color": "#ffffff", "width": 2}},
        hovertemplate=f"{symbol}: x %{{x:.2f}} Å, y %{{y:.2f}} Å, %{{customdata:+.2f}} Å off the plane<extra></extra>",
    )


def numbers_against_pitch(
    lines: Mapping[str, Sequence[tuple[float, int]]], *, graph: int, chosen: tuple[float, int], cube: float
) -> go.Figure:
    """How many numbers a cube is at each pitch, both axes logarithmic; a dashed line for the graph of the crystal.

    `lines` by name hold (pitch in Å, numbers); `chosen` is ringed.
    """
    figure = go.Figure()
    for (name, points), dash in zip(lines.items(), ("solid", "dot"), strict=False):
        figure.add_scatter(
            x=[pitch for pitch, _ in points],
            y=[numbers for _, numbers in points],
            name=name,
            mode="lines+markers",
            line={"color": GRID_COLOR, "width": 2, "dash": dash},
            hovertemplate=f"{name}, pitch %{{x:g}} Å: %{{y:,}}<extra></extra>",
        )
    ring = {"size": 16, "symbol": "circle-open", "color": EDGE_COLOR, "line": {"width": 3}}
    figure.add_scatter(x=[chosen[0]], y=[chosen[1]], mode="markers", marker=ring, name="chosen pitch", hoverinfo="skip")
    pitches = [pitch for points in lines.values() for pitch, _ in points]
    figure.add_scatter(
        x=[min(pitches), max(pitches)],
        y=[graph, graph],
        name=f"crystal graph: {graph:,}",
        mode="lines",
        line={"color": GRAPH_COLOR, "width": 2, "dash": "dash"},
        hovertemplate=f"crystal graph: {graph:,}<extra></extra>",
    )
    ticks = [0.1, 0.2, 0.5, 1, 2]
    figure.update_xaxes(title="Pitch Δ (Å)", type="log", tickvals=ticks, ticktext=[f"{tick:g}" for tick in ticks])
    figure.update_yaxes(title="Numbers", type="log", dtick=1, exponentformat="power")
    return figure.update_layout(
        title=f"Numbers in a cube of {cube:g} Å",
        height=420,
        margin={"l": 0, "r": 10, "t": 50, "b": 0},
        legend={**LEGEND, "y": -0.2},
        paper_bgcolor=CLEAR,
        plot_bgcolor=CLEAR,
    )
