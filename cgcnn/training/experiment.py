"""One experiment from its settings to its result: data → graphs → network → events → test."""

import contextlib
import hashlib
import time
from collections import OrderedDict
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from cgcnn.config import Config, part
from cgcnn.data import DatasetConfig, load_crystals, share_out
from cgcnn.data.crystal import Crystal
from cgcnn.errors import CrystalError, DatasetError
from cgcnn.graph import Built, CrystalGraph, GraphConfig, build_all
from cgcnn.graph.graph_files import GraphFiles
from cgcnn.graph.many import idle_cores
from cgcnn.models import MODELS
from cgcnn.nn.norms import is_shared
from cgcnn.training.normalizer import Normalizer
from cgcnn.training.parallel import in_step
from cgcnn.training.train import (
    BatchMetrics,
    EpochMetrics,
    Labelled,
    TrainConfig,
    Training,
    device_of,
    mean_absolute_error,
    predict,
)


@dataclass(frozen=True)
class RunConfig(Config):
    """Everything that decides a run: the same settings give the same result."""

    dataset: DatasetConfig = part(DatasetConfig)
    graph: GraphConfig = part(GraphConfig)
    model: Config = part(MODELS["CGCNN"].Config, variants={name: model.Config for name, model in MODELS.items()})
    train: TrainConfig = part(TrainConfig)

    def new_model(self, n_targets: int = 1) -> nn.Module:
        """A network with fresh weights, fixed by the seed."""
        torch.manual_seed(self.train.seed)
        kind = next(model for model in MODELS.values() if model.Config is type(self.model))
        return kind(self.model, n_targets)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Progress:
    """How far the preparation is."""

    stage: str
    done: int
    total: int


@dataclass(frozen=True)
class DataReady:
    """What the network will learn from; baselines are the error of one constant guess, in the target's unit."""

    n_train: int
    n_val: int
    n_test: int
    n_parameters: int
    device: str
    val_mean_mae: float  # always guessing the training mean, on the validation split
    n_left_out: int = 0  # crystals of the source without the target, too large, or unreadable
    n_dropped: int = 0  # crystals that have the target but no graph
    dropped: Mapping[str, str] = field(default_factory=dict)  # id -> why, the first 20 of them


@dataclass(frozen=True)
class TestMetrics:
    """The best epoch's network on crystals it has never seen, beside two constant guesses."""

    __test__ = False  # not a test case, whatever its name says to pytest

    best_epoch: int
    mae: float
    mean_mae: float  # always guessing the mean of the training targets
    median_mae: float  # always guessing their median
    ids: list[str]
    formulas: list[str]
    truth: list[float]
    predicted: list[float]


FEWEST = {"train": 4, "val": 2, "test": 2}  # crystals; fewer say nothing, and batch norm needs two in a batch

SHARES = {"train": "training", "val": "validation", "test": "test"}

Event = Progress | DataReady | BatchMetrics | EpochMetrics | TestMetrics


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


