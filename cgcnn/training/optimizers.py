"""How a gradient becomes a step, and how the size of the steps changes while a network learns."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from cgcnn.training.train import TrainConfig

Groups = list[dict[str, Any]]  # weights with the learning rate of each group


def _sgd(groups: Groups, config: "TrainConfig") -> torch.optim.Optimizer:
    return torch.optim.SGD(groups, momentum=config.momentum, weight_decay=config.weight_decay)


def _adam(groups: Groups, config: "TrainConfig") -> torch.optim.Optimizer:
    return torch.optim.Adam(groups, weight_decay=config.weight_decay)


def _adamw(groups: Groups, config: "TrainConfig") -> torch.optim.Optimizer:
    return torch.optim.AdamW(groups, weight_decay=config.weight_decay)


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
