"""Whatever dies or is put away, a run ends with the numbers of one that nobody disturbed, and nothing is lost."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cgcnn.errors import RunError
from cgcnn.runs.limits import Limits
from cgcnn.runs.store import RunStore
from cgcnn.runs.worker import insist
from runs_kit import (
    LONG,
    SHORT,
    STEADY,
    assert_as_undisturbed,
    dispatched,
    epochs,
    finished,
    kill,
    until,
    worker_of,
)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunStore]:
    with dispatched(tmp_path_factory.mktemp("runs")) as store:
        yield store


def batch_of(store: RunStore, run_id: str) -> int:
    """The step of the last batch that was written."""
    return max((event.step for event in store.events(run_id, kinds=["batch"])), default=0)


def test_pausing_within_an_epoch_frees_the_slot_and_resuming_goes_on_bit_for_bit(served: RunStore) -> None:
    run_id = served.submit(STEADY)
    until(lambda: len(epochs(served, run_id)) >= 3)
    served.request(run_id, "pause")
    until(lambda: served.run(run_id).state == "paused", 5)
    between = served.submit(SHORT)  # another run uses the slot
    finished(served, between)
    assert served.run(run_id).state == "paused" and len(epochs(served, run_id)) < STEADY.train.epochs
    served.request(run_id, "run")
    finished(served, run_id)
    assert served.run(run_id).attempt == 2
    assert_as_undisturbed(served, run_id, STEADY)


def test_steps_of_a_batch_and_of_an_epoch_do_just_that(served: RunStore) -> None:
    config = SHORT.with_(**{"train.epochs": 4})
    run_id = served.submit(config, paused=True)
    for step in (1, 2):
        served.request(run_id, "batch")
        until(lambda: served.run(run_id).state == "paused" and batch_of(served, run_id) == step, 10)  # noqa: B023
    served.request(run_id, "epoch")
    until(lambda: len(epochs(served, run_id)) == 1 and served.run(run_id).state == "paused", 10)
    served.request(run_id, "epoch")
    until(lambda: len(epochs(served, run_id)) == 2 and served.run(run_id).state == "paused", 10)
    served.request(run_id, "run")
    finished(served, run_id)
    assert_as_undisturbed(served, run_id, config)


def test_a_killed_worker_is_replaced_and_its_run_goes_on(served: RunStore) -> None:
    run_id = served.submit(STEADY)
    until(lambda: len(epochs(served, run_id)) >= 5)
    acknowledged = served.events(run_id)
    kill(worker_of(served, run_id))
    finished(served, run_id)
    assert served.run(run_id).attempt == 2
    assert served.events(run_id)[: len(acknowledged)] == acknowledged
    assert_as_undisturbed(served, run_id, STEADY)


def test_a_killed_dispatcher_is_not_missed(served: RunStore) -> None:
    run_id = served.submit(STEADY)
    until(lambda: len(epochs(served, run_id)) >= 3)
    kill(next(p.pid for p in served.processes() if p.name == "dispatcher"))
    finished(served, run_id)
    assert served.run(run_id).attempt == 1
    assert_as_undisturbed(served, run_id, STEADY)
    ensure(served)


def test_worker_and_dispatcher_killed_at_once(served: RunStore) -> None:
    run_id = served.submit(STEADY)
    until(lambda: len(epochs(served, run_id)) >= 3)
    kill(next(p.pid for p in served.processes() if p.name == "dispatcher"))
    for process in served.processes():
        if process.name.startswith("worker-"):
            kill(process.pid)
    ensure(served)
    finished(served, run_id)
    assert_as_undisturbed(served, run_id, STEADY)


def ensure(store: RunStore) -> None:
    """What a page does: start a dispatcher once the old one's sign of life is out of date."""
    from cgcnn.runs.dispatcher import ensure_running

    until(lambda: not any(p.name == "dispatcher" and p.is_alive for p in store.processes()))
    ensure_running(store)
    until(lambda: any(p.name == "dispatcher" and p.is_alive for p in store.processes()))


def test_a_run_outlives_the_server_that_began_it(tmp_path: Path) -> None:
    code = """if True:
        import sys, time
        from cgcnn.runs.dispatcher import ensure_running
        from cgcnn.runs.store import RunStore
        from runs_kit import STEADY
        store = RunStore(sys.argv[1]); ensure_running(store)
        print(store.submit(STEADY), flush=True); time.sleep(600)
    """
    root = Path(__file__).parents[2]
    environment = os.environ | {"CRYSTAL_GRAPH_LAB_SLOTS": "1", "PYTHONPATH": f"{root}:{root / 'tests'}"}
    server = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True, env=environment
    )
    run_id = server.stdout.readline().strip()
    store = RunStore(tmp_path)
    try:
        until(lambda: epochs(store, run_id))
        server.send_signal(signal.SIGKILL)
        server.wait()
        server.stdout.close()
        finished(store, run_id)
        assert store.run(run_id).attempt == 1
        assert_as_undisturbed(store, run_id, STEADY)
    finally:
        from cgcnn.runs.dispatcher import end_all

        end_all(store)
        store.close()