class Experiment:
    """A run while it happens: `events()` does the work, `result()` judges the best epoch so far."""

    def __init__(self, config: RunConfig, graph_files: GraphFiles | None = None) -> None:
        """`graph_files` keeps graphs for other runs; None keeps none."""
        self.config, self.graph_files = config, graph_files
        self.best_epoch, self.best_mae = 0, float("inf")
        self.best_weights: dict[str, Tensor] = {}
        self.splits: Mapping[str, list[Crystal]] = {}
        self.data: Mapping[str, Labelled] = {}
        self.normalizer = Normalizer((0.0,), (1.0,))
        self.training: Training | None = None
        self._taken_up: tuple[Mapping[str, Tensor], Mapping[str, Any]] | None = None

    def events(self) -> Iterator[Event]:
        """Load, build, train; the network of the best validation epoch is kept in `best_weights`."""
        torch.set_num_threads(self.config.train.threads)
        yield from self._prepare()
        self.model = self.config.new_model().to(device_of(self.config.train.device))
        training = Training(self.model, self.data["train"], self.data["val"], self.normalizer, self.config.train)
        if self._taken_up is not None:
            self._restore(training, *self._taken_up)
        self.training = training
        yield from in_step(self._trained(training))

    def _trained(self, training: Training) -> Iterator[Event]:
        yield self._data_ready()
        for event in training.events():
            if isinstance(event, EpochMetrics) and event.val_mae < self.best_mae:
                self.best_mae, self.best_epoch = event.val_mae, event.epoch
                self.best_weights = {name: w.detach().cpu().clone() for name, w in self.model.state_dict().items()}
            yield event

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Between two events: all that another Experiment needs to go on, bit for bit; see `restore`."""
        if self.training is None:
            raise CrystalError("The training has not begun, so there is no state to keep.")
        tensors, about = self.training.state()
        tensors |= {f"best.{name}": w for name, w in self.best_weights.items()}
        mae = self.best_mae if self.best_weights else None  # JSON knows no infinity
        best = {"best_epoch": self.best_epoch, "best_mae": mae, "fingerprint": self.prepared.fingerprint}
        return tensors, {"config": self.config.to_dict(), "training": about, **best}

    def restore(self, tensors: Mapping[str, Tensor], about: Mapping[str, Any]) -> None:
        """Before `events()`: go on from a state. CrystalError when it belongs to other settings."""
        if RunConfig.from_dict(about["config"]) != self.config:
            raise CrystalError("The kept state belongs to other settings; start this run again.")
        self._taken_up = tensors, about

    def _restore(self, training: Training, tensors: Mapping[str, Tensor], about: Mapping[str, Any]) -> None:
        if about["fingerprint"] != self.prepared.fingerprint:
            raise CrystalError("The data set has changed since this run was interrupted; start the run again.")
        training.restore(tensors, about["training"])
        if about["best_epoch"]:
            self.best_epoch, self.best_mae = about["best_epoch"], about["best_mae"]
            self.best_weights = {n.removeprefix("best."): t for n, t in tensors.items() if n.startswith("best.")}

    def snapshot(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """The network as it is now, its predictions of the validation crystals, and what pooling made of each."""
        vectors: list[Tensor] = []
        pool = self.model.get_submodule("pool")
        hook = pool.register_forward_hook(lambda _, __, pooled: vectors.append(pooled.detach().cpu()))
        try:
            predicted = predict(self.model, self.data["val"], self.normalizer)
        finally:
            hook.remove()
        tensors = {f"weights.{name}": w.detach().cpu().clone() for name, w in self.model.state_dict().items()}
        tensors |= {"predicted": predicted[:, 0].contiguous(), "vectors": torch.cat(vectors)}
        val = self.data["val"]
        return tensors, {
            "config": self.config.to_dict(),
            "normalizer": self.normalizer.to_dict(),
            "epoch": self.training.epoch - 1 if self.training else 0,
            "ids": val.ids,
            "formulas": [crystal.formula for crystal in self.splits["val"]],
            "truth": val.targets[:, 0].tolist(),
        }

    def result(self) -> TestMetrics:
        """The test split, predicted with the weights of the best epoch."""
        if not self.best_weights:
            raise CrystalError("No epoch was finished, so there is no network to test; train at least one epoch.")
        self.model.load_state_dict(self.best_weights)
        test = self.data["test"]
        predicted = predict(self.model, test, self.normalizer)
        return TestMetrics(
            best_epoch=self.best_epoch,
            mae=mean_absolute_error(predicted, test.targets),
            mean_mae=self._constant_mae("test", "mean"),
            median_mae=self._constant_mae("test", "median"),
            ids=test.ids,
            formulas=[crystal.formula for crystal in self.splits["test"]],
            truth=test.targets[:, 0].tolist(),
            predicted=predicted[:, 0].tolist(),
        )

    def checkpoint(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """The best epoch's weights, and the plain values that turn them back into a Predictor."""
        about = {
            "config": self.config.to_dict(),
            "normalizer": self.normalizer.to_dict(),
            "epoch": self.best_epoch,
        }
        return self.best_weights, about

    def _prepare(self) -> Iterator[Event]:
        self.prepared = yield from prepared(self.config.dataset, self.config.graph, self.graph_files)
        self.splits, self.data = self.prepared.splits, self.prepared.data
        train_set = self.data["train"]
        self.normalizer = Normalizer.fit(train_set.targets, train_set.n_atoms, self.config.train.per_atom)

    def _data_ready(self) -> DataReady:
        sizes = {f"n_{name}": len(data) for name, data in self.data.items()}
        return DataReady(
            **sizes,
            n_parameters=sum(p.numel() for p in self.model.parameters()),
            device=str(next(self.model.parameters()).device),
            val_mean_mae=self._constant_mae("val", "mean"),
            n_left_out=self.prepared.n_left_out,
            n_dropped=len(self.prepared.dropped),
            dropped=dict(list(self.prepared.dropped.items())[:20]),
        )

    def _constant_mae(self, share: str, kind: str) -> float:
        known = self.data["train"].targets[:, 0].double()
        guess = known.mean() if kind == "mean" else known.median()
        return float((self.data[share].targets[:, 0].double() - guess).abs().mean())


