"""A process that trains: `python -m cgcnn.runs.worker FOLDER NAME` takes runs from the store until nobody needs it.

It warms up first (imports, one throw-away step), so that a waiting worker starts a run at once.
"""

import os
import sys
import threading
import time
import traceback
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from cgcnn.errors import CrystalError, RunError
from cgcnn.runs.store import Lease, RunStore
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
    try:
        experiment = Experiment(RunConfig.from_dict(lease.settings))
        state = _until_done_or_stopped(store, lease, experiment)
        last = [("test", 1, asdict(experiment.result()))] if experiment.best_weights else []
        store.finish(lease, state, events=last)
    except RunError as reason:  # the run is another worker's now
        print(reason, file=sys.stderr)
    except CrystalError as reason:
        store.finish(lease, "failed", str(reason))
    except Exception as reason:
        traceback.print_exc()
        store.finish(lease, "failed", f"The run ended with an unexpected {type(reason).__name__}; see worker.log.")


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
        store.beat(name, "ready")
        time.sleep(BEAT_EVERY)


def _orphaned(store: RunStore) -> bool:
    dispatchers = [p for p in store.processes() if p.name == "dispatcher"]
    return not any(time.time() - p.heartbeat < ORPHANED_AFTER for p in dispatchers)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
