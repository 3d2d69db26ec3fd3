"""The real dispatcher and its real workers, on a folder of their own."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cgcnn.data import DatasetConfig
from cgcnn.models import CGCNN
from cgcnn.runs.dispatcher import end_all, ensure_running
from cgcnn.runs.engines import start_module
from cgcnn.runs.store import RunStore
from cgcnn.training.experiment import EpochMetrics, RunConfig, run_experiment
from cgcnn.training.train import TrainConfig

SHORT = RunConfig(
    dataset=DatasetConfig(max_sites=4, max_crystals=60),
    model=CGCNN.Config(n_convs=1, atom_dim=16, hidden_dim=16),
    train=TrainConfig(epochs=3, batch_size=16),
)
LONG = SHORT.with_(**{"train.epochs": 2000})


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunStore]:
    os.environ["CRYSTAL_GRAPH_LAB_SLOTS"] = "1"
    store = RunStore(tmp_path_factory.mktemp("runs"))
    ensure_running(store)
    yield store
    end_all(store)
    store.close()
    del os.environ["CRYSTAL_GRAPH_LAB_SLOTS"]


def until(true: Callable[[], object], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.02)


def epochs(store: RunStore, run_id: str) -> list[dict]:
    return [event.data for event in store.events(run_id, kinds=["epoch"])]


def test_a_submitted_run_gives_the_numbers_of_the_notebook_line(served: RunStore) -> None:
    run_id = served.submit(SHORT)
    until(lambda: not served.run(run_id).is_live)
    assert served.run(run_id).state == "finished", served.run(run_id).error
    expected = [e for e in run_experiment(SHORT) if isinstance(e, EpochMetrics)]
    assert [e["val_mae"] for e in epochs(served, run_id)] == [e.val_mae for e in expected]
    assert [e.kind for e in served.events(run_id)][-1] == "test" and served.checkpoint(run_id) is not None


def test_a_stopped_run_stops_keeps_its_curve_and_has_a_result(served: RunStore) -> None:
    run_id = served.submit(LONG)
    until(lambda: epochs(served, run_id))
    served.request(run_id, "stop")
    until(lambda: not served.run(run_id).is_live, seconds=10)
    assert served.run(run_id).state == "stopped"
    assert served.events(run_id, kinds=["test"])[0].data["best_epoch"] >= 1


def test_a_run_that_cannot_be_done_fails_with_one_sentence(served: RunStore) -> None:
    run_id = served.submit(SHORT.with_(**{"graph.cutoff": 1.0}))
    until(lambda: not served.run(run_id).is_live)
    assert served.run(run_id).state == "failed" and "no neighbor within 1 Å" in served.run(run_id).error


def test_a_killed_worker_fails_its_run_keeps_the_curve_and_the_next_run_works(served: RunStore) -> None:
    run_id = served.submit(LONG)
    until(lambda: epochs(served, run_id))
    worker = next(p for p in served.processes() if p.name.startswith("worker-"))
    os.kill(worker.pid, signal.SIGKILL)
    until(lambda: not served.run(run_id).is_live, seconds=20)
    assert served.run(run_id).state == "failed" and "signal 9" in served.run(run_id).error
    assert epochs(served, run_id)
    again = served.submit(SHORT)
    until(lambda: not served.run(again).is_live)
    assert served.run(again).state == "finished"


def test_a_run_goes_on_without_the_dispatcher_and_the_next_dispatcher_finds_it(served: RunStore) -> None:
    run_id = served.submit(LONG)
    until(lambda: epochs(served, run_id))
    os.kill(next(p for p in served.processes() if p.name == "dispatcher").pid, signal.SIGKILL)
    before = len(epochs(served, run_id))
    until(lambda: len(epochs(served, run_id)) > before + 3)
    until(lambda: not next(p for p in served.processes() if p.name == "dispatcher").is_alive)
    ensure_running(served)
    served.request(run_id, "stop")
    until(lambda: not served.run(run_id).is_live, seconds=10)
    assert served.run(run_id).state == "stopped"


def test_a_second_dispatcher_of_the_same_folder_ends_at_once(served: RunStore, tmp_path: Path) -> None:
    until(lambda: any(p.name == "dispatcher" and p.is_alive for p in served.processes()))
    second = start_module("cgcnn.runs.dispatcher", str(served.folder), log=tmp_path / "log")
    assert second.wait(timeout=30) == 0
