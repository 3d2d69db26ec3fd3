"""Who counts as a neighbor: the rules, over one compiled search that grows only as far as it must.

Periodic images are counted one by one, so an atom may neighbor the same atom several times, and itself. Everything
here takes one crystal or many side by side: only the search runs crystal by crystal.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from pymatgen.optimization.neighbors import find_points_in_spheres

from cgcnn.graph.sites import Sites

TIE = 1e-5  # Å; distances closer than this are one distance, so that noise in the coordinates orders nothing
FIRST = 1.15  # times the radius expected to hold k: 1 % of Matbench's phonon crystals need more, 1.0 fails for half
GROWTH = 1.3  # how much farther each unsuccessful search looks; the volume searched doubles
APART = np.array([1.0, 2.0**17, 2.0**34])  # an atom's own image @ APART is 0 for (0, 0, 0) alone, and exact
Found = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]  # center, neighbor, image, distance
MOSTLY_EMPTY = 4  # cells of a table for each number in it, beyond which plain sorting costs less


@dataclass(frozen=True)
class Neighbors:
    """Pairs (center, neighbor in cell `image`) with their distance in Å; sorted by `ordered`."""

    center: np.ndarray  # (pairs)
    neighbor: np.ndarray  # (pairs)
    image: np.ndarray  # (pairs, 3) lattice vectors from the neighbor in the cell to the one meant
    distance: np.ndarray  # (pairs) Å

    def take(self, chosen: np.ndarray) -> "Neighbors":
        """The pairs that an index array chooses, in its order."""
        image = self.image.take(chosen, axis=0)  # four times as fast as self.image[chosen]
        return Neighbors(self.center.take(chosen), self.neighbor.take(chosen), image, self.distance.take(chosen))

    def degree(self, n_atoms: int) -> np.ndarray:
        """How many neighbors each of `n_atoms` atoms has."""
        return np.bincount(self.center, minlength=n_atoms)


def together(parts: Sequence[Neighbors]) -> Neighbors:
    """The pairs of several searches for different centers as one, sorted by center."""
    if len(parts) == 1:
        return parts[0]
    center = np.concatenate([part.center for part in parts])
    neighbor = np.concatenate([part.neighbor for part in parts])
    image = np.concatenate([part.image for part in parts])
    distance = np.concatenate([part.distance for part in parts])
    return Neighbors(center, neighbor, image, distance).take(np.argsort(center, kind="stable"))


def within(sites: Sites, cutoff: float, centers: np.ndarray | None = None) -> Neighbors:
    """Every pair closer than `cutoff` Å, sorted by center: an atom's own images count, the atom itself does not.

    `centers` are atoms in ascending order; None means all.
    """
    return reaching(sites, 0, cutoff, 0.0, centers)


def reaching(sites: Sites, count: int, cutoff: float, slack: float, centers: np.ndarray | None = None) -> Neighbors:
    """All pairs up to some radius that holds `count` neighbors of every center, and `slack` Å more, by center.

    The radius starts near the expected one and grows for the crystals that need it; it never passes `cutoff`, so a
    center in a sparse crystal may come back with fewer. With no `count` it is the cutoff at once.
    """
    centers = np.arange(sites.n_atoms) if centers is None else centers
    reach = FIRST * sites.radius_holding(count + 1) + slack if count else np.full(sites.n_crystals, cutoff)
    first, reaches = sites.first.tolist(), reach.tolist()
    ends = centers.searchsorted(sites.first).tolist()
    asked = [crystal for crystal in range(sites.n_crystals) if ends[crystal] < ends[crystal + 1]]
    found = []
    for crystal in asked:
        coords = sites.coords[first[crystal] : first[crystal + 1]]
        own = centers[ends[crystal] : ends[crystal + 1]]
        around = coords if len(own) == len(coords) else sites.coords[own]
        box = (sites.pbc[crystal], sites.lattice[crystal])
        found.append(_search(coords, around, box, count, reaches[crystal], cutoff, slack))
    return _joined(sites, found, centers, np.array(asked, dtype=np.int64), np.array(ends))


def _search(
    coords: np.ndarray,
    around: np.ndarray,
    box: tuple[np.ndarray, np.ndarray],
    count: int,
    reach: float,
    cutoff: float,
    slack: float,
) -> Found:
    """What `reaching` says, in one crystal; numbered within the crystal, and every atom finds itself."""
    pbc, lattice = box
    while True:
        found = find_points_in_spheres(coords, around, r=min(reach, cutoff), pbc=pbc, lattice=lattice, tol=1e-8)
        if reach >= cutoff:
            return found
        held = np.bincount(found[0][found[3] < reach - slack], minlength=len(around))
        if min(held.tolist()) > count:  # not ≥, since the atom itself is among them
            return found
        reach *= GROWTH


def _joined(
    sites: Sites, found: Sequence[Found], centers: np.ndarray, asked: np.ndarray, ends: np.ndarray
) -> Neighbors:
    """What was found in the crystals `asked`, numbered through all crystals, without each atom itself."""
    if not found:
        none = np.zeros(0, dtype=np.int64)
        return Neighbors(none, none, none.reshape(0, 3), none.astype(float))
    n_pairs = [len(pairs[0]) for pairs in found]
    columns = found[0] if len(found) == 1 else [np.concatenate(column) for column in zip(*found, strict=True)]
    center = centers[columns[0] + ends[asked].repeat(n_pairs)]
    neighbor = columns[1] + sites.first[asked].repeat(n_pairs)
    image, distance = columns[2:]
    others = ((center != neighbor) | (image @ APART != 0)).nonzero()[0]
    return Neighbors(center, neighbor, image.astype(np.int64), distance).take(others)


def nearest_first(pairs: Neighbors, n_atoms: int, count: int | None = None) -> np.ndarray:
    """The order that sorts pairs by distance for each center, of `count` each when given; (pairs).

    The pairs must come sorted by center. Equal distances stay in the order in which they were found. Sorting the rows
    of a table, a row for each atom, costs a fifth of sorting all pairs at once.
    """
    degree = pairs.degree(n_atoms)
    width = int(degree.max(initial=0))
    if width * n_atoms > MOSTLY_EMPTY * len(pairs.center):
        order = np.lexsort((pairs.distance, pairs.center))
        return order if count is None else order[rank(pairs, n_atoms) < count]
    inside = np.arange(width) < degree[:, None]
    table = np.full(inside.shape, np.inf)
    table[inside] = pairs.distance
    order = table.argsort(axis=1, kind="stable")[:, :count] + (degree.cumsum() - degree)[:, None]
    return order[inside[:, :count]]


def ordered(sites: Sites, pairs: Neighbors, count: int | None = None) -> Neighbors:
    """Sort by center and distance, of `count` each when given; ties (within TIE) by atomic number, index and image.

    The pairs must come sorted by center. The order inside a tie must not depend on rounding: edges are listed,
    numbered and pointed at in it.
    """
    pairs = pairs.take(nearest_first(pairs, sites.n_atoms, count))
    starts = np.ones(len(pairs.center), dtype=bool)
    starts[1:] = (pairs.distance[1:] - pairs.distance[:-1] > TIE) | (pairs.center[1:] != pairs.center[:-1])
    tie, species = starts.cumsum(), sites.numbers[pairs.neighbor] * sites.n_atoms + pairs.neighbor
    low, high = int(pairs.image.min(initial=0)), int(pairs.image.max(initial=0))
    n_species, n_images = 128 * sites.n_atoms, (high - low + 1) ** 3
    if (len(tie) + 1) * n_species * n_images < 2**63:  # one number holds all three, and is nearly sorted already
        image = (pairs.image - low) @ np.array([(high - low + 1) ** 2, high - low + 1, 1])
        return pairs.take(((tie * n_species + species) * n_images + image).argsort(kind="stable"))
    return pairs.take(np.lexsort((*pairs.image.T[::-1], species, tie)))


def rank(pairs: Neighbors, n_atoms: int) -> np.ndarray:
    """The place of each ordered pair in its center's list: 0 for the nearest."""
    degree = pairs.degree(n_atoms)
    return np.arange(len(pairs.center)) - (degree.cumsum() - degree).repeat(degree)


