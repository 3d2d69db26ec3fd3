"""How a network learns: a generator that says how it goes. Stop by not asking for the next event."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from cgcnn.config import Config, option
from cgcnn.errors import ConfigError, CrystalError
from cgcnn.graph import CrystalGraph
from cgcnn.training.losses import LOSSES, Objective, error_sums, known_of, mean_errors, per_crystal
from cgcnn.training.normalizer import Normalizer
from cgcnn.training.optimizers import OPTIMIZERS, SCHEDULES
from cgcnn.training.parallel import Team
from cgcnn.training.transfer import Taken, parameter_groups

DEVICES: dict[str, Callable[[], bool]] = {
    "auto": lambda: True,
    "cpu": lambda: True,
    "cuda": torch.cuda.is_available,
    "mps": torch.backends.mps.is_available,
}


def device_of(name: str) -> torch.device:
    """The device that a setting names; `auto` takes a GPU where there is one."""
    if not DEVICES[name]():
        raise ConfigError(f"This machine has no {name} device; choose auto or cpu.")
    if name == "auto":
        name = next(d for d in ("cuda", "mps", "cpu") if DEVICES[d]())
    return torch.device(name)


@dataclass(frozen=True)
class TrainConfig(Config):
    """How the network learns."""

    epochs: int = option(60, "Epochs", "How often the network sees every training crystal.", minimum=1, maximum=2000)
    batch_size: int = option(64, "Batch size", "Crystals per step.", unit="crystals", minimum=2, maximum=1024)
    optimizer: str = option("AdamW", "Optimizer", "How a gradient becomes a step.", choices=OPTIMIZERS)
    learning_rate: float = option(
        0.005,
        "Learning rate",
        "The size of a step; too large diverges, too small crawls.",
        minimum=1e-6,
        maximum=10.0,
    )
    schedule: str = option(
        "one cycle",
        "Schedule",
        "How the learning rate changes from the first step to the last.",
        choices=SCHEDULES,
    )
    momentum: float = option(0.9, "Momentum", "How much of the last step SGD keeps.", minimum=0.0, maximum=0.999)
    weight_decay: float = option(0.01, "Weight decay", "A pull of all weights toward zero.", minimum=0.0, maximum=1.0)
    loss: str = option(
        "L1",
        "Loss",
        "What the optimizer makes small, on the normalized target; of a class it is always the log-likelihood.",
        choices=LOSSES,
    )
    weights: str = option(
        "", "Weights of the targets", "One number for each target in the loss, such as 1, 0.5; empty: all count alike."
    )
    per_atom: bool = option(
        False,
        "Learn per atom",
        "Divide the target by the number of atoms before learning, and multiply afterwards: for targets of the cell. "
        "Of several targets, those that grow with the cell.",
    )
    seed: int = option(0, "Seed", "Fixes the initial weights and the order of the crystals.", minimum=0, maximum=9999)
    device: str = option("auto", "Device", "auto takes a GPU where there is one.", choices=DEVICES)
    threads: int = option(
        1, "CPU threads", "Results are equal bit for bit only with equal threads.", minimum=1, maximum=64
    )
    processes: int = option(
        1,
        "Processes",
        "Processes that share every batch of this run; with more than one, results differ in the last digits.",
        minimum=1,
        maximum=64,
    )
    precision: str = option(
        "float32",
        "Precision",
        "bfloat16 keeps 8 bits of a number's digits instead of 24: meant for GPUs, no faster on most CPUs, not exact.",
        choices=("float32", "bfloat16"),
    )
    snapshots: int = option(
        12,
        "Epochs kept",
        "Of how many epochs the network is kept, to look back at them later; close together at first.",
        minimum=0,
        maximum=100,
    )

    def weights_of(self, n_targets: int) -> tuple[float, ...]:
        """The weight of each target in the loss; ConfigError when `weights` is not one number for each."""
        if not self.weights.strip():
            return (1.0,) * n_targets
        try:
            found = tuple(float(word) for word in self.weights.split(","))
        except ValueError:
            found = ()
        if len(found) != n_targets or not all(0 <= w < float("inf") for w in found) or not found[0] > 0:
            raise ConfigError(
                f"Weights of the targets is {self.weights!r}; give {n_targets} numbers with commas between them, "
                "the first above 0 and none below."
            )
        return found


@dataclass(frozen=True)
class Labelled:
    """Graphs with their targets in the target's own unit."""

    ids: list[str]
    graph: CrystalGraph  # of all of them, side by side
    targets: Float[Tensor, "crystals targets"]  # NaN where one is unknown

    def __len__(self) -> int:
        """The number of crystals."""
        return len(self.ids)

    @property
    def n_atoms(self) -> Float[Tensor, " crystals"]:
        """The number of atoms of each crystal."""
        return self.graph.atoms_per_crystal.float().cpu()

    def to(self, device: torch.device) -> "Labelled":
        """The same crystals with their graph on another device; targets are few, and stay."""
        return Labelled(self.ids, self.graph.to(device), self.targets)


