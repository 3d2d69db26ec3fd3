"""One experiment from its settings to its result: data → graphs → network → events → test."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from cgcnn.config import Config, part
from cgcnn.data import DatasetConfig
from cgcnn.data.crystal import Crystal
from cgcnn.data.targets import TARGETS
from cgcnn.errors import CrystalError
from cgcnn.graph import GraphConfig
from cgcnn.graph.graph_files import GraphFiles
from cgcnn.models import MODELS, Network
from cgcnn.training.losses import known_of
from cgcnn.training.normalizer import Normalizer
from cgcnn.training.parallel import in_step
from cgcnn.training.prepared import Progress, prepared
from cgcnn.training.train import (
    BatchMetrics,
    EpochMetrics,
    Labelled,
    TrainConfig,
    Training,
    device_of,
    predict,
)
from cgcnn.training.transfer import Taken, TransferConfig, published_source, take_over


@dataclass(frozen=True)
class RunConfig(Config):
    """Everything that decides a run: the same settings give the same result."""

    dataset: DatasetConfig = part(DatasetConfig)
    graph: GraphConfig = part(GraphConfig)
    model: Config = part(MODELS["CGCNN"].Config, variants={name: model.Config for name, model in MODELS.items()})
    train: TrainConfig = part(TrainConfig)
    transfer: TransferConfig = part(TransferConfig)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.train.weights_of(len(self.dataset.targets))

    @property
    def kind(self) -> type[Network]:
        """The class of the network."""
        return next(model for model in MODELS.values() if model.Config is type(self.model))

    def new_model(self) -> nn.Module:
        """A network for all targets with fresh weights, fixed by the seed."""
        torch.manual_seed(self.train.seed)
        return self.kind(self.model, len(self.dataset.targets))  # type: ignore[arg-type]


@dataclass(frozen=True)
class DataReady:
    """What the network will learn from; baselines are the error of one constant guess, in the target's unit."""

    n_train: int
    n_val: int
    n_test: int
    n_parameters: int
    device: str
    val_mean_mae: float  # of the main target: always guessing the training mean, on the validation split
    n_left_out: int = 0  # crystals of the source without the target, too large, or unreadable
    n_dropped: int = 0  # crystals that have the target but no graph
    dropped: Mapping[str, str] = field(default_factory=dict)  # id -> why, the first 20 of them
    labels: Mapping[str, list[int]] = field(default_factory=dict)  # target -> crystals of each side that have it
    val_mean_maes: list[float] = field(default_factory=list)  # of every target


@dataclass(frozen=True)
class TargetTest:
    """One target of the test crystals that have it, beside two constant guesses.

    Of a class `truth` is 0 or 1, `predicted` the probability of 1, and an error the share put into the wrong class.
    """

    mae: float
    mean_mae: float  # always guessing the mean of the training targets; of a class, the commoner one
    median_mae: float  # always guessing their median
    ids: list[str]
    formulas: list[str]
    truth: list[float]
    predicted: list[float]


@dataclass(frozen=True)
class TestMetrics(TargetTest):
    """The best epoch's network on crystals it has never seen: the main target, and the others by name."""

    __test__ = False  # not a test case, whatever its name says to pytest

    best_epoch: int
    others: Mapping[str, TargetTest] = field(default_factory=dict)


CheckpointOf = Callable[[str], "tuple[Mapping[str, Tensor], Mapping[str, Any]] | None"]  # run id -> (weights, about)


Event = Progress | DataReady | BatchMetrics | EpochMetrics | TestMetrics


