"""On a cluster too: whatever dies, a run ends with the numbers of one that nobody disturbed, and nothing is lost."""

import errno
import os
import re
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from cgcnn.errors import RunError
from cgcnn.runs.dispatcher import ensure_running
from cgcnn.runs.room import is_full
from cgcnn.runs.store import RunStore
from runs_kit import LONG, SHORT, STEADY, assert_as_undisturbed, dispatched, epochs, finished, kill, until

pytestmark = pytest.mark.filterwarnings("default")  # Ray's own
WAIT = 300  # s; for machines that have much else to do


@pytest.fixture(scope="module")
def served(cluster: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunStore]:
    with dispatched(tmp_path_factory.mktemp("runs"), engine="ray", slots=1, spares=1) as store:
        until(lambda: store.load().workers == 2, WAIT)
        yield store


def process_of(store: RunStore, run_id: str) -> psutil.Process:
    """The worker that has a run, by what it says of itself; its machine is this one."""
    names = {run: worker for worker, run in store.workers_at_work().items()}
    doing = next(p.doing for p in store.processes() if p.name == names[run_id])
    return psutil.Process(int(re.findall(r"process (\d+)", doing)[0]))


def under_way(store: RunStore, run_id: str, n: int = 3) -> None:
    until(lambda: len(epochs(store, run_id)) >= n and run_id in store.workers_at_work().values(), WAIT)


def test_pausing_within_an_epoch_and_resuming_on_any_machine_goes_on_bit_for_bit(served: RunStore) -> None:
    run_id = served.submit(STEADY)
    under_way(served, run_id)
    served.request(run_id, "pause")
    until(lambda: served.run(run_id).state == "paused", 5)
    assert len(epochs(served, run_id)) < STEADY.train.epochs
    served.request(run_id, "run")
    finished(served, run_id, WAIT)
    assert served.run(run_id).attempt == 2
    assert_as_undisturbed(served, run_id, STEADY)


def test_a_killed_worker_is_replaced_and_its_run_goes_on(served: RunStore) -> None:
    run_id = served.submit(STEADY)
    under_way(served, run_id, 5)
    acknowledged = served.events(run_id)
    kill(process_of(served, run_id).pid)
    finished(served, run_id, WAIT)
    assert served.run(run_id).attempt == 2
    assert served.events(run_id)[: len(acknowledged)] == acknowledged
    assert_as_undisturbed(served, run_id, STEADY)


def test_a_killed_machine_is_replaced_and_its_run_goes_on_elsewhere(cluster: Any, served: RunStore) -> None:
    until(lambda: served.load().workers == 2, WAIT)
    run_id = served.submit(STEADY)
    under_way(served, run_id)
    raylet = process_of(served, run_id).ppid()
    lost = next(n for n in cluster.worker_nodes if n.all_processes["raylet"][0].process.pid == raylet)
    cluster.remove_node(lost, allow_graceful=False)
    finished(served, run_id, WAIT)
    assert served.run(run_id).attempt == 2
    assert_as_undisturbed(served, run_id, STEADY)
    cluster.add_node(num_cpus=1, object_store_memory=80 << 20)


def test_a_killed_recorder_comes_back_and_its_callers_wait(served: RunStore) -> None:
    run_id = served.submit(STEADY)
    under_way(served, run_id)
    kill(next(p.pid for p in psutil.process_iter() if p.name().startswith("ray::Recorder")))
    finished(served, run_id, WAIT)
    assert served.run(run_id).attempt == 1
    assert_as_undisturbed(served, run_id, STEADY)


def test_a_killed_dispatcher_takes_its_workers_along_and_the_next_one_goes_on(served: RunStore) -> None:
    run_id = served.submit(STEADY)
    under_way(served, run_id)
    kill(next(p.pid for p in served.processes() if p.name == "dispatcher"))
    until(lambda: not any(p.name == "dispatcher" and p.is_alive for p in served.processes()))
    ensure_running(served)
    finished(served, run_id, WAIT)
    assert served.run(run_id).attempt == 2
    assert_as_undisturbed(served, run_id, STEADY)


