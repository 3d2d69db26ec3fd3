"""The crystal graph in two dimensions: an atom's shells, the adjacency matrix and the edge table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go
from pymatgen.core import Structure

from cgcnn.data.crystal import formula_of, site_label
from cgcnn.errors import CrystalError
from cgcnn.figures.colors import EDGE_COLOR, SHELL_COLORS, element_color

if TYPE_CHECKING:  # a picture must not wait for torch
    from cgcnn.graph import CrystalGraph, Shell

MARK_COLOR = SHELL_COLORS[1]  # of the k-th neighbor
SAME_SHELL = 1e-3  # Å; see "whole shells"
COUNT_SCALE = ["#d9ebf9", "#2f97d8"]  # light enough throughout for black numbers
MOST_CELLS = 300  # atoms; a larger matrix has cells smaller than a pixel


def distance_histogram(
    shells: Sequence[Shell], *, center: str, cutoff: float, max_neighbors: int | None = None
) -> dict[str, Any]:
    """The shells around the atom named `center`, as an ECharts option: kept neighbors solid, the others pale.

    One bar for each shell and element. The distance of the k-th neighbor (`max_neighbors`; None for the
    radius rule) and the cutoff in Å are marked.
    """
    symbols = sorted({symbol for shell in shells for symbol in shell.total})
    kept = [_bars(s, s, [(x.distance, x.kept.get(s, 0)) for x in shells]) for s in symbols]
    left = [
        _bars(f"{s} left", s, [(x.distance, x.total.get(s, 0) - x.kept.get(s, 0)) for x in shells]) for s in symbols
    ]
    for series in left:
        series["itemStyle"] |= {"opacity": 0.3}
    pale = {
        "name": "not kept",
        "type": "bar",
        "stack": "shell",
        "data": [],
        "itemStyle": {"color": EDGE_COLOR, "opacity": 0.3},
    }
    distance = {"name": "Distance (Å)", "nameLocation": "middle", "nameGap": 26}
    return {
        "animation": False,
        "title": {"text": f"Neighbors of {center} by distance", "subtext": _cut_text(shells), "top": 4, "left": 0},
        "legend": {"data": [*symbols, "not kept"], "top": 50, "left": 0, "selectedMode": False},
        "grid": {"top": 120 if max_neighbors else 100, "bottom": 30, "left": 8, "right": 24},
        "tooltip": {"trigger": "axis", "axisPointer": {"type": "line"}, "formatter": "{b0}"},
        "xAxis": {"type": "value", "min": 0, "max": cutoff, **distance},
        "yAxis": {
            "type": "value",
            "name": "Neighbors",
            "minInterval": 1,
            "nameGap": 26,
            "nameTextStyle": {"align": "left"},
        },
        "series": [_words_and_marks(shells, cutoff, max_neighbors), *kept, *left, pale],
    }


def adjacency(structure: Structure, graph: CrystalGraph) -> go.Figure:
    """How many edges lead from each atom (row) to each neighbor (column), as a square map."""
    n = len(structure)
    if n > MOST_CELLS:
        raise CrystalError(
            f"The adjacency matrix of {formula_of(structure)} has {n:,} rows (limit {MOST_CELLS}); "
            "choose the primitive cell or a smaller supercell."
        )
    labels = [site_label(structure, atom) for atom in range(n)]
    counts = np.zeros((n, n))
    np.add.at(counts, (graph.center.numpy(), graph.neighbor.numpy()), 1)
    most = int(counts.max(initial=1))
    counts[counts == 0] = np.nan  # leaves the cell empty
    tip = "from %{y} to %{x}: %{z} edges<extra></extra>"
    bar = {"title": {"text": "Edges"}, "thickness": 10, "dtick": max(1, most // 5), "outlinewidth": 0}
    cells = go.Heatmap(x=labels, y=labels, z=counts, hovertemplate=tip, hoverongaps=False, xgap=1, ygap=1)
    cells.update(colorscale=COUNT_SCALE, zmin=0, zmax=most, colorbar=bar, showscale=n > 20 and most > 1)
    cells.update(texttemplate="%{z}" if n <= 20 else None, textfont={"color": "#000000"})
    figure = go.Figure(cells)
    figure.update_xaxes(title="Neighbor", constrain="domain", showgrid=False, type="category")
    figure.update_yaxes(
        title="Center", autorange="reversed", scaleanchor="x", constrain="domain", showgrid=False, type="category"
    )
    title = f"Edges between the {n} atoms of {formula_of(structure)}"
    clear = "rgba(0, 0, 0, 0)"
    return figure.update_layout(title=title, height=460, paper_bgcolor=clear, plot_bgcolor=clear)


def edge_table(structure: Structure, graph: CrystalGraph, atom: int | None = None) -> list[dict[str, Any]]:
    """A row for each edge (of one atom, or all): center, neighbor, image, distance in Å, shell from 1."""
    columns = (graph.center, graph.neighbor, graph.image, graph.distance)
    rows, shell, start, last = [], 0, 0.0, -1
    for i, j, image, distance in zip(*(column.tolist() for column in columns), strict=True):
        if i != last or distance - start > SAME_SHELL:
            shell, start, last = (shell + 1 if i == last else 1), distance, i
        if atom in (None, i):
            row = {"center": site_label(structure, i), "neighbor": site_label(structure, j)}
            words = "({} {} {})".format(*image)
            rows.append(row | {"image": words, "distance (Å)": round(distance, 4), "shell": shell})
    return rows


def _bars(name: str, symbol: str, heights: Iterable[tuple[float, int]]) -> dict[str, Any]:
    """A stacked series; an absent element is None, for a bar of height 0 would still show its border."""
    style = {"color": element_color(symbol), "borderColor": EDGE_COLOR, "borderWidth": 1}
    data = [[distance, count or None] for distance, count in heights]
    return {"name": name, "type": "bar", "stack": "shell", "barWidth": 8, "data": data, "itemStyle": style}


def _words_and_marks(shells: Sequence[Shell], cutoff: float, k: int | None) -> dict[str, Any]:
    """An invisible first series that carries each shell's sentence, for the tooltip, and the two marks."""
    marks = [_mark(cutoff, f"cutoff {cutoff:g} Å", EDGE_COLOR, "insideEndTop")]
    if k and (at := _distance_of(shells, k)) is not None:
        marks.append(_mark(at, f"neighbor {k}: {at:.3f} Å", MARK_COLOR, "end"))
    return {
        "name": "shells",
        "type": "line",
        "data": [{"name": _shell_text(s), "value": [s.distance, sum(s.total.values())]} for s in shells],
        "symbol": "none",
        "lineStyle": {"width": 0},
        "markLine": {"symbol": "none", "silent": True, "data": marks},
    }


def _mark(at: float, words: str, color: str, position: str) -> dict[str, Any]:
    line = {"color": color, "width": 2, "type": "dashed"}
    return {"xAxis": at, "lineStyle": line, "label": {"formatter": words, "position": position}}


def _distance_of(shells: Sequence[Shell], k: int) -> float | None:
    counted = 0
    for shell in shells:
        counted += sum(shell.total.values())
        if counted >= k:
            return shell.distance
    return None


def _shell_text(shell: Shell) -> str:
    parts = ", ".join(f"{n} {symbol} ({shell.kept.get(symbol, 0)} kept)" for symbol, n in shell.total.items())
    return f"{shell.distance:.3f} Å: {parts}"


def _cut_text(shells: Sequence[Shell]) -> str:
    kept = sum(sum(shell.kept.values()) for shell in shells)
    cut = next((shell for shell in shells if shell.is_cut), None)
    if cut is None:
        return f"{kept} neighbors kept, in whole shells"
    return f"the shell at {cut.distance:.2f} Å is cut: {sum(cut.kept.values())} of {sum(cut.total.values())} kept"
