"""Crystals from anywhere: `load_crystals(DatasetConfig())` gives those that a run can learn from."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from cgcnn.config import Config, option
from cgcnn.data import builtin, folder
from cgcnn.data.crystal import SPLITS, Crystal, CrystalSet, Split, split
from cgcnn.data.selection import why_left_out
from cgcnn.data.targets import TARGETS
from cgcnn.errors import ConfigError, DatasetError

DATASETS: dict[str, Callable[["DatasetConfig"], CrystalSet]] = {"built-in": builtin.load, "folder": folder.load}
FEWEST = 20  # crystals; with fewer, a tenth for validation would be a single crystal


@dataclass(frozen=True)
class DatasetConfig(Config):
    """Which crystals a run learns from, what of them it learns, and how they are shared out."""

    source: str = option(
        "built-in",
        "Crystals",
        "The built-in set of 6,317 computed crystals, or a folder or zip of your own.",
        choices=DATASETS,
    )
    path: str = option("", "Folder", "A folder or zip with crystal files and id_prop.csv.")
    target: str = option(
        "formation_energy_per_atom", "Target", "The property that the network learns.", choices=TARGETS
    )
    also: tuple[str, ...] = option(
        (),
        "Learn also",
        "Further properties that the same network learns at once; a crystal needs a value of one of them.",
        choices=TARGETS,
    )
    max_sites: int = option(
        8,
        "Largest cell (0: any)",
        "Crystals with more atoms are left out; 0 keeps all.",
        minimum=0,
        maximum=1000,
    )
    max_crystals: int = option(
        0,
        "Crystals used (0: all)",
        "A random part, the same for the same seed; 0 takes all.",
        minimum=0,
        maximum=100_000,
    )
    train_crystals: int = option(
        0,
        "Training crystals (0: all)",
        "So many of the training part are learned from; validation and test stay as they are.",
        minimum=0,
        maximum=100_000,
    )
    split: str = option(
        "chemical system",
        "Split by",
        "What never stands on two sides: a chemical system (all Na-Cl crystals), a formula, or a crystal.",
        choices=SPLITS,
    )
    val_fraction: float = option(
        0.1, "Validation part", "Share that chooses the best epoch.", minimum=0.01, maximum=0.4, step=0.01
    )
    test_fraction: float = option(
        0.1, "Test part", "Share that judges the network at the end.", minimum=0.01, maximum=0.4, step=0.01
    )
    seed: int = option(0, "Seed of the split", "Another seed, another split.", minimum=0, maximum=2**31 - 1)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.target in self.also:
            label = TARGETS[self.target].label
            raise ConfigError(f"“{label}” is both the target and one of the further targets; take it out of those.")

    @property
    def targets(self) -> tuple[str, ...]:
        """All properties that the network learns, the main one first."""
        return self.target, *self.also


def load_crystals(config: DatasetConfig) -> CrystalSet:
    """The crystals that a run can use, in the order of their source, and why each other one was left out."""
    loaded = DATASETS[config.source](config)
    kept, dropped = [], dict(loaded.dropped)
    for crystal in loaded.crystals:
        n_atoms = len(crystal.structure)
        if why := why_left_out(crystal.targets, n_atoms, config.targets, config.max_sites):
            dropped[crystal.id] = why
        else:
            kept.append(crystal)
    if len(kept) < FEWEST:
        raise _too_few(config, len(kept), dropped)
    return CrystalSet(_drawn(kept, config.max_crystals, config.seed), dropped)


def share_out(crystals: Sequence[Crystal], config: DatasetConfig) -> Split:
    """The crystals of a run among training, validation and test, as the config asks."""
    shares = split(crystals, config.split, config.val_fraction, config.test_fraction, config.seed)
    return replace(shares, train=_drawn(shares.train, config.train_crystals, config.seed))


def _drawn(crystals: list[Crystal], n: int, seed: int) -> list[Crystal]:
    """`n` of the crystals at random (0: all); a smaller n draws some of those that a larger one draws."""
    if not 0 < n < len(crystals):
        return crystals
    # drawn from the sorted ids, so that the order of the source does not matter
    ids = sorted(crystal.id for crystal in crystals)
    drawn = set(np.random.default_rng(seed).permutation(ids)[:n].tolist())
    return [crystal for crystal in crystals if crystal.id in drawn]


def _too_few(config: DatasetConfig, n: int, dropped: dict[str, str]) -> DatasetError:
    without = sum(why.startswith("It has no value") for why in dropped.values())
    large = sum(why.startswith("It has ") for why in dropped.values()) - without
    unread = len(dropped) - without - large
    counts = {
        "have no such value": without,
        f"have more than {config.max_sites} atoms": large,
        "cannot be read": unread,
    }
    why = ", ".join(f"{count:,} {words}" for words, count in counts.items() if count)
    labels = " or ".join(f"“{TARGETS[target].label}”" for target in config.targets)
    return DatasetError(
        f"Only {n} crystals have a value of {labels} and can be used, but {FEWEST} are needed"
        f"{f' ({why})' if why else ''}; choose another target, allow larger cells, or bring more crystals."
    )
