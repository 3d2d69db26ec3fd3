"""What a worker says of a run, made up: (kind, step, data); and what the Train page shows of it."""

from typing import TYPE_CHECKING, Any

from cgcnn.runs.records import Lease
from cgcnn.runs.store import RunStore
from cgcnn.training.experiment import RunConfig

if TYPE_CHECKING:
    from streamlit.testing.v1 import AppTest

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


def worked(
    runs: RunStore, *events: Event, state: str = "", error: str = "", user: str = "", name: str = "A run", **config: Any
) -> str:
    """A run that a worker took, with these events; left in `state`, or still running."""
    run_id = runs.submit(RunConfig().with_(**config), user=user, name=name)
    lease = runs.take("worker-1")
    assert isinstance(lease, Lease)
    runs.record(lease, [DATA, *events])
    if state == "paused":
        runs.request(run_id, "pause")
    if state:
        runs.finish(lease, state, error)
    return run_id


def words(app: "AppTest") -> str:
    return " ".join(m.value for m in app.markdown)


def enabled(app: "AppTest") -> list[str]:
    from cgcnn.ui.run_controls import CONTROLS  # here, since most who use this kit need no Streamlit

    return [c.wanted for c in CONTROLS if not app.button(key=f"control_{c.wanted}").disabled]


def chooser(app: "AppTest") -> Any:
    return next(s for s in app.selectbox if s.label == "Run")
