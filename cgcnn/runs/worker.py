"""A process that trains: `python -m cgcnn.runs.worker FOLDER NAME` takes runs from the store until nobody needs it.

It warms up first (imports, the default data, one throw-away step), so that a waiting worker starts a run at once.
"""

import contextlib
import os
import sqlite3
import sys
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import asdict
from math import inf
from typing import Any

import psutil
from torch import Tensor

from cgcnn.errors import CrystalError, RunError
from cgcnn.graph.graph_files import GraphFiles
from cgcnn.runs.desk import Desk, Said
from cgcnn.runs.records import Lease
from cgcnn.runs.room import is_full
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
from cgcnn.training.prepared import forget_prepared
from cgcnn.training.train import kept_epochs

WRITE_EVERY = 0.1  # s between events within an epoch
LOOK_EVERY = 0.05  # s between looks at the queue
BEAT_EVERY = 1.0  # s between signs of life
ORPHANED_AFTER = 15.0  # s without a dispatcher before an idle worker ends
SAVE_EPOCHS_EVERY = 1.0  # s between states kept at the end of epochs
SAVE_BATCHES_EVERY = 5.0  # s without a kept state before one is kept within an epoch

NAMES = {Progress: "progress", DataReady: "data", BatchMetrics: "batch", EpochMetrics: "epoch"}
FULL_DISK = (
    "The disk is full, so the run was interrupted; what it wrote before is kept. "
    "Make room, then press Resume: it goes on with the same numbers."
)


def main(folder: str, name: str) -> None:
    """Wait for runs and work on them."""
    os.nice(10)  # the page comes first
    store = RunStore(folder)
    store.beat(name, "starting")
    warm_up()
    serve(store, name)
    store.gone(name)


def shared_here(store: Desk, lease: Lease, name: str) -> None:
    """Do a run that several processes share, on this machine."""
    from cgcnn.runs.parallel import on_this_machine

    on_this_machine(store, lease, name)


def serve(store: Desk, name: str, share: Callable[[Desk, Lease, str], None] = shared_here) -> None:
    """Work on runs until no dispatcher is left, or until this process has grown too large to go on."""
    stop = threading.Event()
    beating = threading.Thread(target=_beat, args=(store, name, stop), daemon=True)
    beating.start()
    version, at_first = _dispatcher_version(store), psutil.Process().memory_info().rss
    while not _orphaned(store, version):
        lease = store.take(name)
        if lease is None:
            time.sleep(LOOK_EVERY)
            continue
        if lease.width > 1:
            share(store, lease, name)
        else:
            work(store, lease)
        if psutil.Process().memory_info().rss - at_first > (store.limits.memory_mib << 20) // 2:
            forget_prepared()  # and end: memory that torch once had seldom comes back
            break
    stop.set()
    beating.join()


def work(store: Desk, lease: Lease) -> None:
    """Do one run. A failure is an event too: the user reads one sentence, the log has the rest."""
    experiment, state, error = None, "failed", ""
    try:
        experiment = experiment_of(store, lease)
        state = Work(store, lease, experiment).until_done_or_asked()
    except RunError as reason:  # the run is another worker's now
        return log(reason)
    except CrystalError as reason:
        error = str(reason)
    except ConnectionError:  # cut off from the store or the team: this process ends, and another goes on
        raise
    except Exception as reason:
        state, error = _mishap(store, reason)
    insist(store, lambda: store.finish(lease, state, error, [] if state in AWAY else _last_word(experiment)))


def experiment_of(store: Desk, lease: Lease) -> Experiment:
    """The run of a lease, which finds in the store the graphs that are kept and the network that it starts from."""

    def checkpoint_of(run_id: str) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
        try:
            return store.checkpoint(run_id)
        except RunError as reason:  # which, of a run's own writing, would mean that the run is another worker's now
            raise CrystalError(f"The network that this run starts from: {reason}") from reason

    return Experiment(RunConfig.from_dict(lease.settings), GraphFiles.at(store.graph_folder), checkpoint_of)


AWAY = ("paused", "interrupted")  # states from which a run goes on, and is not judged yet


def _mishap(store: Desk, reason: Exception) -> tuple[str, str]:
    """The state and the sentence for what went wrong on this machine and not in the settings."""
    if is_full(reason):
        store.ballast.throw_off()
        return "interrupted", FULL_DISK
    if isinstance(reason, MemoryError) or "memory" in str(reason):
        return "failed", f"The run needs more memory than there is ({short(reason)}); take a smaller batch or network."
    with contextlib.suppress(OSError):  # the log may lie on a full disk
        traceback.print_exc()
    return "failed", f"The run ended with an unexpected {type(reason).__name__}; see worker.log."


def short(reason: Exception) -> str:
    """The first line of an exception, or its kind."""
    return (str(reason).splitlines() or [type(reason).__name__])[0][:120]


def _last_word(experiment: Experiment | None) -> list[Said]:
    """The test result of the best epoch, if there was one: also of a run that was stopped or failed."""
    if experiment is None or not experiment.best_weights:
        return []
    return [("test", 1, asdict(experiment.result()))]


