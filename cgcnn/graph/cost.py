"""What a graph costs: edges, angles and seconds of ever larger supercells of one crystal."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from time import perf_counter

import numpy as np
from pymatgen.core import Structure

from cgcnn.graph.build import build_graph
from cgcnn.graph.config import GraphConfig
from cgcnn.graph.crystal_graph import CrystalGraph

MOST_ATOMS = 4_096
MOST_EDGES = 400_000  # a fifth of a second; every rule is linear long before
TRIES = 10  # of which the best counts: what else the machine does can only slow a build down
BUDGET = 0.03  # s for one size; within it a build is measured again, so small cells get the most tries


@dataclass(frozen=True)
class Cost:
    """One supercell: how many atoms, edges and line-graph edges it has, and how long its graph took."""

    n_atoms: int
    n_edges: int
    n_line_edges: int  # edge a → b followed by edge b → c
    seconds: float


def doublings(structure: Structure, most_atoms: int = MOST_ATOMS) -> list[tuple[int, int, int]]:
    """Repeats along a, b and c: the cell itself, then twice as many atoms each time, always along the shortest side."""
    repeats = [1, 1, 1]
    found: list[tuple[int, int, int]] = []
    while len(structure) * int(np.prod(repeats)) <= most_atoms or not found:
        found.append((repeats[0], repeats[1], repeats[2]))
        repeats[int(np.argmin(np.array(repeats) * structure.lattice.abc))] *= 2
    return found


def costs(structure: Structure, config: GraphConfig, most_atoms: int = MOST_ATOMS) -> Iterator[Cost]:
    """Build the graph of each supercell; stops before the one that would pass `most_atoms` or MOST_EDGES."""
    for repeats in doublings(structure, most_atoms):
        cost = _measured(structure * repeats, config)
        yield cost
        if 2 * cost.n_edges > MOST_EDGES:
            return


def line_graph_size(graph: CrystalGraph) -> int:
    """Pairs of an edge a → b and an edge b → c: nodes of the line graph are edges, and so N k² such pairs arise.

    Angles live on them in ALIGNN: Choudhary and DeCost, npj Comput. Mater. 7, 185 (2021).
    """
    return int(graph.degree[graph.neighbor].sum())


def slope(x: Sequence[float], y: Sequence[float]) -> float:
    """The exponent p of y ∝ xᵖ: a straight line through the logarithms, by least squares; NaN for one point."""
    return float(np.polyfit(np.log(x), np.log(y), 1)[0]) if len(x) > 1 else float("nan")


def _measured(structure: Structure, config: GraphConfig) -> Cost:
    times: list[float] = []
    while len(times) < TRIES and sum(times) < BUDGET:
        start = perf_counter()
        graph = build_graph(structure, config)
        times.append(perf_counter() - start)
    return Cost(graph.n_atoms, graph.n_edges, line_graph_size(graph), min(times))
