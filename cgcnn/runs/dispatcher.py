"""The process that keeps workers at hand: `python -m cgcnn.runs.dispatcher FOLDER`.

It is apart from the web server, so a run outlives the server, and a dead worker is noticed by someone.
"""

import contextlib
import os
import secrets
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import NamedTuple

import psutil
from filelock import FileLock, Timeout

from cgcnn.runs.engines import ENGINES, WorkerHandle, start_module
from cgcnn.runs.records import FRESH, Process
from cgcnn.runs.store import RunStore
from cgcnn.runs.version import code_version, is_newer

LOOK_EVERY = 0.1  # s
GUARD_EVERY = 0.02  # s between looks at the memory of runs
BEAT_EVERY = 1.0  # s
SILENT = 30.0  # s without a sign of life before a worker counts as lost
IDLE_END = 900.0  # s without a page or a live run before everything ends
SPARES_END = 600.0  # s without a run before all workers but one end
SETTLE = 5.0  # s to wait before another try when a worker dies young

START = 10.0  # s that a dispatcher may take to show a sign of life


class _Started(NamedTuple):
    folder: Path
    at: float
    process: subprocess.Popen[bytes]


_STARTING = threading.Lock()
_STARTED: list[_Started] = []  # dispatchers that this process started, so that none stays a zombie


class Dispatcher:
    """Keeps `slots` workers and a warm spare alive, gives the runs of dead ones to others, and guards the memory."""

    def __init__(self, store: RunStore) -> None:
        self.store, self.limits = store, store.limits
        self.version = code_version()
        self.engine = ENGINES[self.limits.engine](store)
        self.workers: dict[str, WorkerHandle] = {}
        self.processes: dict[str, Process] = {}  # the workers that said they were alive, of any dispatcher
        self.at_work: dict[str, str] = {}
        self.not_before = 0.0
        self.last_look = self.last_run = time.monotonic()
        self.clock = time.time() - time.monotonic()
        store.networks.sweep_out()
        self.trust_until = 0.0

    def look(self) -> None:
        """One round: notice the dead and the silent, start what is missing, end what is too much."""
        now, clock = time.monotonic(), time.time() - time.monotonic()
        if now - self.last_look > FRESH or abs(clock - self.clock) > FRESH:
            self.trust_until = now + SILENT  # this machine slept, or its clock was set: every sign of life looks old
        self.clock = clock
        self.last_look = now
        self._bury_own()
        self.at_work = self.store.workers_at_work()  # asked first: a worker shows signs of life before it takes a run
        self.processes = {p.name: p for p in self.store.processes() if p.name.startswith("worker-") and p.is_alive}
        for name in self.at_work.keys() - self.processes.keys() - self.workers.keys():
            self.store.abandon(name, "it left no trace")  # of a dispatcher before this one
        self._end_silent()
        self._keep_enough()

    def _bury_own(self) -> None:
        for name, handle in list(self.workers.items()):
            code = handle.poll()
            if code is not None:
                del self.workers[name]
                young = name not in self.processes or self.processes[name].doing == "starting"
                self.not_before = time.monotonic() + (SETTLE if code and young else 0.0)
                self.store.abandon(name, f"signal {-code}" if code < 0 else f"exit code {code}")

    def _end_silent(self) -> None:
        if time.monotonic() < self.trust_until:
            return
        for name in list(self.at_work):
            process = self.processes.get(name)
            if process and time.time() - process.heartbeat > SILENT:
                self.store.abandon(name, f"it gave no sign of life for {SILENT:.0f} s")
                self.kill(name)

    def _keep_enough(self) -> None:
        """One start at a time: two workers that import at once make the first run wait for both."""
        now = time.monotonic()
        if self.at_work or self.store.load().queued:
            self.last_run = now
        wanted = self.limits.n_slots + self.limits.spares if now - self.last_run < SPARES_END else 1
        known = self.processes.keys() | self.workers.keys()
        starting = self.workers.keys() - {n for n, p in self.processes.items() if p.doing != "starting"}
        if len(known) < wanted and not starting and now >= self.not_before:
            name = f"worker-{secrets.token_hex(3)}"
            self.workers[name] = self.engine.start(name)
            if pid := getattr(self.workers[name], "pid", 0):
                self.store.introduce(name, pid)
        for name in sorted(known - self.at_work.keys())[: max(0, len(known) - wanted)]:
            self.kill(name)

    def guard_memory(self) -> None:
        """End the run of a worker that takes more memory than a run may."""
        for name in list(self.at_work):
            process = self.processes.get(name)
            if process is None or process.remote:
                continue
            with contextlib.suppress(psutil.NoSuchProcess):
                if why := self.limits.too_large(psutil.Process(process.pid).memory_info().rss >> 20):
                    self.store.end(name, why)
                    self.kill(name)

    def kill(self, name: str) -> None:
        """End a worker at once, whoever started it."""
        if name in self.workers:
            self.workers[name].kill()
        elif (process := self.processes.get(name)) and not process.remote and process.is_alive:
            os.kill(process.pid, signal.SIGKILL)
        self.at_work.pop(name, None)

    def serve_a_while(self) -> None:
        """One sign of life, and a second of rounds."""
        self.store.beat("dispatcher", self.version)
        end = time.monotonic() + BEAT_EVERY
        while time.monotonic() < end:
            self.look()
            for _ in range(round(LOOK_EVERY / GUARD_EVERY)):
                self.guard_memory()
                time.sleep(GUARD_EVERY)

    def is_needed(self) -> bool:
        """True while a run is live, or when a page asked for workers in the last quarter of an hour."""
        seen = [p.heartbeat for p in self.store.processes() if p.name == "page"]
        load = self.store.load()
        return bool(load.running or load.queued) or any(time.time() - t < IDLE_END for t in seen)


