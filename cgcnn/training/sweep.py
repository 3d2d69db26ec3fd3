"""A grid of runs: every combination of some settings, each repeated with several seeds."""

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import product
from typing import Any

from cgcnn.config import Config, Option
from cgcnn.errors import ConfigError
from cgcnn.training.experiment import RunConfig
from cgcnn.training.transfer import TransferConfig

Axes = Mapping[str, Sequence[Any]]  # dotted field of RunConfig -> the values it takes
Values = Mapping[str, Any]  # dotted field -> the one value of an arm

SEED = "train.seed"  # of the initial weights and of the order of the crystals: what the repeats vary
SPLIT_SEED = "dataset.seed"

# Fields that cannot be an axis, and why.
NO_AXES = {
    SEED: "every setting is repeated with several seeds anyway",
    "dataset.target": "errors of different targets have different units and cannot be compared",
    "dataset.also": "a run with other targets besides is judged by other crystals",
    "dataset.source": "errors on different crystals cannot be compared",
    "dataset.path": "errors on different crystals cannot be compared",
    **dict.fromkeys((f"transfer.{name}" for name in TransferConfig.options()), "the Transfer page compares sources"),
    "train.weights": "it belongs to the targets of one run",
    "train.device": "it changes how long a run takes, not what it learns",
    "train.threads": "it changes how long a run takes, not what it learns",
    "train.processes": "it changes how long a run takes, not what it learns",
    "train.snapshots": "it changes what is kept of a run, not what it learns",
}

YES_NO = {"yes": True, "true": True, "on": True, "1": True, "no": False, "false": False, "off": False, "0": False}

# Short words of a value, where the label of its field would be long or clumsy.
WORDS: dict[str, Callable[[Any], str]] = {
    "graph.rule": str,
    "graph.max_neighbors": lambda k: f"k = {k}",
    "model.conv": lambda name: name if name.endswith("convolution") else f"{name} convolution",
    "model.n_convs": lambda n: "1 convolution" if n == 1 else f"{n} convolutions",
    "model.activation": str,
    "model.norm": lambda name: "no norm" if name == "none" else str(name),
    "model.attention": lambda name: f"attention {name}",
    "model.heads": lambda n: "1 head" if n == 1 else f"{n} heads",
    "model.pooling": lambda name: f"{name} pooling",
    "dataset.max_crystals": lambda n: f"{n:,} crystals" if n else "all crystals",
    "dataset.train_crystals": lambda n: f"{n:,} to learn from" if n else "all to learn from",
    "dataset.max_sites": lambda n: f"at most {n} atoms" if n else "any cell",
    "train.per_atom": lambda yes: "learned per atom" if yes else "learned as it is",
    "train.optimizer": str,
    "train.schedule": lambda name: f"{name} schedule",
    "train.loss": lambda name: f"{name} loss",
}


@dataclass(frozen=True)
class Planned:
    """One run of a grid: the words of its arm (one combination of values), its seed, and all its settings."""

    arm: str
    seed: int
    config: RunConfig

    @property
    def name(self) -> str:
        """What the run is called: `k = 12, whole shells, seed 0`."""
        return f"{self.arm}, seed {self.seed}"


@dataclass(frozen=True)
class AxisWords:
    """An axis as a figure needs it: its label with unit, its values, and each value as a reader says it."""

    label: str
    values: tuple[Any, ...]
    words: tuple[str, ...]


def grid(base: RunConfig, axes: Axes, seeds: Sequence[int]) -> list[Planned]:
    """Every combination of the axes with every seed; each seed's round of all arms comes before the next seed.

    A seed fixes the initial weights and the order of the crystals. The split is the same for all, unless an axis
    changes which crystals a run has: then each seed draws its own split (see `split_varies`).
    """
    _refuse_wrong_axes(base, axes)
    if not seeds or len(set(seeds)) < len(seeds):
        raise ConfigError(f"The seeds are {_listed(seeds)}; give one at least, and each only once.")
    return [
        Planned(arm_words(values), seed, base.with_(**values, **_seeds(axes, seed)))
        for seed in seeds
        for values in arms(axes)
    ]


def arms(axes: Axes) -> list[dict[str, Any]]:
    """Every combination of the axes' values, the last axis fastest."""
    return [dict(zip(axes, values, strict=True)) for values in product(*axes.values())]


def arm_words(values: Values) -> str:
    """One combination as a reader says it: `k = 12, whole shells`."""
    return ", ".join(value_words(field, value) for field, value in values.items())


def value_words(field: str, value: Any) -> str:
    """One value of one field as a reader says it; the label stands before it where no shorter words are known."""
    if field in WORDS:
        return WORDS[field](value)
    meaning = axis_options()[field]
    if isinstance(value, bool):
        return f"{meaning.label}: {'yes' if value else 'no'}"
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return f"{meaning.label} {text} {meaning.unit}".rstrip()


def axes_words(axes: Axes) -> list[AxisWords]:
    """The axes with their labels and words, in the order of the grid."""
    return [AxisWords(field_words(f), tuple(vs), tuple(value_words(f, v) for v in vs)) for f, vs in axes.items()]


