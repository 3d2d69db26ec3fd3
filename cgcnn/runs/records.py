"""What the store keeps, as plain frozen records: runs, experiments, events, leases and signs of life."""

import json
import sqlite3
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psutil

if TYPE_CHECKING:  # the dispatcher reads runs too, and must not wait for torch
    from cgcnn.training.experiment import RunConfig

LIVE = ("queued", "running")
RESUMABLE = ("paused", "interrupted")
WANTED = ("run", "pause", "stop", "batch", "epoch")  # batch, epoch: that much more, then pause
FRESH = 5.0  # s; an older sign of life counts for nothing


@dataclass(frozen=True)
class Run:
    """A run as the store knows it; times in seconds since 1970."""

    id: str
    user: str  # the nickname of who began it, "" for none
    owner: str  # whose share of the slots it counts against
    name: str
    settings: Mapping[str, Any]
    state: str  # queued, running, paused, interrupted, finished, stopped or failed
    wanted: str  # one of WANTED
    error: str
    attempt: int  # how many workers have taken it so far
    parent: str  # the run that it repeats with one thing changed, or ""
    sweep: str  # the experiment that it belongs to, or ""
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
        """True while more events may come without anybody asking."""
        return self.state in LIVE

    @property
    def can_resume(self) -> bool:
        """True when it can go on from where it was put away."""
        return self.state in RESUMABLE


@dataclass(frozen=True)
class Sweep:
    """An experiment: runs that differ in what is asked about, and the guess made before they ran."""

    id: str
    user: str
    experiment: str  # its key among EXPERIMENTS, or "custom"
    title: str
    guess: str
    axes: Mapping[str, Sequence[Any]]  # dotted setting -> its values; seeds are not among them
    created: float


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
    wanted: str = "run"
    attempt: int = 1
    width: int = 1  # processes that share it


@dataclass(frozen=True)
class Load:
    """How busy the machine is."""

    slots: int
    running: int
    queued: int
    workers: int  # that are ready or at work


@dataclass(frozen=True)
class Process:
    """A dispatcher or worker that said it was alive at `heartbeat`."""

    name: str
    pid: int
    born: float  # when the system started it: a number may be used again, number and birth are not
    doing: str
    heartbeat: float
    remote: int  # 1 for a process of another machine, whose number says nothing here

    @property
    def is_alive(self) -> bool:
        """True when this very process still runs; of a remote one, when it said so a moment ago."""
        if self.remote:
            return time.time() - self.heartbeat < FRESH
        try:
            process = psutil.Process(self.pid)
            return process.status() != psutil.STATUS_ZOMBIE and abs(process.create_time() - self.born) < 1.0
        except psutil.NoSuchProcess:
            return False


def run_of(row: sqlite3.Row) -> Run:
    """A row of the table of runs."""
    fields = {name: row[name] for name in Run.__dataclass_fields__ if name != "settings"}
    return Run(**fields, settings=json.loads(row["config"]))


def sweep_of(row: sqlite3.Row) -> Sweep:
    """A row of the table of experiments."""
    fields = {name: row[name] for name in Sweep.__dataclass_fields__ if name != "axes"}
    return Sweep(**fields, axes=json.loads(row["axes"]))
