"""An experiment in sentences: what is held equal, how long it takes, how far it is, whose guess it was."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from cgcnn.data.targets import TARGETS
from cgcnn.runs.records import Load
from cgcnn.training.arms import Arm
from cgcnn.training.experiment import RunConfig
from cgcnn.training.guesses import Judgement
from cgcnn.training.sweep import axes_words, shares_test, split_varies
from cgcnn.ui.run_queue import load_words, spoken


def counted(n: int, thing: str = "run") -> str:
    """`1 run`, `24 runs`."""
    return f"{n:,} {thing}{'' if n == 1 else 's'}"


def size_words(axes: Mapping[str, Sequence[Any]], n_seeds: int) -> str:
    """What is varied: `Neighbors k: 6, 12; Pooling: mean, sum; each with 3 seeds`."""
    parts = [f"{axis.label}: {', '.join(value_text(value) for value in axis.values)}" for axis in axes_words(axes)]
    return "; ".join([*parts, f"each with {counted(n_seeds, 'seed')}"])


def held_words(base: RunConfig, axes: Collection[str], seeds: Sequence[int]) -> str:
    """What is equal for all runs, and what a seed changes."""
    dataset, listed = base.dataset, ", ".join(str(seed) for seed in seeds)
    crystals = "the same crystals"
    if "dataset.max_crystals" not in axes and dataset.max_crystals:
        crystals = f"the same {dataset.max_crystals:,} crystals"
    if "dataset.max_sites" not in axes and dataset.max_sites:
        crystals += f" of up to {dataset.max_sites} atoms"
    equal = ["" if split_varies(axes) else f"{crystals} in the same split by {dataset.split}"]
    equal += ["" if "train.epochs" in axes else counted(base.train.epochs, "epoch"), "and every other setting"]
    learned = "target" if len(dataset.targets) == 1 else "targets"
    targets = ", ".join(TARGETS[name].axis for name in dataset.targets)
    words = f"Held equal: the {learned}, {targets}; {', '.join(part for part in equal if part)}."
    name, verb = ("Seed", "changes") if len(seeds) == 1 else ("Seeds", "change")
    what = "the initial weights and the order of the crystals"
    if split_varies(axes) and shares_test(axes):
        return (
            f"{words} {name} {listed} {verb} {what}, and the split; the runs of one seed share their validation and "
            "test crystals, and fewer training crystals are a part of more."
        )
    if split_varies(axes):
        return f"{words} {name} {listed} {verb} {what}, and which crystals are drawn and how they are split."
    return f"{words} {name} {listed} {verb} {what}, and nothing else."


def time_words(n_runs: int, core_seconds: float, load: Load) -> str:
    """How many runs, and about how long they take with the machine as busy as it is now."""
    words = counted(n_runs)
    if core_seconds:
        slots = f"{load.slots} at a time" if load.slots > 1 else "one at a time"
        words += f", about {spoken(core_seconds / max(1, load.slots))} on a quiet machine ({slots})"
    if load.running or load.queued:
        words += f"; now {load_words(load)}, so it {'takes longer' if core_seconds else 'may have to wait'}"
    return f"{words}."


def progress_words(states: Sequence[str], seconds: float | None, load: Load) -> str:
    """`7 of 24 runs done, about 2 min to go`; `states` are those of the runs of the experiment."""
    n = {state: states.count(state) for state in dict.fromkeys(states)}
    waiting, away = n.get("queued", 0), n.get("paused", 0) + n.get("interrupted", 0)
    done = len(states) - n.get("running", 0) - waiting - away
    words = f"{done} of {counted(len(states))} done"
    if n.get("running") and seconds is not None and seconds >= 1:
        words += f", about {spoken(seconds)} to go"
    if waiting and not n.get("running"):
        words += f", {load_words(load)}" if load.workers else ", the workers are starting"
    return f"{words}, {away} paused" if away else words


def so_far_words(arms: Sequence[Arm], unit: str) -> str:
    """Who leads while runs are to come, without a verdict: judging again and again finds effects that are none."""
    known = sorted((arm for arm in arms if arm.maes), key=lambda arm: arm.mean)
    if not known:
        return ""
    n_ended = sum(len(arm.maes) + arm.n_lost for arm in arms)
    n_runs = n_ended + sum(arm.n_live for arm in arms)
    return (
        f"So far, with {n_ended} of {counted(n_runs)}, the lowest mean error is {known[0].text(unit)} with "
        f"{known[0].words}; whether that means anything is judged when all runs have ended."
    )


def guess_words(user: str, mine: bool) -> str:
    """Whose guess it was."""
    return "Your guess" if mine else f"The guess of {user}" if user else "The guess"


def judged_words(judgement: Judgement, mine: bool) -> str:
    """What the runs say of a guess, to the one who made it or to somebody else."""
    return judgement.sentence if mine else judgement.sentence.replace("Your", "This").replace("your", "this")


def value_text(value: Any) -> str:
    """A value as a reader types it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)
