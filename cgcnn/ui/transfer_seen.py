"""What a session has read of a transfer study: each run's outcome, kept until the run changes, and the table of all."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any

import streamlit as st

from cgcnn.errors import CrystalError, RunError
from cgcnn.runs.records import Run, Sweep
from cgcnn.runs.store import RunStore
from cgcnn.training.arms import Outcome
from cgcnn.training.transfer_answers import Finding, findings
from cgcnn.training.transfer_crystals import Material, errors_without, material
from cgcnn.training.transfer_study import EXPERIMENT, OWN, SCRATCH, Step, Study, Table, read, steps
from cgcnn.ui.experiment_seen import HEIRS, LOST, Member, Members
from cgcnn.ui.link import linked, write_links
from cgcnn.ui.transfer_words import run_seconds

LOOK_EVERY = 1.5  # s, while runs are queued or at work
PUT_AWAY = 3.0  # s, while all stand still: somebody else may resume them
STRICT, YES, NO = "study_strict", "true", "false"  # the URL parameter that says which test crystals judge
STUDY = "study"  # the URL parameter that names the study in view, and the key of its settings in the store


@dataclass
class StudySeen(Members):
    """A study as this session saw it last."""

    sweep: Sweep
    study: Study
    crystals: Material
    steps: dict[str, Step]  # the places of the runs in the table, by the names of the runs
    strict: bool = True  # errors only on the test crystals that no source trained here has met
    members: list[Member] = field(default_factory=list)
    tests: dict[str, dict[str, Any]] = field(default_factory=dict)  # run id -> its test event
    curves: dict[str, tuple[object, list[dict[str, Any]], dict[str, Any]]] = field(default_factory=dict)
    drawn: dict[str, tuple[object, dict[str, Any]]] = field(default_factory=dict)  # chart -> what it depends on, chart
    judged: tuple[object, list[Finding]] = (None, [])

    def look(self, runs: RunStore) -> None:
        """Read what has changed: the epochs of running runs, and runs in another state than before."""
        known = {member.run.id: member for member in self.members}
        listed = list(reversed(runs.runs(HEIRS, sweep=self.sweep.id)))
        if any(run.state in LOST for run in listed):
            listed = with_heirs(listed, runs.runs(HEIRS, user=self.sweep.user))
        self.members = [self._member(runs, run, known.get(run.id)) for run in listed]

    @property
    def table(self) -> Table:
        """The table as far as it is known."""
        return read(self.study, {member.run.name: self._judged(member) for member in self.members})

    def findings(self) -> list[Finding]:
        """What the table shows; worked out once, since critical values take 0.1 s each."""
        table = self.table
        if self.judged[0] != table:
            self.judged = table, findings(table)
        return self.judged[1]

    def seconds_to_go(self) -> float:
        """How long the rest takes with as many slots as the study has now, by the runs that have ended."""
        n_train = {name: source.n_train for name, source in self.crystals.sources.items()}
        placed = [(member, self.steps[member.run.name]) for member in self.members if member.run.name in self.steps]
        usual = [(member, run_seconds(step, self.study, n_train)) for member, step in placed]
        timed = [(member.lasted, seconds) for member, seconds in usual if member.lasted is not None]
        slower = sum(lasted for lasted, _ in timed) / sum(seconds for _, seconds in timed) if timed else 1.0
        rest = sum(seconds * (1 - member.share) for member, seconds in usual if member.run.is_live)
        return slower * rest / max(1, self.states.count("running"))

    def baseline(self) -> float | None:
        """The error of always predicting the mean (the commoner class), on the crystals that count here."""
        for member in self.members:
            step = self.steps.get(member.run.name)
            if step and step.source == SCRATCH and member.run.id in self.tests:
                found = errors_without(self.tests[member.run.id], self.study.target, self._without(step))
                return self.study.scale * found[1] if found else None
        return None

    def of(self, source: str, column: str) -> list[Member]:
        """The runs of one place of the table, one a seed."""
        found = [(member, self.steps.get(member.run.name)) for member in self.members]
        return [member for member, step in found if step and (step.source, step.column) == (source, column)]

    def _member(self, runs: RunStore, run: Run, known: Member | None) -> Member:
        if known is not None and known.run == run and run.state != "running":
            return known
        epochs = runs.events(run.id, kinds=["epoch"])
        paces = [event.data["seconds"] for event in epochs]
        config = known.config if known is not None else run.config
        if run.state == "finished" and run.id not in self.tests:
            for event in runs.events(run.id, kinds=["test"]):
                self.tests[run.id] = event.data
        is_live = run.is_live or run.can_resume
        return Member(run, Outcome(config, None, is_live, None, fmean(paces) if paces else None), len(epochs))

    def _judged(self, member: Member) -> Outcome:
        """The outcome of a run with its error on the crystals that count here."""
        test, step = self.tests.get(member.run.id), self.steps.get(member.run.name)
        if test is None or step is None or member.run.state != "finished":
            return member.outcome
        found = errors_without(test, member.config.dataset.target, self._without(step))
        mae, mean_mae = found or (None, None)
        return Outcome(member.config, mae, False, mean_mae, member.outcome.seconds)

    def _without(self, step: Step) -> frozenset[str]:
        """The test crystals that do not count; a source's own error is on all crystals of its own."""
        is_own = step.column == OWN and step.source != SCRATCH
        return self.crystals.kin if self.strict and not is_own else frozenset()


