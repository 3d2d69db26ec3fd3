"""What a session has read of an experiment: each run's outcome, kept until the run changes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean, median
from typing import Any

from cgcnn.data.targets import TARGETS, Target
from cgcnn.runs.outcomes import outcome
from cgcnn.runs.records import Run, Sweep
from cgcnn.runs.store import RunStore
from cgcnn.training.answers import Answer, answer
from cgcnn.training.arms import Arm, Outcome, gathered
from cgcnn.training.experiment import RunConfig
from cgcnn.training.sweep import values_of

LOST = ("failed", "stopped")
HEIRS = 1000  # latest runs among which one that was tried again is looked for


@dataclass(frozen=True)
class Member:
    """One run of an experiment as it stands."""

    run: Run
    outcome: Outcome
    epochs: int  # finished ones

    @property
    def config(self) -> RunConfig:
        """Its settings, read once."""
        return self.outcome.config

    @property
    def is_over(self) -> bool:
        """True when no number will come any more."""
        return not (self.run.is_live or self.run.can_resume)

    @property
    def share(self) -> float:
        """How much of it is done, from 0 to 1."""
        return 1.0 if self.is_over else min(1.0, self.epochs / self.config.train.epochs)

    @property
    def lasted(self) -> float | None:
        """Seconds from start to end; None for one that waited or paused in between."""
        if self.run.state != "finished" or self.run.attempt > 1 or not (self.run.started and self.run.ended):
            return None
        return self.run.ended - self.run.started


class Members:
    """Runs that belong together, and how far they are."""

    members: list[Member]

    @property
    def states(self) -> list[str]:
        """The state of every run."""
        return [member.run.state for member in self.members]

    @property
    def is_live(self) -> bool:
        """True while more may come without anybody asking."""
        return any(member.run.is_live for member in self.members)

    @property
    def is_over(self) -> bool:
        """True when every run has ended."""
        return all(member.is_over for member in self.members)

    @property
    def share(self) -> float:
        """How much of all is done, from 0 to 1."""
        return fmean(member.share for member in self.members) if self.members else 1.0


@dataclass
class SweepSeen(Members):
    """An experiment as this session saw it last."""

    sweep: Sweep
    members: list[Member] = field(default_factory=list)
    arms: list[Arm] = field(default_factory=list)
    drawn: tuple[object, dict[str, Any]] = (None, {})  # what the chart depends on, and the chart
    found: Answer | None = None  # once all runs have ended

    def look(self, runs: RunStore) -> None:
        """Read what has changed: the events of running runs, and runs in another state than before."""
        known = {member.run.id: member for member in self.members}
        listed = list(reversed(runs.runs(HEIRS, sweep=self.sweep.id)))
        if any(run.state in LOST for run in listed):
            listed = with_heirs(listed, runs.runs(HEIRS, user=self.sweep.user))
        now = [_member(runs, run, known.get(run.id)) for run in listed]
        if now != self.members:
            self.members = now
            self.arms = gathered(self.sweep.axes, [member.outcome for member in now])
            self.found = None

    def judged(self) -> Answer:
        """The answer; worked out once, since its critical values take 0.1 s each."""
        if self.found is None:
            self.found = answer(self.arms, unit=self.target.unit, baseline=self.baseline)
        return self.found

    @property
    def target(self) -> Target:
        """What all runs learn."""
        return TARGETS[self.members[0].config.dataset.target]

    @property
    def baseline(self) -> float | None:
        """The error of always predicting the mean, over the runs that have ended."""
        known = [member.outcome.mean_mae for member in self.members if member.outcome.mean_mae is not None]
        return fmean(known) if known else None

    @property
    def seeds(self) -> list[int]:
        """The seeds that repeat every setting."""
        return sorted({member.config.train.seed for member in self.members})


def with_heirs(listed: Sequence[Run], others: Sequence[Run]) -> list[Run]:
    """Lost runs replaced by the latest run that tries the same settings again; `others` are newest first."""
    heirs = {run.parent: run for run in reversed(others) if run.parent and not run.sweep}
    found = []
    for run in listed:
        heir = heirs.get(run.id)
        again = run.state in LOST and heir is not None and heir.settings == run.settings
        found.append(heir if again and heir is not None else run)
    return found


def seconds_to_go(members: Sequence[Member], axes: Mapping[str, Any], expected: float | None = None) -> float | None:
    """How long the rest takes with as many slots as the experiment has now; None before anything is known.

    A run is taken to last as long as those of its own setting, else as the others; `expected` serves at first.
    """
    lasted: dict[object, list[float]] = {}
    for member in members:
        if (seconds := member.lasted) is not None:
            lasted.setdefault(_arm(member, axes), []).append(seconds)
    means = {arm: fmean(seconds) for arm, seconds in lasted.items()}
    usual = fmean(means.values()) if means else _from_epochs(members) or expected
    live = [member for member in members if member.run.is_live]
    if usual is None:
        return None
    rest = sum(means.get(_arm(member, axes), usual) * (1 - member.share) for member in live)
    return rest / max(1, sum(member.run.state == "running" for member in live))


def _from_epochs(members: Sequence[Member]) -> float | None:
    """Seconds of a run, from the epochs that the first ones have finished."""
    known = [m.outcome.seconds * m.config.train.epochs for m in members if m.outcome.seconds is not None]
    return fmean(known) if known else None


def _arm(member: Member, axes: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(values_of(member.config, axes).values())


def _member(runs: RunStore, run: Run, known: Member | None) -> Member:
    """A run that has neither moved on nor learned is as it was."""
    if known is not None and known.run == run and run.state != "running":
        return known
    if not (run.is_live or run.can_resume):
        return Member(run, outcome(runs, run), run.settings["train"]["epochs"])
    config = known.config if known is not None else run.config
    seconds = [event.data["seconds"] for event in runs.events(run.id, kinds=["epoch"])]
    return Member(run, Outcome(config, None, True, None, median(seconds) if seconds else None), len(seconds))
