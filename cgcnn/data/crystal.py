"""A crystal with its labels, and the one way to share crystals out among training, validation and test."""

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
from pymatgen.core import Structure

from cgcnn.errors import DatasetError


@dataclass(frozen=True)
class Crystal:
    """A structure, a name for it and the values known of it; a missing label is absent, never NaN."""

    id: str
    structure: Structure
    targets: Mapping[str, float] = field(default_factory=dict)

    @property
    def formula(self) -> str:
        """The reduced formula: `TiO2`."""
        return formula_of(self.structure)

    @property
    def chemical_system(self) -> str:
        """The elements in alphabetical order: `O-Ti`."""
        return self.structure.chemical_system


@dataclass(frozen=True)
class CrystalSet:
    """What a source gave: the crystals, and why each other one was left out (id -> sentence)."""

    crystals: list[Crystal]
    dropped: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Split:
    """Which crystals train the network, choose its best epoch, and judge it at the end."""

    train: list[Crystal]
    val: list[Crystal]
    test: list[Crystal]


SPLITS: dict[str, Callable[[Crystal], str]] = {
    "chemical system": lambda crystal: crystal.chemical_system,
    "formula": lambda crystal: crystal.formula,
    "random": lambda crystal: crystal.id,
}


def split(
    crystals: Sequence[Crystal],
    by: str = "chemical system",
    val: float = 0.1,
    test: float = 0.1,
    seed: int = 0,
) -> Split:
    """Share crystals out so that no group (chemical system, formula, or id) stands on two sides.

    The same crystals, fractions and seed give the same split for every model, whatever the order
    in which the crystals come. Groups are shuffled and dealt to test, then validation, then training.
    """
    groups: dict[str, list[Crystal]] = {}
    for crystal in sorted(crystals, key=lambda crystal: crystal.id):
        groups.setdefault(SPLITS[by](crystal), []).append(crystal)
    names = sorted(groups)
    np.random.default_rng(seed).shuffle(names)
    shares: dict[str, list[Crystal]] = {"test": [], "val": [], "train": []}
    room = {"test": round(test * len(crystals)), "val": round(val * len(crystals)), "train": len(crystals)}
    for name in names:
        share = next(s for s in shares if len(shares[s]) < room[s])
        shares[share] += groups[name]
    if empty := [name for name, share in shares.items() if not share]:
        raise DatasetError(
            f"{len(crystals)} crystals in {len(groups)} groups by {by} leave nothing for {empty[0]}; "
            "use more crystals, a larger fraction, or split at random."
        )
    return Split(shares["train"], shares["val"], shares["test"])


@contextmanager
def no_electronegativity_needed() -> Iterator[None]:
    """Where pymatgen sorts elements by electronegativity: noble gases have none, and it would warn of that."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="No Pauling electronegativity")
        yield


def formula_of(structure: Structure) -> str:
    """The reduced formula: `TiO2`."""
    with no_electronegativity_needed():
        return structure.composition.reduced_formula


def site_label(structure: Structure, atom: int) -> str:
    """How an atom is named everywhere: its element and its number in the cell, counted from 1: `Na 1`."""
    return f"{structure[atom].specie.symbol} {atom + 1}"
