"""What a network cannot tell apart: atoms with the same elements at the same distances, as far as one looks.

Color refinement, the one-dimensional test of Weisfeiler and Leman (1968); message passing tells no more apart:
Xu et al., "How powerful are graph neural networks?", ICLR 2019.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from pymatgen.core import Element

from cgcnn.data.elements import ATOM_VECTORS, N_ELEMENTS
from cgcnn.errors import CrystalError
from cgcnn.graph.crystal_graph import CrystalGraph
from cgcnn.graph.neighbors import TIE


@dataclass(frozen=True)
class MergedEdge:
    """All edges from an atom of one class to atoms of another at one distance."""

    center: int  # class
    neighbor: int  # class
    distance: float  # Å
    count: int  # for each atom of the center's class


@dataclass(frozen=True)
class MergedGraph:
    """The graph with equal atoms made one: all that a network of any depth can learn of it."""

    classes: tuple[int, ...]  # of each atom, counted from 0 by first appearance
    symbols: tuple[tuple[str, ...], ...]  # of each class; two elements where their 92 bits are equal
    edges: tuple[MergedEdge, ...]
    rounds: tuple[int, ...]  # the number of classes before, and after each round of refinement

    @property
    def n_classes(self) -> int:
        """How many kinds of atoms there are for the network."""
        return len(self.symbols)

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many atoms of the cell each class holds."""
        return tuple(np.bincount(self.classes, minlength=self.n_classes).tolist())

    @property
    def fractions(self) -> tuple[float, ...]:
        """The share of each class among the atoms: all that mean pooling keeps of how many there are."""
        return tuple(size / len(self.classes) for size in self.sizes)


@dataclass(frozen=True)
class Comparison:
    """Classes against orbits: lists of atoms that symmetry sets apart and the network merges, or the other way."""

    merged: tuple[tuple[int, ...], ...]  # orbits (their numbers) that share a class
    split: tuple[tuple[int, ...], ...]  # classes that share an orbit

    @property
    def equal(self) -> bool:
        """True when every class is one orbit."""
        return not self.merged and not self.split


def merged_graph(graph: CrystalGraph, tolerance: float = 1e-3) -> MergedGraph:
    """Refine until nothing changes, then merge atoms by class and edges by class and distance (to `tolerance` Å)."""
    shell, lengths = distance_groups(graph.distance.double().numpy(), tolerance)
    classes, rounds = refined(graph, shell)
    numbers = graph.atomic_numbers.numpy()
    symbols = tuple(
        tuple(Element.from_Z(int(z)).symbol for z in np.unique(numbers[classes == c])) for c in range(rounds[-1])
    )
    return MergedGraph(tuple(classes.tolist()), symbols, _merged_edges(graph, classes, shell, lengths), tuple(rounds))


def distance_groups(distance: np.ndarray, tolerance: float) -> tuple[np.ndarray, np.ndarray]:
    """The group of each distance, and the mean distance of each group in Å.

    A new group begins once the last one is `tolerance` wide, but only at a gap wider than TIE: distances that are
    equal but for rounding never fall into two.
    """
    order = np.argsort(distance, kind="stable")
    ranked, group, start = distance[order], np.zeros(len(distance), dtype=np.int64), 0
    gaps = [*(np.flatnonzero(np.diff(ranked) > TIE) + 1).tolist(), len(ranked)]
    for first, end in pairwise(gaps):
        if ranked[end - 1] - ranked[start] > tolerance:
            group[first] = 1
            start = first
    named = np.empty_like(group)
    named[order] = np.cumsum(group)
    return named, np.bincount(named, weights=distance) / np.bincount(named)


def refined(graph: CrystalGraph, shell: np.ndarray) -> tuple[np.ndarray, list[int]]:
    """The stable class of each atom, and the number of classes after each round; round 0 knows the 92 bits alone.

    A round splits a class where its atoms see other multisets of (shell, class of the neighbor): what one
    convolution could learn from the classes of the round before.
    """
    classes = _first_classes(graph)
    rounds = [int(classes.max()) + 1]
    while True:
        seen = shell * rounds[-1] + classes[graph.neighbor.numpy()]
        views = np.column_stack([classes, _multisets(graph, np.unique(seen, return_inverse=True)[1])])
        classes = _numbered(views)
        rounds.append(int(classes.max()) + 1)
        if rounds[-1] == rounds[-2]:
            return classes, rounds[:-1]


def compared(classes: Sequence[int], orbits: Sequence[int]) -> Comparison:
    """Which orbits of the space group share a class, and which classes share an orbit."""
    return Comparison(_sharing(classes, orbits), _sharing(orbits, classes))


def _sharing(groups: Sequence[int], members: Sequence[int]) -> tuple[tuple[int, ...], ...]:
    inside: dict[int, set[int]] = {}
    for group, member in zip(groups, members, strict=True):
        inside.setdefault(group, set()).add(member)
    return tuple(tuple(sorted(found)) for found in inside.values() if len(found) > 1)


def _first_classes(graph: CrystalGraph) -> np.ndarray:
    """Atoms whose elements have the same 92 bits start in one class; La and Ce do."""
    numbers = graph.atomic_numbers.numpy()
    if numbers.max() > N_ELEMENTS:
        raise CrystalError(
            f"The encoding knows no element {Element.from_Z(int(numbers.max())).symbol}, only H to Fm; replace it."
        )
    return _numbered(ATOM_VECTORS[numbers - 1])


def _multisets(graph: CrystalGraph, seen: np.ndarray) -> np.ndarray:
    """What each atom sees, sorted: (atoms, largest degree), −1 where it has fewer edges."""
    center, degree = graph.center.numpy(), graph.degree.numpy()
    order = np.lexsort((seen, center))
    place = np.arange(len(center)) - np.repeat(np.cumsum(degree) - degree, degree)
    table = np.full((graph.n_atoms, int(degree.max())), -1, dtype=np.int64)
    table[center, place] = seen[order]  # edges come sorted by center, and so does the sorted list
    return table


def _numbered(rows: np.ndarray) -> np.ndarray:
    """Equal rows get equal numbers, counted by first appearance."""
    _, first, inverse = np.unique(rows, axis=0, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[inverse.reshape(-1)]


def _merged_edges(
    graph: CrystalGraph, classes: np.ndarray, shell: np.ndarray, lengths: np.ndarray
) -> tuple[MergedEdge, ...]:
    """Counted by one whole number for each (class, shell, class), which sorts a hundred times faster than rows."""
    n, m = int(classes.max()) + 1, len(lengths)
    key = (classes[graph.center.numpy()] * m + shell) * n + classes[graph.neighbor.numpy()]
    found, counts = np.unique(key, return_counts=True)
    sizes = np.bincount(classes)
    ends = zip((found // (m * n)).tolist(), (found // n % m).tolist(), (found % n).tolist(), counts, strict=True)
    return tuple(MergedEdge(i, j, float(lengths[s]), int(count // sizes[i])) for i, s, j, count in ends)
