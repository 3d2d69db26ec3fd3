"""Attention in pictures: weights on an atom's edges, against distance, and how many neighbors they leave to count."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go
from pymatgen.core import Structure

from cgcnn.figures.colors import EDGE_COLOR, SHELL_COLORS, element_color
from cgcnn.figures.frame import element_legend
from cgcnn.figures.graph_scene import graph_scene
from cgcnn.figures.parts import Entry, Scene

if TYPE_CHECKING:  # a picture must not wait for torch
    from cgcnn.graph import CrystalGraph

CLEAR = "rgba(0, 0, 0, 0)"
HEAVY = SHELL_COLORS[1]  # the color of the heaviest edge; one that weighs nothing is gray
THIN, THICK = 0.04, 0.32  # Å, diameters of an edge that weighs nothing and of the heaviest
STEPS = 4  # colors in the legend
DISTANCE, WEIGHT = 3, 4  # digits to which two dots are one


@dataclass(frozen=True)
class Dot:
    """One edge in the picture of weights: its length in Å, its weight, who is at its end, and whether it is chosen."""

    distance: float
    weight: float
    symbol: str
    own: bool  # of the selected atom


@dataclass(frozen=True)
class Layers:
    """How many neighbors count in each layer: the mean over the atoms, and the fewest and the most."""

    mean: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]


def attention_scene(structure: Structure, graph: CrystalGraph, atom: int, weights: Sequence[float]) -> Scene:
    """The selected atom and its edges alone, each as thick and as strong in color as its weight (graph order)."""
    scene = graph_scene(structure, graph, selected=atom)
    heaviest = max(weights, default=0.0) or 1.0
    colors = _colors([weight / heaviest for weight in weights])
    edges = tuple(
        replace(
            edge,
            colors=(color, color),
            width=THIN + (THICK - THIN) * weight / heaviest,
            tip=f"{edge.tip}: weight {weight:.3g}",
        )
        for edge, weight, color in zip(scene.edges, weights, colors, strict=False)  # its own edges come first
    )
    told = f"The weights of its edges go from {min(weights, default=0.0):.3g} to {heaviest:.3g}."
    legend = element_legend(structure) + _legend(heaviest)
    return replace(scene, edges=edges, legend=legend, summary=f"{scene.summary} {told}")


def _colors(parts: Sequence[float]) -> list[str]:
    """`#rrggbb` from gray at 0 to HEAVY at 1; width says the same to an eye that sees no color."""
    light, heavy = (np.array(_channels(color)) for color in (EDGE_COLOR, HEAVY))
    mixed = [(1 - part) * light + part * heavy for part in parts]
    return ["#{:02x}{:02x}{:02x}".format(*np.rint(rgb).astype(int).tolist()) for rgb in mixed]


def _channels(color: str) -> tuple[int, int, int]:
    red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return red, green, blue


def _legend(heaviest: float) -> tuple[Entry, ...]:
    steps = [n / (STEPS - 1) for n in range(STEPS)]
    words = [f"{heaviest * step:.2g}" for step in steps]
    words[0] = f"weight {words[0]}"
    return tuple(Entry(color, text, "edge") for color, text in zip(_colors(steps), words, strict=True))


def weights_by_distance(dots: Sequence[Dot], even: float, title: str) -> go.Figure:
    """A dot for each edge, colored by the element at its end; edges of the selected atom are large.

    `even` is the weight that each neighbor of the selected atom would have if all counted alike. Dots that
    lie on each other are drawn once, and say how many they are.
    """
    alike = Counter(
        (dot.own, dot.symbol, round(dot.distance, DISTANCE), round(dot.weight, WEIGHT))
        for dot in sorted(dots, key=lambda dot: (dot.symbol, dot.distance))
    )
    figure = go.Figure()
    figure.add_hline(y=even, line={"color": EDGE_COLOR, "dash": "dot", "width": 1.5})
    named: set[str] = set()
    for own in (False, True):  # the selected atom's on top
        for symbol in sorted({key[1] for key in alike}):
            found = [(d, w, n) for (o, s, d, w), n in alike.items() if (o, s) == (own, symbol)]
            if found:
                figure.add_trace(_dots(found, symbol, own=own, named=symbol not in named))
                named.add(symbol)
    high = max([even, *(key[3] for key in alike)])
    figure.update_xaxes(title="Distance (Å)")
    figure.update_yaxes(title="Weight c", range=[-0.05 * high, 1.1 * high])
    note = {"x": 1, "xref": "paper", "xanchor": "right", "y": even, "yanchor": "bottom", "showarrow": False}
    figure.add_annotation(text=f"all alike: {even:.3g}", font={"size": 11, "color": EDGE_COLOR}, **note)
    return _laid_out(figure, title)


def _dots(found: Sequence[tuple[float, float, int]], symbol: str, *, own: bool, named: bool) -> go.Scatter:
    marker: dict[str, object] = {
        "color": element_color(symbol),
        "size": 13 if own else 7,
        "opacity": 1.0 if own else 0.55,
    }
    marker |= {"line": {"color": EDGE_COLOR, "width": 1.5 if own else 0.5}}
    tip = f"to {symbol}, %{{x:.3f}} Å: weight %{{y:.4f}} (%{{text}})<extra></extra>"
    words = [f"{n} edge{'s' * (n != 1)}" for _, _, n in found]
    dots = go.Scatter(x=[d for d, _, _ in found], y=[w for _, w, _ in found], mode="markers", marker=marker, text=words)
    return dots.update(name=f"to {symbol}", legendgroup=symbol, showlegend=named, hovertemplate=tip)


def effective_by_layer(curves: Mapping[str, Layers], most: float, layer: int) -> go.Figure:
    """A line for each kind of attention: neighbors that count, layer by layer; the band goes from least to most.

    `most` is how many neighbors an atom has; `layer`, from 0, is marked.
    """
    figure = go.Figure()
    figure.add_hline(y=most, line={"color": EDGE_COLOR, "dash": "dot", "width": 1.5})
    figure.add_vline(x=layer + 1, line={"color": EDGE_COLOR, "width": 1})
    for (name, found), color in zip(curves.items(), SHELL_COLORS, strict=False):
        x = list(range(1, len(found.mean) + 1))
        band = go.Scatter(x=[*x, *x[::-1]], y=[*found.high, *list(found.low)[::-1]], fill="toself", mode="lines")
        faint = "rgba({}, {}, {}, 0.15)".format(*_channels(color))
        figure.add_trace(band.update(fillcolor=faint, line={"width": 0}, hoverinfo="skip", showlegend=False))
        line = go.Scatter(x=x, y=list(found.mean), name=name, mode="lines+markers", line={"color": color, "width": 2})
        tip = f"{name}, layer %{{x}}: %{{y:.2f}} (%{{customdata[0]:.2f}} to %{{customdata[1]:.2f}})<extra></extra>"
        figure.add_trace(line.update(customdata=np.column_stack([found.low, found.high]), hovertemplate=tip))
    n_layers = max(len(found.mean) for found in curves.values())
    figure.update_xaxes(title="Layer", dtick=1, range=[0.5, n_layers + 0.5])
    figure.update_yaxes(title="Neighbors that count", range=[0, 1.12 * most])
    side = (0, "left") if 2 * layer >= n_layers - 1 else (1, "right")  # away from the mark of the layer
    note = {"x": side[0], "xref": "paper", "xanchor": side[1], "y": most, "yanchor": "bottom", "showarrow": False}
    figure.add_annotation(text=f"all alike: {most:.3g}", font={"size": 11, "color": EDGE_COLOR}, **note)
    return _laid_out(figure, "How many neighbors count, layer by layer")


def self_product(distance: np.ndarray, product: np.ndarray, at: Sequence[float]) -> go.Figure:
    """⟨u, u⟩ against distance (Å), from zero; `at` are the lengths of the edges in view."""
    figure = go.Figure()
    line = {"color": SHELL_COLORS[1], "width": 2}
    tip = "%{x:.3f} Å: ⟨u, u⟩ = %{y:.4f}<extra></extra>"
    figure.add_scatter(x=distance, y=product, mode="lines", line=line, name="⟨u, u⟩", hovertemplate=tip)
    there = [d for d in at if distance[0] <= d <= distance[-1]]
    marker = {"color": SHELL_COLORS[0], "size": 9}
    seen = {"x": there, "y": np.interp(there, distance, product).tolist()}
    figure.add_scatter(**seen, mode="markers", marker=marker, name="edges of the atom", hovertemplate=tip)
    figure.update_xaxes(title="Distance (Å)")
    figure.update_yaxes(title="⟨u, u⟩", range=[0, 1.2 * float(product.max())])
    return _laid_out(figure, "What the published score hears of a distance")


def _laid_out(figure: go.Figure, title: str) -> go.Figure:
    return figure.update_layout(
        title=title,
        height=400,
        showlegend=True,
        legend={"orientation": "h", "x": 0, "y": -0.2, "yanchor": "top"},
        margin={"l": 0, "r": 0, "t": 50, "b": 0},
        paper_bgcolor=CLEAR,
        plot_bgcolor=CLEAR,
    )
