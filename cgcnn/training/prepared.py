"""What a run learns from: crystals as graphs with targets, on their three sides."""

import contextlib
import hashlib
import time
from collections import OrderedDict
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from math import nan

import torch

from cgcnn.data import DatasetConfig, load_crystals, share_out
from cgcnn.data.crystal import Crystal
from cgcnn.data.targets import TARGETS
from cgcnn.errors import DatasetError
from cgcnn.graph import Built, CrystalGraph, GraphConfig, build_all
from cgcnn.graph.graph_files import GraphFiles
from cgcnn.graph.many import idle_cores
from cgcnn.nn.norms import is_shared
from cgcnn.training.losses import known_of
from cgcnn.training.train import Labelled

FEWEST = {"train": 4, "val": 2, "test": 2}  # crystals; fewer say nothing, and batch norm needs two in a batch

SHARES = {"train": "training", "val": "validation", "test": "test"}


@dataclass(frozen=True)
class Progress:
    """How far the preparation is."""

    stage: str
    done: int
    total: int


@dataclass(frozen=True)
class Prepared:
    """The crystals of a run as graphs with targets, on their three sides; the same for every network."""

    splits: Mapping[str, list[Crystal]]
    data: Mapping[str, Labelled]
    n_crystals: int
    n_left_out: int
    dropped: Mapping[str, str]  # id -> why it has no graph

    @property
    def fingerprint(self) -> str:
        """Another one when any id, target, or side differs; it does not look into the crystals."""
        digest = hashlib.sha256()
        for name, labelled in self.data.items():
            digest.update("\n".join([name, *labelled.ids]).encode())
            digest.update(labelled.targets.numpy().tobytes())
        return digest.hexdigest()


_KEPT: OrderedDict[tuple[DatasetConfig, GraphConfig, bool], Prepared] = OrderedDict()  # the last sets of this process
KEEP = 4
KEEP_EDGES = 8_000_000  # in one set; about 0.5 GB


def prepared(
    dataset: DatasetConfig, graph: GraphConfig, graph_files: GraphFiles | None = None, *, light: bool = True
) -> Generator[Progress, None, Prepared]:
    """Load crystals, build graphs, share them out. The last few sets are kept: repeats of a run start at once.

    `light` graphs are merged where symmetry allows; a network that must know where the atoms lie needs plain ones.
    """
    key = dataset, graph, light
    if key in _KEPT:
        _KEPT.move_to_end(key)
        return _KEPT[key]
    yield Progress("Loading crystals", 0, 1)
    loaded = load_crystals(dataset)
    crystals = loaded.crystals
    built = yield from _built(crystals, graph, graph_files, light)
    dropped = {crystals[n].id: why for n, why in built.dropped.items()}
    if not built.kept:
        raise DatasetError(f"None of {len(crystals)} crystals has a graph: {next(iter(dropped.values()))}")
    place = {crystals[n].id: at for at, n in enumerate(built.kept)}
    # Split before dropping: a crystal stays on its side whatever the neighbor rule leaves out.
    shares = share_out(crystals, dataset)
    sides = {"train": shares.train, "val": shares.val, "test": shares.test}
    splits = {name: [crystal for crystal in side if crystal.id in place] for name, side in sides.items()}
    data = {name: _labelled(side, built.graph, place, dataset.targets) for name, side in splits.items()}
    ready = Prepared(splits, data, len(crystals), len(loaded.dropped), dropped)
    _refuse_empty_sides(ready)
    _refuse_empty_targets(ready, dataset.targets)
    if dataset.source == "built-in" and built.graph.n_edges <= KEEP_EDGES:  # others may change
        _KEPT[key] = ready
        while len(_KEPT) > KEEP:
            _KEPT.popitem(last=False)
    return ready


def _built(
    crystals: Sequence[Crystal], config: GraphConfig, graph_files: GraphFiles | None, light: bool
) -> Generator[Progress, None, Built]:
    """The graphs of all crystals, by the cores that have nothing else to do."""
    structures, last = [crystal.structure for crystal in crystals], time.monotonic()
    processes = 1 if is_shared() else idle_cores()  # each process of a shared run builds for itself
    work = build_all(structures, config, light=light, processes=processes, cache=graph_files)
    with contextlib.closing(work):  # a run that is stopped here leaves no process behind
        while True:
            try:
                done = next(work)
            except StopIteration as end:
                return end.value
            if time.monotonic() - last > 0.1:
                last = time.monotonic()
                yield Progress("Building graphs", done, len(crystals))


def forget_prepared() -> None:
    """Free the kept sets."""
    _KEPT.clear()


def _refuse_empty_sides(ready: Prepared) -> None:
    """Say so before anything is trained on a share that is too small to mean something."""
    for name, data in ready.data.items():
        if len(data) >= FEWEST[name]:
            continue
        few = f"Only {len(data)} of {ready.n_crystals} crystals are left for {SHARES[name]} ({FEWEST[name]} are needed)"
        if not ready.dropped:
            raise DatasetError(f"{few}; use more crystals, or a larger part for it.")
        first, why = next(iter(ready.dropped.items()))
        raise DatasetError(f"{few}, since {len(ready.dropped)} have no graph; the first is {first}: {why}")


def _refuse_empty_targets(ready: Prepared, targets: Sequence[str]) -> None:
    """A target that no crystal of a share has can be neither learned nor judged."""
    for name, data in ready.data.items():
        for target, n in zip(targets, known_of(data.targets).sum(dim=0).tolist(), strict=True):
            if n < FEWEST[name]:
                raise DatasetError(
                    f"Only {n} crystals for {SHARES[name]} have a value of “{TARGETS[target].label}” "
                    f"({FEWEST[name]} are needed); use more crystals, a larger part for it, or fewer targets."
                )


def _labelled(
    crystals: Sequence[Crystal], graph: CrystalGraph, place: Mapping[str, int], targets: Sequence[str]
) -> Labelled:
    rows = [[crystal.targets.get(target, nan) for target in targets] for crystal in crystals]
    chosen = torch.tensor([place[crystal.id] for crystal in crystals], dtype=torch.long)
    values = torch.tensor(rows, dtype=torch.float32).reshape(len(crystals), len(targets))
    return Labelled([crystal.id for crystal in crystals], graph.take(chosen), values)
