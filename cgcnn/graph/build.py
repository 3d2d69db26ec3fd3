"""From structures to graphs: the neighbor rule applied, atoms without neighbors looked after.

Only the compiled search runs crystal by crystal; every other step takes many crystals at once, so that it costs what
its numbers cost and not what its call costs.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from pymatgen.core import Element, Structure

from cgcnn.data.crystal import formula_of, site_label
from cgcnn.data.elements import N_ELEMENTS
from cgcnn.errors import CrystalError, IsolatedAtomError
from cgcnn.graph.config import GraphConfig
from cgcnn.graph.crystal_graph import CrystalGraph, batch
from cgcnn.graph.merge import lightest
from cgcnn.graph.neighbors import NEIGHBOR_RULES, Neighbors, nearest, rank, together
from cgcnn.graph.sites import Sites, all_ordered

DEFAULT = GraphConfig()
MAX_EDGES = 3_000_000  # 300 MB of edge vectors; beyond it the cutoff is a mistake
NO_CUTOFF = 1e3  # Å; farther than any neighbor in a crystal that read_structure accepts
PORTION = 25_000  # pairs worked on together; arrays of 200,000 go back to the system each time: half as slow again


@dataclass(frozen=True)
class Built:
    """The graphs of many crystals side by side, and why the others have none."""

    graph: CrystalGraph  # crystal n of it is number kept[n] of those given
    kept: tuple[int, ...]
    dropped: Mapping[int, str]  # position among those given, ascending -> sentence


@dataclass(frozen=True)
class Reading:
    """Structures as arrays, and what stands against a graph of the others before any neighbor is sought."""

    sites: Sites
    asked: list[int]  # which of the structures they are
    refused: dict[int, CrystalError]


def build_graph(structure: Structure, config: GraphConfig | None = None) -> CrystalGraph:
    """The crystal graph of an ordered structure; IsolatedAtomError names an atom that has no neighbor."""
    config = config or DEFAULT
    if not _is_plain([structure], config) and (wrong := _refusal(structure, config)):
        raise wrong
    graph, isolated = graph_of(Sites.of(structure), config)
    if len(isolated):
        raise IsolatedAtomError(_isolated_sentence(structure, isolated, config))
    return graph


def build_graphs(structures: Sequence[Structure], config: GraphConfig | None = None) -> Built:
    """What `build_graph` gives of each structure, side by side in one graph; one that fails does not hinder the others.

    A set is for a network, so a crystal with an element that has no vector in `cgcnn.data.elements` is dropped too.
    Many crystals at once cost a third of what they cost one by one.
    """
    config = config or DEFAULT
    reading = read(structures, config)
    graph, isolated = graph_of(reading.sites, config)
    dropped = refusals(structures, reading, isolated, config)
    return Built(graph, tuple(n for n in range(len(structures)) if n not in dropped), dropped)


def read(structures: Sequence[Structure], config: GraphConfig) -> Reading:
    """The arrays of all structures that may have a graph and be given to a network."""
    if _is_plain(structures, config):
        sites = Sites.of(*structures)
        if sites.numbers.max(initial=0) <= N_ELEMENTS:
            return Reading(sites, list(range(len(structures))), {})
    wrongs = (_refusal(structure, config) or _refusal_by_networks(structure) for structure in structures)
    refused = {n: wrong for n, wrong in enumerate(wrongs) if wrong}
    asked = [n for n in range(len(structures)) if n not in refused]
    return Reading(Sites.of(*(structures[n] for n in asked)), asked, refused)


def graph_of(sites: Sites, config: GraphConfig) -> tuple[CrystalGraph, np.ndarray]:
    """The graphs of all crystals whose atoms have neighbors, side by side, and the atoms that have none."""
    graphs, all_isolated = [], [np.zeros(0, dtype=np.int64)]
    for start, end in _portions(sites, config):
        part = sites.part(start, end)
        pairs, isolated = find_neighbors(part, config)
        graph = _graph(part, pairs)
        if len(isolated):
            graph = graph.take(torch.from_numpy(np.delete(np.arange(end - start), part.crystal[isolated])))
            all_isolated.append(isolated + sites.first[start])
        graphs.append(graph)
    return graphs[0] if len(graphs) == 1 else batch(graphs), np.concatenate(all_isolated)


def finished(sites: Sites, config: GraphConfig, light: bool) -> tuple[CrystalGraph, np.ndarray]:
    """What `graph_of` gives; where it is asked to be light, as its lightest graph and without places and cells."""
    graph, isolated = graph_of(sites, config)
    if light and graph.n_crystals:
        graph = lightest(graph)
    return (replace(graph, fractional=None, lattice=None) if light else graph), isolated


def refusals(
    structures: Sequence[Structure], reading: Reading, isolated: np.ndarray, config: GraphConfig
) -> dict[int, str]:
    """For each structure without a graph, by ascending position, the sentence that says why."""
    dropped = {n: str(wrong) for n, wrong in reading.refused.items()}
    of_crystal = reading.sites.crystal[isolated]
    for crystal in np.unique(of_crystal).tolist():
        atoms = isolated[of_crystal == crystal] - reading.sites.first[crystal]
        n = reading.asked[crystal]
        dropped[n] = _isolated_sentence(structures[n], atoms, config)
    return dict(sorted(dropped.items()))


def find_neighbors(sites: Sites, config: GraphConfig) -> tuple[Neighbors, np.ndarray]:
    """The pairs of the configured rule, and the atoms that have none; where the cutoff may grow, there are no such."""
    rule = NEIGHBOR_RULES[config.rule]
    pairs = rule(sites, config.cutoff, config.max_neighbors, config.tolerance, None)
    isolated = np.flatnonzero(pairs.degree(sites.n_atoms) == 0)
    if not len(isolated) or config.isolated == "error":
        return pairs, isolated
    # An isolated atom has no radius of its own to fill, so "radius" gives it its nearest shell.
    rule_for_isolated = rule if config.rule != "radius" else NEIGHBOR_RULES["whole shells"]
    count = config.max_neighbors if config.rule != "radius" else 1
    found = rule_for_isolated(sites, NO_CUTOFF, count, config.tolerance, isolated)
    return together([pairs, found]), isolated[:0]


def _portions(sites: Sites, config: GraphConfig) -> Iterator[tuple[int, int]]:
    """Runs of crystals that have about PORTION pairs together; a larger crystal stands alone."""
    per_atom = 2.0 * (config.max_neighbors + 1)  # the first radius holds some more than it must
    expected = sites.sizes * per_atom
    if config.rule == "radius":
        expected = 4.19 * config.cutoff**3 * sites.sizes**2 / sites.volumes
    start, total = 0, 0.0
    for n, pairs in enumerate(expected.tolist()):
        if total + pairs > PORTION and n > start:
            yield start, n
            start, total = n, 0.0
        total += pairs
    yield start, sites.n_crystals


def _graph(sites: Sites, pairs: Neighbors) -> CrystalGraph:
    ends = pairs.center.searchsorted(sites.first).tolist()
    displacement, image = np.empty((len(pairs.center), 3)), pairs.image.astype(float)
    for crystal, lattice in enumerate(sites.lattice):
        own = slice(ends[crystal], ends[crystal + 1])
        np.matmul(image[own], lattice, out=displacement[own])
    displacement += sites.coords.take(pairs.neighbor, axis=0)
    displacement -= sites.coords.take(pairs.center, axis=0)
    return CrystalGraph(
        atomic_numbers=torch.from_numpy(sites.numbers),
        crystal=torch.from_numpy(sites.crystal),
        center=torch.from_numpy(pairs.center),
        neighbor=torch.from_numpy(pairs.neighbor),
        image=torch.from_numpy(pairs.image),
        displacement=torch.from_numpy(displacement.astype(np.float32)),
        n_crystals=sites.n_crystals,
        fractional=torch.from_numpy(sites.fractional.astype(np.float32)),
        lattice=torch.from_numpy(sites.lattice.astype(np.float32)),
    )


def _is_plain(structures: Sequence[Structure], config: GraphConfig) -> bool:
    """True when `_refusal` has nothing against any of them; found out quickly, for all at once."""
    return config.rule != "radius" and all_ordered(structures)


def _refusal(structure: Structure, config: GraphConfig) -> CrystalError | None:
    """What stands against a graph before any neighbor is sought."""
    if not structure.is_ordered:
        return CrystalError(f"{formula_of(structure)} has partly occupied sites; give an ordered structure.")
    pairs = 4.19 * config.cutoff**3 * len(structure) ** 2 / structure.volume
    if config.rule == "radius" and pairs > MAX_EDGES:
        return CrystalError(
            f"All pairs of {formula_of(structure)} within {config.cutoff:g} Å would be about "
            f"{pairs:,.0f} edges (limit {MAX_EDGES:,}); lower the cutoff or use a smaller cell."
        )
    return None


def _refusal_by_networks(structure: Structure) -> CrystalError | None:
    if (z := max(structure.atomic_numbers)) <= N_ELEMENTS:
        return None
    return CrystalError(
        f"{formula_of(structure)} has {Element.from_Z(z).symbol}, element {z}; the networks know elements 1 to "
        f"{N_ELEMENTS} (H to Fm), so replace it."
    )


def _isolated_sentence(structure: Structure, isolated: np.ndarray, config: GraphConfig) -> str:
    first, count, total = site_label(structure, int(isolated[0])), len(isolated), len(structure)
    around = nearest(Sites.of(structure), 1, NO_CUTOFF, 0.0, isolated)
    nearest_of_each = around.distance[rank(around, total) == 0]
    need = np.ceil(10 * nearest_of_each.max()) / 10 if len(nearest_of_each) == count else np.inf
    farthest = GraphConfig.options()["cutoff"].maximum or np.inf
    advice = f"raise the cutoff to at least {need:.1f} Å, or let it grow" if need <= farthest else "let the cutoff grow"
    verb = "has" if count == 1 else "have"
    return (
        f"{count} of {total} atoms of {formula_of(structure)} {verb} no neighbor within "
        f"{config.cutoff:g} Å (first: {first}); {advice} for such atoms."
    )
