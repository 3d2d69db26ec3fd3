"""The process that keeps workers at hand: `python -m cgcnn.runs.dispatcher FOLDER`.

It is apart from the web server, so a run outlives the server, and a dead worker is noticed by someone.
"""

import os
import secrets
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

from filelock import FileLock, Timeout

from cgcnn.runs.engines import ENGINES, start_module
from cgcnn.runs.store import RunStore

LOOK_EVERY = 0.2  # s
LOOKS_PER_BEAT = 5
FRESH = 5.0  # s; an older sign of life counts for nothing
IDLE_END = 900.0  # s without a page or a live run before everything ends
SETTLE = 5.0  # s to wait before another try when a worker dies young

_STARTED: list[subprocess.Popen[bytes]] = []  # dispatchers that this process started, so that none stays a zombie


class Dispatcher:
    """Keeps `slots` workers alive and marks the run of a dead one as failed."""

    def __init__(self, folder: Path, slots: int, engine: str = "local") -> None:
        self.folder, self.slots, self.start_worker = folder, slots, ENGINES[engine]
        self.store = RunStore(folder)
        self.workers: dict[str, subprocess.Popen[bytes]] = {}
        self.not_before = 0.0

    def look(self) -> None:
        """One round: notice the dead, start what is missing."""
        for name, process in list(self.workers.items()):
            if process.poll() is not None:
                del self.workers[name]
                self.not_before = time.monotonic() + (SETTLE if process.returncode else 0.0)
                self.store.abandon(name, _death_sentence(process.returncode))
        at_work = self.store.workers_at_work()  # asked first: a worker shows signs of life before it takes a run
        workers = [p for p in self.store.processes() if p.name.startswith("worker-") and p.is_alive]
        alive = {p.name for p in workers}
        for name in at_work - alive - self.workers.keys():  # left by a dispatcher before this one
            self.store.abandon(name, _death_sentence(None))
        # One start at a time: two workers that import at once make the first run wait for both.
        starting = self.workers.keys() - {p.name for p in workers if p.doing != "starting"}
        missing = len(alive | self.workers.keys()) < self.slots
        if missing and not starting and time.monotonic() >= self.not_before:
            name = f"worker-{secrets.token_hex(3)}"
            self.workers[name] = self.start_worker(self.folder, name)

    def serve_a_while(self) -> None:
        """One sign of life, and a second of rounds."""
        self.store.beat("dispatcher", f"{self.slots} slots")
        for _ in range(LOOKS_PER_BEAT):
            self.look()
            time.sleep(LOOK_EVERY)

    def is_needed(self) -> bool:
        """True while a run is live, or when a page asked for workers in the last quarter of an hour."""
        seen = [p.heartbeat for p in self.store.processes() if p.name == "page"]
        live = any(run.is_live for run in self.store.runs(20))
        return live or any(time.time() - t < IDLE_END for t in seen)


def main(folder: Path) -> None:
    """Serve the store in `folder` until nobody needs it; a second dispatcher of one folder ends at once."""
    try:
        with FileLock(folder / "dispatcher.lock", timeout=0):
            dispatcher = Dispatcher(folder, slots())
            signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
            try:
                while dispatcher.is_needed():
                    try:
                        dispatcher.serve_a_while()
                    except sqlite3.OperationalError as reason:  # a full disk: it may have room again
                        print(reason, file=sys.stderr)
                        time.sleep(FRESH)
            finally:
                dispatcher.store.gone("dispatcher")
    except Timeout:
        return


def slots() -> int:
    """How many runs may train at once: one for each core, or CRYSTAL_GRAPH_LAB_SLOTS."""
    return max(1, int(os.environ.get("CRYSTAL_GRAPH_LAB_SLOTS", min(os.cpu_count() or 1, 4))))


def ensure_running(store: RunStore) -> None:
    """Say that a page needs workers, and start the dispatcher unless it shows signs of life."""
    store.beat("page")
    dispatchers = [p for p in store.processes() if p.name == "dispatcher" and p.is_alive]
    if not any(time.time() - p.heartbeat < FRESH for p in dispatchers):
        _STARTED[:] = [process for process in _STARTED if process.poll() is None]  # reaps those that ended
        log = store.folder / "dispatcher.log"
        _STARTED.append(start_module("cgcnn.runs.dispatcher", str(store.folder), log=log))


def end_all(store: RunStore) -> None:
    """End the dispatcher and every worker of this store, by process id."""
    for process in sorted(store.processes(), key=lambda p: p.name != "dispatcher"):
        if process.name != "page" and process.is_alive:
            os.kill(process.pid, signal.SIGTERM)
        store.gone(process.name)


def _death_sentence(code: int | None) -> str:
    how = f"signal {-code}" if code is not None and code < 0 else f"exit code {code}" if code else "no trace"
    return f"The worker of this run ended ({how}); the curve so far is kept; start it again with the same settings."


if __name__ == "__main__":
    main(Path(sys.argv[1]))
