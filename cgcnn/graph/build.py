"""From a structure to its graph: the neighbor rule applied, atoms without neighbors looked after."""

from dataclasses import fields

import numpy as np
import torch
from pymatgen.core import Structure

from cgcnn.data.crystal import formula_of, site_label
from cgcnn.errors import CrystalError, IsolatedAtomError
from cgcnn.graph.config import GraphConfig
from cgcnn.graph.crystal_graph import CrystalGraph
from cgcnn.graph.neighbors import NEIGHBOR_RULES, Neighbors, Sites, nearest, ordered, rank

MAX_EDGES = 3_000_000  # 300 MB of edge vectors; beyond it the cutoff is a mistake
NO_CUTOFF = 1e3  # Å; farther than any neighbor in a crystal that read_structure accepts


def build_graph(structure: Structure, config: GraphConfig | None = None) -> CrystalGraph:
    """The crystal graph of an ordered structure; IsolatedAtomError names an atom that has no neighbor."""
    config = config or GraphConfig()
    if not structure.is_ordered:
        raise CrystalError(f"{formula_of(structure)} has partly occupied sites; give an ordered structure.")
    sites = Sites.of(structure)
    pairs = find_neighbors(structure, sites, config)
    offsets = pairs.image @ sites.lattice
    displacement = sites.coords[pairs.neighbor] + offsets - sites.coords[pairs.center]
    return CrystalGraph(
        atomic_numbers=torch.from_numpy(sites.numbers),
        crystal=torch.zeros(len(sites.numbers), dtype=torch.long),
        center=torch.from_numpy(pairs.center.astype(np.int64)),
        neighbor=torch.from_numpy(pairs.neighbor.astype(np.int64)),
        image=torch.from_numpy(pairs.image),
        displacement=torch.from_numpy(displacement.astype(np.float32)),
    )


def find_neighbors(structure: Structure, sites: Sites, config: GraphConfig) -> Neighbors:
    """The pairs of the configured rule; atoms without any are refused, or looked after on their own."""
    _refuse_too_many(structure, sites, config)
    rule = NEIGHBOR_RULES[config.rule]
    pairs = rule(sites, config.cutoff, config.max_neighbors, config.tolerance, None)
    isolated = np.flatnonzero(pairs.degree(len(sites.numbers)) == 0)
    if not len(isolated):
        return pairs
    if config.isolated == "error":
        raise IsolatedAtomError(_isolated_sentence(structure, sites, isolated, config.cutoff))
    # An isolated atom has no radius of its own to fill, so "radius" gives it its nearest shell.
    lonely = rule if config.rule != "radius" else NEIGHBOR_RULES["whole shells"]
    count = config.max_neighbors if config.rule != "radius" else 1
    found = lonely(sites, NO_CUTOFF, count, config.tolerance, isolated)
    both = [np.concatenate([getattr(p, f.name) for p in (pairs, found)]) for f in fields(Neighbors)]
    return ordered(sites, Neighbors(*both))


def _isolated_sentence(structure: Structure, sites: Sites, isolated: np.ndarray, cutoff: float) -> str:
    first, count, total = site_label(structure, int(isolated[0])), len(isolated), len(sites.numbers)
    around = nearest(sites, 1, NO_CUTOFF, 0.0, isolated)
    nearest_of_each = around.distance[rank(around, total) == 0]
    need = np.ceil(10 * nearest_of_each.max()) / 10 if len(nearest_of_each) == count else np.inf
    farthest = GraphConfig.options()["cutoff"].maximum or np.inf
    advice = f"raise the cutoff to at least {need:.1f} Å, or let it grow" if need <= farthest else "let the cutoff grow"
    verb = "has" if count == 1 else "have"
    return (
        f"{count} of {total} atoms of {formula_of(structure)} {verb} no neighbor within "
        f"{cutoff:g} Å (first: {first}); {advice} for such atoms."
    )


def _refuse_too_many(structure: Structure, sites: Sites, config: GraphConfig) -> None:
    per_atom = 4.19 * config.cutoff**3 * len(sites.numbers) / structure.volume
    if config.rule == "radius" and per_atom * len(sites.numbers) > MAX_EDGES:
        raise CrystalError(
            f"All pairs of {formula_of(structure)} within {config.cutoff:g} Å would be about "
            f"{per_atom * len(sites.numbers):,.0f} edges (limit {MAX_EDGES:,}); lower the cutoff or use a smaller cell."
        )