def main(folder: Path) -> None:
    """Serve the store in `folder` until nobody needs it; a second dispatcher of one folder ends at once."""
    try:
        with FileLock(folder / "dispatcher.lock", timeout=0):
            dispatcher = Dispatcher(RunStore(folder))
            signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
            try:
                while dispatcher.is_needed():
                    try:
                        dispatcher.serve_a_while()
                    except (sqlite3.OperationalError, OSError) as reason:  # a full disk: it may have room again
                        with contextlib.suppress(OSError):
                            print(reason, file=sys.stderr)
                        time.sleep(BEAT_EVERY)
            finally:
                dispatcher.store.gone("dispatcher")
                dispatcher.engine.close()
    except Timeout:
        return


def ensure_running(store: RunStore) -> None:
    """Say that a page needs workers, and start the dispatcher unless one shows signs of life.

    One that was started before an update of the code is ended; its workers finish the run that they have.
    """
    store.beat("page")
    dispatchers = [p for p in store.processes() if p.name == "dispatcher" and p.is_alive]
    version = code_version()
    old = [p for p in dispatchers if is_newer(version, p.doing)]
    for process in old:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(process.pid, signal.SIGTERM)
    if any(time.time() - p.heartbeat < FRESH for p in dispatchers if p not in old):
        return
    with _STARTING:
        _STARTED[:] = [started for started in _STARTED if started.process.poll() is None]  # reaps the others
        mine = [started for started in _STARTED if started.folder == store.folder]
        if not any(time.monotonic() - started.at < START for started in mine):  # thirty pages ask at once
            log = store.folder / "dispatcher.log"
            begun = start_module("cgcnn.runs.dispatcher", str(store.folder), log=log)
            _STARTED.append(_Started(store.folder, time.monotonic(), begun))


def end_all(store: RunStore) -> None:
    """End the dispatcher and every worker of this store, by process id."""
    for process in sorted(store.processes(), key=lambda p: p.name != "dispatcher"):
        if process.name != "page" and not process.remote and process.is_alive:
            os.kill(process.pid, signal.SIGTERM)
        store.gone(process.name)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
