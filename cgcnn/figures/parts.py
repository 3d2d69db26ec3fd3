"""What a 3D picture is made of before it is pixels: atoms, edges, lines and words; data for any viewer."""

from dataclasses import dataclass

Point = tuple[float, float, float]  # Å, Cartesian
Image = tuple[int, int, int]  # lattice vectors added to the atom as the structure lists it

HOME: Image = (0, 0, 0)


@dataclass(frozen=True)
class Atom:
    """A sphere at `xyz`: atom `site` of the structure, or one of its periodic images."""

    xyz: Point
    symbol: str
    radius: float  # Å, as drawn
    color: str
    label: str  # on the sphere
    tip: str  # the sentence that hovering shows
    site: int
    image: Image = HOME
    ghost: bool = False  # stands outside the cell, only to end an edge
    faint: bool = False  # not concerned by the selection
    chosen: bool = False  # is, or repeats, the selected atom


@dataclass(frozen=True)
class Edge:
    """A stick between two atoms of the scene, given by their places in `Scene.atoms`."""

    start: int
    end: int
    colors: tuple[str, str]  # the half at the start, the half at the end
    width: float  # Å, diameter
    tip: str
    crosses: bool = False  # leaves the cell; drawn dashed
    faint: bool = False


@dataclass(frozen=True)
class Line:
    """A line of a cell's outline; `strong` for the unit cell, not for the block of cells around it."""

    a: Point
    b: Point
    strong: bool = True


@dataclass(frozen=True)
class Entry:
    """One row of the legend: an element's sphere, or a shell's stick."""

    color: str
    text: str
    shape: str = "atom"  # or "edge"


@dataclass(frozen=True)
class Scene:
    """All that a 3D picture shows, in Å, with the words that go with it."""

    subject: str  # the same for every picture of one crystal, so that a viewer may keep its camera
    summary: str  # what a person who cannot see the picture is told
    atoms: tuple[Atom, ...]
    edges: tuple[Edge, ...]
    cell: tuple[Line, ...]
    axes: tuple[Point, Point, Point]  # a, b, c
    center: Point
    radius: float  # Å, of the sphere around `center` that a camera must hold
    legend: tuple[Entry, ...]
    selected: int | None = None
    note: str = ""  # one sentence where the picture shows less than was asked for
