"""What the store keeps, as plain frozen records: runs, events, leases and signs of life."""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psutil

if TYPE_CHECKING:  # the dispatcher reads runs too, and must not wait for torch
    from cgcnn.training.experiment import RunConfig

LIVE = ("queued", "running")


@dataclass(frozen=True)
class Run:
    """A run as the store knows it; times in seconds since 1970."""

    id: str
    user: str
    name: str
    settings: Mapping[str, Any]
    state: str  # queued, running, finished, stopped or failed
    wanted: str  # run or stop
    error: str
    created: float
    started: float | None
    ended: float | None

    @property
    def config(self) -> "RunConfig":
        """The settings of the run; ConfigError when a later version no longer knows one of them."""
        from cgcnn.training.experiment import RunConfig

        return RunConfig.from_dict(self.settings)

    @property
    def is_live(self) -> bool:
        """True while more events may come."""
        return self.state in LIVE


@dataclass(frozen=True)
class StoredEvent:
    """An event of a run; `n` grows with every event of the store, so a page asks for what came after the last."""

    n: int
    kind: str
    step: int
    time: float
    data: dict[str, Any]


@dataclass(frozen=True)
class Lease:
    """The right of one worker to write to one run."""

    run_id: str
    token: str
    settings: Mapping[str, Any]


@dataclass(frozen=True)
class Process:
    """A dispatcher or worker that said it was alive at `heartbeat`."""

    name: str
    pid: int
    born: float  # when the system started it: a number may be used again, number and birth are not
    doing: str
    heartbeat: float

    @property
    def is_alive(self) -> bool:
        """True when this very process still runs on this machine."""
        try:
            process = psutil.Process(self.pid)
            return process.status() != psutil.STATUS_ZOMBIE and abs(process.create_time() - self.born) < 1.0
        except psutil.NoSuchProcess:
            return False


def run_of(row: sqlite3.Row) -> Run:
    """A row of the table of runs."""
    names = ("id", "user", "name", "state", "wanted", "error", "created", "started", "ended")
    return Run(settings=json.loads(row["config"]), **{name: row[name] for name in names})
