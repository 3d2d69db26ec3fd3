"""What every 3D picture of a crystal needs: places, the cell's outline, the axes, the legend, the words."""

from itertools import product

import numpy as np
from pymatgen.core import Structure

from cgcnn.data.crystal import formula_of
from cgcnn.figures.colors import element_color
from cgcnn.figures.parts import Atom, Entry, Image, Line, Point


def place(structure: Structure, site: int, image: Image) -> np.ndarray:
    """Where a periodic image of an atom stands, in Å."""
    return structure[site].coords + np.array(image) @ structure.lattice.matrix


def point(xyz: np.ndarray) -> Point:
    """Three plain floats."""
    x, y, z = xyz.tolist()
    return (x, y, z)


def cell_axes(structure: Structure) -> tuple[Point, Point, Point]:
    """The lattice vectors a, b, c in Å."""
    a, b, c = structure.lattice.matrix
    return (point(a), point(b), point(c))


def outline(axes: tuple[Point, Point, Point], repeat: int = 1, strong: bool = True) -> tuple[Line, ...]:
    """The twelve edges of a block of `repeat`³ cells."""
    matrix = repeat * np.array(axes)
    corners = [np.array(corner) for corner in product((0, 1), repeat=3)]
    pairs = [(p, q) for p in corners for q in corners if (q - p).sum() == 1 and (q >= p).all()]
    return tuple(Line(point(p @ matrix), point(q @ matrix), strong) for p, q in pairs)


def middle(axes: tuple[Point, Point, Point], repeat: int = 1) -> Point:
    """The center of a block of `repeat`³ cells."""
    return point(repeat * np.array(axes).sum(axis=0) / 2)


def sphere_around(atoms: tuple[Atom, ...], cell: tuple[Line, ...]) -> tuple[Point, float]:
    """The center, and the radius in Å, of a sphere that holds all atoms and the outline."""
    places = np.array([atom.xyz for atom in atoms] + [end for line in cell for end in (line.a, line.b)])
    radii = np.array([atom.radius for atom in atoms] + [0.0] * (2 * len(cell)))
    center = (places.min(axis=0) + places.max(axis=0)) / 2
    return point(center), float((np.linalg.norm(places - center, axis=1) + radii).max())


def element_legend(structure: Structure) -> tuple[Entry, ...]:
    """Each element of the cell with its color and how many atoms of it there are."""
    amounts = structure.composition.get_el_amt_dict()
    return tuple(Entry(element_color(symbol), f"{symbol} × {n:.0f}") for symbol, n in amounts.items())


def describe(structure: Structure) -> str:
    """One sentence for a reader who cannot see the picture: formula, atoms of the cell, lattice constants."""
    counts = ", ".join(f"{n:.0f} {symbol}" for symbol, n in structure.composition.get_el_amt_dict().items())
    a, b, c = structure.lattice.abc
    lengths = f"a = {a:.3f}, b = {b:.3f}, c = {c:.3f} Å"
    return f"{formula_of(structure)}, {len(structure)} atoms in the cell ({counts}), {lengths}."