def insist(store: Desk, write: Callable[[], None]) -> None:
    """Write, with the reserve if the disk is full, and else wait for room: how a run ended must not be lost."""
    while True:
        try:
            return write()
        except (sqlite3.OperationalError, OSError) as reason:
            log(reason)
            if is_full(reason):
                store.ballast.throw_off()
            time.sleep(BEAT_EVERY)
        except RunError as reason:  # the run is another worker's now
            return log(reason)


def log(words: object) -> None:
    """A line in the worker's log, unless that lies on a full disk."""
    with contextlib.suppress(OSError):
        print(words, file=sys.stderr)


class Work:
    """One run under one lease: what happens is written, and what is kept lets any worker go on from there."""

    def __init__(self, store: Desk, lease: Lease, experiment: Experiment) -> None:
        self.store, self.lease, self.experiment = store, lease, experiment
        self.wanted, self.best, self.n = lease.wanted, 0, 0
        self.kept = set(kept_epochs(experiment.config.train))
        self.written = self.saved = time.monotonic()

    def until_done_or_asked(self) -> str:
        """Train; the answer is the state in which the run was left."""
        resumed = self._take_up()
        for event in self.experiment.events():
            self.n += 1
            if isinstance(event, DataReady):
                self._ready(resumed)
            if self.experiment.best_epoch != self.best:
                self.best = self.experiment.best_epoch
                self.store.save_checkpoint(self.lease, *self.experiment.checkpoint())
            if isinstance(event, EpochMetrics) and event.epoch in self.kept:
                self.store.save_snapshot(self.lease, event.epoch, *self.experiment.snapshot())
            self._say(event)
            if self.wanted == "stop" and self.experiment.training is not None:
                return "stopped"
            if self._is_time_to_pause(event):
                self.store.save_state(self.lease, *self.experiment.state())
                return "paused"
            self._save_now_and_then(event)
        return "finished"

    def _take_up(self) -> bool:
        """Go on from the kept state, if there is one that can be read; the beginning gives the same numbers."""
        try:
            kept = self.store.state(self.lease.run_id)
        except RunError as reason:
            log(reason)
            return False
        if kept is not None:
            self.experiment.restore(*kept)
        return kept is not None

    def _ready(self, resumed: bool) -> None:
        training = self.experiment.training
        if resumed:
            self.best = self.experiment.best_epoch
        if self.lease.attempt > 1 and training is not None:
            about = {"attempt": self.lease.attempt, "epoch": training.epoch, "batch": training.batch}
            self.store.record(self.lease, [("resumed", self.lease.attempt, about)])
        if not resumed and 0 in self.kept:
            self.store.save_snapshot(self.lease, 0, *self.experiment.snapshot())

    def _say(self, event: Event) -> None:
        """Write what happened, batches ten times a second at most after the first, and hear what is wanted."""
        now = time.monotonic()
        if isinstance(event, BatchMetrics) and self.wanted != "batch" and now - self.written < WRITE_EVERY:
            return
        self.written = -inf if isinstance(event, DataReady) else now  # the first point of the curve comes at once
        self.wanted = self.store.record(self.lease, [self.described(event)])

    def described(self, event: Event) -> Said:
        """An event as the store keeps it: kind, step, values. The step is the same whoever says it again."""
        if isinstance(event, EpochMetrics):
            step = event.epoch
        elif isinstance(event, BatchMetrics):
            step = event.step
        else:
            step = self.lease.attempt * 1_000_000 + self.n if isinstance(event, Progress) else 1
        return NAMES[type(event)], step, asdict(event)

    def _is_time_to_pause(self, event: Event) -> bool:
        if self.experiment.training is None:
            return False  # nothing to keep yet: it goes on until the data are there
        stepped = {"batch": BatchMetrics, "epoch": EpochMetrics}.get(self.wanted)
        return self.wanted == "pause" or (stepped is not None and isinstance(event, stepped))

    def _save_now_and_then(self, event: Event) -> None:
        waited = time.monotonic() - self.saved
        every = {EpochMetrics: SAVE_EPOCHS_EVERY, BatchMetrics: SAVE_BATCHES_EVERY}.get(type(event))
        if every is not None and waited >= every:
            self.store.save_state(self.lease, *self.experiment.state())
            self.saved = time.monotonic()


def _beat(store: Desk, name: str, stop: threading.Event) -> None:
    while True:
        with contextlib.suppress(sqlite3.OperationalError, OSError):  # a full disk may have room again
            store.beat(name, "ready")
        if stop.wait(BEAT_EVERY):
            return


def _orphaned(store: Desk, version: str) -> bool:
    """True when no dispatcher has been seen for a while, or one of newer code, which starts workers of its own."""
    fresh = [p for p in store.processes() if p.name == "dispatcher" and time.time() - p.heartbeat < ORPHANED_AFTER]
    return not fresh or (bool(version) and fresh[0].doing != version)


def _dispatcher_version(store: Desk) -> str:
    return next((p.doing for p in store.processes() if p.name == "dispatcher"), "")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
