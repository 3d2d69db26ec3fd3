"""The quotient graph: one node for each atom of the cell, and all edges between two atoms as one counted line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import cos, degrees, pi, sin
from typing import TYPE_CHECKING, Any

from pymatgen.core import Structure

from cgcnn.data.crystal import formula_of, site_label
from cgcnn.figures.colors import EDGE_COLOR, SHELL_COLORS, element_color, label_color

if TYPE_CHECKING:  # a picture must not wait for torch
    from cgcnn.graph import CrystalGraph

SELECTED_COLOR = SHELL_COLORS[1]
MOST_NODES = 60  # more cannot be read
MOST_LABELS = 40  # numbers on lines
MOST_UPRIGHT = 16  # labels around the ring; more are turned like the spokes of a wheel


@dataclass(frozen=True)
class View:
    """What is drawn: the atoms, in their order around the ring, and the one that is selected."""

    structure: Structure
    edges: Counter[tuple[int, int]]  # (center, neighbor) -> how many
    atoms: list[int]
    selected: int | None
    hub: int | None = None  # the atom in the middle of a reduced view

    @classmethod
    def of(cls, structure: Structure, graph: CrystalGraph, selected: int | None) -> View:
        """All atoms; above MOST_NODES the selected (or first) one and its nearest neighbors."""
        edges = Counter(zip(graph.center.tolist(), graph.neighbor.tolist(), strict=True))
        if len(structure) <= MOST_NODES:
            return cls(structure, edges, list(range(len(structure))), selected)
        hub = selected or 0
        nearest = [j for i, j in edges if i == hub and j != hub]  # edges come sorted by distance
        return cls(structure, edges, [hub, *nearest][:MOST_NODES], hub, hub)

    @property
    def pairs(self) -> list[tuple[int, int]]:
        """The pairs of different atoms that an edge joins; in a reduced view only those of the hub."""
        shown = set(self.atoms)
        pairs = {(min(pair), max(pair)) for pair in self.edges if pair[0] != pair[1] and shown.issuperset(pair)}
        return sorted(pair for pair in pairs if self.hub is None or self.hub in pair)


def quotient_graph(structure: Structure, graph: CrystalGraph, selected: int | None = None) -> dict[str, Any]:
    """The quotient graph as an ECharts option; edges of an atom to its own images are counted at the node.

    Above 60 atoms only the selected atom (or the first) and its nearest neighbors are drawn, as the
    subtitle says. `picked_atom` reads a click on a node.
    """
    view = View.of(structure, graph, selected)
    pairs = view.pairs
    crowded = len(pairs) > MOST_LABELS
    series = {
        "type": "graph",
        "layout": "none",
        "preserveAspect": True,
        "selectedMode": "single",
        "data": _nodes(view),
        "links": [_link(view, pair, crowded) for pair in pairs],
        "edgeLabel": {"show": not crowded, "formatter": "{c}", "fontSize": 13},
        "emphasis": {"focus": "adjacency", "edgeLabel": {"show": True}},
        **{"left": "20%", "right": "20%", "top": 96, "bottom": 50},
    }
    return {
        "animation": False,
        "title": {"text": "Quotient graph: periodic images folded", "subtext": _note(view), "top": 4, "left": 0},
        "tooltip": {"trigger": "item", "confine": True},
        "series": [series],
    }


def picked_atom(option: Mapping[str, Any], selected: Iterable[Mapping[str, Any]]) -> int | None:
    """The atom that was clicked; `selected` is the `selection.selected` of the chart's state."""
    nodes = option["series"][0]["data"]
    places = [place for part in selected if part["data_type"] == "node" for place in part["data_indices"]]
    return nodes[places[0]]["atom"] if places and places[0] < len(nodes) else None


def _note(view: View) -> str:
    n, formula = len(view.structure), formula_of(view.structure)
    if view.hub is not None:
        others = len(view.atoms) - 1
        return f"{site_label(view.structure, view.hub)} and {others} neighbors, of {n:,} atoms of {formula}"
    return f"{n} {'atom' if n == 1 else 'atoms'} of {formula}, {view.edges.total():,} edges"