def test_a_run_that_loses_worker_after_worker_waits_for_its_user(served: RunStore) -> None:
    run_id = served.submit(LONG)
    for attempt in range(1, served.limits.attempts + 1):
        until(lambda: served.run(run_id).attempt == attempt and served.run(run_id).state == "running")  # noqa: B023
        until(lambda: run_id in served.workers_at_work().values())
        kill(worker_of(served, run_id))
    until(lambda: served.run(run_id).state == "interrupted", 20)
    assert "3 times (signal 9)" in served.run(run_id).error and "Resume" in served.run(run_id).error
    served.request(run_id, "run")
    until(lambda: served.run(run_id).state == "running")
    served.request(run_id, "stop")
    until(lambda: served.run(run_id).state == "stopped", 10)


def test_a_silent_worker_is_ended_and_its_run_goes_on(served: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    from cgcnn.runs import dispatcher

    monkeypatch.setattr(dispatcher, "SILENT", 2.0)
    watcher = dispatcher.Dispatcher(served)
    watcher.limits = served.limits.with_(spares=0, slots=1)
    run_id = served.submit(STEADY)
    until(lambda: len(epochs(served, run_id)) >= 2)
    pid = worker_of(served, run_id)
    os.kill(pid, signal.SIGSTOP)
    time.sleep(2.5)
    watcher.look()
    finished(served, run_id)
    assert served.run(run_id).attempt == 2 and not any(p.pid == pid and p.is_alive for p in served.processes())
    assert_as_undisturbed(served, run_id, STEADY)


def test_stopping_frees_the_slot_within_a_second(served: RunStore) -> None:
    first = served.submit(LONG)
    until(lambda: len(epochs(served, first)) >= 2)
    second = served.submit(SHORT)
    asked = time.monotonic()
    served.request(first, "stop")
    until(lambda: served.run(second).state != "queued", 5)
    assert time.monotonic() - asked < 5, "a second on a quiet machine"
    finished(served, second)
    assert served.events(first, kinds=["test"])


def test_a_run_over_its_memory_limit_ends_with_a_sentence_and_others_go_on(tmp_path: Path) -> None:
    large = SHORT.with_(
        **{"dataset.max_sites": 0, "dataset.max_crystals": 3000, "graph.rule": "radius", "graph.cutoff": 12.0}
    )
    with dispatched(tmp_path, slots=2, spares=0, memory_mib=1024) as store:
        greedy, modest = store.submit(large, owner="a"), store.submit(STEADY, owner="b")
        until(lambda: not store.run(greedy).is_live, 120)
        assert store.run(greedy).state == "failed", store.run(greedy).error
        assert "memory" in store.run(greedy).error and "MiB" in store.run(greedy).error
        finished(store, modest)
        assert_as_undisturbed(store, modest, STEADY)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(folder)], capture_output=True, text=True
    )
    if mounted.returncode:
        pytest.skip(f"needs the right to mount a small disk: {mounted.stderr.strip()}")
    yield folder
    for _ in range(50):  # the last worker may still be closing its log
        if not subprocess.run(["umount", str(folder)], capture_output=True).returncode:
            return
        time.sleep(0.1)
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_interrupts_and_room_lets_it_go_on_with_the_same_numbers(small_disk: Path) -> None:
    config = STEADY.with_(**{"train.epochs": 150})
    with dispatched(small_disk, min_free_mib=2) as store:
        run_id = store.submit(config)
        until(lambda: len(epochs(store, run_id)) >= 10)
        fill(small_disk)
        until(lambda: store.run(run_id).state == "interrupted", 30)
        assert "disk is full" in store.run(run_id).error and store.run(run_id).error.count(". ") <= 1
        earlier = epochs(store, run_id)
        assert len(earlier) >= 10
        with pytest.raises(RunError, match="make room"):
            store.submit(SHORT)
        with pytest.raises(RunError, match="make room"):
            store.request(run_id, "run")
        (small_disk / "filler").unlink()
        store.request(run_id, "run")
        finished(store, run_id)
        assert epochs(store, run_id)[: len(earlier)] == earlier
        assert_as_undisturbed(store, run_id, config)


def fill(disk: Path) -> None:
    with (disk / "filler").open("wb", buffering=0) as out:
        try:
            while True:
                out.write(b"\x01" * 4096)
        except OSError:
            return


def test_on_a_full_disk_a_run_can_still_end_be_stopped_and_be_deleted(small_disk: Path) -> None:
    store = RunStore(small_disk, Limits(min_free_mib=2))
    ids = [store.submit(SHORT) for _ in range(3)]
    lease = store.take("w")
    assert lease is not None
    for n in range(200):  # the log of the database grows to the size at which it is moved
        store.record(lease, [("batch", n, {})])
    fill(small_disk)
    insist(store, lambda: store.finish(lease, "finished", events=[("test", 1, {"predicted": [0.5] * 5_000})]))
    assert store.run(lease.run_id).state == "finished"
    store.request(ids[1], "stop")
    assert store.run(ids[1]).state == "stopped"
    store.delete(ids[1])
    store.delete(lease.run_id)
    assert [run.id for run in store.runs()] == [ids[2]]
    store.close()
