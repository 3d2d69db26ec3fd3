"""What makes a crystal usable: every limit on what people bring, and the sentence that refuses what breaks it."""

import re
from dataclasses import dataclass

import numpy as np
from pymatgen.core import Element, Lattice, Structure
from scipy.spatial import cKDTree

from cgcnn.errors import CrystalError

MAX_BYTES = 5_000_000  # a crystal of MAX_ATOMS atoms takes well under 1 MB in every format
MAX_LINES = 200_000  # a CIF with all its reflections has fewer
MAX_ATOMS = 2_000  # in the cell; its graph and its 3D picture still answer at once
LENGTHS = (1.0, 1_000.0)  # Å; from below the shortest lattice vector of any element (Be, 2.3 Å) to long stackings
MIN_HEIGHT = 0.5  # Å between opposite faces; flatter cells make every neighbor search count images without end
VOLUME_PER_ATOM = (2.0, 30_000.0)  # Å³; diamond has 5.7, an atom alone in a 30 Å box 27,000, lengths in pm give more
MIN_DISTANCE = 0.5  # Å; the shortest bond there is, in H2, has 0.74
FULL = 1e-3  # how far from 1 an occupancy may be written and still mean a full site
MAX_NUMBER = 1e6  # no length, angle or coordinate of a crystal is larger
LAST_ELEMENT = 100  # fermium, the last of the published 92-bit table

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eEdD][+-]?\d{1,4})?", re.ASCII)
_SPECIES = re.compile(r"([A-Za-z]{1,3})\d{0,2}(?:\.\d+)?[+-]?\d{0,2}", re.ASCII)
_Z = {Element.from_Z(z).symbol: z for z in range(1, 119)} | {"D": 1}  # but not T, which names tetrahedral sites
SYMBOLS = frozenset(symbol for symbol, z in _Z.items() if z <= LAST_ELEMENT)


@dataclass(frozen=True)
class Draft:
    """A crystal as its file states it, before anything is believed."""

    lattice: np.ndarray  # (3, 3) Å, rows a, b, c
    species: list[str]  # one of each atom as written: "Na", "Na1+", "11"
    coords: np.ndarray  # (atoms, 3) fractional
    labels: list[str]  # how the file lets a person find each atom: "Na1", "atom 3"


def number(text: object, what: str) -> float:
    """The finite number that `text` spells; Fortran's exponent D is one, NaN and 1e30 are none."""
    if isinstance(text, (int, float)) and not isinstance(text, bool):
        text = repr(text)[:60]
    if not isinstance(text, str) or len(text) > 60 or not _NUMBER.fullmatch(text):
        raise CrystalError(f"{what} is {shown(text)}, which is no number; correct the file")
    value = float(text.lower().replace("d", "e"))
    if not abs(value) <= MAX_NUMBER:
        raise CrystalError(f"{what} is {shown(text)}, far beyond any crystal; correct the file")
    return value


def shown(value: object, limit: int = 40) -> str:
    """Foreign text as a sentence can quote it: one line, in quotes, cut at `limit` characters."""
    text = "".join(c if c.isprintable() else " " for c in (value if isinstance(value, str) else str(value)[:99]))
    text = " ".join(text.split())
    return repr(text if len(text) <= limit else text[: limit - 1] + "…")


def short_name(filename: object) -> str:
    """The last part of a path, printable and at most 60 characters, for messages."""
    last = re.split(r"[/\\]", str(filename)[-400:])[-1]
    name = "".join(c for c in last if c.isprintable()).strip()
    return name if len(name) <= 60 else f"{name[:40]}…{name[-19:]}"


def atomic_number(written: str, where: str) -> int:
    """The atomic number of `Na`, `NA`, `Na1+` or `11`; deuterium counts as hydrogen."""
    match = _SPECIES.fullmatch(written.strip())
    symbol = match[1].capitalize() if match else ""
    z = int(written) if written.isascii() and written.isdigit() and len(written) < 4 else _Z.get(symbol, 0)
    if not 1 <= z <= 118:
        raise CrystalError(f"{where} is of the unknown element {shown(written)}; write a symbol from H to Fm")
    if z > LAST_ELEMENT:
        raise CrystalError(
            f"{where} is {Element.from_Z(z).symbol}, element {z}; the networks know elements 1 to {LAST_ELEMENT} "
            "(H to Fm), so replace it"
        )
    return z


def full_occupancy(occupancy: float, species: str, label: str) -> None:
    """Refuse a site that is not filled by exactly one atom."""
    if abs(occupancy - 1) > FULL:
        share = "partially" if occupancy < 1 else "more than once"
        raise CrystalError(
            f"{label} is {share} occupied ({species} with occupancy {occupancy:.4g}); a crystal graph needs one whole "
            "atom per site, so bring an ordered cell or set the occupancy to 1"
        )


def atom_count(n_atoms: int, what: str = "the cell") -> None:
    """Refuse no atoms, and more than MAX_ATOMS; called before any work that grows with them."""
    if n_atoms < 1:
        raise CrystalError(f"{what} holds no atoms; bring a file that lists them")
    if n_atoms > MAX_ATOMS:
        raise CrystalError(f"{what} holds {n_atoms:,} atoms, more than the {MAX_ATOMS:,} allowed; bring a smaller cell")


