"""How many workers a dispatcher keeps, seen on workers that do nothing."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cgcnn.runs import dispatcher
from cgcnn.runs.limits import Limits
from cgcnn.runs.store import RunStore
from runs_kit import SHORT


class Idle:
    """A worker that waits for ever."""

    def __init__(self) -> None:
        self.code: int | None = None

    def poll(self) -> int | None:
        return self.code

    def kill(self) -> None:
        self.code = -9


class Engine:
    def __init__(self, store: RunStore) -> None:
        self.store = store

    def start(self, name: str) -> Idle:
        return Idle()

    def close(self) -> None:
        pass


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dispatcher.Dispatcher]:
    monkeypatch.setitem(dispatcher.ENGINES, "local", Engine)
    store = RunStore(tmp_path, Limits(slots=2, spares=1, min_free_mib=1))
    yield dispatcher.Dispatcher(store)
    store.close()


def rounds(kept: dispatcher.Dispatcher, n: int = 12, ready: bool = True) -> int:
    """So many rounds, in which each worker says at once that it is ready; the workers there are then."""
    for _ in range(n):
        kept.look()
        for name in kept.workers:
            kept.store.beat(name, "ready" if ready else "starting")
    return len(kept.workers)


def test_one_worker_a_slot_and_a_warm_spare_are_kept(kept: dispatcher.Dispatcher) -> None:
    assert rounds(kept) == 3


def test_workers_start_one_after_the_other(kept: dispatcher.Dispatcher) -> None:
    assert rounds(kept, ready=False) == 1


def test_after_a_time_without_runs_one_worker_is_left_and_a_run_brings_the_others_back(
    kept: dispatcher.Dispatcher,
) -> None:
    assert rounds(kept) == 3
    kept.last_run = time.monotonic() - 2 * dispatcher.SPARES_END
    assert rounds(kept) == 1
    kept.store.submit(SHORT)
    assert rounds(kept) == 3


def test_after_a_worker_died_while_it_started_the_next_one_waits(kept: dispatcher.Dispatcher) -> None:
    kept.look()
    next(iter(kept.workers.values())).code = 1
    kept.look()
    assert not kept.workers and kept.not_before > time.monotonic()
