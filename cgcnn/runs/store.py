"""Runs and what they did: one SQLite file, written by workers and read by pages; networks lie in files beside it.

An event and the state of its run commit together, so nothing that was acknowledged is lost when a page, a server or
a worker ends. Every write of a worker carries its lease; a worker that lost its run to another can no longer write.
`RunStore` is the pages' side of it; `desk.py` is the workers' side.
"""

import json
import secrets
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cgcnn.errors import RunError
from cgcnn.runs.desk import UNFINISHED_SOURCE, Desk, Said
from cgcnn.runs.records import WANTED, Load, Run, StoredEvent, Sweep, run_of, sweep_of
from cgcnn.runs.room import despite_full_disk

if TYPE_CHECKING:  # the dispatcher reads and writes runs too, and must not wait for torch
    from torch import Tensor

    from cgcnn.training.experiment import RunConfig


class RunStore(Desk):
    """Runs and their events in `folder`; any number of processes of one machine may open it at once."""

    # New runs

    @despite_full_disk
    def submit(
        self,
        config: "RunConfig",
        user: str = "",
        name: str = "",
        *,
        owner: str = "",
        parent: str = "",
        paused: bool = False,
    ) -> str:
        """Queue a run; the answer is its id, which any later session can ask for.

        `owner` is whose share of the slots it counts against, the user if nothing else is said. A `paused` run waits
        with its initial weights until it is asked to run. RunError when the queue or the disk is full.
        """
        with self._writing(durable=True):
            self._refuse_too_many(owner or user, 1)
            return self._insert_run(config, user, owner or user, name, parent=parent, paused=paused)

    @despite_full_disk
    def submit_sweep(
        self,
        configs: "Sequence[RunConfig]",
        *,
        experiment: str,
        title: str,
        guess: str,
        axes: Mapping[str, Sequence[Any]],
        names: Sequence[str],
        user: str = "",
        owner: str = "",
    ) -> str:
        """Queue the runs of an experiment, all or none; the answer is the id of the experiment.

        A run whose `transfer.source` is `#n` starts from run number n of them, which must come before it.
        """
        if not 0 < len(configs) <= self.limits.sweep_size:
            raise RunError(
                f"This experiment has {len(configs)} runs and at most {self.limits.sweep_size} are allowed; "
                "take fewer values or fewer seeds."
            )
        sweep_id = secrets.token_hex(4)
        with self._writing(durable=True):
            self._refuse_too_many(owner or user, len(configs))
            self._db.execute(
                "insert into sweeps values (?, ?, ?, ?, ?, ?, ?)",
                (sweep_id, user, experiment, title, guess, json.dumps(dict(axes)), time.time()),
            )
            ids: list[str] = []
            for config, name in zip(configs, names, strict=True):
                ids.append(self._insert_run(_linked(config, ids), user, owner or user, name, sweep=sweep_id))
        return sweep_id

    @despite_full_disk
    def adopt(
        self, config: "RunConfig", events: Sequence[Said], weights: bytes | None, *, name: str, user: str = ""
    ) -> str:
        """Take in a finished run that was made elsewhere; the answer is its id here."""
        if why := self.ballast.why_not():
            raise RunError(why)
        run_id, now = secrets.token_hex(4), time.time()
        try:
            if weights is not None:
                self.networks.put(self.networks.best_file(run_id), weights)
            with self._writing(durable=True):
                self._insert_run(config, user, user, name, run_id=run_id)
                self._insert(run_id, events)
                done = "update runs set state = 'finished', started = ?, ended = ? where id = ?"
                self._db.execute(done, (now, now, run_id))
        except BaseException:
            self.networks.delete(run_id)
            raise
        return run_id

    # What there is

    def run(self, run_id: str) -> Run:
        """One run; RunError when the store has none of that id."""
        rows = self._read("select * from runs where id = ?", run_id)
        if not rows:
            raise RunError(f"There is no run {run_id!r} here; choose one from the list, or start a new one.")
        return run_of(rows[0])

    def runs(self, limit: int = 50, *, user: str | None = None, sweep: str | None = None) -> list[Run]:
        """The latest runs, newest first: all of them, those of one user, or those of one experiment."""
        rows = self._read(
            "select * from runs where (? is null or user = ?) and (? is null or sweep = ?) "
            "order by created desc, rowid desc limit ?",
            user, user, sweep, sweep, limit,
        )  # fmt: skip
        return [run_of(row) for row in rows]

    def sweep(self, sweep_id: str) -> Sweep:
        """One experiment; RunError when the store has none of that id."""
        rows = self._read("select * from sweeps where id = ?", sweep_id)
        if not rows:
            raise RunError(f"There is no experiment {sweep_id!r} here; choose one from the list, or start a new one.")
        return sweep_of(rows[0])

    def sweeps(self, limit: int = 50, *, user: str | None = None) -> list[Sweep]:
        """The latest experiments, newest first."""
        query = "select * from sweeps where (? is null or user = ?) order by created desc, rowid desc limit ?"
        return [sweep_of(row) for row in self._read(query, user, user, limit)]

    def events(self, run_id: str, after: int = 0, kinds: Sequence[str] = ()) -> list[StoredEvent]:
        """The events of a run later than event `after`, oldest first; all kinds, or some."""
        chosen = f" and kind in ({','.join('?' * len(kinds))})" if kinds else ""
        rows = self._read(f"select * from events where run = ? and n > ?{chosen} order by n", run_id, after, *kinds)
        return [StoredEvent(r["n"], r["kind"], r["step"], r["time"], json.loads(r["data"])) for r in rows]

    def queue_position(self, run_id: str) -> int:
        """How many queued runs start before this one, if nobody submits another."""
        order = self._order()
        return order.index(run_id) if run_id in order else 0

    def waits_for(self, run_id: str) -> Run | None:
        """The run from which this queued one starts, while that is not over."""
        blocked = self._read(f"select source from runs where id = ? and exists ({UNFINISHED_SOURCE})", run_id)
        return self.run(blocked[0]["source"]) if blocked else None

    def load(self) -> Load:
        """How busy the machine is."""
        live = self._read("select state, count(*) as n from runs where state in ('running', 'queued') group by state")
        states = Counter({row["state"]: row["n"] for row in live})
        workers = [p for p in self.processes() if p.name.startswith("worker-") and p.doing != "starting" and p.is_alive]
        return Load(self.limits.n_slots, states["running"], states["queued"], len(workers))

    # What a user wants

    @despite_full_disk
    def request(self, run_id: str, wanted: str) -> None:
        """Ask a run to run, pause, stop, or go on for one batch or one epoch.

        A paused or interrupted run that is asked to go on joins the queue again. RunError when the run is over.
        """
        if wanted not in WANTED:
            raise RunError(f"A run cannot be asked to {wanted!r}; ask it to {', '.join(WANTED[:-1])} or {WANTED[-1]}.")
        with self._writing(durable=True):
            run = self.run(run_id)
            if not (run.is_live or run.can_resume):
                if wanted == "stop":
                    return  # it ended while the button was pressed
                raise RunError(f"Run {run_id} is {run.state}; duplicate it to train again.")
            if run.can_resume and wanted == "pause":
                return
            if run.can_resume and wanted != "stop":
                self._refuse_too_many(run.owner, 1 if run.attempt else 0)  # one at its start waits already
            self._want(run, wanted)

    def _want(self, run: Run, wanted: str) -> None:
        set_state = "update runs set wanted = ?, state = ?, ended = ?, error = ?, lost = 0, since = ? where id = ?"
        now = time.time()
        began = bool(self._read("select 1 from events where run = ? and kind = 'epoch' limit 1", run.id))
        if run.state == "running":
            self._db.execute("update runs set wanted = ? where id = ?", (wanted, run.id))
        elif wanted == "stop" and not began:  # there is no network to judge
            self._db.execute(set_state, ("stop", "stopped", now, run.error, now, run.id))
        elif wanted == "pause":
            self._db.execute(set_state, ("pause", "paused", now, "", now, run.id))
        elif run.state == "queued":
            self._db.execute("update runs set wanted = ? where id = ?", (wanted, run.id))
        else:
            since = run.created if wanted == "stop" else now  # to judge what there is takes a second
            self._db.execute(set_state, (wanted, "queued", None, "", since, run.id))

    @despite_full_disk
    def delete(self, run_id: str) -> None:
        """Forget a run that is not live, with its events and networks."""
        with self._writing(durable=True):
            if self.run(run_id).is_live:
                raise RunError(f"Run {run_id} is still at work; stop it first.")
            if heirs := self._read("select id from runs where source = ? and state = 'queued'", run_id):
                raise RunError(f"Run {heirs[0]['id']} waits to start from run {run_id}; stop that one first.")
            self._db.execute("delete from events where run = ?", (run_id,))
            self._db.execute("delete from runs where id = ?", (run_id,))
        self.networks.delete(run_id)

    # Networks

    def checkpoint(self, run_id: str) -> "tuple[dict[str, Tensor], dict[str, Any]] | None":
        """The network of the best epoch of a run, as (weights, about); None when it has none yet."""
        return super().checkpoint(self.run(run_id).id)

    def checkpoint_file(self, run_id: str) -> Path:
        """Where the network of the best epoch stands, once there is one."""
        return self.networks.best_file(run_id)

    def snapshots(self, run_id: str) -> list[int]:
        """The epochs whose network was kept, in order; 0 is the untrained one."""
        return self.networks.epochs(self.run(run_id).id)

    def snapshot(self, run_id: str, epoch: int) -> "tuple[dict[str, Tensor], dict[str, Any]]":
        """What `Experiment.snapshot` gave after an epoch; RunError when that epoch was not kept."""
        if epoch not in self.snapshots(run_id):
            raise RunError(f"Of run {run_id} the network of epoch {epoch} was not kept; choose another epoch.")
        return self.networks.read(self.networks.epochs_folder(run_id) / f"{epoch}.safetensors")

    # Inside

    def _insert_run(
        self,
        config: "RunConfig",
        user: str,
        owner: str,
        name: str,
        *,
        parent: str = "",
        sweep: str = "",
        paused: bool = False,
        run_id: str = "",
    ) -> str:
        run_id, now = run_id or secrets.token_hex(4), time.time()
        state, wanted = ("paused", "pause") if paused else ("queued", "run")
        settings, width = json.dumps(config.to_dict()), config.train.processes
        self._db.execute(
            "insert into runs (id, user, owner, name, config, state, wanted, parent, sweep, width, source, created, "
            "since) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (run_id, user, owner, name, settings, state, wanted, parent, sweep, width, config.transfer.run, now, now),
        )
        return run_id

    def _refuse_too_many(self, owner: str, n: int) -> None:
        if why := self.ballast.why_not():
            raise RunError(why)
        idle = "select owner from runs where state = 'queued' or (state = 'paused' and attempt = 0)"
        waiting = Counter(row["owner"] for row in self._read(idle))
        if n and waiting[owner] + n > self.limits.queued_per_user:
            raise RunError(
                f"{waiting[owner]} of your runs wait already, and {self.limits.queued_per_user} may; "
                "let some finish, or stop some."
            )
        if n and waiting.total() + n > self.limits.queued:
            raise RunError(
                f"{waiting.total()} runs wait already, and {self.limits.queued} may; "
                "try again when the queue is shorter."
            )


def _linked(config: "RunConfig", ids: Sequence[str]) -> "RunConfig":
    """The settings with the id of the run that `#n` stands for."""
    mark, number = config.transfer.source[:1], config.transfer.source[1:]
    if mark != "#":
        return config
    if not number.isdigit() or int(number) >= len(ids):
        raise RunError(f"A run starts from {config.transfer.source} and {len(ids)} come before it; name one of those.")
    return config.with_(**{"transfer.source": ids[int(number)]})
