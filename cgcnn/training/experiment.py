"""One experiment from its settings to its result: data → graphs → network → events → test."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from cgcnn.config import Config, part
from cgcnn.data import DatasetConfig, load_crystals, share_out
from cgcnn.data.crystal import Crystal
from cgcnn.errors import CrystalError, DatasetError
from cgcnn.graph import GraphConfig, build_graph
from cgcnn.models import MODELS
from cgcnn.training.normalizer import Normalizer
from cgcnn.training.train import (
    BatchMetrics,
    EpochMetrics,
    Labelled,
    TrainConfig,
    device_of,
    mean_absolute_error,
    predict,
    train,
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


class Experiment:
    """A run while it happens: `events()` does the work, `result()` judges the best epoch so far."""

    def __init__(self, config: RunConfig) -> None:
        self.config = config
        self.best_epoch = 0
        self.best_weights: dict[str, Tensor] = {}
        self.splits: dict[str, list[Crystal]] = {}
        self.data: dict[str, Labelled] = {}
        self.normalizer = Normalizer((0.0,), (1.0,))

    def events(self) -> Iterator[Event]:
        """Load, build, train; the network of the best validation epoch is kept in `best_weights`."""
        torch.set_num_threads(self.config.train.threads)
        yield from self._prepare()
        self.model = self.config.new_model().to(device_of(self.config.train.device))
        yield self._data_ready()
        best = float("inf")
        for event in train(self.model, self.data["train"], self.data["val"], self.normalizer, self.config.train):
            if isinstance(event, EpochMetrics) and event.val_mae < best:
                best, self.best_epoch = event.val_mae, event.epoch
                self.best_weights = {name: w.detach().cpu().clone() for name, w in self.model.state_dict().items()}
            yield event

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
        config = self.config
        yield Progress("Loading crystals", 0, 1)
        loaded = load_crystals(config.dataset)
        self.n_left_out, self.dropped = len(loaded.dropped), {}
        graphs, last = {}, time.monotonic()
        for n, crystal in enumerate(loaded.crystals):
            try:
                graphs[crystal.id] = build_graph(crystal.structure, config.graph)
            except CrystalError as reason:
                self.dropped[crystal.id] = str(reason)
            if time.monotonic() - last > 0.1:
                last = time.monotonic()
                yield Progress("Building graphs", n + 1, len(loaded.crystals))
        if not graphs:
            first = next(iter(self.dropped.values()))
            raise DatasetError(f"None of {len(loaded.crystals)} crystals has a graph: {first}")
        # Split before dropping: a crystal stays on its side whatever the neighbor rule leaves out.
        shares = share_out(loaded.crystals, config.dataset)
        for name, share in (("train", shares.train), ("val", shares.val), ("test", shares.test)):
            self.splits[name] = [crystal for crystal in share if crystal.id in graphs]
            self.data[name] = _labelled(self.splits[name], graphs, config.dataset.target)
        self._refuse_empty_shares(len(loaded.crystals))
        train_set = self.data["train"]
        self.normalizer = Normalizer.fit(train_set.targets, train_set.n_atoms, config.train.per_atom)

    def _refuse_empty_shares(self, n_crystals: int) -> None:
        """Say so before anything is trained on a share that is too small to mean something."""
        for name, data in self.data.items():
            if len(data) >= FEWEST[name]:
                continue
            few = f"Only {len(data)} of {n_crystals} crystals are left for {SHARES[name]} ({FEWEST[name]} are needed)"
            if not self.dropped:
                raise DatasetError(f"{few}; use more crystals, or a larger part for it.")
            first, why = next(iter(self.dropped.items()))
            raise DatasetError(f"{few}, since {len(self.dropped)} have no graph; the first is {first}: {why}")

    def _data_ready(self) -> DataReady:
        sizes = {f"n_{name}": len(data) for name, data in self.data.items()}
        return DataReady(
            **sizes,
            n_parameters=sum(p.numel() for p in self.model.parameters()),
            device=str(next(self.model.parameters()).device),
            val_mean_mae=self._constant_mae("val", "mean"),
            n_left_out=self.n_left_out,
            n_dropped=len(self.dropped),
            dropped=dict(list(self.dropped.items())[:20]),
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


def warm_up() -> None:
    """One throw-away step of the optimizer: the first costs 1.5 s of imports, which a waiting worker can pay."""
    layer = nn.Linear(2, 1)
    optimizer = torch.optim.AdamW(layer.parameters())
    layer(torch.zeros(2, 2)).sum().backward()
    optimizer.step()


def _labelled(crystals: Sequence[Crystal], graphs: Mapping[str, Any], target: str) -> Labelled:
    values = torch.tensor([[crystal.targets[target]] for crystal in crystals], dtype=torch.float32)
    return Labelled([crystal.id for crystal in crystals], [graphs[crystal.id] for crystal in crystals], values)
