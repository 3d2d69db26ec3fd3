"""A distance as a vector: the Gaussians, the matrix of one atom's edges, and what the width does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots
from pymatgen.core import Structure

from cgcnn.config import Config, option
from cgcnn.data.crystal import site_label
from cgcnn.figures.colors import EDGE_COLOR, SHELL_COLORS

if TYPE_CHECKING:  # a picture must not wait for torch
    from cgcnn.graph import CrystalGraph

FIRST_COLOR, SECOND_COLOR, NEIGHBOR_COLOR = SHELL_COLORS[:3]
CLEAR = "rgba(0, 0, 0, 0)"
MOST_ROWS = 200  # of the matrix; more cannot be read
REACH = 3.0  # widths on each side in which a Gaussian is drawn; beyond it lies below 0.0002
NARROW, WIDE = 0.05, 1.0  # Å; the widths that the chosen one is held against
BLIND = 0.1  # below it the largest entry of a vector is lost in the others' noise
SEEN = 0.01  # from it on an entry counts
SHARED_LITTLE = 0.5  # cosine similarity
ALIKE = 0.14  # length of the difference, of the longer vector's; for equally long ones a cosine of 0.99


@dataclass(frozen=True)
class Gaussians(Config):
    """The row of Gaussians; the defaults are the published 41, whose width equals their spacing."""

    step: float = option(
        0.2, "Spacing of the centers", "From one center to the next.", unit="Å", minimum=0.1, maximum=1.0, step=0.05
    )
    width: float = option(
        0.2,
        "Width σ",
        "Where a Gaussian has fallen to 37 %. The network itself always sets it to the spacing.",
        unit="Å",
        minimum=0.05,
        maximum=2.0,
        step=0.05,
    )
    last: float = option(
        8.0, "Last center", "Farther distances fade to zero.", unit="Å", minimum=2.0, maximum=12.0, step=0.5
    )

    @property
    def centers(self) -> np.ndarray:
        """The centers μ in Å, from 0 to the last, to a whole step; shape (K)."""
        return self.step * np.arange(round(self.last / self.step) + 1)


@dataclass(frozen=True)
class NeighborEdge:
    """One edge of the selected atom: who is at its end, in which cell, how far in Å."""

    name: str
    image: tuple[int, int, int]
    distance: float


@dataclass(frozen=True)
class Likeness:
    """How alike the vectors of two distances are, and what that means."""

    width: float  # Å
    cosine: float
    euclidean: float
    meaning: str


def expand(distances: Sequence[float] | np.ndarray, centers: np.ndarray, width: float) -> np.ndarray:
    """u_k(d) = exp(−(d − μ_k)² / σ²) for distances, centers μ and width σ in Å; shape (distances, K)."""
    return np.exp(-(((np.asarray(distances, dtype=float)[:, None] - centers) / width) ** 2))


def edges_of(structure: Structure, graph: CrystalGraph, atom: int) -> list[NeighborEdge]:
    """The edges of one atom, nearest first, as the neighbor rule chose them."""
    own = graph.center == atom
    columns = (graph.neighbor[own].tolist(), graph.image[own].tolist(), graph.distance[own].tolist())
    return [NeighborEdge(site_label(structure, j), (a, b, c), d) for j, (a, b, c), d in zip(*columns, strict=True)]


def gaussian_curves(knobs: Gaussians, distance: float, edges: Sequence[NeighborEdge] = ()) -> go.Figure:
    """All Gaussians with the distance (Å) as a line, and below them the vector u of that distance as bars."""
    u = expand([distance], knobs.centers, knobs.width)[0]
    figure = make_subplots(rows=2, shared_xaxes=True, vertical_spacing=0.2)
    figure.add_trace(_curves(knobs), row=1, col=1)
    figure.add_trace(_meetings(knobs, distance, u), row=1, col=1)
    if edges:
        figure.add_trace(_rug(edges), row=1, col=1)
    tip = "center %{x:.2f} Å: u = %{y:.4f}<extra></extra>"
    bars = go.Bar(x=knobs.centers, y=u, width=0.8 * knobs.step, marker_color=FIRST_COLOR, hovertemplate=tip)
    figure.add_trace(bars.update(showlegend=False), row=2, col=1)
    for row in (1, 2):
        line = {"color": SECOND_COLOR, "width": 2, "dash": "solid" if row == 1 else "dot"}
        figure.add_shape(type="line", x0=distance, x1=distance, y0=0, y1=1.08, line=line, row=row, col=1)
    figure.update_yaxes(title="exp(−(d − μ)²/σ²)", range=[-0.18, 1.08], tickvals=[0, 0.5, 1], zeroline=False, row=1)
    figure.update_yaxes(title="u", range=[0, 1.08], tickvals=[0, 0.5, 1], zeroline=False, row=2)
    end = max(float(knobs.centers[-1]), distance) + 0.25
    figure.update_xaxes(range=[-0.25, end], showticklabels=True, showgrid=False, zeroline=False)
    figure.update_xaxes(title="Distance d (Å)", row=1)
    figure.update_xaxes(title="Center μ of the Gaussian (Å)", row=2)
    return _with_legend(figure, f"d = {distance:.2f} Å among {len(u)} Gaussians, and its vector u", 560)


def edge_matrix(edges: Sequence[NeighborEdge], knobs: Gaussians, center: str) -> go.Figure:
    """The vectors of all edges of the atom named `center` as a heat map: a row an edge, a column a Gaussian."""
    shown = list(edges[:MOST_ROWS])
    u = expand([edge.distance for edge in shown], knobs.centers, knobs.width)
    rows = list(range(len(shown)))
    words = ["{} in cell ({} {} {}), {:.3f} Å".format(edge.name, *edge.image, edge.distance) for edge in shown]
    names = [f"{edge.name}, {edge.distance:.3f} Å" for edge in shown]
    tip = "<b>%{text}</b><br>center %{x:.2f} Å: u = %{z:.4f}<extra></extra>"
    bar = {"title": {"text": "u"}, "thickness": 10, "outlinewidth": 0, "len": min(1.0, 260 / (20 * len(rows)))}
    bar |= {"y": 1, "yanchor": "top"}
    cells = go.Heatmap(x=knobs.centers, y=rows, z=u.round(4), zmin=0, zmax=1, colorscale="Viridis", colorbar=bar)
    text = [[each] * len(knobs.centers) for each in words]
    figure = go.Figure(cells.update(text=text, hovertemplate=tip, ygap=1 if len(rows) < 60 else 0))
    figure.update_xaxes(title="Center μ of the Gaussian (Å)", showgrid=False, zeroline=False)
    ticks = {"tickmode": "array", "tickvals": rows, "ticktext": names, "tickfont": {"size": 11}}
    figure.update_yaxes(autorange="reversed", showgrid=False, zeroline=False, **ticks)
    title = f"Edges of {center}: a matrix of {len(rows)} × {len(knobs.centers)}"
    height = 120 + (20 if len(rows) < 60 else 14) * len(rows)
    return _clear(figure, max(height, 200)).update_layout(title=title, margin={"l": 6, "r": 0, "t": 44, "b": 0})


def matrix_rows(edges: Sequence[NeighborEdge], knobs: Gaussians) -> list[dict[str, Any]]:
    """The whole matrix as rows for a CSV: neighbor, image, distance in Å, and u at each center."""
    u = expand([edge.distance for edge in edges], knobs.centers, knobs.width)
    heads = [f"u({center:.2f} Å)" for center in knobs.centers]
    return [
        {"neighbor": e.name, "image": "({} {} {})".format(*e.image), "distance (Å)": round(e.distance, 4)}
        | dict(zip(heads, (round(x, 6) for x in row.tolist()), strict=True))
        for e, row in zip(edges, u, strict=True)
    ]


def widths_to_compare(chosen: float) -> list[float]:
    """A narrow, the chosen and a wide width in Å, in order, each once."""
    return sorted({NARROW, chosen, WIDE})


def likeness(first: float, second: float, centers: np.ndarray, width: float) -> Likeness:
    """Compare the vectors of two distances in Å."""
    u, w = expand([first, second], centers, width)
    lengths, euclidean = np.linalg.norm([u, w], axis=1), float(np.linalg.norm(u - w))
    cosine = float(u @ w / lengths.prod()) if lengths.prod() > 0 else 0.0
    apart = euclidean / float(lengths.max()) if lengths.any() else 0.0
    meaning = _unseen((first, second), centers, width) or _shared(cosine, apart)
    return Likeness(width, cosine, euclidean, meaning)


def likeness_bars(first: float, second: float, knobs: Gaussians) -> go.Figure:
    """The vectors of two distances in Å beside each other, once for each width to compare."""
    widths = widths_to_compare(knobs.width)
    titles = [f"σ = {width:g} Å{' (chosen)' if width == knobs.width else ''}" for width in widths]
    figure = make_subplots(rows=len(widths), shared_xaxes=True, vertical_spacing=0.1, subplot_titles=titles)
    for row, width in enumerate(widths, start=1):
        both = expand([first, second], knobs.centers, width)
        for distance, u, color in zip((first, second), both, (FIRST_COLOR, SECOND_COLOR), strict=True):
            tip = f"d = {distance:.2f} Å, center %{{x:.2f}} Å: u = %{{y:.4f}}<extra></extra>"
            bars = go.Bar(x=knobs.centers, y=u, name=f"d = {distance:.2f} Å", marker_color=color, hovertemplate=tip)
            figure.add_trace(bars.update(showlegend=row == 1), row=row, col=1)
    figure.update_yaxes(range=[0, 1.08], tickvals=[0, 0.5, 1], title="u")
    figure.update_xaxes(range=_around(first, second, knobs))
    figure.update_xaxes(title="Center μ of the Gaussian (Å)", row=len(widths))
    title = f"The vectors of {first:.2f} and {second:.2f} Å for {len(widths)} widths"
    return _with_legend(figure, title, 150 * len(widths) + 110)


def _curves(knobs: Gaussians) -> go.Scatter:
    """Every Gaussian as one trace, with a gap after each: many traces would be slow."""
    offsets = np.linspace(-REACH, REACH, 37) * knobs.width
    x = np.pad(knobs.centers[:, None] + offsets, ((0, 0), (0, 1)), constant_values=np.nan)
    y = np.pad(np.exp(-((offsets / knobs.width) ** 2)), (0, 1), constant_values=np.nan)
    line = {"color": EDGE_COLOR, "width": 1}
    heights = np.tile(np.round(y, 4), len(knobs.centers))
    return go.Scatter(x=np.round(x, 4).ravel(), y=heights, line=line, hoverinfo="skip", showlegend=False)


def _meetings(knobs: Gaussians, distance: float, u: np.ndarray) -> go.Scatter:
    """Where the line of the distance crosses the Gaussians that are not yet zero there."""
    near = u > 1e-3
    tip = "Gaussian at %{customdata:.2f} Å: u = %{y:.4f}<extra></extra>"
    marker = {"color": FIRST_COLOR, "size": 8}
    places = {"x": np.full(near.sum(), distance), "y": u[near], "customdata": knobs.centers[near]}
    return go.Scatter(**places, mode="markers", marker=marker, hovertemplate=tip, name="u, an entry of the vector")


def _rug(edges: Sequence[NeighborEdge]) -> go.Scatter:
    """A tick below zero for each distance at which the selected atom has neighbors."""
    at = Counter((round(edge.distance, 3), edge.name.split()[0]) for edge in edges)
    words = [f"{count} × {symbol} at {distance:.3f} Å" for (distance, symbol), count in at.items()]
    marker = {"symbol": "line-ns", "size": 14, "line": {"width": 3, "color": NEIGHBOR_COLOR}}
    places = {"x": [distance for distance, _ in at], "y": [-0.08] * len(at)}
    tip = "%{text}<extra></extra>"
    return go.Scatter(**places, mode="markers", marker=marker, text=words, hovertemplate=tip, name="neighbors")


def _unseen(distances: Sequence[float], centers: np.ndarray, width: float) -> str:
    """Why one of the distances (Å) is not seen by two Gaussians; empty where both are."""
    for distance, u in zip(distances, expand(distances, centers, width), strict=True):
        most, seen = float(u.max()), int((u >= SEEN).sum())
        if most >= BLIND and seen > 1:
            continue
        entry = f"{most:.2g}" if most >= 1e-3 else "below 0.001"
        if distance > centers[-1] + width:
            return f"Beyond the last center: the largest entry of {distance:.2f} Å is {entry}, so it is hardly seen."
        if most < BLIND:
            return f"Too narrow: {distance:.2f} Å falls between two centers, where its largest entry is {entry}."
        return (
            f"Too narrow: a single Gaussian sees {distance:.2f} Å, and cannot say on which side of its center it lies."
        )
    return ""


def _shared(cosine: float, apart: float) -> str:
    if cosine < SHARED_LITTLE:
        return "Far apart for this width: the vectors share little, and what is learned of one hardly helps the other."
    if apart < ALIKE:
        return "Too wide for this difference: the vectors are nearly the same and hard to tell apart."
    return "Related and yet different: what is learned of one helps with the other, and they can be told apart."


def _around(first: float, second: float, knobs: Gaussians) -> list[float]:
    """The part of the axis in which the vectors of both distances stand, for the wide width too."""
    low, high = min(first, second) - 2 * WIDE, max(first, second) + 2 * WIDE
    end = float(knobs.centers[-1]) + 0.5 * knobs.step
    return [max(-0.5 * knobs.step, min(low, end - 4 * WIDE)), min(high, end)]


def _with_legend(figure: go.Figure, title: str, height: int) -> go.Figure:
    """A title, and the legend in one line below it, at any width."""
    place = {"yref": "container", "yanchor": "top", "x": 0}
    legend = {"orientation": "h", "y": 1 - 34 / height, **place}
    head = {"text": title, "y": 1 - 6 / height, **place}
    return _clear(figure, height).update_layout(title=head, legend=legend, margin={"l": 0, "r": 0, "t": 92, "b": 0})


def _clear(figure: go.Figure, height: int) -> go.Figure:
    return figure.update_layout(height=height, paper_bgcolor=CLEAR, plot_bgcolor=CLEAR)
