"""The worker's side of the store: take a run, say how it goes, put it away. A lease fences every write."""

import contextlib
import json
import os
import secrets
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from cgcnn.errors import RunError
from cgcnn.runs.fair import Waiting, fair_order
from cgcnn.runs.limits import Limits
from cgcnn.runs.networks import Networks
from cgcnn.runs.records import Lease, Process, run_of
from cgcnn.runs.room import Ballast
from cgcnn.runs.schema import make_tables

if TYPE_CHECKING:  # the dispatcher opens the store too, and must not wait for torch
    from torch import Tensor

LATELY = 600.0  # s before the oldest waiting run came; who was served then has had a turn
UNFINISHED_SOURCE = (
    "select 1 from runs as begun where begun.id = runs.source "
    "and begun.state in ('queued', 'running', 'paused', 'interrupted')"
)
Said = tuple[str, int, Mapping[str, Any]]  # an event as a worker says it: kind, step, data


class Desk:
    """The open store, as workers and the dispatcher use it; see RunStore for the pages' side."""

    def __init__(self, folder: Path | str, limits: Limits | None = None) -> None:
        self.folder, self.limits = Path(folder), limits or Limits.from_environment()
        self.networks = Networks(self.folder)
        self.graph_folder: Path | None = self.folder / "graphs"
        self.ballast = Ballast(self.folder, self.limits.min_free_mib)
        self._lock = threading.RLock()
        self._db = sqlite3.connect(
            self.folder / "runs.sqlite", timeout=30, isolation_level=None, check_same_thread=False
        )
        self._db.row_factory = sqlite3.Row
        if self._db.execute("pragma journal_mode = wal").fetchone()[0] != "wal":
            raise RunError(f"{self.folder} cannot hold the run store (no write-ahead log); choose a local disk.")
        make_tables(self._db)

    def take(self, worker: str) -> Lease | None:
        """The queued run whose turn it is, now this worker's; None when nothing waits or no slot is free."""
        if not self._read("select 1 from runs where state = 'queued' limit 1") or self.ballast.why_not():
            return None  # asked twenty times a second: reading locks nobody out
        with self._writing(durable=True):
            order, used = self._order(), self._read("select total(width) from runs where state = 'running'")[0][0]
            row = self._db.execute("select * from runs where id = ?", order[:1] or ("",)).fetchone()
            if row is None or used + min(row["width"], self.limits.n_slots) > self.limits.n_slots:
                return None
            mine = "select count(*) from runs where state = 'running' and owner = ?"
            if self._read(mine, row["owner"])[0][0] >= self.limits.running_per_user:
                return None  # then all who wait have as many as they may
            token = secrets.token_hex(8)
            self._db.execute(
                "update runs set state = 'running', lease = ?, worker = ?, started = ?, ended = null, "
                "attempt = attempt + 1 where id = ?",
                (token, worker, time.time(), row["id"]),
            )
        return Lease(row["id"], token, run_of(row).settings, row["wanted"], row["attempt"] + 1, row["width"])

    def record(self, lease: Lease, events: Sequence[Said]) -> str:
        """Write events (kind, step, data) in one transaction; the answer is what the user wants of the run."""
        with self._writing():
            wanted = self._fenced(lease)
            self._insert(lease.run_id, events)
        return wanted

    def finish(self, lease: Lease, state: str, error: str = "", events: Sequence[Said] = ()) -> None:
        """Write the last events and the state in which the worker leaves the run, together.

        A run that was asked to go on, or to stop, while it was being put away joins the queue at once.
        """
        with self._writing(durable=True):
            wanted = self._fenced(lease)
            self._insert(lease.run_id, events)
            if state == "paused" and wanted in ("run", "stop"):
                state = "queued"
            self._db.execute(
                "update runs set state = ?, error = ?, ended = ?, since = ?, lease = null, worker = null where id = ?",
                (state, error, time.time(), time.time(), lease.run_id),
            )
        if state in ("finished", "stopped"):
            self.networks.state_file(lease.run_id).unlink(missing_ok=True)

    def save_checkpoint(self, lease: Lease, tensors: "Mapping[str, Tensor]", about: Mapping[str, Any]) -> None:
        """Keep the network of the best epoch: the file appears whole or not at all."""
        self._save(lease, self.networks.best_file(lease.run_id), tensors, about)

    def save_state(self, lease: Lease, tensors: "Mapping[str, Tensor]", about: Mapping[str, Any]) -> None:
        """Keep all that another worker needs to go on from here."""
        self._save(lease, self.networks.state_file(lease.run_id), tensors, about)

    def save_snapshot(
        self, lease: Lease, epoch: int, tensors: "Mapping[str, Tensor]", about: Mapping[str, Any]
    ) -> None:
        """Keep the network of one epoch, to look back at it."""
        self._save(lease, self.networks.epochs_folder(lease.run_id) / f"{epoch}.safetensors", tensors, about)

    def checkpoint(self, run_id: str) -> "tuple[dict[str, Tensor], dict[str, Any]] | None":
        """The network of the best epoch of a run, as (weights, about); None when it has none."""
        file = self.networks.best_file(run_id)
        return self.networks.read(file) if file.exists() else None

    def state(self, run_id: str) -> "tuple[dict[str, Tensor], dict[str, Any]] | None":
        """From where a run goes on; None when it begins at the beginning. RunError when the file is damaged."""
        file = self.networks.state_file(run_id)
        return self.networks.read(file) if file.exists() else None

    # Who is alive

    def beat(self, name: str, doing: str = "", remote: bool = False) -> None:
        """Say that this process is alive; a `remote` one speaks through a process of this machine."""
        with self._writing():
            row = (name, os.getpid(), psutil.Process().create_time(), doing, time.time(), int(remote))
            self._db.execute("replace into processes values (?, ?, ?, ?, ?, ?)", row)

    def introduce(self, name: str, pid: int) -> None:
        """Say that a process of this machine was started, and will speak for itself once it is awake."""
        with contextlib.suppress(psutil.NoSuchProcess), self._writing():
            row = (name, pid, psutil.Process(pid).create_time(), "starting", time.time(), 0)
            self._db.execute("insert or ignore into processes values (?, ?, ?, ?, ?, ?)", row)

    def gone(self, name: str) -> None:
        """Say that a process has ended."""
        with self._writing():
            self._db.execute("delete from processes where name = ?", (name,))

    def processes(self) -> list[Process]:
        """Every process that said it was alive and has not said that it ended."""
        return [Process(**row) for row in self._read("select * from processes order by name")]

    def workers_at_work(self) -> dict[str, str]:
        """The workers that hold a running run, with its id."""
        return {row["worker"]: row["id"] for row in self._read("select worker, id from runs where state = 'running'")}

    def abandon(self, worker: str, how: str) -> None:
        """A worker is gone: its run joins the queue at its old place, and goes on from its last kept state.

        A run that has lost `attempts` workers is interrupted instead, with a sentence that says `how`.
        """
        with self._writing(durable=True):
            lose = "update runs set lost = lost + 1, lease = null, worker = null, "
            whose = " where worker = ? and state = 'running' and lost + 1 "
            often = (
                f"Its worker ended {self.limits.attempts} times ({how}); the curve so far is kept. "
                "Resume it to try once more from there."
            )
            self._db.execute(
                f"{lose} state = 'interrupted', error = ?, ended = ? {whose} >= ?",
                (often, time.time(), worker, self.limits.attempts),
            )
            self._db.execute(f"{lose} state = 'queued', since = created {whose} < ?", (worker, self.limits.attempts))
            self._db.execute("delete from processes where name = ?", (worker,))

    def end(self, worker: str, error: str) -> None:
        """Take its run from a worker for good: the run has failed, with a sentence that says why."""
        with self._writing(durable=True):
            self._db.execute(
                "update runs set state = 'failed', error = ?, ended = ?, lease = null, worker = null "
                "where worker = ? and state = 'running'",
                (error, time.time(), worker),
            )

    def close(self) -> None:
        """Close the file; the store of another process stays open."""
        with self._lock:
            self._db.close()

    # Inside

    @contextlib.contextmanager
    def _writing(self, durable: bool = False) -> Iterator[None]:
        """One transaction. A durable one is on the disk when it returns, even if the power fails."""
        with self._lock:
            self._db.execute(f"pragma synchronous = {'full' if durable else 'normal'}")
            self._db.execute("begin immediate")
            try:
                yield
                self._db.execute("commit")
            except BaseException:
                if self._db.in_transaction:  # a full disk may have rolled it back already
                    self._db.execute("rollback")
                raise

    def _read(self, query: str, *values: Any) -> list[sqlite3.Row]:
        with self._lock:
            return self._db.execute(query, values).fetchall()

    def _fenced(self, lease: Lease) -> str:
        row = self._db.execute("select lease, wanted from runs where id = ?", (lease.run_id,)).fetchone()
        if row is None or row["lease"] != lease.token:
            raise RunError(f"Run {lease.run_id} belongs to another worker now; this one may no longer write to it.")
        return row["wanted"]

    def _save(self, lease: Lease, file: Path, tensors: "Mapping[str, Tensor]", about: Mapping[str, Any]) -> None:
        with self._writing():
            self._fenced(lease)
        self.networks.write(file, tensors, about)

    def _insert(self, run_id: str, events: Sequence[Said]) -> None:
        rows = [(run_id, kind, step, time.time(), json.dumps(data)) for kind, step, data in events]
        self._db.executemany("insert or ignore into events (run, kind, step, time, data) values (?, ?, ?, ?, ?)", rows)

    def _order(self) -> list[str]:
        """The queued runs in the order in which they start; one that starts from a run waits until that is over."""
        ready = f"select id, owner, since from runs where state = 'queued' and not exists ({UNFINISHED_SOURCE})"
        queued = [Waiting(*row) for row in self._read(ready)]
        if not queued:
            return []
        lately = min(w.since for w in queued) - LATELY
        running = Counter(r["owner"] for r in self._read("select owner from runs where state = 'running'"))
        served = Counter(r["owner"] for r in self._read("select owner from runs where started >= ?", lately))
        return fair_order(queued, running, served, self.limits.running_per_user)