def cell_from_parameters(lengths: list[float], angles: list[float]) -> np.ndarray:
    """Lattice vectors (3, 3) in Å from a, b, c in Å and alpha, beta, gamma in degrees."""
    for name, value in zip("abc", lengths, strict=True):
        _length(name, value)
    for name, value in zip(("alpha", "beta", "gamma"), angles, strict=True):
        if not 0 < value < 180:
            raise CrystalError(f"the cell angle {name} is {value:g}°; it must lie between 0° and 180°")
    cosines = np.cos(np.radians(angles))
    if 1 - (cosines**2).sum() + 2 * cosines.prod() <= 1e-8:  # the squared volume of a cell with unit edges
        written = ", ".join(f"{angle:g}°" for angle in angles)
        raise CrystalError(f"no cell has the angles {written} together; correct alpha, beta and gamma")
    return np.array(Lattice.from_parameters(*lengths, *angles).matrix)


def fractional(lattice: np.ndarray, cartesian: np.ndarray) -> np.ndarray:
    """Fractional coordinates (atoms, 3) of Cartesian ones in Å, once the cell is known to be sound."""
    check_lattice(lattice)
    return np.linalg.solve(lattice.T, cartesian.T).T


def check_lattice(lattice: np.ndarray) -> None:
    """Refuse lattice vectors that are too short, too long, or span (almost) no volume."""
    for name, vector in zip("abc", lattice, strict=True):
        _length(name, float(np.linalg.norm(vector)))
    volume = abs(np.linalg.det(lattice))
    faces = [np.linalg.norm(np.cross(lattice[i - 2], lattice[i - 1])) for i in range(3)]
    height = min(volume / face if face else 0.0 for face in faces)
    if not height >= MIN_HEIGHT:
        raise CrystalError(
            f"the cell is flat: its opposite faces are only {height:.2g} Å apart, and its volume is {volume:.3g} Å³; "
            "correct the lattice vectors or choose a less skewed cell"
        )


def checked(draft: Draft) -> Structure:
    """The ordered structure of a draft, atoms wrapped into the cell, or the sentence that says why there is none."""
    n_atoms = len(draft.species)
    atom_count(n_atoms)
    numbers = [atomic_number(s, where) for s, where in zip(draft.species, draft.labels, strict=True)]
    check_lattice(draft.lattice)
    volume = abs(np.linalg.det(draft.lattice)) / n_atoms
    low, high = VOLUME_PER_ATOM
    if not low <= volume <= high:
        raise CrystalError(
            f"each of the {n_atoms} atoms has {volume:.3g} Å³ of room, and {low:g} to {high:,.0f} Å³ are allowed; "
            "correct the cell lengths (in Å) or the list of atoms"
        )
    coords = wrapped(draft.coords)
    _distances(draft, coords)
    return Structure(Lattice(draft.lattice), [Element.from_Z(z) for z in numbers], coords)


def wrapped(coords: np.ndarray) -> np.ndarray:
    """Fractional coordinates in [0, 1), where a hair below 1 counts as 0."""
    inside = coords % 1.0
    inside[inside > 1 - 1e-9] = 0.0
    return inside


def _length(name: str, value: float) -> None:
    low, high = LENGTHS
    if not low <= value <= high:
        raise CrystalError(f"the cell length {name} is {value:.4g} Å; it must lie between {low:g} and {high:g} Å")


def _distances(draft: Draft, coords: np.ndarray) -> None:
    """Refuse atoms closer than MIN_DISTANCE; the heights of the cell allow to look one image far only."""
    shifts = np.stack(np.meshgrid(*[[0, -1, 1]] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    images = (coords[None] + shifts[:, None]).reshape(-1, 3)  # the atoms themselves come first
    reach = MIN_DISTANCE * np.linalg.norm(np.linalg.inv(draft.lattice), axis=0) + 1e-9  # 1 / heights
    near = ((images >= -reach) & (images <= 1 + reach)).all(axis=1)
    owner = np.tile(np.arange(len(coords)), len(shifts))[near]
    distance, found = cKDTree(images[near] @ draft.lattice).query(coords @ draft.lattice, k=2)
    closest = int(distance[:, 1].argmin())
    if distance[closest, 1] < MIN_DISTANCE:
        pair = owner[found[closest]]
        other = pair[1] if pair[0] == closest else pair[0]
        names = sorted({closest, int(other)})
        called = [f"atom {i + 1}" for i in names]
        who = " and ".join(
            atom if atom == draft.labels[i] else f"{draft.labels[i]} ({atom})"
            for atom, i in zip(called, names, strict=True)
        )
        raise CrystalError(
            f"{who}{' and its own image' if len(names) == 1 else ''} are {distance[closest, 1]:.2f} Å apart, closer "
            f"than any bond ({MIN_DISTANCE} Å); remove one of them or correct the coordinates"
        )