def field_words(field: str) -> str:
    """A field as the title of an axis has it: label and unit; a remark in brackets is left out."""
    meaning = axis_options()[field]
    label = meaning.label.split(" (")[0]
    return f"{label} ({meaning.unit})" if meaning.unit else label


def values_of(config: RunConfig, axes: Collection[str]) -> dict[str, Any]:
    """What a run has at these dotted fields: the way back from a run of a sweep to its arm."""
    return {field: _at(config, field) for field in axes}


def split_varies(axes: Collection[str]) -> bool:
    """True when an axis changes which crystals a run has: each seed then draws its own split.

    One split of few crystals could favor one arm by chance; a split for every seed puts that chance into the spread.
    """
    return SPLIT_SEED not in axes and any(field.startswith("dataset.") for field in axes)


def shares_test(axes: Collection[str]) -> bool:
    """True when the runs of one seed are tested on the same crystals, whatever the axes."""
    return not any(field.startswith("dataset.") and field != "dataset.train_crystals" for field in axes)


def limits(axes: Collection[str], n_seeds: int) -> str:
    """What an experiment of this size cannot tell."""
    repeats = "1 seed" if n_seeds == 1 else f"{n_seeds} seeds"
    if split_varies(axes):
        tested = " (the same test crystals for all settings of a seed)" if shares_test(axes) else ""
        return (
            f"{repeats}, each with its own split{tested}: the spread holds the luck of the draw, and small effects "
            "drown in it."
        )
    return (
        f"{repeats} on one split: the spread is that of initial weights and order alone. Other test crystals, another "
        "target or longer training may rank the settings differently."
    )


def axis_options(base: RunConfig | None = None) -> dict[str, Option]:
    """Every field that can be an axis, by its dotted name, with label, unit, bounds and choices."""
    found = {}
    for name, group in _groups(base or RunConfig()).items():
        for field, meaning in group.options().items():
            found[f"{name}.{field}"] = meaning
    return {field: meaning for field, meaning in found.items() if field not in NO_AXES}


def axis_kind(field: str, base: RunConfig | None = None) -> type:
    """The type of an axis' values: int, float, str or bool."""
    return type(_at(base or RunConfig(), field))


def parse_values(field: str, text: str, base: RunConfig | None = None) -> list[Any]:
    """The values that a reader typed for a field: `6, 12, 18` or `mean, sum`; a sentence where one is wrong."""
    base = base or RunConfig()
    options = axis_options(base)
    if field not in options:
        raise ConfigError(_no_axis(field, base))
    words = [word.strip() for word in text.replace(";", ",").replace("\n", ",").split(",")]
    values = [_parsed(word, options[field], axis_kind(field, base)) for word in words if word]
    if not values:
        raise ConfigError(f"{options[field].label} has no value; type two or more with commas between them.")
    _refuse_wrong_axes(base, {field: values})
    return values


def _parsed(word: str, meaning: Option, kind: type) -> Any:
    if meaning.choices:
        by_name = {choice.lower(): choice for choice in meaning.choices}
        return by_name.get(word.lower(), word)  # an unknown one is refused by the Config, which lists them
    if kind is str:
        return word
    if kind is bool:
        if word.lower() not in YES_NO:
            raise ConfigError(f"{meaning.label}: {word!r} is neither yes nor no; type yes, no.")
        return YES_NO[word.lower()]
    return _number(word, meaning, kind)


def _number(word: str, meaning: Option, kind: type) -> float:
    try:
        value = float(word)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ConfigError(f"{meaning.label}: {word!r} is not a number; type numbers with commas between them.")
    if kind is int and value != int(value):
        raise ConfigError(f"{meaning.label}: {word} is not a whole number; only whole numbers make sense here.")
    return kind(value)


def _refuse_wrong_axes(base: RunConfig, axes: Axes) -> None:
    if not axes:
        raise ConfigError("There is nothing to compare; choose one setting at least, and two or more of its values.")
    options = axis_options(base)
    for field, values in axes.items():
        if field not in options:
            raise ConfigError(_no_axis(field, base))
        if twice := [value for n, value in enumerate(values) if value in values[:n]]:
            raise ConfigError(f"{options[field].label} {twice[0]} is listed twice; give each value only once.")
        if not values:
            raise ConfigError(f"{options[field].label} has no value; give two or more.")
        for value in values:  # the Config refuses a wrong one by name
            base.with_(**{field: value})


def _no_axis(field: str, base: RunConfig) -> str:
    if field in NO_AXES:
        return f"{field} cannot be compared: {NO_AXES[field]}; choose another setting."
    return f"There is no setting {field!r} to compare; choose one of {', '.join(axis_options(base))}."


def _seeds(axes: Axes, seed: int) -> dict[str, int]:
    return {SEED: seed, SPLIT_SEED: seed} if split_varies(axes) else {SEED: seed}


def _groups(base: RunConfig) -> dict[str, Config]:
    """The parts of a run's settings by name: dataset, graph, model, train."""
    parts = {f.name: getattr(base, f.name) for f in fields(base)}
    return {name: part for name, part in parts.items() if isinstance(part, Config)}


def _at(config: Any, field: str) -> Any:
    for name in field.split("."):
        config = getattr(config, name)
    return config


def _listed(values: Iterable[Any]) -> str:
    return ", ".join(str(value) for value in values) or "none"
