"""What the runs of an experiment gave, as its answer needs it."""

from statistics import median

from cgcnn.runs.records import Run
from cgcnn.runs.store import RunStore
from cgcnn.training.arms import Outcome


def outcome(store: RunStore, run: Run) -> Outcome:
    """One run; a stopped one has no result, since it learned for less long than the others."""
    tests = store.events(run.id, kinds=["test"]) if run.state == "finished" else []
    mae, mean_mae = (tests[-1].data["mae"], tests[-1].data["mean_mae"]) if tests else (None, None)
    seconds = [event.data["seconds"] for event in store.events(run.id, kinds=["epoch"])]
    is_live = run.is_live or run.can_resume
    return Outcome(run.config, mae, is_live, mean_mae, median(seconds) if seconds else None)


def outcomes(store: RunStore, sweep_id: str) -> list[Outcome]:
    """Every run of an experiment, the first first."""
    return [outcome(store, run) for run in reversed(store.runs(1000, sweep=sweep_id))]
