"""Graphs against peers: from a structure in memory to the 12 nearest neighbors within 8 Å of each atom.

`python -m benchmarks.graphs` builds the same crystals with every builder in turn. The original and we come twice: with
indices and distances alone, and with the 41 Gaussians and 92-vectors that our graph leaves to the network (cgcnn2
always makes them).
"""

from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import Any

import torch
from pymatgen.core import Structure
from torch import Tensor

from benchmarks import peers
from benchmarks.peers import entry
from benchmarks.race import Entry, as_json, closed, named, opened, options, race, ratio, table
from benchmarks.sets import Crystals, chosen_sets
from cgcnn.data.elements import ATOM_VECTORS
from cgcnn.errors import CrystalError
from cgcnn.graph import CrystalGraph, build_graph
from cgcnn.graph.build import build_graphs
from cgcnn.graph.merge import merged
from cgcnn.nn import GaussianExpansion

CRYSTALS, ROUNDS = 200, 5
ORIGINAL_BYTES = 12 * 41 * 4 + 12 * 8 + 92 * 4  # of an atom: Gaussians, neighbors, 92-vector


def all_at_once(structures: Sequence[Structure]) -> CrystalGraph:
    """The graphs of all structures side by side in one; none may be without a graph."""
    built = build_graphs(structures)
    if built.dropped:
        raise CrystalError(next(iter(built.dropped.values())))
    return built.graph


def entries(structures: Sequence[Structure]) -> list[Entry]:
    """Every builder; one round builds all structures."""
    expand, vectors = GaussianExpansion(), torch.tensor(ATOM_VECTORS, dtype=torch.float32)

    def one_by_one(build: Callable[[Structure], object]) -> Callable[[], object]:
        return lambda: [build(structure) for structure in structures]

    def with_gaussians() -> object:
        graph = all_at_once(structures)
        return vectors[graph.atomic_numbers - 1], expand(graph.distance)

    return [
        Entry("original: get_all_neighbors, sort, first 12", one_by_one(peers.original_graph)),
        Entry("original + 41 Gaussians, 92-vectors", one_by_one(peers.original_tensors)),
        entry("cgcnn2, fast path, + 41 Gaussians, 92-vectors", "cgcnn2", lambda: peers.cgcnn2_items(structures)),
        entry("jarvis-tools, 12 nearest and ties", "jarvis-tools", lambda: peers.jarvis_graphs(structures)),
        entry("matgl, all within 8 Å, no cut to 12", "matgl", lambda: peers.matgl_graphs(structures)),
        Entry("ours, one by one", one_by_one(build_graph)),
        Entry("ours, many at once", lambda: all_at_once(structures)),
        Entry("ours, many at once, + 41 Gaussians, 92-vectors", with_gaussians),
        Entry("ours, many at once, merged", lambda: merged(all_at_once(structures))),
    ]


def n_bytes(graph: CrystalGraph) -> int:
    """What the tensors of a graph take in memory."""
    tensors = [getattr(graph, field.name) for field in fields(graph)]
    return sum(tensor.nbytes for tensor in tensors if isinstance(tensor, Tensor))


def sizes(structures: Sequence[Structure]) -> dict[str, float]:
    """Bytes for each atom of the cells, and how many edges of the plain graph one edge of the merged graph is worth."""
    plain = all_at_once(structures)
    quotient = merged(plain)
    return {
        "bytes per atom, original": float(ORIGINAL_BYTES),
        "bytes per atom, ours": n_bytes(plain) / plain.n_atoms,
        "bytes per atom, ours merged": n_bytes(quotient) / plain.n_atoms,
        "atoms, plain to merged": plain.n_atoms / quotient.n_atoms,
        "edges, plain to merged": plain.n_edges / quotient.n_edges,
    }


def measured(crystals: Crystals, rounds: int) -> dict[str, Any]:
    """Race all builders on one set and print what came of it."""
    rows = race(entries(crystals.structures), rounds)
    print(table(rows, len(crystals)))
    pairs = [
        ("ours, many at once, + 41 Gaussians, 92-vectors", "original + 41"),
        ("ours, many at once, + 41 Gaussians, 92-vectors", "cgcnn2"),
        ("ours, one by one", "cgcnn2"),
        ("ours, many at once", "jarvis"),
        ("ours, many at once", "matgl"),
    ]
    against = {f"{a} against {b}": ratio(named(rows, a), named(rows, b), "processor") for a, b in pairs}
    facts = {what: f"{value:.1f}" for what, value in sizes(crystals.structures).items()}
    facts |= {what: str(times) for what, times in against.items() if times}
    for what, value in facts.items():
        print(f"{what}: {value}")
    return {"set": str(crystals), "rows": as_json(rows, len(crystals)), "facts": facts}


def main() -> None:
    """Print a table for each set and, where asked for, write them as JSON."""
    chosen = options(__doc__, CRYSTALS, ROUNDS)
    report = opened(__doc__, chosen, peers.versions())
    report["sets"] = [measured(crystals, chosen.rounds) for crystals in chosen_sets(chosen.set, chosen.crystals)]
    closed(report, chosen.json)


if __name__ == "__main__":
    main()
