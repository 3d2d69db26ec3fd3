"""Who counts as a neighbor: the rules, over one compiled search that grows only as far as it must.

Periodic images are counted one by one, so an atom may neighbor the same atom several times, and itself.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from pymatgen.core import Structure
from pymatgen.optimization.neighbors import find_points_in_spheres

TIE = 1e-5  # Å; distances closer than this are one distance, so that noise in the coordinates orders nothing
GROWTH = 1.3  # how much farther each unsuccessful search looks; the volume searched doubles


@dataclass(frozen=True)
class Sites:
    """A structure as plain arrays, read out of pymatgen once."""

    coords: np.ndarray  # (atoms, 3) Å, Cartesian
    numbers: np.ndarray  # (atoms) atomic numbers
    lattice: np.ndarray  # (3, 3) Å, rows a, b, c
    pbc: np.ndarray  # (3) 1 where the crystal repeats

    @classmethod
    def of(cls, structure: Structure) -> "Sites":
        """Read a pymatgen structure; its sites must be ordered."""
        return cls(
            np.array(structure.cart_coords, dtype=float, ndmin=2),
            np.array(structure.atomic_numbers, dtype=np.int64),
            np.array(structure.lattice.matrix, dtype=float),
            np.array(structure.pbc, dtype=np.int64),
        )

    def radius_holding(self, count: float) -> float:
        """The radius in Å of a sphere that holds `count` atoms at the crystal's mean density."""
        volume = abs(np.linalg.det(self.lattice)) / len(self.coords)
        return float((3 * count * volume / (4 * np.pi)) ** (1 / 3))


@dataclass(frozen=True)
class Neighbors:
    """Pairs (center, neighbor in cell `image`) with their distance in Å; sorted by `ordered`."""

    center: np.ndarray  # (pairs)
    neighbor: np.ndarray  # (pairs)
    image: np.ndarray  # (pairs, 3) lattice vectors from the neighbor in the cell to the one meant
    distance: np.ndarray  # (pairs) Å

    def take(self, chosen: np.ndarray) -> "Neighbors":
        """The pairs that a mask or an index array chooses, in its order."""
        return Neighbors(self.center[chosen], self.neighbor[chosen], self.image[chosen], self.distance[chosen])

    def degree(self, n_atoms: int) -> np.ndarray:
        """How many neighbors each of `n_atoms` atoms has."""
        return np.bincount(self.center, minlength=n_atoms)


def within(sites: Sites, cutoff: float, centers: np.ndarray | None = None) -> Neighbors:
    """Every pair closer than `cutoff` Å, an atom's own images included, the atom itself left out."""
    wanted = np.arange(len(sites.coords)) if centers is None else centers
    center, neighbor, image, distance = find_points_in_spheres(
        sites.coords, sites.coords[wanted], r=cutoff, pbc=sites.pbc, lattice=sites.lattice, tol=1e-8
    )
    pairs = Neighbors(wanted[center], neighbor, image.astype(np.int64), distance)
    itself = (pairs.center == pairs.neighbor) & ~pairs.image.any(axis=1)
    return pairs.take(~itself)


def ordered(sites: Sites, pairs: Neighbors) -> Neighbors:
    """Sort by center and distance; ties (within TIE) by atomic number, index and image.

    The order inside a tie must not depend on rounding: edges are listed, numbered and pointed at in it.
    """
    pairs = pairs.take(np.lexsort((pairs.distance, pairs.center)))
    starts = np.diff(pairs.distance, prepend=-1.0) > TIE
    starts |= np.diff(pairs.center, prepend=-1) != 0
    shift = pairs.image + 512
    image_rank = (shift[:, 0] * 1024 + shift[:, 1]) * 1024 + shift[:, 2]
    species_rank = sites.numbers[pairs.neighbor] * len(sites.numbers) + pairs.neighbor
    return pairs.take(np.lexsort((image_rank, species_rank, np.cumsum(starts))))


def rank(pairs: Neighbors, n_atoms: int) -> np.ndarray:
    """The place of each ordered pair in its center's list: 0 for the nearest."""
    degree = pairs.degree(n_atoms)
    return np.arange(len(pairs.center)) - np.repeat(np.cumsum(degree) - degree, degree)


def reaching(sites: Sites, count: int, cutoff: float, slack: float, centers: np.ndarray | None = None) -> Neighbors:
    """All pairs up to some radius that holds `count` neighbors of every center, and `slack` Å more, in no order.

    The radius starts near the expected one and grows; it never passes `cutoff`, so a center in a
    sparse crystal may come back with fewer.
    """
    reach = 1.15 * sites.radius_holding(count + 1) + slack
    wanted = np.arange(len(sites.coords)) if centers is None else centers
    while True:
        pairs = within(sites, min(reach, cutoff), centers)
        settled = pairs.distance < reach - slack
        held = np.bincount(pairs.center[settled], minlength=len(sites.coords))[wanted]
        if reach >= cutoff or (held >= count).all():
            return pairs
        reach *= GROWTH


def nearest(sites: Sites, count: int, cutoff: float, slack: float, centers: np.ndarray | None = None) -> Neighbors:
    """What `reaching` finds, ordered."""
    return ordered(sites, reaching(sites, count, cutoff, slack, centers))


def k_nearest(sites: Sites, cutoff: float, count: int, tolerance: float, centers: np.ndarray | None) -> Neighbors:
    """The `count` nearest within `cutoff` Å, as Xie and Grossman published: sorted by distance, then cut.

    Where that cuts a shell in two, the last bit of each distance decides what stays. A fairer choice would
    hide the fault of the rule, and the networks published with it never saw one.
    """
    pairs = reaching(sites, count, cutoff, 10 * TIE, centers)
    by_distance = pairs.take(np.lexsort((pairs.distance, pairs.center)))
    return ordered(sites, by_distance.take(rank(by_distance, len(sites.coords)) < count))


def whole_shells(sites: Sites, cutoff: float, count: int, tolerance: float, centers: np.ndarray | None) -> Neighbors:
    """The `count` nearest within `cutoff` Å and all others as near as the last of them, to `tolerance` Å."""
    pairs = nearest(sites, count, cutoff, 2 * tolerance, centers)
    place = rank(pairs, len(sites.coords))
    last = np.zeros(len(sites.coords))
    np.maximum.at(last, pairs.center[place < count], pairs.distance[place < count])
    return pairs.take(pairs.distance <= last[pairs.center] + tolerance)


def radius(sites: Sites, cutoff: float, count: int, tolerance: float, centers: np.ndarray | None) -> Neighbors:
    """Everything within `cutoff` Å, however many."""
    return ordered(sites, within(sites, cutoff, centers))


Rule = Callable[[Sites, float, int, float, "np.ndarray | None"], Neighbors]
NEIGHBOR_RULES: dict[str, Rule] = {"k nearest": k_nearest, "whole shells": whole_shells, "radius": radius}
