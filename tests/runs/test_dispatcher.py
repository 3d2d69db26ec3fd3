"""The real dispatcher and its real workers, on a folder of their own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cgcnn.runs.dispatcher import ensure_running
from cgcnn.runs.engines import start_module
from cgcnn.runs.records import Process
from cgcnn.runs.store import RunStore
from cgcnn.training.experiment import EpochMetrics, run_experiment
from runs_kit import LONG, SHORT, dispatched, epochs, until


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunStore]:
    with dispatched(tmp_path_factory.mktemp("runs")) as store:
        yield store


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


def test_a_second_dispatcher_of_the_same_folder_ends_at_once(served: RunStore, tmp_path: Path) -> None:
    until(lambda: any(p.name == "dispatcher" and p.is_alive for p in served.processes()))
    second = start_module("cgcnn.runs.dispatcher", str(served.folder), log=tmp_path / "log")
    assert second.wait(timeout=30) == 0


def test_after_an_update_a_new_dispatcher_and_new_workers_take_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with dispatched(tmp_path, spares=0) as store:
        until(lambda: store.load().workers)
        before = {p.name: p.pid for p in store.processes() if p.name != "page"}
        # as if the code had changed since it began
        store._db.execute("update processes set doing = '1.older' where name = 'dispatcher'")
        monkeypatch.setattr("cgcnn.runs.dispatcher.FRESH", 60.0)
        until(lambda: ensured(store) and before.keys().isdisjoint(w.name for w in workers(store)), 60)
        assert next(p.pid for p in store.processes() if p.name == "dispatcher") != before["dispatcher"]


def ensured(store: RunStore) -> bool:
    ensure_running(store)
    return bool(workers(store)) and store.load().workers > 0


def workers(store: RunStore) -> list[Process]:
    return [p for p in store.processes() if p.name.startswith("worker-") and p.is_alive]
