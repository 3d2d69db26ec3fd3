"""How a network learns: a generator that says how it goes. Stop by not asking for the next event."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from cgcnn.config import Config, option
from cgcnn.errors import ConfigError, CrystalError
from cgcnn.graph import CrystalGraph
from cgcnn.training.normalizer import Normalizer
from cgcnn.training.parallel import Team

LOSSES: dict[str, Callable[[], nn.Module]] = {"MSE": nn.MSELoss, "L1": nn.L1Loss, "Huber": nn.HuberLoss}


def _sgd(parameters: Iterator[nn.Parameter], config: "TrainConfig") -> torch.optim.Optimizer:
    return torch.optim.SGD(
        parameters, lr=config.learning_rate, momentum=config.momentum, weight_decay=config.weight_decay
    )


def _adam(parameters: Iterator[nn.Parameter], config: "TrainConfig") -> torch.optim.Optimizer:
    return torch.optim.Adam(parameters, lr=config.learning_rate, weight_decay=config.weight_decay)


def _adamw(parameters: Iterator[nn.Parameter], config: "TrainConfig") -> torch.optim.Optimizer:
    return torch.optim.AdamW(parameters, lr=config.learning_rate, weight_decay=config.weight_decay)


OPTIMIZERS: dict[str, Callable[..., torch.optim.Optimizer]] = {"AdamW": _adamw, "Adam": _adam, "SGD": _sgd}

# A schedule gives the factor on the learning rate after a fraction t of all steps, 0 ≤ t < 1.
SCHEDULES: dict[str, Callable[[float], float]] = {
    "one cycle": lambda t: 0.1 + 3 * t if t < 0.3 else 0.505 + 0.495 * _cos((t - 0.3) / 0.7),
    "cosine": lambda t: 0.505 + 0.495 * _cos(t),
    "steps": lambda t: 0.1 ** int(t * 3),
    "constant": lambda t: 1.0,
}


def _cos(t: float) -> float:
    return float(torch.cos(torch.tensor(torch.pi * t, dtype=torch.float64)))


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
    loss: str = option("L1", "Loss", "What the optimizer makes small, on the normalized target.", choices=LOSSES)
    per_atom: bool = option(
        False,
        "Learn per atom",
        "Divide the target by the number of atoms before learning, and multiply afterwards: for targets of the cell.",
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


@dataclass(frozen=True)
class Labelled:
    """Graphs with their targets in the target's own unit."""

    ids: list[str]
    graph: CrystalGraph  # of all of them, side by side
    targets: Float[Tensor, "crystals targets"]

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
    mae: float  # of this batch, in the target's own unit


@dataclass(frozen=True)
class EpochMetrics:
    """After one epoch: losses on the normalized target, mean absolute errors in the target's own unit."""

    epoch: int
    train_loss: float
    val_loss: float
    train_mae: float
    val_mae: float
    learning_rate: float  # of the last step
    seconds: float
    crystals_per_second: float


