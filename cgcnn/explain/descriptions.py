"""One crystal described in many ways, none of which may matter; and one strained, which is another crystal."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from pymatgen.core import Element, Lattice, Structure

from cgcnn.data.cells import conventional_cell, primitive_cell, strained, supercell
from cgcnn.data.crystal import formula_of
from cgcnn.errors import CrystalError

MOST_ATOMS = 600  # of the crystal as given
MOST_IN_SUPERCELL = 300
ATOMS_AT_RANDOM = 1_000  # of all random descriptions together: a quarter of a second of network
STRAIN = 1.0  # %
CONTROL = f"strained by {STRAIN:g} %"


@dataclass(frozen=True)
class Description:
    """A structure and the kind of change that made it from the one given."""

    kind: str
    structure: Structure


@dataclass(frozen=True)
class Descriptions:
    """Exact ones, a control that must matter, and a sentence on what was left out for its size."""

    exact: list[Description]
    control: Description
    note: str = ""


def rotated(structure: Structure, rng: np.random.Generator) -> Structure:
    """The crystal turned as a whole by a random proper rotation: QR of a random matrix, signs made unique."""
    q, r = np.linalg.qr(rng.normal(size=(3, 3)))
    q = q * np.sign(np.diag(r))
    q[:, 0] *= np.linalg.det(q)
    return Structure(Lattice(structure.lattice.matrix @ q), _species(structure), structure.frac_coords)


def shifted(structure: Structure, rng: np.random.Generator) -> Structure:
    """The origin of the cell put at a random place."""
    return Structure(structure.lattice, _species(structure), (structure.frac_coords + rng.random(3)) % 1.0)


def permuted(structure: Structure, rng: np.random.Generator) -> Structure:
    """The atoms listed in a random order."""
    order, species = rng.permutation(len(structure)), _species(structure)
    return Structure(structure.lattice, [species[i] for i in order], structure.frac_coords[order])


RANDOM: dict[str, Callable[[Structure, np.random.Generator], Structure]] = {
    "rotated": rotated,
    "origin shifted": shifted,
    "atoms renumbered": permuted,
}
CELLS: dict[str, Callable[[Structure], Structure]] = {
    "primitive cell": primitive_cell,
    "conventional cell": conventional_cell,
}


def descriptions(structure: Structure, draws: int = 5, seed: int = 0) -> Descriptions:
    """`draws` of each random kind, a supercell and other cells; fewer of a large cell, as the note then says."""
    n_atoms = len(structure)
    if n_atoms > MOST_ATOMS:
        raise CrystalError(
            f"{formula_of(structure)} has {n_atoms:,} atoms in its cell (limit {MOST_ATOMS} here, where it is "
            "described a dozen times); choose the primitive cell or a smaller crystal."
        )
    rng, notes = np.random.default_rng(seed), []
    tries = max(1, min(draws, ATOMS_AT_RANDOM // (len(RANDOM) * n_atoms)))
    if tries < draws:
        notes.append(f"{tries} random {'try' if tries == 1 else 'tries'} of each kind, not {draws}")
    exact = [Description(kind, change(structure, rng)) for kind, change in RANDOM.items() for _ in range(tries)]
    repeats = next((r for r in ((2, 2, 1), (2, 1, 1)) if n_atoms * np.prod(r) <= MOST_IN_SUPERCELL), None)
    if repeats:
        exact.append(Description(f"supercell {' × '.join(map(str, repeats))}", supercell(structure, repeats)))
    else:
        notes.append("no supercell")
    exact += [_in_cell(kind, structure, change(structure)) for kind, change in CELLS.items()]
    note = f"To stay quick with {n_atoms:,} atoms: {', '.join(notes)}." if notes else ""
    return Descriptions(exact, Description(CONTROL, strained(structure, STRAIN)), note)


def _in_cell(kind: str, given: Structure, cell: Structure) -> Description:
    """Another cell, with what sets it apart from the one given: its size, or nothing but the last digits."""
    if len(cell) != len(given):
        atoms = f"{len(cell):,} atom{'s' * (len(cell) != 1)}"
    elif _species(cell) == _species(given) and _same_numbers(given, cell):
        atoms = "equal but for rounding"
    else:
        atoms = f"also {len(cell):,} atom{'s' * (len(cell) != 1)}"
    return Description(f"{kind} ({atoms})", cell)


def _same_numbers(a: Structure, b: Structure) -> bool:
    return np.allclose(a.lattice.matrix, b.lattice.matrix, atol=1e-6) and np.allclose(
        a.frac_coords, b.frac_coords, atol=1e-6
    )


def _species(structure: Structure) -> list[Element]:
    return [Element.from_Z(site.specie.Z) for site in structure]
