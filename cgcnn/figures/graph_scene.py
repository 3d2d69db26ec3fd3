"""The crystal graph in 3D: an edge that leaves the cell ends at a ghost, labelled with its image vector."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np
from pymatgen.core import Structure

from cgcnn.data.crystal import site_label
from cgcnn.errors import CrystalError
from cgcnn.figures.colors import EDGE_COLOR, ball_radius, element_color, shell_color
from cgcnn.figures.frame import cell_axes, describe, element_legend, outline, place, point, sphere_around
from cgcnn.figures.parts import HOME, Atom, Edge, Entry, Image, Scene

if TYPE_CHECKING:  # a picture of a crystal alone must not wait for torch
    from cgcnn.graph import CrystalGraph

MAX_ATOMS = 4_000  # with ghosts; beyond it the picture is a cloud
MAX_EDGES = 20_000  # drawn lines; about what an old laptop still turns
MAX_CONTEXT = 4_000  # edges, about half as many lines, that stand faintly around a selected atom
SAME_SHELL = 1e-3  # Å
WIDTH = 0.07  # Å, diameter of an edge; twice that for the edges of the selected atom


@dataclass(frozen=True)
class Hop:
    """A directed edge of the graph as plain values; `shell` counts its center's distances from 0."""

    center: int
    neighbor: int
    image: Image
    distance: float  # Å
    shell: int = 0

    @property
    def line(self) -> tuple[int, int, Image]:
        """What two directions of an edge inside the cell share; an edge that leaves it has its own line."""
        ends = (self.center, self.neighbor)
        return (min(ends), max(ends), HOME) if self.image == HOME else (*ends, self.image)


def graph_scene(
    structure: Structure,
    graph: CrystalGraph,
    selected: int | None = None,
    shells: int | None = None,
    labels: bool = True,
) -> Scene:
    """The atoms of the cell and the edges of the graph; of a selected atom, its own edges colored by shell.

    `shells` keeps the nearest so many shells of each atom. An edge that leaves the cell is marked as
    crossing and ends at a ghost; the two directions of an edge inside the cell share one line.
    """
    if selected is not None and not 0 <= selected < len(structure):
        raise CrystalError(
            f"Atom {selected + 1} is selected, but the cell has {len(structure)} atoms; pick one of them."
        )
    kept, n_edges = _hops(graph, selected, shells)
    own = [hop for hop in kept if hop.center == selected]
    around = _around(kept, own)
    note = _too_many(structure, around)
    around = [] if note else around
    atoms, places = _atoms(structure, own, around, selected, labels)
    edges = [_edge(structure, hop, places, strong=True, faint=False) for hop in own]
    edges += [_edge(structure, hop, places, strong=False, faint=selected is not None) for hop in around]
    axes = cell_axes(structure)
    cell = outline(axes)
    center, radius = sphere_around(atoms, cell)
    return Scene(
        subject=structure.formula,
        summary=_summary(structure, n_edges, own, selected),
        atoms=atoms,
        edges=tuple(edges),
        cell=cell,
        axes=axes,
        center=center,
        radius=radius,
        legend=element_legend(structure) + _shell_legend(structure, own),
        selected=selected,
        note=note,
    )


def _hops(graph: CrystalGraph, selected: int | None, shells: int | None) -> tuple[list[Hop], int]:
    """The edges that may be drawn, and how many there are in all.

    Beside a selected atom that is its own edges and, as context, the shortest of those inside the cell.
    """
    center, neighbor, distance = (t.numpy() for t in (graph.center, graph.neighbor, graph.distance))
    image, shell = graph.image.numpy(), _shell_numbers(center, distance)
    counted = np.full(len(center), True) if shells is None else shell < shells
    drawn = counted
    if selected is not None:
        context = counted & (center != selected) & ~image.any(axis=1)
        drawn = (counted & (center == selected)) | (context & (distance <= _shortest(distance[context])))
    rows = zip(*(column[drawn].tolist() for column in (center, neighbor, image, distance, shell)), strict=True)
    return [Hop(i, j, (x, y, z), d, n) for i, j, (x, y, z), d, n in rows], int(counted.sum())


def _shortest(distance: np.ndarray) -> float:
    """The length in Å up to which edges are drawn as context."""
    return np.inf if len(distance) <= MAX_CONTEXT else float(np.partition(distance, MAX_CONTEXT)[MAX_CONTEXT])


def _shell_numbers(center: np.ndarray, distance: np.ndarray) -> np.ndarray:
    """Which of its center's shells each edge belongs to, from 0; edges come sorted by center, then by distance."""
    first = np.diff(center, prepend=-1) != 0
    steps = np.cumsum(~first & (np.diff(distance, prepend=0.0) > SAME_SHELL))
    return steps - np.repeat(steps[first], np.diff(np.append(np.flatnonzero(first), len(center))))