class Training:
    """A network while it learns. `events()` does the work, and goes on where `restore()` left off.

    Between two events the whole state can be put away with `state()`; a training that takes it up again gives the
    same losses and weights, bit for bit, as one that was never interrupted (same machine, same number of threads).
    """

    def __init__(
        self, model: nn.Module, train_set: Labelled, val_set: Labelled, normalizer: Normalizer, config: TrainConfig
    ) -> None:
        self.model, self.normalizer, self.config, self.team = model, normalizer, config, Team.here()
        self.device = next(model.parameters()).device
        self.train_set, self.val_set = train_set.to(self.device), val_set.to(self.device)
        self.optimizer = OPTIMIZERS[config.optimizer](model.parameters(), config)
        self.n_batches = max(1, min(-(-len(train_set) // config.batch_size), len(train_set) // 2))
        self.team.refuse_small_batches(len(train_set) // self.n_batches)
        n_steps, factor = config.epochs * self.n_batches, SCHEDULES[config.schedule]
        self.schedule = torch.optim.lr_scheduler.LambdaLR(self.optimizer, lambda s: factor(s / n_steps))
        self.loss_of, self.shuffle = LOSSES[config.loss](), torch.Generator().manual_seed(config.seed)
        self.epoch, self.batch, self.step = 1, 0, 0  # the epoch that is under way, its batches done, all batches done
        self.total, self.error, self.seconds, self.rate = 0.0, 0.0, 0.0, 0.0  # of this epoch so far
        self.order = torch.empty(0, dtype=torch.int64)  # the crystals as this epoch sees them

    def events(self) -> Iterator[BatchMetrics | EpochMetrics]:
        """Train the model in place until the last epoch."""
        while self.epoch <= self.config.epochs:
            if not self.batch:
                self.total, self.error, self.seconds = 0.0, 0.0, 0.0
                self.order = torch.randperm(len(self.train_set), generator=self.shuffle)
            self.model.train()
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
        loss = self.loss_of(outputs, self.normalizer.normalized(targets, n_atoms))
        loss = loss * (len(mine) / len(chosen))  # every crystal of the batch counts alike, whoever has it
        self.optimizer.zero_grad()
        loss.backward()
        error = _error_sum(self.normalizer.undo(outputs.detach(), n_atoms), targets)
        value, error = self.team.together(self.model, loss.item(), error)
        self.optimizer.step()
        self.rate = self.optimizer.param_groups[0]["lr"]
        self.schedule.step()
        self.step, self.batch = self.step + 1, self.batch + 1
        value = _finite(value, self.epoch, self.config)
        self.total, self.error = self.total + value * len(chosen), self.error + error
        self.seconds += time.perf_counter() - start
        return BatchMetrics(self.step, self.epoch, self.batch, self.n_batches, value, error / len(chosen))

    def _judged(self) -> EpochMetrics:
        """The end of an epoch: the network on the validation split."""
        mine = self.team.mine(torch.arange(len(self.val_set)))
        share = predict(self.model, self.val_set, self.normalizer, chosen=mine)
        predicted, n = self.team.gathered(share, len(self.val_set)), len(self.train_set)
        metrics = EpochMetrics(
            epoch=self.epoch,
            train_loss=self.total / n,
            val_loss=_loss(self.loss_of, predicted, self.val_set, self.normalizer),
            train_mae=self.error / n,
            val_mae=mean_absolute_error(predicted, self.val_set.targets),
            learning_rate=self.rate,
            seconds=self.seconds,
            crystals_per_second=n / self.seconds,
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
            setattr(self, name, about[name])
        self.schedule.load_state_dict(
            self.schedule.state_dict()
            | {"last_epoch": self.step, "_step_count": self.step + 1, "_last_lr": list(about["rates"])}
        )
        self.order = tensors["order"].clone()
        self.shuffle.set_state(tensors["shuffle"].clone())
        torch.set_rng_state(tensors["rng"].clone())
        if "rng.cuda" in tensors and self.device.type == "cuda":
            torch.cuda.set_rng_state(tensors["rng.cuda"].clone(), self.device)


COUNTED = ("epoch", "batch", "step", "total", "error", "seconds", "rate")  # what restore() takes from plain values


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
def predict(
    model: nn.Module,
    data: Labelled,
    normalizer: Normalizer,
    batch_size: int = 256,
    chosen: Int[Tensor, " chosen"] | None = None,
) -> Float[Tensor, "crystals targets"]:
    """What the network says of each crystal, or of the chosen ones, in the target's own unit.

    It leaves the model in eval mode.
    """
    model.eval()
    data = data.to(next(model.parameters()).device)
    parts = [torch.zeros(0, data.targets.shape[1])]
    for some in (torch.arange(len(data)) if chosen is None else chosen).split(batch_size):
        if not len(some):
            continue  # more processes than crystals
        graph, _, n_atoms = collated(data, some)
        parts.append(normalizer.undo(model(graph), n_atoms).cpu())
    return torch.cat(parts)


def mean_absolute_error(predicted: Float[Tensor, "n t"], targets: Float[Tensor, "n t"]) -> float:
    """Mean of |predicted − target| over crystals and targets, in the target's own unit."""
    return float((predicted - targets).abs().double().mean())


def _error_sum(predicted: Tensor, targets: Tensor) -> float:
    return float((predicted - targets).abs().mean(dim=1).sum())


def _loss(loss_of: nn.Module, predicted: Tensor, data: Labelled, normalizer: Normalizer) -> float:
    n_atoms = data.n_atoms
    return float(loss_of(normalizer.normalized(predicted, n_atoms), normalizer.normalized(data.targets, n_atoms)))


def _finite(loss: float, epoch: int, config: TrainConfig) -> float:
    if loss != loss or loss in (float("inf"), float("-inf")):
        raise CrystalError(
            f"The loss became {loss} in epoch {epoch} with learning rate {config.learning_rate:g}; "
            "lower the learning rate, or use batch norm."
        )
    return loss


def _under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): t for name, t in tensors.items() if name.startswith(prefix)}
