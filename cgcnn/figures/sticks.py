"""Which atoms a ball-and-stick picture joins: a rule for the eye; the network's edges are another matter."""

import numpy as np
from pymatgen.core import Structure

from cgcnn.figures.colors import atomic_radius

REACH = 1.2  # × the sum of two Slater radii, which give bond lengths to 0.12 Å on average (see atomic_radius)
SHELL = 1.13  # × an atom's nearest distance; the next shell of bcc, CsCl and fluorite begins at 2/√3 = 1.155


def sticks(structure: Structure) -> list[tuple[int, int, tuple[int, int, int], float]]:
    """Pairs (i, j, image of j, distance in Å) that a stick joins, each found from both of its ends.

    A stick is at most 1.2 times as long as the two atomic radii together, and belongs to the nearest
    shell of at least one of its atoms: so the O–O contacts inside an octahedron are not joined.
    """
    radii = np.array([atomic_radius(site.specie.symbol) for site in structure])
    center, neighbor, image, distance = structure.get_neighbor_list(2 * REACH * float(radii.max()))
    near = distance <= REACH * (radii[center] + radii[neighbor])
    center, neighbor, image, distance = center[near], neighbor[near], image[near].astype(int), distance[near]
    nearest = np.full(len(structure), np.inf)
    np.minimum.at(nearest, center, distance)
    kept = distance <= SHELL * np.maximum(nearest[center], nearest[neighbor])
    columns = (center[kept], neighbor[kept], image[kept], distance[kept])
    return [(i, j, (t[0], t[1], t[2]), d) for i, j, t, d in zip(*(c.tolist() for c in columns), strict=True)]
