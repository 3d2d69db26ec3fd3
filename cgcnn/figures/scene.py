"""Pictures of a crystal in 3D as pure data: its atoms as a crystallographer draws them, or its graph.

The periodic images are computed here; no viewer is asked to read a file, repeat a cell or guess a bond.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
from pymatgen.core import Structure

from cgcnn.data.crystal import site_label
from cgcnn.errors import CrystalError
from cgcnn.figures.colors import atomic_radius, ball_radius, element_color
from cgcnn.figures.frame import (
    cell_axes,
    describe,
    element_legend,
    middle,
    outline,
    place,
    point,
    sphere_around,
)
from cgcnn.figures.graph_scene import graph_scene
from cgcnn.figures.parts import Atom, Edge, Image, Scene
from cgcnn.figures.sticks import sticks

__all__ = ["MAX_ATOMS", "STYLES", "Style", "crystal_scene", "graph_scene"]

MAX_ATOMS = 4_000  # beyond it a picture is a cloud, and a frame takes longer than 50 ms
ON_FACE = 1e-3  # of a lattice vector; an atom this near to a face of the cell lies on it
STICK_WIDTH = 0.24  # Å


@dataclass(frozen=True)
class Style:
    """How large a sphere of an element is drawn (Å), and whether sticks join the spheres."""

    radius: Callable[[str], float]
    sticks: bool


STYLES: dict[str, Style] = {
    "ball and stick": Style(ball_radius, sticks=True),
    "space filling": Style(atomic_radius, sticks=False),
}


def crystal_scene(
    structure: Structure,
    style: str = "ball and stick",
    supercell: int = 1,
    boundary: bool = True,
    selected: int | None = None,
    labels: bool = True,
) -> Scene:
    """The atoms of `supercell`³ cells; with `boundary`, an atom on a face, edge or corner appears on each."""
    if style not in STYLES:
        raise CrystalError(f"Unknown style {style!r}; choose one of {', '.join(STYLES)}.")
    repeat, boundary, note = _within_limits(len(structure), supercell, boundary)
    images = [(i, t) for i, site in enumerate(structure) for t in _images(site.frac_coords, repeat, boundary)]
    images = _nearest_to_center(structure, images, repeat)
    atoms = tuple(_atom(structure, i, t, STYLES[style], selected, labels) for i, t in images)
    edges = tuple(_sticks(structure, images)) if STYLES[style].sticks else ()
    axes = cell_axes(structure)
    cell = outline(axes) if repeat == 1 else outline(axes) + outline(axes, repeat, strong=False)
    center, radius = sphere_around(atoms, cell)
    return Scene(
        subject=structure.formula,
        summary=f"{style.capitalize()} picture of {describe(structure)} {len(atoms)} atoms are drawn.",
        atoms=atoms,
        edges=edges,
        cell=cell,
        axes=axes,
        center=center,
        radius=radius,
        legend=element_legend(structure),
        selected=selected,
        note=note,
    )


def _within_limits(n_atoms: int, supercell: int, boundary: bool) -> tuple[int, bool, str]:
    if not 1 <= supercell <= 10:
        raise CrystalError(f"The supercell is {supercell}; it must lie between 1 and 10 cells along each axis.")
    repeat = next(n for n in range(supercell, 0, -1) if n == 1 or n_atoms * n**3 <= MAX_ATOMS)
    if n_atoms > MAX_ATOMS:
        return 1, False, f"The cell has {n_atoms:,} atoms; the {MAX_ATOMS:,} nearest to its center are drawn."
    if repeat < supercell:
        asked = f"{supercell} × {supercell} × {supercell} cells hold {n_atoms * supercell**3:,} atoms"
        return repeat, boundary, f"{asked} (limit {MAX_ATOMS:,}); {repeat} × {repeat} × {repeat} are drawn."
    return repeat, boundary, ""


def _images(frac: np.ndarray, repeat: int, boundary: bool) -> Iterator[Image]:
    """The lattice vectors that bring an atom to each of its places in the block of cells."""
    into_cell = -np.floor(frac + ON_FACE).astype(int)
    on_face = np.abs(frac + into_cell) <= ON_FACE
    last = repeat + (on_face & boundary)
    for steps in product(*(range(n) for n in last)):
        yield tuple((into_cell + steps).tolist())


def _nearest_to_center(structure: Structure, images: list[tuple[int, Image]], repeat: int) -> list[tuple[int, Image]]:
    """All of them, but of a cell that is itself too large only what lies in its middle."""
    if len(structure) <= MAX_ATOMS:  # repeats on the boundary may go a little beyond the limit
        return images
    center = middle(cell_axes(structure), repeat)
    return sorted(images, key=lambda image: float(np.linalg.norm(place(structure, *image) - np.array(center))))[
        :MAX_ATOMS
    ]


def _atom(structure: Structure, site: int, image: Image, style: Style, selected: int | None, labels: bool) -> Atom:
    symbol, name = structure[site].specie.symbol, site_label(structure, site)
    x, y, z = structure[site].frac_coords + image
    return Atom(
        xyz=point(place(structure, site, image)),
        symbol=symbol,
        radius=style.radius(symbol),
        color=element_color(symbol),
        label=name if labels else "",
        tip=f"{name} at ({x:.3f}, {y:.3f}, {z:.3f})",
        site=site,
        image=image,
        chosen=site == selected,
    )


def _sticks(structure: Structure, images: list[tuple[int, Image]]) -> Iterator[Edge]:
    """The sticks whose two ends are drawn, each once."""
    drawn = {image: n for n, image in enumerate(images)}
    by_site: dict[int, list[tuple[int, Image, float]]] = {}
    for i, j, shift, d in sticks(structure):
        by_site.setdefault(i, []).append((j, shift, d))
    for start, (i, t) in enumerate(images):
        for j, shift, d in by_site.get(i, []):
            end = drawn.get((j, (t[0] + shift[0], t[1] + shift[1], t[2] + shift[2])), -1)
            if end > start:
                colors = (
                    element_color(structure[i].specie.symbol),
                    element_color(structure[j].specie.symbol),
                )
                tip = f"{site_label(structure, i)} – {site_label(structure, j)}, {d:.3f} Å"
                yield Edge(start, end, colors, STICK_WIDTH, tip)
