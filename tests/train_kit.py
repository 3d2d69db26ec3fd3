"""What a worker says of a run, made up: (kind, step, data)."""

from typing import Any

Event = tuple[str, int, dict[str, Any]]
DATA: Event = (
    "data",
    1,
    {"n_train": 100, "n_val": 10, "n_test": 10, "n_parameters": 80833, "device": "cpu", "val_mean_mae": 0.6}
    | {"n_left_out": 0, "n_dropped": 0, "dropped": {}},
)


def batch(step: int, n: int = 20) -> Event:
    about = {"epoch": (step - 1) // n + 1, "batch": (step - 1) % n + 1, "n_batches": n}
    return "batch", step, {"step": step, **about, "loss": 0.5, "mae": 0.25}


def epoch(n: int, seconds: float = 2.0) -> Event:
    losses = {"train_loss": 1.0 / n, "val_loss": 1.0 / n, "train_mae": 0.4 / n, "val_mae": 0.5 / n}
    return "epoch", n, {"epoch": n, **losses, "learning_rate": 0.01, "seconds": seconds, "crystals_per_second": 50.0}
