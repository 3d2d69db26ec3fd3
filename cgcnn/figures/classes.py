"""The merged graph: one node for all atoms that a network cannot tell apart, one arrow for all their equal edges."""

from __future__ import annotations

from collections.abc import Sequence
from math import cos, pi, sin
from typing import TYPE_CHECKING, Any

from cgcnn.errors import CrystalError
from cgcnn.figures.colors import EDGE_COLOR, element_color

if TYPE_CHECKING:  # a picture must not wait for torch
    from cgcnn.graph.classes import MergedEdge, MergedGraph

MOST_CLASSES = 24  # more cannot be read
MOST_LABELS = 12  # arrows that carry their words; of more, hovering tells
MOST_LENGTHS = 8  # distances in one tip


def class_names(merged: MergedGraph) -> list[str]:
    """The element of each class, numbered where it has several classes: `Ti`, `O(1)`, `O(2)`; `La/Ce` for twins."""
    elements = ["/".join(symbols) for symbols in merged.symbols]
    seen: dict[str, int] = {}
    names = []
    for element in elements:
        seen[element] = seen.get(element, 0) + 1
        names.append(f"{element}({seen[element]})" if elements.count(element) > 1 else element)
    return names


def merged_picture(merged: MergedGraph, *, formula: str) -> dict[str, Any]:
    """The merged graph as an ECharts option: an arrow from a class names what one of its atoms sees there."""
    if merged.n_classes > MOST_CLASSES:
        raise CrystalError(
            f"{formula} falls into {merged.n_classes:,} classes of atoms (limit {MOST_CLASSES} for the picture); "
            "the table has them all."
        )
    names = class_names(merged)
    arrows = _by_ends(merged.edges)
    links = [_arrow(names, ends, edges, len(arrows)) for ends, edges in arrows.items() if ends[0] != ends[1]]
    nodes = [_node(merged, names, c, arrows.get((c, c), [])) for c in range(merged.n_classes)]
    series = {
        "type": "graph",
        "layout": "none",
        "preserveAspect": True,
        "data": nodes,
        "links": links,
        "edgeSymbol": ["none", "arrow"],
        "edgeSymbolSize": 9,
        "edgeLabel": {"show": len(links) <= MOST_LABELS, "formatter": "{c}", "fontSize": 12},
        "emphasis": {"focus": "adjacency", "edgeLabel": {"show": True}},
        **{"left": "22%", "right": "22%", "top": 110, "bottom": 80},
    }
    kinds = f"{merged.n_classes} kind{'s' * (merged.n_classes != 1)} of atom{'s' * (merged.n_classes != 1)}"
    note = f"{formula}: {kinds}, {len(merged.edges)} kind{'s' * (len(merged.edges) != 1)} of edges"
    note += "" if len(links) <= MOST_LABELS else "\ntap or point at an arrow to read it"
    return {
        "animation": False,
        "title": {"text": "What the network can tell apart", "subtext": note, "top": 4, "left": 0}
        | {"subtextStyle": {"lineHeight": 15}},
        "tooltip": {"trigger": "item", "confine": True},
        "series": [series],
    }


def _by_ends(edges: Sequence[MergedEdge]) -> dict[tuple[int, int], list[MergedEdge]]:
    found: dict[tuple[int, int], list[MergedEdge]] = {}
    for edge in edges:
        found.setdefault((edge.center, edge.neighbor), []).append(edge)
    return found


def _node(merged: MergedGraph, names: list[str], c: int, own: Sequence[MergedEdge]) -> dict[str, Any]:
    """A class on the ring, clockwise from the left; alone it stands in the middle."""
    angle, far = pi + 2 * pi * c / merged.n_classes, 100 if merged.n_classes > 1 else 0
    size, few = merged.sizes[c], merged.n_classes <= MOST_LABELS
    words = f"{names[c]} × {size}" + (f"\nitself: {_words(own)}" if own and few else "")
    across, down = round(cos(angle), 3), round(sin(angle), 3)
    side = "bottom" if down > 0.3 or merged.n_classes <= 2 else "top" if down < -0.3 else "bottom"
    return {
        "name": names[c],
        "x": far * across,
        "y": far * down,
        "symbolSize": 46 if merged.n_classes <= 8 else 26,
        "itemStyle": {"color": element_color(merged.symbols[c][0]), "borderColor": EDGE_COLOR, "borderWidth": 1},
        "label": {"show": True, "position": side, "formatter": words, "lineHeight": 16, "align": "center"},
        "tooltip": {"formatter": f"{names[c]}: {size} of {len(merged.classes)} atoms; {_sees(own, 'its own kind')}"},
    }


def _arrow(names: list[str], ends: tuple[int, int], edges: Sequence[MergedEdge], n_arrows: int) -> dict[str, Any]:
    center, neighbor = names[ends[0]], names[ends[1]]
    return {
        "source": ends[0],
        "target": ends[1],
        "value": _words(edges),
        "lineStyle": {"color": EDGE_COLOR, "width": 2, "curveness": 0.22, "opacity": 0.9 if n_arrows <= 12 else 0.5},
        "tooltip": {"formatter": f"each {center}: {_sees(edges, neighbor)}"},
    }


def _words(edges: Sequence[MergedEdge]) -> str:
    """The nearest, and how many there are farther away: `4 at 1.92 Å, 24 farther`."""
    first, *more = sorted(edges, key=lambda edge: edge.distance)
    words = f"{first.count} at {first.distance:.2f} Å"
    return f"{words}, {sum(edge.count for edge in more)} farther" if more else words


def _sees(edges: Sequence[MergedEdge], whom: str) -> str:
    near = sorted(edges, key=lambda edge: edge.distance)
    if not near:
        return f"sees none of {whom}"
    parts = [f"{edge.count} at {edge.distance:.3f} Å" for edge in near[:MOST_LENGTHS]]
    return f"sees of {whom} {', '.join(parts)}" + (", …" if len(near) > MOST_LENGTHS else "")
