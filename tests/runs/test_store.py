"""The store keeps what it was told, whoever dies, and lets only the holder of a run write to it."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from cgcnn.errors import RunError
from cgcnn.runs.store import RunStore
from cgcnn.training.experiment import RunConfig


@pytest.fixture
def store(tmp_path: Path):
    opened = RunStore(tmp_path)
    yield opened
    opened.close()


def test_a_run_keeps_its_settings_and_starts_queued(store: RunStore) -> None:
    config = RunConfig().with_(**{"train.epochs": 7})
    run = store.run(store.submit(config, user="ada", name="first"))
    assert (run.config, run.user, run.name, run.state) == (config, "ada", "first", "queued")


def test_runs_are_taken_oldest_first_and_once(store: RunStore) -> None:
    first, second = store.submit(RunConfig()), store.submit(RunConfig())
    assert [store.queue_position(i) for i in (first, second)] == [0, 1]
    assert [store.take("w").run_id, store.take("w").run_id, store.take("w")] == [first, second, None]


def test_events_come_back_in_order_and_only_what_is_new(store: RunStore) -> None:
    run_id = store.submit(RunConfig())
    lease = store.take("w")
    store.record(lease, [("epoch", 1, {"mae": 0.5}), ("batch", 3, {"loss": 1.0})])
    last = store.events(run_id)[-1].n
    store.record(lease, [("epoch", 2, {"mae": 0.4})])
    assert [e.data for e in store.events(run_id, after=last)] == [{"mae": 0.4}]
    assert [e.step for e in store.events(run_id, kinds=["epoch"])] == [1, 2]


def test_an_event_sent_twice_is_kept_once(store: RunStore) -> None:
    run_id = store.submit(RunConfig())
    lease = store.take("w")
    for _ in range(2):
        store.record(lease, [("epoch", 1, {"mae": 0.5})])
    assert len(store.events(run_id)) == 1


def test_every_record_answers_with_what_the_user_wants(store: RunStore) -> None:
    run_id = store.submit(RunConfig())
    lease = store.take("w")
    assert store.record(lease, []) == "run"
    store.request(run_id, "stop")
    assert store.record(lease, []) == "stop"


def test_stopping_a_queued_run_ends_it_at_once(store: RunStore) -> None:
    run_id = store.submit(RunConfig())
    store.request(run_id, "stop")
    assert store.run(run_id).state == "stopped" and store.take("w") is None


def test_a_worker_that_lost_its_run_can_no_longer_write(store: RunStore) -> None:
    run_id = store.submit(RunConfig())
    lease = store.take("w")
    store.abandon("w", "The worker ended.")
    for write in (lambda: store.record(lease, [("epoch", 1, {})]), lambda: store.finish(lease, "finished"),
                  lambda: store.save_checkpoint(lease, {}, {})):  # fmt: skip
        with pytest.raises(RunError, match="another worker"):
            write()
    assert store.run(run_id).state == "queued" and store.take("x").attempt == 2


def test_a_checkpoint_comes_back_and_the_last_one_counts(store: RunStore) -> None:
    run_id = store.submit(RunConfig())
    assert store.checkpoint(run_id) is None
    lease = store.take("w")
    for value in (1.0, 2.0):
        store.save_checkpoint(lease, {"w": torch.full((3,), value)}, {"epoch": value})
    weights, about = store.checkpoint(run_id)
    assert weights["w"].tolist() == [2.0] * 3 and about == {"epoch": 2.0}
    assert [f.name for f in (store.folder / "checkpoints").iterdir()] == [f"{run_id}.safetensors"], "no draft is left"


def test_a_broken_checkpoint_is_refused_in_a_sentence(store: RunStore) -> None:
    run_id = store.submit(RunConfig())
    (store.folder / "checkpoints" / f"{run_id}.safetensors").write_bytes(b"\x00" * 64)
    with pytest.raises(RunError, match="cannot be read; train it again"):
        store.checkpoint(run_id)


@pytest.mark.parametrize("run_id", ["", "../../etc", "deadbeef"])
def test_an_unknown_run_is_refused(store: RunStore, run_id: str) -> None:
    with pytest.raises(RunError, match="There is no run"):
        store.checkpoint(run_id)


def test_a_second_store_of_the_folder_sees_the_same(store: RunStore) -> None:
    other = RunStore(store.folder)
    run_id = store.submit(RunConfig())
    assert other.run(run_id).state == "queued"
    other.close()


def test_no_acknowledged_event_is_lost_when_the_writer_is_killed(store: RunStore) -> None:
    run_id = store.submit(RunConfig())
    code = """if True:
        import sys
        from cgcnn.runs.store import RunStore
        store = RunStore(sys.argv[1]); lease = store.take("w"); n = 0
        while True:
            n += 1; store.record(lease, [("epoch", n, {})]); print(n, flush=True)
    """
    writer = subprocess.Popen([sys.executable, "-c", code, str(store.folder)], stdout=subprocess.PIPE, text=True)
    told = [writer.stdout.readline() for _ in range(200)]
    os.kill(writer.pid, signal.SIGKILL)
    told += writer.stdout.readlines()
    writer.wait()
    writer.stdout.close()
    acknowledged = int([line for line in told if line.endswith("\n")][-1])
    steps = [event.step for event in store.events(run_id)]
    assert steps[:acknowledged] == list(range(1, acknowledged + 1))


def test_a_process_is_alive_only_while_it_is_the_same_process(store: RunStore) -> None:
    store.beat("page")
    (me,) = store.processes()
    assert me.is_alive and me.pid == os.getpid() and time.time() - me.heartbeat < 5
    store._db.execute("update processes set born = 1.0")
    assert not store.processes()[0].is_alive


def test_a_run_of_another_version_is_listed_and_says_why_it_cannot_be_repeated(store: RunStore) -> None:
    run_id = store.submit(RunConfig())
    store._db.execute("update runs set config = ? where id = ?", (json.dumps({"old": 1}), run_id))
    assert [run.id for run in store.runs()] == [run_id]
    with pytest.raises(ValueError, match="no setting 'old'"):
        _ = store.run(run_id).config
