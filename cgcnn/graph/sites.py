"""Crystals as plain arrays, read out of pymatgen once: one crystal, or many side by side."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

import numpy as np
from pymatgen.core import Structure


@dataclass(frozen=True)
class Sites:
    """The atoms of one crystal, or of several side by side."""

    coords: np.ndarray  # (atoms, 3) Å, Cartesian
    fractional: np.ndarray  # (atoms, 3) the same places in units of a, b, c
    numbers: np.ndarray  # (atoms) atomic numbers
    first: np.ndarray  # (crystals + 1) where the atoms of each crystal begin; the last entry is where all end
    lattice: np.ndarray  # (crystals, 3, 3) Å, rows a, b, c
    pbc: np.ndarray  # (crystals, 3) 1 where the crystal repeats

    @classmethod
    def of(cls, *structures: Structure) -> "Sites":
        """Read pymatgen structures; their sites must be ordered.

        The Cartesian coordinates are worked out here, a crystal at a time: pymatgen does it an atom at a time.
        """
        sites = [site for structure in structures for site in structure.sites]
        first = np.array([0, *accumulate(map(len, structures))])
        lattice = np.array([structure.lattice.matrix for structure in structures], dtype=float).reshape(-1, 3, 3)
        fractional = np.array([site.frac_coords for site in sites], dtype=float).reshape(-1, 3)
        coords = np.empty_like(fractional)
        for start, end, cell in zip(first[:-1].tolist(), first[1:].tolist(), lattice, strict=True):
            coords[start:end] = fractional[start:end] @ cell
        numbers = np.array([element.Z for site in sites for element in site.species], dtype=np.int64)
        pbc = np.array([structure.lattice.pbc for structure in structures], dtype=np.int64).reshape(-1, 3)
        return cls(coords, fractional, numbers, first, lattice, pbc)

    def part(self, start: int, end: int) -> "Sites":
        """Crystals `start` to `end`, the last left out."""
        if (start, end) == (0, self.n_crystals):
            return self
        atoms = slice(self.first[start], self.first[end])
        first = self.first[start : end + 1] - self.first[start]
        return Sites(
            coords=self.coords[atoms],
            fractional=self.fractional[atoms],
            numbers=self.numbers[atoms],
            first=first,
            lattice=self.lattice[start:end],
            pbc=self.pbc[start:end],
        )

    @property
    def n_atoms(self) -> int:
        """The atoms of all crystals together."""
        return len(self.coords)

    @property
    def n_crystals(self) -> int:
        """How many crystals lie side by side."""
        return len(self.lattice)

    @property
    def sizes(self) -> np.ndarray:
        """The atoms of each crystal; (crystals)."""
        return self.first[1:] - self.first[:-1]

    @property
    def volumes(self) -> np.ndarray:
        """The volume of each cell in Å³; (crystals)."""
        return np.abs(np.linalg.det(self.lattice))

    @cached_property
    def crystal(self) -> np.ndarray:
        """Which crystal each atom belongs to; (atoms)."""
        return np.arange(self.n_crystals).repeat(self.sizes)

    def radius_holding(self, count: float) -> np.ndarray:
        """The radius in Å of a sphere that holds `count` atoms at the mean density of each crystal; (crystals)."""
        return (3 * count * self.volumes / self.sizes / (4 * np.pi)) ** (1 / 3)


def all_ordered(structures: Sequence[Structure]) -> bool:
    """True when every site of every structure holds one whole atom; what `is_ordered` says, for a third of its time."""
    species = [site.species for structure in structures for site in structure.sites]
    return [each.num_atoms for each in species] == [1] * len(species) == [len(each) for each in species]
