"""What runs did: one SQLite file for runs and events, one safetensors file for each kept network.

Everything a page shows of a run comes from here, so nothing is lost when a page, a server or a worker ends.
Every write of a worker carries its lease; a worker that lost its run to another can no longer write.
"""

import json
import os
import re
import secrets
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
from safetensors import SafetensorError, safe_open

from cgcnn.data.files import write_whole
from cgcnn.errors import RunError
from cgcnn.runs.records import Lease, Process, Run, StoredEvent, run_of

if TYPE_CHECKING:  # the dispatcher reads and writes runs too, and must not wait for torch
    from torch import Tensor

    from cgcnn.training.experiment import RunConfig

SCHEMA = """
create table if not exists runs (
    id text primary key, user text not null, name text not null, config text not null,
    state text not null, wanted text not null, lease text, worker text,
    error text not null default '', created real not null, started real, ended real
);
create table if not exists events (
    n integer primary key autoincrement, run text not null references runs(id),
    kind text not null, step integer not null, time real not null, data text not null, unique (run, kind, step)
);
create table if not exists processes (
    name text primary key, pid integer, born real, doing text, heartbeat real
);
"""


class RunStore:
    """Runs and their events in `folder`; any number of processes of one machine may open it at once."""

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)
        (self.folder / "checkpoints").mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._db = sqlite3.connect(
            self.folder / "runs.sqlite", timeout=30, isolation_level=None, check_same_thread=False
        )
        self._db.row_factory = sqlite3.Row
        if self._db.execute("pragma journal_mode = wal").fetchone()[0] != "wal":
            raise RunError(f"{self.folder} cannot hold the run store (no write-ahead log); choose a local disk.")
        self._db.executescript(SCHEMA)

    # What a page asks

    def submit(self, config: "RunConfig", user: str = "", name: str = "") -> str:
        """Queue a run; the answer is its id, which any later session can ask for."""
        run_id = secrets.token_hex(4)
        with self._writing(durable=True):
            self._db.execute(
                "insert into runs (id, user, name, config, state, wanted, created) "
                "values (?, ?, ?, ?, 'queued', 'run', ?)",
                (run_id, user, name, json.dumps(config.to_dict()), time.time()),
            )
        return run_id

    def run(self, run_id: str) -> Run:
        """One run; RunError when the store has none of that id."""
        rows = self._read("select * from runs where id = ?", run_id)
        if not rows:
            raise RunError(f"There is no run {run_id!r} here; choose one from the list, or start a new one.")
        return run_of(rows[0])

    def runs(self, limit: int = 50) -> list[Run]:
        """The latest runs, newest first."""
        return [run_of(row) for row in self._read("select * from runs order by created desc limit ?", limit)]

    def events(self, run_id: str, after: int = 0, kinds: Sequence[str] = ()) -> list[StoredEvent]:
        """The events of a run later than event `after`, oldest first; all kinds, or some."""
        chosen = f" and kind in ({','.join('?' * len(kinds))})" if kinds else ""
        rows = self._read(f"select * from events where run = ? and n > ?{chosen} order by n", run_id, after, *kinds)
        return [StoredEvent(r["n"], r["kind"], r["step"], r["time"], json.loads(r["data"])) for r in rows]

    def request(self, run_id: str, wanted: str) -> None:
        """Ask for a run to be stopped; a queued one stops at once, a running one at its next step."""
        if wanted not in ("run", "stop"):
            raise RunError(f"A run cannot be asked to {wanted!r}; ask it to stop.")
        self.run(run_id)
        with self._writing(durable=True):
            self._db.execute("update runs set wanted = ? where id = ?", (wanted, run_id))
            if wanted == "stop":
                self._db.execute(
                    "update runs set state = 'stopped', ended = ? where id = ? and state = 'queued'",
                    (time.time(), run_id),
                )

    def queue_position(self, run_id: str) -> int:
        """How many queued runs stand before this one."""
        mine = "(select created from runs where id = ?)"
        return self._read(f"select count(*) from runs where state = 'queued' and created < {mine}", run_id)[0][0]

    # What a worker says

    def take(self, worker: str) -> Lease | None:
        """The oldest queued run, now this worker's; None when nothing waits."""
        with self._writing(durable=True):
            row = self._db.execute("select * from runs where state = 'queued' order by created limit 1").fetchone()
            if row is None:
                return None
            token = secrets.token_hex(8)
            self._db.execute(
                "update runs set state = 'running', lease = ?, worker = ?, started = ? where id = ?",
                (token, worker, time.time(), row["id"]),
            )
        return Lease(row["id"], token, run_of(row).settings)

    def workers_at_work(self) -> set[str]:
        """The names of the workers that hold a running run."""
        return {row["worker"] for row in self._read("select worker from runs where state = 'running'")}

    def record(self, lease: Lease, events: Sequence[tuple[str, int, Mapping[str, Any]]]) -> str:
        """Write events (kind, step, data) in one transaction; the answer is what the user wants of the run."""
        with self._writing():
            wanted = self._fenced(lease)
            self._insert(lease, events)
        return wanted

    def finish(
        self,
        lease: Lease,
        state: str,
        error: str = "",
        events: Sequence[tuple[str, int, Mapping[str, Any]]] = (),
    ) -> None:
        """Write the last events and the state in which the run ended, together."""
        with self._writing(durable=True):
            self._fenced(lease)
            self._insert(lease, events)
            self._db.execute(
                "update runs set state = ?, error = ?, ended = ?, lease = null where id = ?",
                (state, error, time.time(), lease.run_id),
            )

    def abandon(self, worker: str, error: str) -> None:
        """A worker is gone: its run has failed, with a sentence that says so."""
        with self._writing(durable=True):
            self._db.execute(
                "update runs set state = 'failed', error = ?, ended = ?, lease = null "
                "where worker = ? and state = 'running'",
                (error, time.time(), worker),
            )
            self._db.execute("delete from processes where name = ?", (worker,))

    # Networks

    def save_checkpoint(self, lease: Lease, tensors: "Mapping[str, Tensor]", about: Mapping[str, Any]) -> None:
        """Keep a network: the file appears whole or not at all."""
        from safetensors.torch import save

        with self._writing():
            self._fenced(lease)
        write_whole(self.checkpoint_file(lease.run_id), save(dict(tensors), {"about": json.dumps(about)}))

    def checkpoint(self, run_id: str) -> "tuple[dict[str, Tensor], dict[str, Any]] | None":
        """The kept network of a run, as (weights, about); None when it has none yet."""
        file = self.checkpoint_file(self.run(run_id).id)
        if not file.exists():
            return None
        try:
            with safe_open(file, framework="pt") as saved:
                about = json.loads(saved.metadata()["about"])
                return {name: saved.get_tensor(name) for name in saved.keys()}, about  # noqa: SIM118
        except (SafetensorError, KeyError, TypeError, ValueError) as reason:
            raise RunError(f"The network of run {run_id} cannot be read; train it again.") from reason

    def checkpoint_file(self, run_id: str) -> Path:
        """Where the kept network of a run stands, once there is one."""
        if not re.fullmatch(r"[0-9a-f]{8}", run_id):
            raise RunError(f"{run_id!r} is no id of a run; ids are eight of 0-9 and a-f.")
        return self.folder / "checkpoints" / f"{run_id}.safetensors"

    # Who is alive

    def beat(self, name: str, doing: str = "") -> None:
        """Say that this process is alive."""
        with self._writing():
            row = (name, os.getpid(), psutil.Process().create_time(), doing, time.time())
            self._db.execute("replace into processes values (?, ?, ?, ?, ?)", row)

    def gone(self, name: str) -> None:
        """Say that a process has ended."""
        with self._writing():
            self._db.execute("delete from processes where name = ?", (name,))

    def processes(self) -> list[Process]:
        """Every process that said it was alive and has not said that it ended."""
        return [Process(**row) for row in self._read("select * from processes order by name")]

    def close(self) -> None:
        """Close the file; the store of another process stays open."""
        with self._lock:
            self._db.close()

    # Inside

    @contextmanager
    def _writing(self, durable: bool = False) -> Iterator[None]:
        """One transaction. A durable one is on the disk when it returns, even if the power fails."""
        with self._lock:
            self._db.execute(f"pragma synchronous = {'full' if durable else 'normal'}")
            self._db.execute("begin immediate")
            try:
                yield
            except BaseException:
                self._db.execute("rollback")
                raise
            self._db.execute("commit")

    def _read(self, query: str, *values: Any) -> list[sqlite3.Row]:
        with self._lock:
            return self._db.execute(query, values).fetchall()

    def _fenced(self, lease: Lease) -> str:
        row = self._db.execute("select lease, wanted from runs where id = ?", (lease.run_id,)).fetchone()
        if row is None or row["lease"] != lease.token:
            raise RunError(f"Run {lease.run_id} belongs to another worker now; this one may no longer write to it.")
        return row["wanted"]

    def _insert(self, lease: Lease, events: Sequence[tuple[str, int, Mapping[str, Any]]]) -> None:
        rows = [(lease.run_id, kind, step, time.time(), json.dumps(data)) for kind, step, data in events]
        self._db.executemany("insert or ignore into events (run, kind, step, time, data) values (?, ?, ?, ?, ?)", rows)