def run_experiment(config: RunConfig) -> Iterator[Event]:
    """Every event of a run, and its test result last: `for event in run_experiment(RunConfig()): print(event)`."""
    experiment = Experiment(config)
    yield from experiment.events()
    yield experiment.result()


_KEPT: OrderedDict[tuple[DatasetConfig, GraphConfig], Prepared] = OrderedDict()  # the last sets of this process
KEEP = 4
KEEP_EDGES = 8_000_000  # in one set; about 0.5 GB


def prepared(
    dataset: DatasetConfig, graph: GraphConfig, graph_files: GraphFiles | None = None
) -> Generator[Progress, None, Prepared]:
    """Load crystals, build graphs, share them out. The last few sets are kept: repeats of a run start at once."""
    if (dataset, graph) in _KEPT:
        _KEPT.move_to_end((dataset, graph))
        return _KEPT[dataset, graph]
    yield Progress("Loading crystals", 0, 1)
    loaded = load_crystals(dataset)
    crystals = loaded.crystals
    built = yield from _built(crystals, graph, graph_files)
    dropped = {crystals[n].id: why for n, why in built.dropped.items()}
    if not built.kept:
        raise DatasetError(f"None of {len(crystals)} crystals has a graph: {next(iter(dropped.values()))}")
    place = {crystals[n].id: at for at, n in enumerate(built.kept)}
    # Split before dropping: a crystal stays on its side whatever the neighbor rule leaves out.
    shares = share_out(crystals, dataset)
    sides = {"train": shares.train, "val": shares.val, "test": shares.test}
    splits = {name: [crystal for crystal in side if crystal.id in place] for name, side in sides.items()}
    data = {name: _labelled(side, built.graph, place, dataset.target) for name, side in splits.items()}
    ready = Prepared(splits, data, len(crystals), len(loaded.dropped), dropped)
    _refuse_empty_sides(ready)
    if dataset.source == "built-in" and built.graph.n_edges <= KEEP_EDGES:  # others may change
        _KEPT[dataset, graph] = ready
        while len(_KEPT) > KEEP:
            _KEPT.popitem(last=False)
    return ready


def _built(
    crystals: Sequence[Crystal], config: GraphConfig, graph_files: GraphFiles | None
) -> Generator[Progress, None, Built]:
    """The graphs of all crystals, light ones where symmetry allows, by the cores that have nothing else to do."""
    structures, last = [crystal.structure for crystal in crystals], time.monotonic()
    processes = 1 if is_shared() else idle_cores()  # each process of a shared run builds for itself
    work = build_all(structures, config, light=True, processes=processes, cache=graph_files)
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


def warm_up() -> None:
    """Pay in advance what a first run would wait for: the data of the default run, and one step of the optimizer."""
    config = RunConfig()
    for _ in prepared(config.dataset, config.graph):
        pass
    layer = nn.Linear(2, 1)
    optimizer = torch.optim.AdamW(layer.parameters())
    layer(torch.zeros(2, 2)).sum().backward()
    optimizer.step()


def _labelled(crystals: Sequence[Crystal], graph: CrystalGraph, place: Mapping[str, int], target: str) -> Labelled:
    values = torch.tensor([[crystal.targets[target]] for crystal in crystals], dtype=torch.float32).reshape(-1, 1)
    chosen = torch.tensor([place[crystal.id] for crystal in crystals], dtype=torch.long)
    return Labelled([crystal.id for crystal in crystals], graph.take(chosen), values)
