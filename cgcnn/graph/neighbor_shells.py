"""Shells: the neighbors of an atom gathered by distance, and where a neighbor rule cuts one in two."""

from collections import Counter
from dataclasses import dataclass
from functools import cache

import numpy as np
from pymatgen.core import Element, Structure

from cgcnn.graph.build import build_graph
from cgcnn.graph.config import GraphConfig
from cgcnn.graph.crystal_graph import CrystalGraph
from cgcnn.graph.neighbors import ordered, within
from cgcnn.graph.sites import Sites

SAME_SHELL = 1e-3  # Å; see "whole shells"


@dataclass(frozen=True)
class Shell:
    """All neighbors of an atom at one distance: how many of each element there are, and how many are kept."""

    distance: float  # Å
    total: dict[str, int]
    kept: dict[str, int]

    @property
    def is_cut(self) -> bool:
        """True when the graph keeps some of this shell and drops the rest."""
        return 0 < sum(self.kept.values()) < sum(self.total.values())


@dataclass(frozen=True)
class CutShell:
    """A shell of an atom that "k nearest" cuts: it keeps `kept` of `total` neighbors at `distance` Å."""

    atom: int
    distance: float
    kept: int
    total: int
    symbols: tuple[str, ...]
    spread: float  # Å between the nearest and the farthest of the shell; zero but for rounding when all are equal


def shells(structure: Structure, graph: CrystalGraph, atom: int, cutoff: float) -> list[Shell]:
    """The shells of one atom out to `cutoff` Å, with what `graph` keeps of each."""
    sites = Sites.of(structure)
    pairs = ordered(sites, within(sites, cutoff, np.array([atom])))
    own = (graph.center == atom).numpy()
    edges = Counter(_key(j, t) for j, t in zip(graph.neighbor[own].tolist(), graph.image[own].tolist(), strict=True))
    found: list[Shell] = []
    for j, image, d in zip(pairs.neighbor.tolist(), pairs.image.tolist(), pairs.distance.tolist(), strict=True):
        if not found or d - found[-1].distance > SAME_SHELL:
            found.append(Shell(d, {}, {}))
        symbol = _symbol(int(sites.numbers[j]))
        found[-1].total[symbol] = found[-1].total.get(symbol, 0) + 1
        found[-1].kept[symbol] = found[-1].kept.get(symbol, 0) + edges[_key(j, image)]
    return found


def cut_shells(structure: Structure, config: GraphConfig) -> list[CutShell]:
    """Every atom whose last shell "k nearest" cuts in two; empty for the other rules, which cut none."""
    if config.rule != "k nearest":
        return []
    cut = build_graph(structure, config)
    whole = build_graph(structure, config.with_(rule="whole shells"))
    start = np.cumsum(np.append(0, whole.degree.numpy()))  # edges are sorted by center
    distances, numbers = whole.distance.numpy(), whole.atomic_numbers[whole.neighbor].numpy()
    found = []
    for atom in np.flatnonzero((whole.degree > cut.degree).numpy()).tolist():
        own = slice(start[atom], start[atom + 1])
        distance = distances[own]
        last = distance > float(distance.max()) - 2 * config.tolerance
        kept = int(cut.degree[atom]) - int((~last).sum())
        symbols = sorted({_symbol(z) for z in set(numbers[own][last].tolist())})
        spread = float(distance[last].max() - distance[last].min())
        found.append(CutShell(atom, float(distance.max()), kept, int(last.sum()), tuple(symbols), spread))
    return found


@cache
def _symbol(z: int) -> str:
    return Element.from_Z(z).symbol


def _key(neighbor: int, image: list[int]) -> tuple[int, ...]:
    return (neighbor, *image)