@dataclass(frozen=True)
class BatchMetrics:
    """After one step: where in the epoch the training stands, and the loss of this batch."""

    step: int  # steps since the start, from 1
    epoch: int
    batch: int
    n_batches: int
    loss: float
    mae: float | None  # of the main target in this batch, in its own unit; None when no crystal of it has one


@dataclass(frozen=True)
class EpochMetrics:
    """After one epoch: losses on the normalized targets, mean absolute errors in the main target's own unit.

    Of a class the error is the share of crystals that are put into the wrong one.
    """

    epoch: int
    train_loss: float
    val_loss: float
    train_mae: float
    val_mae: float
    learning_rate: float  # of the last step
    seconds: float
    crystals_per_second: float
    score: float = float("nan")  # what chooses the best epoch; the lower, the better
    train_maes: list[float | None] = field(default_factory=list)  # of every target, the main one first
    val_maes: list[float | None] = field(default_factory=list)


class Training:
    """A network while it learns. `events()` does the work, and goes on where `restore()` left off.

    Between two events the whole state can be put away with `state()`; a training that takes it up again gives the
    same losses and weights, bit for bit, as one that was never interrupted (same machine, same number of threads).
    """

    def __init__(
        self,
        model: nn.Module,
        train_set: Labelled,
        val_set: Labelled,
        normalizer: Normalizer,
        config: TrainConfig,
        taken: Taken | None = None,
    ) -> None:
        """`taken` are the parts that came from another network, if any did."""
        self.model, self.normalizer, self.config, self.team = model, normalizer, config, Team.here()
        self.taken, n_targets = taken, train_set.targets.shape[1]
        self.device = next(model.parameters()).device
        self.train_set, self.val_set = train_set.to(self.device), val_set.to(self.device)
        groups = parameter_groups(model, taken, config.learning_rate)
        self.optimizer = OPTIMIZERS[config.optimizer](groups, config)
        self.n_batches = max(1, min(-(-len(train_set) // config.batch_size), len(train_set) // 2))
        self.team.refuse_small_batches(len(train_set) // self.n_batches)
        n_steps, factor = config.epochs * self.n_batches, SCHEDULES[config.schedule]
        self.schedule = torch.optim.lr_scheduler.LambdaLR(self.optimizer, lambda s: factor(s / n_steps))
        self.objective = Objective(config.loss, config.weights_of(n_targets), normalizer.is_class)
        self.shuffle = torch.Generator().manual_seed(config.seed)
        self.epoch, self.batch, self.step = 1, 0, 0  # the epoch that is under way, its batches done, all batches done
        self.total, self.seconds, self.rate = 0.0, 0.0, 0.0  # of this epoch so far
        self.errors = [0.0] * n_targets  # of each target, summed over the crystals that have it
        self.order = torch.empty(0, dtype=torch.int64)  # the crystals as this epoch sees them

    def events(self) -> Iterator[BatchMetrics | EpochMetrics]:
        """Train the model in place until the last epoch."""
        while self.epoch <= self.config.epochs:
            if not self.batch:
                self.total, self.errors, self.seconds = 0.0, [0.0] * len(self.errors), 0.0
                self.order = torch.randperm(len(self.train_set), generator=self.shuffle)
            self.model.train()
            if self.taken:
                self.taken.rest()
            shares = torch.tensor_split(self.order, self.n_batches)  # equal shares: no batch of one crystal
            for chosen in shares[self.batch :]:
                yield self._learned_from(chosen)
            yield self._judged()

    def _learned_from(self, chosen: Tensor) -> BatchMetrics:
        """One step of the optimizer."""
        start = time.perf_counter()
        mine = self.team.mine(chosen)
        graph, targets, n_atoms = collated(self.train_set, mine)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.config.precision == "bfloat16"):
            outputs = self.model(graph).float()
        counts = known_of(self.train_set.targets[chosen]).sum(dim=0)  # in the shares of all processes
        loss = self.objective.of(outputs, self.normalizer.normalized(targets, n_atoms), counts.to(self.device))
        self.optimizer.zero_grad()
        loss.backward()
        wrong = error_sums(self.normalizer.undo(outputs.detach(), n_atoms), targets, self.normalizer)
        value, *errors = self.team.together(self.model, [loss.item(), *wrong.tolist()])
        self.optimizer.step()
        self.rate = self.optimizer.param_groups[0]["lr"]
        self.schedule.step()
        self.step, self.batch = self.step + 1, self.batch + 1
        value = _finite(value, self.epoch, self.config)
        self.total += value * len(chosen)
        self.errors = [total + error for total, error in zip(self.errors, errors, strict=True)]
        self.seconds += time.perf_counter() - start
        mae = per_crystal(errors, counts.tolist())[0]
        return BatchMetrics(self.step, self.epoch, self.batch, self.n_batches, value, mae)

    def _judged(self) -> EpochMetrics:
        """The end of an epoch: the network on the validation split."""
        data, n = self.val_set, len(self.train_set)
        share = outputs_of(self.model, data, chosen=self.team.mine(torch.arange(len(data))))
        outputs = self.team.gathered(share, len(data))
        predicted = self.normalizer.undo(outputs, data.n_atoms)
        normalized = self.normalizer.normalized(data.targets, data.n_atoms)
        val_maes = mean_errors(predicted, data.targets, self.normalizer)
        train_maes = per_crystal(self.errors, known_of(self.train_set.targets).sum(dim=0).tolist())
        is_one_number = len(val_maes) == 1 and not self.normalizer.is_class[0]
        metrics = EpochMetrics(
            epoch=self.epoch,
            train_loss=self.total / n,
            val_loss=float(self.objective.of(outputs, normalized)),
            train_mae=_number(train_maes[0]),
            val_mae=_number(val_maes[0]),
            learning_rate=self.rate,
            seconds=self.seconds,
            crystals_per_second=n / self.seconds,
            score=_number(val_maes[0]) if is_one_number else self.objective.score(outputs, normalized),
            train_maes=train_maes,
            val_maes=val_maes,
        )
        self.epoch, self.batch = self.epoch + 1, 0
        return metrics

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """All that decides how it goes on, as (tensors, plain values); floats go through JSON unchanged."""
        optimizer = self.optimizer.state_dict()
        tensors = {f"model.{name}": w for name, w in self.model.state_dict().items()}
        for i, values in optimizer["state"].items():
            tensors |= {f"optimizer.{i}.{name}": v for name, v in values.items() if isinstance(v, Tensor)}
        tensors |= {"order": self.order, "shuffle": self.shuffle.get_state(), "rng": torch.get_rng_state()}
        if self.device.type == "cuda":
            tensors["rng.cuda"] = torch.cuda.get_rng_state(self.device)
        about = {name: getattr(self, name) for name in COUNTED} | {
            "rates": [g["lr"] for g in optimizer["param_groups"]]
        }
        return {name: t.detach().cpu().clone().contiguous() for name, t in tensors.items()}, about

    def restore(self, tensors: Mapping[str, Tensor], about: Mapping[str, Any]) -> None:
        """Take up a state that `state()` put away."""
        self.model.load_state_dict(_under("model.", tensors))
        fresh = self.optimizer.state_dict()
        for group, rate in zip(fresh["param_groups"], about["rates"], strict=True):
            group["lr"] = rate
        kept: dict[int, dict[str, Tensor]] = {}
        for name, tensor in _under("optimizer.", tensors).items():
            i, _, what = name.partition(".")
            kept.setdefault(int(i), {})[what] = tensor.clone()
        self.optimizer.load_state_dict({"state": kept, "param_groups": fresh["param_groups"]})
        for name in COUNTED:
            # Earlier versions, which knew one target, kept its sum of errors as a number.
            setattr(self, name, [about["error"]] if name == "errors" and "error" in about else about[name])
        self.schedule.load_state_dict(
            self.schedule.state_dict()
            | {"last_epoch": self.step, "_step_count": self.step + 1, "_last_lr": list(about["rates"])}
        )
        self.order = tensors["order"].clone()
        self.shuffle.set_state(tensors["shuffle"].clone())
        torch.set_rng_state(tensors["rng"].clone())
        if "rng.cuda" in tensors and self.device.type == "cuda":
            torch.cuda.set_rng_state(tensors["rng.cuda"].clone(), self.device)


COUNTED = ("epoch", "batch", "step", "total", "errors", "seconds", "rate")  # what restore() takes from plain values


def train(
    model: nn.Module, train_set: Labelled, val_set: Labelled, normalizer: Normalizer, config: TrainConfig
) -> Iterator[BatchMetrics | EpochMetrics]:
    """Train `model` in place; the seed fixes the order of the crystals."""
    yield from Training(model, train_set, val_set, normalizer, config).events()


def kept_epochs(config: TrainConfig) -> list[int]:
    """The epochs whose network is kept: 0 (untrained), the last, and between them ever wider steps."""
    n, last = config.snapshots, config.epochs
    if n < 2:
        return [last] * n
    steps = [round((last + 1) ** (i / (n - 1)) - 1) for i in range(n)]
    return sorted({min(last, max(step, i)) for i, step in enumerate(steps)})  # early steps would round to one epoch


def collated(
    data: Labelled, chosen: Int[Tensor, " chosen"]
) -> tuple[CrystalGraph, Float[Tensor, "crystals targets"], Float[Tensor, " crystals"]]:
    """The chosen crystals as one graph, with their targets and numbers of atoms, on the device of the graph."""
    graph = data.graph.take(chosen)
    return graph, data.targets[chosen].to(graph.crystal.device), graph.atoms_per_crystal.float()


@torch.no_grad()
def outputs_of(
    model: nn.Module, data: Labelled, batch_size: int = 256, chosen: Int[Tensor, " chosen"] | None = None
) -> Float[Tensor, "crystals targets"]:
    """What the network says of each crystal, or of the chosen ones, as it says it; the model is left in eval mode."""
    model.eval()
    data = data.to(next(model.parameters()).device)
    parts = [torch.zeros(0, data.targets.shape[1])]
    for some in (torch.arange(len(data)) if chosen is None else chosen).split(batch_size):
        if len(some):  # there may be more processes than crystals
            parts.append(model(data.graph.take(some)).cpu())
    return torch.cat(parts)


def predict(
    model: nn.Module, data: Labelled, normalizer: Normalizer, batch_size: int = 256
) -> Float[Tensor, "crystals targets"]:
    """What the network says of each crystal in the target's own unit, of a class its probability.

    It leaves the model in eval mode.
    """
    return normalizer.undo(outputs_of(model, data, batch_size), data.n_atoms)


def _number(value: float | None) -> float:
    return float("nan") if value is None else value


def _finite(loss: float, epoch: int, config: TrainConfig) -> float:
    if loss != loss or loss in (float("inf"), float("-inf")):
        raise CrystalError(
            f"The loss became {loss} in epoch {epoch} with learning rate {config.learning_rate:g}; "
            "lower the learning rate, or use batch norm."
        )
    return loss


def _under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): t for name, t in tensors.items() if name.startswith(prefix)}
