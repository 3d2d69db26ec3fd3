"""The quotient graph: atoms that no network can tell apart made one, edges that carry one message made one.

Exact: equal atoms have equal vectors after every layer, so one row stands for them all when sums, batch statistics
and pooling count it as often as it stands for. On Matbench phonons three of ten edges are left; without symmetry
nothing is gained. `cgcnn.graph.classes` shows the idea on one crystal; here all crystals of a set are refined at once.
"""

import numpy as np
import torch

from cgcnn.graph.crystal_graph import CrystalGraph

SAME = 1e-5  # Å; at 1e-4 the outputs of merged and plain graphs differ by more than float32 does

WORTH = 0.85  # of the edges: with more than that left, a plain graph trains faster


def merged(graph: CrystalGraph) -> CrystalGraph:
    """The quotient of each crystal of a plain graph; every model gives the same output for both, to float precision.

    An edge of the result has the direction of the first edge that it stands for and their mean length; its image
    means nothing any more. The graph must lie on the CPU; one that is merged already stays as it is.
    """
    if graph.multiplicity is not None or not graph.n_crystals:
        return graph
    shell = shells_of(graph)
    classes = refined(graph, shell)
    _, first = np.unique(classes, return_index=True)  # classes count by first appearance, so `first` ascends
    sizes = np.bincount(classes)
    keys = (classes[graph.neighbor.numpy()], shell, classes[graph.center.numpy()])
    order = np.lexsort(keys)
    neighbor, shell, center = (key[order] for key in keys)
    new = np.append(True, (np.diff(center) != 0) | (np.diff(shell) != 0) | (np.diff(neighbor) != 0))
    kept, copies = order[new], np.diff(np.flatnonzero(np.append(new, True)))
    length = graph.distance.double().numpy()
    mean = np.add.reduceat(length[order], np.flatnonzero(new)) / copies
    longer = torch.from_numpy((mean / length[kept]).astype(np.float32))
    return CrystalGraph(
        atomic_numbers=graph.atomic_numbers[first],
        crystal=graph.crystal[first],
        center=torch.from_numpy(center[new]),
        neighbor=torch.from_numpy(neighbor[new]),
        image=graph.image[kept],
        displacement=graph.displacement[kept] * longer[:, None],
        n_crystals=graph.n_crystals,
        multiplicity=torch.from_numpy(sizes.astype(np.float32)),
        edge_multiplicity=torch.from_numpy((copies // sizes[center[new]]).astype(np.float32)),
    )


def lightest(graph: CrystalGraph) -> CrystalGraph:
    """The merged graph where that is worth it, else the graph itself: counting copies costs a tenth of a step."""
    small = merged(graph)
    return small if small.n_edges < WORTH * graph.n_edges else graph


def shells_of(graph: CrystalGraph) -> np.ndarray:
    """A number for each edge, equal for edges of one crystal whose lengths lie within SAME of each other.

    A gap wider than SAME begins a new shell, and where distances lie so close that none does, every step of SAME.
    """
    length, crystal = graph.distance.double().numpy(), graph.crystal[graph.center].numpy()
    order = np.lexsort((length, crystal))
    ranked = length[order]
    gap = np.append(True, (np.diff(ranked) > SAME) | (np.diff(crystal[order]) != 0))
    step = np.floor((ranked - ranked[gap][np.cumsum(gap) - 1]) / SAME)
    shell = np.empty(len(order), dtype=np.int64)
    shell[order] = np.cumsum(gap | np.append(True, np.diff(step) != 0))
    return shell


def refined(graph: CrystalGraph, shell: np.ndarray) -> np.ndarray:
    """The class of each atom, counted by first appearance: color refinement, of all crystals at once.

    What an atom sees, a multiset of (shell, class of the neighbor), is told by a sum of 64-bit hashes; that two of
    them agree by accident has a probability below (number of atoms)² / 2⁶⁴.
    """
    center, neighbor = graph.center.numpy(), graph.neighbor.numpy()
    ends = np.searchsorted(center, np.arange(graph.n_atoms + 1))
    classes, n = _numbered(graph.crystal.numpy() * 256 + graph.atomic_numbers.numpy())
    far = _hashed(shell)
    while True:
        told = np.append(np.uint64(0), np.cumsum(_hashed(far + classes[neighbor].astype(np.uint64))))
        seen = told[ends[1:]] - told[ends[:-1]]  # sums modulo 2⁶⁴, so differences are exact
        before, (classes, n) = n, _numbered(_hashed(seen) + _hashed(classes))
        if n == before:
            return classes


def _numbered(keys: np.ndarray) -> tuple[np.ndarray, int]:
    """Equal keys get equal numbers, counted from 0 by first appearance; and how many there are."""
    _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[inverse], len(first)


def _hashed(keys: np.ndarray) -> np.ndarray:
    """Whole numbers scattered over 64 bits: the mixing step of SplitMix64 (Steele et al., OOPSLA 2014)."""
    x = keys.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))