def nearest(sites: Sites, count: int, cutoff: float, slack: float, centers: np.ndarray | None = None) -> Neighbors:
    """What `reaching` finds, ordered."""
    return ordered(sites, reaching(sites, count, cutoff, slack, centers))


def k_nearest(sites: Sites, cutoff: float, count: int, tolerance: float, centers: np.ndarray | None) -> Neighbors:
    """The `count` nearest within `cutoff` Å, as Xie and Grossman published: sorted by distance, then cut.

    Where that cuts a shell in two, the last bit of each distance decides what stays. A fairer choice would
    hide the fault of the rule, and the networks published with it never saw one.
    """
    return ordered(sites, reaching(sites, count, cutoff, 10 * TIE, centers), count)


def whole_shells(sites: Sites, cutoff: float, count: int, tolerance: float, centers: np.ndarray | None) -> Neighbors:
    """The `count` nearest within `cutoff` Å and all others as near as the last of them, to `tolerance` Å."""
    pairs = nearest(sites, count, cutoff, 2 * tolerance, centers)
    degree = pairs.degree(sites.n_atoms)
    starts = (np.cumsum(degree) - degree)[degree > 0]
    counted = np.where(rank(pairs, sites.n_atoms) < count, pairs.distance, 0.0)
    last = np.repeat(np.maximum.reduceat(counted, starts), degree[degree > 0]) if len(starts) else counted
    return pairs.take(np.flatnonzero(pairs.distance <= last + tolerance))


def radius(sites: Sites, cutoff: float, count: int, tolerance: float, centers: np.ndarray | None) -> Neighbors:
    """Everything within `cutoff` Å, however many."""
    return ordered(sites, within(sites, cutoff, centers))


Rule = Callable[[Sites, float, int, float, "np.ndarray | None"], Neighbors]
NEIGHBOR_RULES: dict[str, Rule] = {"k nearest": k_nearest, "whole shells": whole_shells, "radius": radius}
