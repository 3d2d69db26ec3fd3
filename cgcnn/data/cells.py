"""Other cells of the same crystal, and its symmetry, found with spglib (Togo et al., STAM Methods 4, 2384822, 2024)."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import spglib
from pymatgen.core import Element, Lattice, Structure

from cgcnn.data.checks import MAX_ATOMS
from cgcnn.data.cif_symmetry import quiet_spglib
from cgcnn.data.structures import SYMPREC, bare
from cgcnn.errors import CrystalError

SYSTEMS = {  # crystal system -> the number of its last space group, International Tables A
    "triclinic": 2,
    "monoclinic": 15,
    "orthorhombic": 74,
    "tetragonal": 142,
    "trigonal": 167,
    "hexagonal": 194,
    "cubic": 230,
}


@dataclass(frozen=True)
class Symmetry:
    """The space group of a crystal, and for each atom its Wyckoff letter and the orbit that it belongs to."""

    symbol: str
    number: int
    crystal_system: str
    wyckoffs: tuple[str, ...]  # of each atom, such as "a"
    orbits: tuple[int, ...]  # of each atom, counted from 0; atoms of one orbit are equivalent
    enlargement: float = 1.0  # atoms of the conventional cell for each atom of this one

    @property
    def sites(self) -> tuple[str, ...]:
        """Multiplicity and letter of each atom as the International Tables count, in the conventional cell: `4a`."""
        atoms = Counter(self.orbits)
        counts = {orbit: round(n * self.enlargement) for orbit, n in atoms.items()}
        return tuple(f"{counts[o]}{w}" for o, w in zip(self.orbits, self.wyckoffs, strict=True))


def symmetry(structure: Structure) -> Symmetry:
    """The symmetry within 0.01 Å; P1 with every atom for itself where spglib finds none."""
    found = _asked(spglib.get_symmetry_dataset, structure)
    if found is None:
        n_atoms = len(structure)
        return Symmetry("P1", 1, "triclinic", ("a",) * n_atoms, tuple(range(n_atoms)))
    first = list(dict.fromkeys(found.crystallographic_orbits.tolist()))
    orbits = tuple(first.index(orbit) for orbit in found.crystallographic_orbits.tolist())
    system = next(name for name, last in SYSTEMS.items() if found.number <= last)
    enlargement = len(found.std_types) / len(structure)
    return Symmetry(found.international, int(found.number), system, tuple(found.wyckoffs), orbits, enlargement)


def primitive_cell(structure: Structure) -> Structure:
    """The smallest cell that repeats to the same crystal, in standard orientation; itself where spglib fails."""
    return _standard(structure, to_primitive=True)


def conventional_cell(structure: Structure) -> Structure:
    """The cell that shows the full symmetry, in the setting of the International Tables; itself where spglib fails."""
    return _standard(structure, to_primitive=False)


def supercell(structure: Structure, repeats: tuple[int, int, int]) -> Structure:
    """The cell repeated along a, b and c; its graph describes the same crystal with more atoms."""
    n_atoms = len(structure) * repeats[0] * repeats[1] * repeats[2]
    if min(repeats) < 1 or n_atoms > MAX_ATOMS:
        raise CrystalError(
            f"A {' × '.join(map(str, repeats))} supercell of {structure.composition.reduced_formula} would hold "
            f"{n_atoms:,} atoms; choose repeats that give 1 to {MAX_ATOMS:,}."
        )
    return bare(structure.copy() * repeats)


def strained(structure: Structure, percent: float) -> Structure:
    """The crystal with all lengths changed by `percent`: positive stretches, negative compresses."""
    if not -50 <= percent <= 100:
        raise CrystalError(f"The strain is {percent:g} %; choose one between -50 % and 100 %.")
    lattice = Lattice(structure.lattice.matrix * (1 + percent / 100))
    return Structure(lattice, [site.specie.Z for site in structure], structure.frac_coords)


def _standard(structure: Structure, **choice: bool) -> Structure:
    found = _asked(spglib.standardize_cell, structure, **choice)
    if found is None:
        return bare(structure)
    lattice, coords, numbers = found
    return Structure(Lattice(lattice), [Element.from_Z(int(z)) for z in numbers], coords % 1.0)


def _asked(question: Any, structure: Structure, **choice: bool) -> Any:
    """What spglib answers within SYMPREC, or None: its ways to fail differ from version to version."""
    cell = (structure.lattice.matrix, structure.frac_coords, [site.specie.Z for site in structure])
    with quiet_spglib():
        try:
            return question(cell, symprec=SYMPREC, **choice)
        except Exception:  # SpglibError, or a TypeError about the cell
            return None
