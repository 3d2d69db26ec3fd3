"""What the tests of runs share: a served store, waiting, and what a run must leave behind whatever died meanwhile."""

import functools
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from cgcnn.data import DatasetConfig
from cgcnn.models import CGCNN
from cgcnn.runs.dispatcher import end_all, ensure_running
from cgcnn.runs.limits import Limits
from cgcnn.runs.store import RunStore
from cgcnn.training.experiment import BatchMetrics, EpochMetrics, Experiment, RunConfig
from cgcnn.training.train import TrainConfig

SHORT = RunConfig(
    dataset=DatasetConfig(max_sites=4, max_crystals=60),
    model=CGCNN.Config(n_convs=1, atom_dim=16, hidden_dim=16),
    train=TrainConfig(epochs=3, batch_size=16, snapshots=2),
)
STEADY = RunConfig(  # some seconds long: time to disturb it
    dataset=DatasetConfig(max_sites=4, max_crystals=300),
    model=CGCNN.Config(n_convs=2, atom_dim=24, hidden_dim=24),
    train=TrainConfig(epochs=28, batch_size=24, snapshots=0),
)
LONG = SHORT.with_(**{"train.epochs": 2000})
TIMES = ("seconds", "crystals_per_second")


@contextmanager
def dispatched(folder: Path, **limits: object) -> Iterator[RunStore]:
    """A store with its own dispatcher and workers; `limits` by the names of Limits."""
    names = {f"CRYSTAL_GRAPH_LAB_{name.upper()}": str(value) for name, value in ({"slots": 1} | limits).items()}
    before = dict(os.environ)
    os.environ.update(names)
    store = RunStore(folder, Limits.from_environment())
    try:
        ensure_running(store)
        yield store
    finally:
        end_all(store)
        store.close()
        for name in names:
            del os.environ[name]
        os.environ.update({name: before[name] for name in names if name in before})


def until(true: Callable[[], object], seconds: float = 60) -> None:
    """Wait until something holds."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.01)


def finished(store: RunStore, run_id: str, seconds: float = 90) -> None:
    """Wait for a run to be over, and be sure that it finished."""
    until(lambda: store.run(run_id).state not in ("queued", "running"), seconds)
    assert store.run(run_id).state == "finished", (store.run(run_id).state, store.run(run_id).error)


def epochs(store: RunStore, run_id: str) -> list[dict[str, Any]]:
    """The epochs of a run so far."""
    return [event.data for event in store.events(run_id, kinds=["epoch"])]


def worker_of(store: RunStore, run_id: str) -> int:
    """The process that has a run."""
    names = {run: worker for worker, run in store.workers_at_work().items()}
    return next(p.pid for p in store.processes() if p.name == names[run_id])


def kill(pid: int) -> None:
    """kill -9."""
    os.kill(pid, signal.SIGKILL)


@functools.cache
def whole(config: RunConfig) -> tuple[dict[int, Any], dict[int, Any], Experiment]:
    """An undisturbed run in this process: its epochs, its batches, and the experiment at its end."""
    experiment, epochs, batches = Experiment(config), {}, {}
    for event in experiment.events():
        if isinstance(event, EpochMetrics):
            epochs[event.epoch] = event
        elif isinstance(event, BatchMetrics):
            batches[event.step] = event
    return epochs, batches, experiment


def assert_as_undisturbed(store: RunStore, run_id: str, config: RunConfig) -> None:
    """Every epoch once and in order, every loss, the test result and the weights bit for bit."""
    expected, batches, experiment = whole(config)
    for found, epoch in zip(epochs(store, run_id), expected.values(), strict=True):
        assert {k: v for k, v in found.items() if k not in TIMES} == {
            k: v for k, v in vars(epoch).items() if k not in TIMES
        }
    for event in store.events(run_id, kinds=["batch"]):
        assert event.data == vars(batches[event.step])
    (test,) = store.events(run_id, kinds=["test"])
    assert test.data == vars(experiment.result())
    kept = store.checkpoint(run_id)
    assert kept is not None and kept[1]["epoch"] == experiment.best_epoch
    assert all(torch.equal(w, kept[0][name]) for name, w in experiment.best_weights.items())