def _around(hops: list[Hop], own: list[Hop]) -> list[Hop]:
    """One hop for each line that is not the selected atom's."""
    taken = {hop.line for hop in own}
    return list({hop.line: hop for hop in reversed(hops) if hop.line not in taken}.values())


def _too_many(structure: Structure, around: list[Hop]) -> str:
    ghosts = {(hop.neighbor, hop.image) for hop in around if hop.image != HOME}
    if len(around) > MAX_EDGES:
        return (
            f"{len(around):,} edges are too many to draw at once (limit {MAX_EDGES:,}); pick an atom to see its edges."
        )
    if ghosts and len(structure) + len(ghosts) > MAX_ATOMS:
        return (
            f"{len(structure):,} atoms and {len(ghosts):,} images are too many to draw at once "
            f"(limit {MAX_ATOMS:,}); pick an atom to see its edges."
        )
    return ""


def _atoms(
    structure: Structure, own: list[Hop], around: list[Hop], selected: int | None, labels: bool
) -> tuple[tuple[Atom, ...], dict[tuple[int, Image], int]]:
    """The atoms of the cell, then the ghosts; and the place of each in that row."""
    near = {hop.neighbor for hop in own if hop.image == HOME} | {selected}
    keys = [(site, HOME) for site in _sites(structure, near)]
    keys += dict.fromkeys((hop.neighbor, hop.image) for hop in own + around if hop.image != HOME)
    quiet = selected is not None
    atoms = tuple(_atom(structure, i, t, selected, quiet and t == HOME and i not in near, labels) for i, t in keys)
    return atoms, {key: n for n, key in enumerate(keys)}


def _sites(structure: Structure, near: set[int | None]) -> list[int]:
    """All atoms of the cell; of a cell beyond the limit, the first and those that the selection needs."""
    return [i for i in range(len(structure)) if i < MAX_ATOMS or i in near]


def _atom(structure: Structure, site: int, image: Image, selected: int | None, faint: bool, labels: bool) -> Atom:
    symbol, name, ghost = structure[site].specie.symbol, site_label(structure, site), image != HOME
    return Atom(
        xyz=point(place(structure, site, image)),
        symbol=symbol,
        radius=ball_radius(symbol) * (0.8 if ghost else 1.0),
        color=element_color(symbol),
        label="" if not labels else vector(image) if ghost else name,
        tip=f"{name}, image {vector(image)}" if ghost else name,
        site=site,
        image=image,
        ghost=ghost,
        faint=faint,
        chosen=site == selected and not ghost,
    )


def _edge(structure: Structure, hop: Hop, places: dict[tuple[int, Image], int], strong: bool, faint: bool) -> Edge:
    color = shell_color(hop.shell) if strong else EDGE_COLOR
    return Edge(
        start=places[hop.center, HOME],
        end=places[hop.neighbor, hop.image],
        colors=(color, color),
        width=2 * WIDTH if strong else WIDTH,
        tip=edge_text(structure, hop.center, hop.neighbor, hop.image, hop.distance),
        crosses=hop.image != HOME,
        faint=faint,
    )


def edge_text(structure: Structure, center: int, neighbor: int, image: Image, distance: float) -> str:
    """How an edge is named everywhere: `Na 1 → Cl 5, 2.820 Å, image (0 0 1)`."""
    ends = f"{site_label(structure, center)} → {site_label(structure, neighbor)}, {distance:.3f} Å"
    return ends if image == HOME else f"{ends}, image {vector(image)}"


def vector(image: Image) -> str:
    """An image vector as it is written everywhere: `(0 0 1)`, with a true minus sign."""
    return "({} {} {})".format(*(str(n).replace("-", "−") for n in image))


def _shell_legend(structure: Structure, own: list[Hop]) -> tuple[Entry, ...]:
    entries = []
    for shell, group in groupby(own, key=lambda hop: hop.shell):
        hops = list(group)
        symbols = Counter(structure[hop.neighbor].specie.symbol for hop in hops)
        who = " + ".join(f"{n} {symbol}" for symbol, n in sorted(symbols.items()))
        entries.append(Entry(shell_color(shell), f"{who} at {hops[0].distance:.3f} Å", "edge"))
    return tuple(entries)


def _summary(structure: Structure, n_edges: int, own: list[Hop], selected: int | None) -> str:
    whole = f"Crystal graph of {describe(structure)} {n_edges} edges."
    if selected is None:
        return whole
    shells = "; ".join(entry.text for entry in _shell_legend(structure, own)) or "none"
    return f"{whole} {site_label(structure, selected)} is selected; its edges: {shells}."