class Experiment:
    """A run while it happens: `events()` does the work, `result()` judges the best epoch so far."""

    def __init__(
        self, config: RunConfig, graph_files: GraphFiles | None = None, checkpoint_of: CheckpointOf | None = None
    ) -> None:
        """`graph_files` keeps graphs for other runs; `checkpoint_of` finds the run that this one starts from."""
        self.config, self.graph_files, self.checkpoint_of = config, graph_files, checkpoint_of
        self.best_epoch, self.best_score = 0, float("inf")
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
        self.model = self.config.new_model()
        taken = self._taken_over()
        self.model.to(device_of(self.config.train.device))
        train_set, val_set = self.data["train"], self.data["val"]
        training = Training(self.model, train_set, val_set, self.normalizer, self.config.train, taken)
        if self._taken_up is not None:
            self._restore(training, *self._taken_up)
        self.training = training
        yield from in_step(self._trained(training))

    def _trained(self, training: Training) -> Iterator[Event]:
        yield self._data_ready()
        for event in training.events():
            if isinstance(event, EpochMetrics) and event.score < self.best_score:
                self.best_score, self.best_epoch = event.score, event.epoch
                self.best_weights = {name: w.detach().cpu().clone() for name, w in self.model.state_dict().items()}
            yield event

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Between two events: all that another Experiment needs to go on, bit for bit; see `restore`."""
        if self.training is None:
            raise CrystalError("The training has not begun, so there is no state to keep.")
        tensors, about = self.training.state()
        tensors |= {f"best.{name}": w for name, w in self.best_weights.items()}
        score = self.best_score if self.best_weights else None  # JSON knows no infinity
        best = {"best_epoch": self.best_epoch, "best_score": score, "fingerprint": self.prepared.fingerprint}
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
            # Earlier versions, which knew one target, kept its error as what chose the best epoch.
            self.best_epoch, self.best_score = about["best_epoch"], about.get("best_score", about.get("best_mae"))
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
        val, known = self.data["val"], known_of(self.data["val"].targets)[:, 0]  # the main target's crystals
        tensors |= {"predicted": predicted[known, 0], "vectors": torch.cat(vectors)[known]}
        rows = known.nonzero().flatten().tolist()
        return tensors, {
            "config": self.config.to_dict(),
            "normalizer": self.normalizer.to_dict(),
            "epoch": self.training.epoch - 1 if self.training else 0,
            "ids": [val.ids[n] for n in rows],
            "formulas": [self.splits["val"][n].formula for n in rows],
            "truth": val.targets[known, 0].tolist(),
        }

    def result(self) -> TestMetrics:
        """The test split, predicted with the weights of the best epoch."""
        if not self.best_weights:
            raise CrystalError("No epoch was finished, so there is no network to test; train at least one epoch.")
        self.model.load_state_dict(self.best_weights)
        predicted = predict(self.model, self.data["test"], self.normalizer)
        main, *others = [self._tested(n, predicted[:, n]) for n in range(len(self.config.dataset.targets))]
        found = dict(zip(self.config.dataset.also, others, strict=True))
        return TestMetrics(**vars(main), best_epoch=self.best_epoch, others=found)

    def _tested(self, n: int, predicted: Tensor) -> TargetTest:
        """Target number n on the test crystals that have it."""
        truth, scale = self.data["test"].targets[:, n], self.normalizer
        rows = known_of(truth).nonzero().flatten()
        guesses = {kind: self._constant_mae("test", kind, n) for kind in ("mean", "median")}
        crystals = [self.splits["test"][row] for row in rows.tolist()]
        answers = (predicted >= 0.5).float() if scale.is_class[n] else predicted
        return TargetTest(
            mae=float((answers - truth)[rows].abs().double().mean()),
            mean_mae=guesses["mean"],
            median_mae=guesses["median"],
            ids=[crystal.id for crystal in crystals],
            formulas=[crystal.formula for crystal in crystals],
            truth=truth[rows].tolist(),
            predicted=predicted[rows].tolist(),
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
        light = not self.config.kind.on_grid
        self.prepared = yield from prepared(self.config.dataset, self.config.graph, self.graph_files, light=light)
        self.splits, self.data = self.prepared.splits, self.prepared.data
        train_set, targets = self.data["train"], [TARGETS[name] for name in self.config.dataset.targets]
        # Whoever brings a table says by the switch alone whether its values belong to the cell.
        per_atom = [
            self.config.train.per_atom and (target.extensive or len(targets) == 1 or name == "id_prop")
            for name, target in zip(self.config.dataset.targets, targets, strict=True)
        ]
        is_class = [target.is_class for target in targets]
        self.normalizer = Normalizer.fit(train_set.targets, train_set.n_atoms, per_atom, is_class)

    def _taken_over(self) -> Taken | None:
        """The parts that come from another network; a run that goes on has them in its state."""
        config = self.config.transfer
        if not config.source:
            return None
        if self._taken_up is not None:
            return Taken.of(self.model, config)
        return take_over(self.model, self.config.model, *self._source(config), config)

    def _source(self, config: TransferConfig) -> tuple[Mapping[str, Tensor], Config]:
        if config.published:
            return published_source(config.published)
        kept = self.checkpoint_of(config.run) if self.checkpoint_of else None
        if kept is None:
            raise CrystalError(
                f"Run {config.run}, from which this one starts, has left no network here; start from another one."
            )
        weights, about = kept
        return weights, RunConfig.from_dict(about["config"]).model

    def _data_ready(self) -> DataReady:
        sizes = {f"n_{name}": len(data) for name, data in self.data.items()}
        targets = self.config.dataset.targets
        known = torch.stack([known_of(data.targets).sum(dim=0) for data in self.data.values()], dim=1)
        guesses = [self._constant_mae("val", "mean", n) for n in range(len(targets))]
        return DataReady(
            **sizes,
            n_parameters=sum(p.numel() for p in self.model.parameters()),
            device=str(next(self.model.parameters()).device),
            val_mean_mae=guesses[0],
            n_left_out=self.prepared.n_left_out,
            n_dropped=len(self.prepared.dropped),
            dropped=dict(list(self.prepared.dropped.items())[:20]),
            labels=dict(zip(targets, known.tolist(), strict=True)),
            val_mean_maes=guesses,
        )

    def _constant_mae(self, share: str, kind: str, n: int) -> float:
        """The error of one guess for all crystals: what the training crystals have of target n on average."""
        known, truth = (self.data[side].targets[:, n].double() for side in ("train", share))
        guess = known.nanmean() if kind == "mean" else known.nanmedian()
        if self.normalizer.is_class[n]:
            guess = (guess >= 0.5).double()
        return float((truth - guess).abs().nanmean())


def run_experiment(config: RunConfig) -> Iterator[Event]:
    """Every event of a run, and its test result last: `for event in run_experiment(RunConfig()): print(event)`."""
    experiment = Experiment(config)
    yield from experiment.events()
    yield experiment.result()


def warm_up() -> None:
    """Pay in advance what a first run would wait for: the data of the default run, and one step of the optimizer."""
    config = RunConfig()
    for _ in prepared(config.dataset, config.graph):
        pass
    layer = nn.Linear(2, 1)
    optimizer = torch.optim.AdamW(layer.parameters())
    layer(torch.zeros(2, 2)).sum().backward()
    optimizer.step()