def with_heirs(listed: Sequence[Run], others: Sequence[Run]) -> list[Run]:
    """Lost runs replaced by the latest run that tries them again; its source may be one that was tried again, too."""
    heirs = {run.parent: run for run in reversed(others) if run.parent and not run.sweep}
    found = []
    for run in listed:
        heir = heirs.get(run.id)
        is_again = run.state in LOST and heir is not None and heir.name == run.name
        found.append(heir if is_again and heir is not None else run)
    return found


def study_of(sweep: Sweep) -> Study:
    """The settings of a study that was begun; CrystalError when it is none, or of another version."""
    kept = sweep.axes.get(STUDY)
    if sweep.experiment != EXPERIMENT or not kept:
        raise RunError(f"{sweep.id} is no transfer study; choose one from the list.")
    try:
        return Study.from_dict(kept[0])
    except CrystalError as mistake:
        raise RunError(f"Study {sweep.id} was made by another version of the lab: {mistake}") from mistake


def study_in_view(runs: RunStore) -> StudySeen | None:
    """What this session knows of the study that the URL names, up to date; None when it names none.

    A part of the page that draws itself anew asks `looked_again`: its request may still carry an old address.
    """
    sweep_id, strict = linked(STUDY, ""), linked(STRICT, YES) == YES
    write_links()
    if not sweep_id:
        return None
    seen = st.session_state.get("study_seen")
    if not isinstance(seen, StudySeen) or seen.sweep.id != sweep_id:
        sweep = runs.sweep(sweep_id)
        study = study_of(sweep)
        places = {name: step for step in steps(study) for name in step.names}
        seen = st.session_state["study_seen"] = StudySeen(sweep, study, crystals_of(study), places)
    seen.strict = strict and seen.crystals.n_apart > 0
    seen.look(runs)
    return seen


def looked_again(runs: RunStore, seen: StudySeen, every: float | None) -> StudySeen:
    """The study as it is now; the page starts over when it comes to life, or ends."""
    seen.look(runs)
    if not seen.members or every != pace(seen):
        st.rerun()
    return seen


def pace(seen: StudySeen) -> float | None:
    """Seconds between two looks; None when nothing will change."""
    return LOOK_EVERY if seen.is_live else None if seen.is_over else PUT_AWAY


def crystals_of(study: Study) -> Material:
    """The crystals of a study; kept for settings that share them, since every set is loaded for it."""
    shared = {"seeds": 1, "epochs": 1, "tuned": False, "frozen": ("0",)}
    return _crystals(study.with_(**shared))


@st.cache_data(max_entries=16, show_spinner=False)
def _crystals(study: Study) -> Material:
    return material(study)
