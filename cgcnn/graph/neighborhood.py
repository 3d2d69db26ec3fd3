"""The neighbors of one atom under every rule at once, the chemist's among them."""

from dataclasses import dataclass

import numpy as np
from pymatgen.core import Element, Structure

from cgcnn.graph.config import GraphConfig
from cgcnn.graph.crystal_nn import crystal_nn
from cgcnn.graph.neighbors import NEIGHBOR_RULES, Neighbors
from cgcnn.graph.sites import Sites

CHEMIST = "CrystalNN"


@dataclass(frozen=True)
class Group:
    """Neighbors of one element at one distance."""

    distance: float  # Å
    symbol: str
    count: int


def neighborhood(structure: Structure, config: GraphConfig, atom: int, rule: str) -> list[Group]:
    """The neighbors of one atom under one of NEIGHBOR_RULES, or CHEMIST, nearest first; may be empty."""
    if rule == CHEMIST:
        return _grouped(structure, crystal_nn(structure, atom), config.tolerance)
    choose = NEIGHBOR_RULES[rule]
    found = choose(Sites.of(structure), config.cutoff, config.max_neighbors, config.tolerance, np.array([atom]))
    return _grouped(structure, found, config.tolerance)


def table(rules: dict[str, list[Group]], tolerance: float) -> list[tuple[float, str, list[int]]]:
    """A row for each distance and element that some rule has, with the count of each rule in turn."""
    rows: list[tuple[float, str, list[int]]] = []
    labeled = [(g.distance, g.symbol, column, g.count) for column, groups in enumerate(rules.values()) for g in groups]
    for distance, symbol, column, count in sorted(labeled):
        # Two rules see one shell at the same distance but for rounding: the row begun within the tolerance is its own.
        row = next((r for r in reversed(rows) if r[1] == symbol and distance - r[0] <= tolerance), None)
        if row is None:
            rows.append(row := (distance, symbol, [0] * len(rules)))
        row[2][column] += count
    return rows


def _grouped(structure: Structure, pairs: Neighbors, tolerance: float) -> list[Group]:
    groups: list[Group] = []
    start = -1.0
    for j, distance in zip(pairs.neighbor.tolist(), pairs.distance.tolist(), strict=True):
        symbol = Element.from_Z(structure[j].specie.Z).symbol
        start = distance if distance - start > tolerance else start
        same = next((n for n, g in enumerate(groups) if g.distance == start and g.symbol == symbol), None)
        if same is None:
            groups.append(Group(start, symbol, 1))
        else:
            groups[same] = Group(start, symbol, groups[same].count + 1)
    return groups
