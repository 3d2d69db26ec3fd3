"""What a CIF states about its content, the formula and how many of them its cell holds, against its atoms."""

import re
from collections import Counter

from pymatgen.core import Element

from cgcnn.data.checks import SYMBOLS, Draft, atomic_number, shown
from cgcnn.data.cif_blocks import Block
from cgcnn.errors import CrystalError

ROUNDED = 0.1  # atoms; formulas may carry rounded digits (O1.333)

_PART = re.compile(r"([A-Z][a-z]?)(\d+\.?\d*|\.\d+)?")


def as_stated(block: Block, drafts: list[Draft]) -> Draft:
    """The first draft that agrees with the file's formula; without a readable formula, the first draft.

    Hydrogen does not count, since many files state it and list none of it.
    """
    written = " ".join(block.get("_chemical_formula_sum", [])[:40])
    formula = _formula(written)
    if not formula:
        return drafts[0]
    units = _units(" ".join(block.get("_cell_formula_units_z", [])[:1]))
    found = [_heavy(draft) for draft in drafts]
    for draft, atoms in zip(drafts, found, strict=True):
        if _agrees(formula, units, atoms):
            return draft
    stated = f"{shown(written)}, of which the cell holds {units}" if units else shown(written)
    given = " ".join(f"{Element.from_Z(z).symbol}{n}" for z, n in sorted(found[0].items()))[:80]
    raise CrystalError(
        f"it states the formula {stated}, but its symmetry and atoms give {given or 'only hydrogen'} in the cell; "
        "correct the symmetry, the list of atoms or the formula"
    )


def _formula(text: str) -> dict[int, float]:
    """Atoms of each element but hydrogen in 'C2 H6 O' or 'NaCl', by atomic number; empty where it is unclear."""
    words = text.split() if " " in text or not re.search("[a-z]", text) else [m[0] for m in _PART.finditer(text)]
    parts = [_PART.fullmatch(word) for word in words]
    if "".join(words) != "".join(text.split()) or not all(part and part[1] in SYMBOLS for part in parts):
        return {}
    formula: dict[int, float] = {}
    for part in filter(None, parts):
        z = atomic_number(part[1], "the formula")
        formula[z] = formula.get(z, 0) + float(part[2] or 1)
    return {z: n for z, n in formula.items() if z > 1 and n > 0}


def _units(text: str) -> int:
    return int(text) if re.fullmatch(r"\d{1,4}", text, re.ASCII) else 0


def _heavy(draft: Draft) -> dict[int, int]:
    counts = Counter(draft.species)
    where = dict(zip(draft.species, draft.labels, strict=True))
    atoms: Counter[int] = Counter()
    for species, count in counts.items():
        atoms[atomic_number(species, where[species])] += count
    return {z: n for z, n in atoms.items() if z > 1}


def _agrees(formula: dict[int, float], units: int, atoms: dict[int, int]) -> bool:
    """Whether the atoms are `units` formulas (any whole number of them for 0).

    pymatgen and the Materials Project write the whole cell as the formula, and the units in it besides.
    """
    if formula.keys() != atoms.keys():
        return False
    z = min(formula)
    times = [units or max(1, round(atoms[z] / formula[z]))]
    if units and all(n % units == 0 for n in formula.values()):
        times.append(1)
    return any(all(abs(formula[z] * n - atoms[z]) <= ROUNDED for z in formula) for n in times)