def test_stopping_takes_less_than_a_second_on_a_quiet_machine(served: RunStore) -> None:
    run_id = served.submit(LONG)
    under_way(served, run_id)
    asked = time.monotonic()
    served.request(run_id, "stop")
    until(lambda: served.run(run_id).state == "stopped", 5)
    assert time.monotonic() - asked < (1 if os.getloadavg()[0] < os.cpu_count() else 5)
    assert served.events(run_id, kinds=["test"])


def test_a_run_that_cannot_be_done_fails_with_its_sentence(served: RunStore) -> None:
    run_id = served.submit(SHORT.with_(**{"graph.cutoff": 1.0}))
    until(lambda: not served.run(run_id).is_live, WAIT)
    assert served.run(run_id).state == "failed" and "no neighbor within 1 Å" in served.run(run_id).error


def test_two_processes_on_two_machines_train_one_network(served: RunStore) -> None:
    config = SHORT.with_(**{"train.processes": 2, "train.optimizer": "SGD", "train.learning_rate": 0.02})
    shared, alone = served.submit(config), served.submit(config.with_(**{"train.processes": 1}))
    finished(served, shared, WAIT)
    finished(served, alone, WAIT)
    for one, two in zip(epochs(served, alone), epochs(served, shared), strict=True):
        assert two["val_mae"] == pytest.approx(one["val_mae"], rel=1e-4)


def test_when_one_of_two_processes_dies_the_run_goes_on_with_the_same_numbers(served: RunStore) -> None:
    config = STEADY.with_(**{"train.processes": 2})
    runs = [served.submit(config), served.submit(config)]
    under_way(served, runs[0])
    kill(next(p.pid for p in psutil.process_iter() if p.name().startswith("ray::share_of_r")))
    for run_id in runs:
        finished(served, run_id, WAIT)
    disturbed, whole = ([e["val_mae"] for e in epochs(served, r)] for r in runs)
    assert disturbed == whole and served.run(runs[0]).attempt == 2


def test_a_run_over_its_memory_limit_ends_with_a_sentence(cluster: Any, folder: Path) -> None:
    large = SHORT.with_(
        **{"dataset.max_sites": 0, "dataset.max_crystals": 3000, "graph.rule": "radius", "graph.cutoff": 12.0}
    )
    with dispatched(folder, engine="ray", slots=1, spares=0, memory_mib=1024) as store:
        greedy, modest = store.submit(large), store.submit(STEADY)
        until(lambda: not store.run(greedy).is_live, WAIT)
        assert "MiB of memory and the limit of a run is 1,024 MiB" in store.run(greedy).error
        finished(store, modest, WAIT)
        assert_as_undisturbed(store, modest, STEADY)


def test_what_goes_wrong_at_the_recorder_is_raised_here_as_itself(cluster: Any) -> None:
    import ray

    from cgcnn.runs.limits import Limits
    from cgcnn.runs.ray_engine import RemoteDesk

    mistakes = {
        "record": RunError("Run 0 belongs to another worker now."),
        "finish": sqlite3.OperationalError("database or disk is full"),
        "save_state": OSError(errno.ENOSPC, "No space left on device"),
    }

    class Broken:
        def call(self, name: str, *arguments: Any) -> None:
            raise mistakes[name]

    ray.init(cluster.address)
    desk = RemoteDesk(ray.remote(Broken).options(num_cpus=0).remote(), Limits())
    for name, mistake in mistakes.items():
        with pytest.raises(type(mistake)) as raised:
            getattr(desk, name)()
        assert type(raised.value) is type(mistake) and raised.value.args == mistake.args
        assert is_full(raised.value) == (name != "record")
    ray.shutdown()
