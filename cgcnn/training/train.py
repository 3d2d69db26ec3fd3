"""How a network learns: a generator that says how it goes. Stop by not asking for the next event."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from cgcnn.config import Config, option
from cgcnn.errors import ConfigError, CrystalError
from cgcnn.graph import CrystalGraph, batch
from cgcnn.training.normalizer import Normalizer

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


@dataclass(frozen=True)
class Labelled:
    """Graphs with their targets in the target's own unit."""

    ids: list[str]
    graphs: list[CrystalGraph]
    targets: Float[Tensor, "crystals targets"]

    def __len__(self) -> int:
        """The number of crystals."""
        return len(self.ids)

    @property
    def n_atoms(self) -> Float[Tensor, " crystals"]:
        """The number of atoms of each crystal."""
        return torch.tensor([float(g.n_atoms) for g in self.graphs])


@dataclass(frozen=True)
class BatchMetrics:
    """After one step: where in the epoch the training stands, and the loss of this batch."""

    step: int  # steps since the start, from 1
    epoch: int
    batch: int
    n_batches: int
    loss: float


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


def train(
    model: nn.Module, train_set: Labelled, val_set: Labelled, normalizer: Normalizer, config: TrainConfig
) -> Iterator[BatchMetrics | EpochMetrics]:
    """Train `model` in place; the seed fixes the order of the crystals."""
    device = next(model.parameters()).device
    optimizer = OPTIMIZERS[config.optimizer](model.parameters(), config)
    n_batches = max(1, min(-(-len(train_set) // config.batch_size), len(train_set) // 2))
    factor = SCHEDULES[config.schedule]
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda s: factor(s / (config.epochs * n_batches)))
    loss_of, shuffle = LOSSES[config.loss](), torch.Generator().manual_seed(config.seed)
    step = 0
    for epoch in range(1, config.epochs + 1):
        start, total, error = time.perf_counter(), 0.0, 0.0
        model.train()
        order = torch.randperm(len(train_set), generator=shuffle)
        for chosen in torch.tensor_split(order, n_batches):  # equal shares: no batch of one crystal
            graph, targets, n_atoms = collated(train_set, chosen, device)
            outputs = model(graph)
            loss = loss_of(outputs, normalizer.normalized(targets, n_atoms))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            rate = optimizer.param_groups[0]["lr"]
            schedule.step()
            step += 1
            value = _finite(loss.item(), epoch, config)
            total += value * len(chosen)
            error += _error_sum(normalizer.undo(outputs.detach(), n_atoms), targets)
            yield BatchMetrics(step, epoch, step - (epoch - 1) * n_batches, n_batches, value)
        seconds = time.perf_counter() - start
        predicted = predict(model, val_set, normalizer)
        yield EpochMetrics(
            epoch=epoch,
            train_loss=total / len(train_set),
            val_loss=_loss(loss_of, predicted, val_set, normalizer),
            train_mae=error / len(train_set),
            val_mae=mean_absolute_error(predicted, val_set.targets),
            learning_rate=rate,
            seconds=seconds,
            crystals_per_second=len(train_set) / seconds,
        )


def collated(
    data: Labelled, chosen: Tensor, device: torch.device
) -> tuple[CrystalGraph, Float[Tensor, "crystals targets"], Float[Tensor, " crystals"]]:
    """The chosen crystals as one graph, with their targets and numbers of atoms, on the device."""
    graph = batch([data.graphs[i] for i in chosen.tolist()]).to(device)
    return graph, data.targets[chosen].to(device), graph.atoms_per_crystal.float()


@torch.no_grad()
def predict(
    model: nn.Module, data: Labelled, normalizer: Normalizer, batch_size: int = 256
) -> Float[Tensor, "crystals targets"]:
    """What the network says of each crystal, in the target's own unit; leaves the model in eval mode."""
    model.eval()
    device = next(model.parameters()).device
    parts = []
    for chosen in torch.arange(len(data)).split(batch_size):
        graph, _, n_atoms = collated(data, chosen, device)
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
