"""A process that trains: `python -m cgcnn.runs.worker FOLDER NAME` takes runs from the store until nobody needs it.

It warms up first (imports, one throw-away step), so that a waiting worker starts a run at once.
"""

import os
import sqlite3
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from cgcnn.errors import CrystalError, RunError
from cgcnn.runs.records import Lease
from cgcnn.runs.store import RunStore
from cgcnn.training.experiment import (
    BatchMetrics,
    DataReady,
    EpochMetrics,
    Event,
    Experiment,
    Progress,
    RunConfig,
    warm_up,
)

WRITE_EVERY = 0.1  # s between events within an epoch
LOOK_EVERY = 0.05  # s between looks at the queue
BEAT_EVERY = 1.0  # s between signs of life
ORPHANED_AFTER = 15.0  # s without a dispatcher before an idle worker ends

NAMES = {Progress: "progress", DataReady: "data", BatchMetrics: "batch", EpochMetrics: "epoch"}


def main(folder: str, name: str) -> None:
    """Wait for runs and work on them."""
    os.nice(10)  # the page comes first
    store = RunStore(folder)
    store.beat(name, "starting")
    warm_up()
    threading.Thread(target=_beat, args=(store, name), daemon=True).start()
    while not _orphaned(store):
        lease = store.take(name)
        if lease is None:
            time.sleep(LOOK_EVERY)
        else:
            work(store, lease)
    store.gone(name)


def work(store: RunStore, lease: Lease) -> None:
    """Do one run. A failure is an event too: the user reads one sentence, the log has the rest."""
    experiment, state, error = None, "failed", ""
    try:
        experiment = Experiment(RunConfig.from_dict(lease.settings))
        state = _until_done_or_stopped(store, lease, experiment)
    except RunError as reason:  # the run is another worker's now
        print(reason, file=sys.stderr)
        return
    except CrystalError as reason:
        error = str(reason)
    except Exception as reason:
        traceback.print_exc()
        error = f"The run ended with an unexpected {type(reason).__name__}; see worker.log."
    insist(lambda: store.finish(lease, state, error, _last_word(experiment)))


def _last_word(experiment: Experiment | None) -> list[tuple[str, int, Mapping[str, Any]]]:
    """The test result of the best epoch, if there was one: also of a run that was stopped or failed."""
    if experiment is None or not experiment.best_weights:
        return []
    return [("test", 1, asdict(experiment.result()))]


def insist(write: Callable[[], None]) -> None:
    """Write, and while the disk is full wait for room: how a run ended must not be lost."""
    while True:
        try:
            return write()
        except sqlite3.OperationalError as reason:
            print(reason, file=sys.stderr)
            time.sleep(BEAT_EVERY)


def _until_done_or_stopped(store: RunStore, lease: Lease, experiment: Experiment) -> str:
    written, step, best = 0.0, 0, 0
    for event in experiment.events():
        step += 1
        if experiment.best_epoch != best:
            best = experiment.best_epoch
            store.save_checkpoint(lease, *experiment.checkpoint())
        now = time.monotonic()
        if isinstance(event, BatchMetrics) and now - written < WRITE_EVERY:
            continue
        written = now
        if store.record(lease, [described(event, step)]) == "stop":
            return "stopped"
    return "finished"


def described(event: Event, step: int) -> tuple[str, int, Mapping[str, Any]]:
    """An event as the store keeps it: kind, step, values."""
    number = event.epoch if isinstance(event, EpochMetrics) else step
    return NAMES[type(event)], number, asdict(event)


def _beat(store: RunStore, name: str) -> None:
    while True:
        insist(lambda: store.beat(name, "ready"))
        time.sleep(BEAT_EVERY)


def _orphaned(store: RunStore) -> bool:
    dispatchers = [p for p in store.processes() if p.name == "dispatcher"]
    return not any(time.time() - p.heartbeat < ORPHANED_AFTER for p in dispatchers)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
