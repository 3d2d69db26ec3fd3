"""A run that two processes share: one of them dies, it is put away, it is stopped; the numbers stay the same."""

from collections.abc import Iterator

import psutil
import pytest

from cgcnn.runs.store import RunStore
from runs_kit import LONG, STEADY, dispatched, epochs, finished, kill, until

TWO = STEADY.with_(**{"train.processes": 2})
WAIT = 180  # s; two processes that import torch on a busy machine


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunStore]:
    with dispatched(tmp_path_factory.mktemp("runs"), slots=2, spares=0) as store:
        yield store


def processes_of(store: RunStore) -> list[psutil.Process]:
    """The processes of shared runs of this store, without their launcher."""
    words = [(p, p.info["cmdline"] or []) for p in psutil.process_iter(["cmdline"])]
    return [
        p for p, said in words if said[1:3] == ["-u", "-m"] and said[3:] == ["cgcnn.runs.parallel", str(store.folder)]
    ]


def curve(store: RunStore, run_id: str) -> list[tuple[float, float]]:
    return [(e["train_loss"], e["val_mae"]) for e in epochs(store, run_id)]


def test_a_shared_run_that_loses_a_process_and_is_paused_ends_with_the_same_numbers(served: RunStore) -> None:
    whole = served.submit(TWO)
    finished(served, whole, WAIT)
    run_id = served.submit(TWO)
    until(lambda: len(epochs(served, run_id)) >= 3, WAIT)
    kill(processes_of(served)[1].pid)
    until(lambda: served.run(run_id).attempt == 2 and len(epochs(served, run_id)) >= 6, WAIT)
    served.request(run_id, "pause")
    until(lambda: served.run(run_id).state == "paused", 10)
    until(lambda: not processes_of(served), 30)
    served.request(run_id, "run")
    finished(served, run_id, WAIT)
    assert served.run(run_id).attempt == 3 and curve(served, run_id) == curve(served, whole)


def test_a_shared_run_takes_as_many_slots_as_it_has_processes_and_stops_at_once(served: RunStore) -> None:
    run_id, other = served.submit(LONG.with_(**{"train.processes": 2})), served.submit(LONG)
    until(lambda: len(epochs(served, run_id)) >= 1, WAIT)
    assert served.run(other).state == "queued"
    served.request(other, "stop")
    served.request(run_id, "stop")
    until(lambda: served.run(run_id).state == "stopped", 10)
    assert served.events(run_id, kinds=["test"])