def _nodes(view: View) -> list[dict[str, Any]]:
    """Nodes on a ring, clockwise from the left; a hub or a lone atom stands in the middle."""
    ring = [atom for atom in view.atoms if atom != view.hub]
    size = 34 if len(ring) <= 8 else 22 if len(ring) <= MOST_UPRIGHT else 12
    nodes = []
    for atom in view.atoms:
        angle = pi + 2 * pi * ring.index(atom) / len(ring) if atom != view.hub else 0.0
        far = 100 if atom != view.hub and len(ring) > 1 else 0
        place = {"x": round(far * cos(angle), 3), "y": round(far * sin(angle), 3), "symbolSize": size}
        nodes.append(_node(view, atom) | place)
        nodes[-1]["label"] |= _outside(angle, size, turned=len(ring) > MOST_UPRIGHT)
        if atom == view.hub:
            nodes[-1] |= _hub(nodes[-1])
    return nodes


def _hub(node: Mapping[str, Any]) -> dict[str, Any]:
    """The middle of a reduced view is large enough to carry its name inside, away from the lines."""
    color = label_color(node["itemStyle"]["color"])
    return {"symbolSize": 52, "label": {"show": True, "position": "inside", "color": color, "fontSize": 12}}


def _node(view: View, atom: int) -> dict[str, Any]:
    name, own = site_label(view.structure, atom), view.edges[atom, atom]
    neighbors = sum(n for (center, _), n in view.edges.items() if center == atom)
    chosen = atom == view.selected
    border = {"borderColor": SELECTED_COLOR if chosen else EDGE_COLOR, "borderWidth": 4 if chosen else 1}
    tip = f"{name}: {neighbors} neighbors" + (f", {own} of them its own images" if own else "")
    return {
        "name": name,
        "atom": atom,
        "itemStyle": {"color": element_color(view.structure[atom].specie.symbol), "opacity": 1, **border},
        "select": {"itemStyle": border},  # a click changes nothing by itself: what is selected is ours to say
        "label": {"show": True, "formatter": f"{name}\nitself ×{own}" if own else name, "lineHeight": 16},
        "tooltip": {"formatter": tip},
    }


def _outside(angle: float, size: int, turned: bool) -> dict[str, Any]:
    """A label outside the ring, at `angle` from the node's center (y points down)."""
    x, y = round(cos(angle), 6), round(sin(angle), 6)
    reach = size / 2 + 6
    place = {"position": [round(size / 2 + reach * x, 1), round(size / 2 + reach * y, 1)]}
    if turned:
        turn = round(-degrees(angle) + (180 if x < 0 else 0)) % 360
        return {
            **place,
            "align": "right" if x < 0 else "left",
            "verticalAlign": "middle",
            "rotate": turn,
            "fontSize": 10,
        }
    across = "left" if x > 0.3 else "right" if x < -0.3 else "center"
    down = "middle" if abs(x) > 0.3 else "top" if y > 0 else "bottom"
    return {**place, "align": across, "verticalAlign": down}


def _link(view: View, pair: tuple[int, int], crowded: bool) -> dict[str, Any]:
    """A line, as thick as it stands for edges; the lines of the selected atom stand out."""
    i, j = pair if view.selected != pair[1] else (pair[1], pair[0])
    there, back = view.edges[i, j], view.edges[j, i]
    a, b = site_label(view.structure, i), site_label(view.structure, j)
    thick = (1 if crowded else 5) * max(there, back) / max(view.edges.values())
    bright = i == view.selected or (view.selected is None and not crowded)
    style = {"width": round(1 + thick, 1), "color": EDGE_COLOR, "opacity": 1 if bright else 0.15 if crowded else 0.3}
    return {
        "source": view.atoms.index(i),
        "target": view.atoms.index(j),
        "value": f"×{there}" if there == back else f"×{there} / ×{back}",
        "lineStyle": style,
        "tooltip": {"formatter": f"{there} edges from {a} to {b}, {back} from {b} to {a}"},
    }
