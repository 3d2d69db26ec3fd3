"""What tells runs apart, in a reader's words: the settings that differ, what all share, and what forbids a ranking."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from math import sqrt
from pathlib import PurePath
from statistics import fmean, median, mode, stdev
from typing import Any

from cgcnn.config import Config, Option
from cgcnn.data.targets import TARGETS, Target
from cgcnn.figures.learning import best_place
from cgcnn.runs.records import Run
from cgcnn.training.experiment import RunConfig
from cgcnn.ui.run_start import source_words
from cgcnn.ui.run_targets import Shown, targets_of

LETTERS = "ABCDEFGHIJKL"
SEED = "train.seed"
NO_MATTER = ("train.snapshots",)  # of how many epochs the network is kept changes no number
NONE = "–"  # a setting that this kind of network does not have
TEST_SETTINGS = ("dataset.source", "dataset.path", "dataset.max_sites", "dataset.max_crystals")
SPLIT_SETTINGS = ("dataset.split", "dataset.val_fraction", "dataset.test_fraction", "dataset.seed")


@dataclass(frozen=True)
class Setting:
    """One setting of a run: its heading, with the unit, and its value in words."""

    heading: str
    value: str


@dataclass(frozen=True)
class Compared:
    """One run among those that are compared; `letter` and `number` name it in tables and choose its color."""

    run: Run
    config: RunConfig
    number: int
    settings: Mapping[str, Setting]  # by dotted name
    epochs: Sequence[Mapping[str, Any]] = ()
    data: Mapping[str, Any] = field(default_factory=dict)  # the fields of DataReady, once it is known
    test: Mapping[str, Any] = field(default_factory=dict)  # the fields of TargetTest, once it is known
    of: str = ""  # the target that is compared, of which epochs and test speak; "" for the main one

    @property
    def letter(self) -> str:
        """A, B, C …"""
        return LETTERS[self.number]

    @property
    def shown(self) -> Shown:
        """The target that is compared, or the main one where the run does not learn that."""
        offered = targets_of(self.run.settings)
        return next((one for one in offered if one.name == self.of), offered[0])

    @property
    def target(self) -> Target:
        """What is compared."""
        return self.shown.target

    @property
    def best_mae(self) -> float | None:
        """The validation error of the best epoch so far: the lowest MAE, where that alone chooses the epoch."""
        place = best_place(self.epochs)
        return None if place is None else self.epochs[place].get("val_mae")

    @property
    def seconds(self) -> float | None:
        """The usual time of an epoch in s."""
        return median(e["seconds"] for e in self.epochs) if self.epochs else None


def settings_of(config: RunConfig, source: str = "") -> dict[str, Setting]:
    """Every setting by its dotted name, in the order of the form; `source` are words for the run it starts from.

    How parts of another network are treated is no setting of a run that starts from scratch.
    """
    found = _settings_of(config)
    found["transfer.source"] = Setting("Start", source or source_words(config.transfer.source))
    if not config.transfer.source:
        return {name: s for name, s in found.items() if name in ("transfer.source",) or "transfer." not in name}
    found.pop("transfer.rate" if config.transfer.frozen else "transfer.norm_learns")
    return found


def _settings_of(config: Config, prefix: str = "") -> dict[str, Setting]:
    found: dict[str, Setting] = {}
    for f in fields(config):
        value, name = getattr(config, f.name), prefix + f.name
        if isinstance(value, Config):
            if f.metadata.get("variants"):
                found[f"{name}.name"] = Setting(f.name.capitalize(), str(config.to_dict()[f.name].get("name", NONE)))
            found |= _settings_of(value, f"{name}.")
        elif name not in NO_MATTER and (meaning := f.metadata.get("option")) is not None:
            found[name] = _setting(name, meaning, value)
    return found


def _setting(name: str, meaning: Option, value: Any) -> Setting:
    heading = f"{meaning.label} ({meaning.unit})" if meaning.unit else meaning.label
    if name.endswith("dataset.target"):
        return Setting(heading, TARGETS[value].label)
    if name.endswith("dataset.path"):
        return Setting("Set", PurePath(value).stem or NONE)
    if name.endswith("dataset.also"):
        return Setting(heading, ", ".join(TARGETS[target].label for target in value) or "nothing")
    if isinstance(value, bool):
        return Setting(heading, "yes" if value else "no")
    return Setting(heading, f"{value:g}" if isinstance(value, float) else str(value) or NONE)


def differing(runs: Sequence[Compared]) -> list[str]:
    """The dotted names of the settings that are not equal for all, in the order of the form."""
    names = dict.fromkeys(name for run in runs for name in run.settings)
    return [name for name in names if len({value_of(run, name) for run in runs}) > 1]


def value_of(run: Compared, name: str) -> str:
    """The value of one setting in words."""
    return run.settings[name].value if name in run.settings else NONE


def headings(runs: Sequence[Compared], names: Sequence[str]) -> dict[str, str]:
    """The heading of each setting; two that are worded alike also say where they belong."""
    plain = {name: next(r.settings[name].heading for r in runs if name in r.settings) for name in names}
    worded = list(plain.values())
    return {n: h if worded.count(h) == 1 else f"{h} ({n.split('.')[0]})" for n, h in plain.items()}


def label_of(run: Compared, names: Sequence[str], runs: Sequence[Compared] = ()) -> str:
    """A run in a legend: its letter, and what makes it another one than most of `runs`."""
    words = _unusual(run, names, runs)
    if any(_unusual(other, names, runs) == words for other in runs if other.number != run.number):
        alike = sum(other.run.name == run.run.name for other in runs) > 1
        words = f"{run.run.id} {run.run.name}".strip() if alike or not run.run.name else run.run.name
    return f"{run.letter} · {words if len(words) <= 44 else words[:43] + '…'}"


def _unusual(run: Compared, names: Sequence[str], runs: Sequence[Compared]) -> str:
    own = [n for n in names if value_of(run, n) != mode(value_of(other, n) for other in runs or [run])]
    told = [_told(run, n) for n in own or names if n in run.settings]
    return ", ".join(told[:2]) or run.run.name or run.run.id


def _told(run: Compared, name: str) -> str:
    value, heading = value_of(run, name), run.settings[name].heading.split(" (")[0]
    return value if name in ("dataset.target", "model.name", "transfer.source") else f"{heading} {value}"


def shared_words(runs: Sequence[Compared], names: Sequence[str]) -> str:
    """One sentence on what the runs have in common: target, crystals, split, neighbors, network, epochs."""
    first, equal = runs[0], [n for n in runs[0].settings if n not in names]
    dataset, train = first.config.dataset, first.config.train
    own = dataset.source == "folder"
    crystals = f"the set {PurePath(dataset.path).stem or 'of your own'}" if own else "the built-in set"
    no_rule = any(n.startswith("graph.") for n in names) or any(run.config.kind.on_grid for run in runs)
    parts = {
        "dataset.target": _target_words(first, "dataset.also" in equal),
        "dataset.path": crystals,
        "dataset.max_sites": f"cells of up to {dataset.max_sites} atoms" if dataset.max_sites else "cells of any size",
        "dataset.max_crystals": f"{dataset.max_crystals:,} of its crystals" if dataset.max_crystals else "",
        "dataset.split": f"split by {dataset.split}",
        "graph.rule": "" if no_rule else first.config.graph.words,
        "model.name": value_of(first, "model.name"),
        "train.epochs": f"{train.epochs} epochs",
    }
    told = [words for name, words in parts.items() if words and name in equal]
    if not names:
        return f"These runs have the same settings: {', '.join(told)}."
    return f"All else is equal: {', '.join(told)}." if told else "They share neither target nor data."


def _target_words(run: Compared, all_shared: bool) -> str:
    targets = [TARGETS[name] for name in run.config.dataset.targets] if all_shared else []
    main = TARGETS[run.config.dataset.target]
    return f"targets {', '.join(one.label for one in targets)}" if len(targets) > 1 else f"target {main.axis}"


def doubts(runs: Sequence[Compared]) -> list[str]:
    """Why the errors of these runs must not be ranked, one sentence a reason; empty when they may be."""
    found = []
    if len({run.shown.name for run in runs}) > 1:
        told = ", ".join(f"{run.letter} {run.target.label.lower()}" for run in runs)
        found = [
            f"These runs learn different targets ({told}): their errors are of different things; do not rank them."
        ]
    first = runs[0]
    error = error_name(runs)
    if others := [run.letter for run in runs[1:] if _judged_by(run) != _judged_by(first)]:
        return [
            *found,
            f"{' and '.join(others)} {'was' if len(others) == 1 else 'were'} judged by other test crystals than "
            f"{first.letter}: compare no test {error} between them; give them the same data and split.",
        ]
    if any(value_of(run, name) != value_of(first, name) for run in runs for name in SPLIT_SETTINGS):
        found.append(f"They chose their best epoch on different validation crystals: compare the test {error} only.")
    return found


def error_name(runs: Sequence[Compared]) -> str:
    """The word for the errors of these runs: `MAE`, `share wrong`, or `error` where some learn classes."""
    words = {one.shown.error for one in runs}
    return "error" if len(words) > 1 else words.pop().replace("Share", "share")


def copies_words(runs: Sequence[Compared]) -> str:
    """Which runs are one and the same, as a run brought back beside its original is; "" when none are."""
    groups: dict[object, list[str]] = {}
    for run in runs:
        if run.epochs:
            settings = tuple((name, s.value) for name, s in run.settings.items() if name != "dataset.path")
            said = tuple((e["epoch"], e.get("train_loss"), e.get("val_mae")) for e in run.epochs)
            groups.setdefault((settings, said, tuple(run.test.get("predicted", ()))), []).append(run.letter)
    alike = [f"{', '.join(g[:-1])} and {g[-1]}" for g in groups.values() if len(g) > 1]
    if not alike:
        return ""
    return f"{'; '.join(alike)} have the same settings and the same numbers: they are copies, and count as one run."


def _judged_by(run: Compared) -> object:
    """The test crystals themselves where they are known, else the settings that decide them."""
    if run.test:
        return frozenset(run.test["ids"])
    return tuple(value_of(run, name) for name in (*TEST_SETTINGS, *SPLIT_SETTINGS))


@dataclass(frozen=True)
class Repeats:
    """Runs that differ in nothing but the seed of the training."""

    runs: Sequence[Compared]
    maes: Sequence[float]  # test MAE of each seed

    @property
    def words(self) -> str:
        """`0.213 ± 0.004 (n = 3)`: the mean, and the standard deviation of one run; of a class in %."""
        times, digits = (100, 1) if self.runs[0].target.is_class else (1, 3)
        spread = f" ± {times * stdev(self.maes):.{digits}f}" if len(self.maes) > 1 else ""
        return f"{times * fmean(self.maes):.{digits}f}{spread} (n = {len(self.maes)})"


def repeats(runs: Sequence[Compared]) -> list[Repeats]:
    """The finished runs by their settings but the seed; the same seed twice is one measurement."""
    groups: dict[tuple[tuple[str, str], ...], dict[str, Compared]] = {}
    for run in runs:
        if run.test:
            rest = tuple((name, setting.value) for name, setting in run.settings.items() if name != SEED)
            groups.setdefault(rest, {}).setdefault(value_of(run, SEED), run)
    return [Repeats(list(g.values()), [run.test["mae"] for run in g.values()]) for g in groups.values()]


def paired_words(run: Compared, other: Compared) -> str:
    """On the same test crystals: by how much one run errs less than another, and whether chance could do that."""
    errors = dict(zip(other.test["ids"], _errors(other), strict=True))
    gaps = [error - errors[i] for i, error in zip(run.test["ids"], _errors(run), strict=True)]
    mean, doubt = fmean(gaps), stdev(gaps) / sqrt(len(gaps)) if len(gaps) > 1 else 0.0
    more, less = (run, other) if mean >= 0 else (other, run)
    by = f"{abs(mean):.3f} ± {doubt:.3f} {run.target.unit}".rstrip()
    if run.target.is_class:
        by = f"{100 * abs(mean):.1f} ± {100 * doubt:.1f} percentage points"
    sure = abs(mean) > 2 * doubt
    verdict = (
        "more than the choice of test crystals explains" if sure else "so little that other test crystals could turn it"
    )
    return (
        f"On the same {len(gaps)} test crystals {less.letter} errs by {by} less than "
        f"{more.letter} (± one standard error): {verdict}. Other seeds move both; repeat them to see how far."
    )


def _errors(run: Compared) -> list[float]:
    """The error of each test crystal; of a class 1 for the wrong one."""
    pairs = zip(run.test["predicted"], run.test["truth"], strict=True)
    return [abs((float(p >= 0.5) if run.target.is_class else p) - t) for p, t in pairs]
