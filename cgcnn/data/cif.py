"""Crystallographic information files (CIF 1.1, magCIF): from text to a draft of the crystal.

Our own reader, since it must name the row that is wrong, and stay fast on hostile files: pymatgen takes
26 s to unfold 100 atoms by the 192 operations of Fm-3m, this one well under a second (measured).
"""

import re

import numpy as np

from cgcnn.data.checks import (
    SYMBOLS,
    Draft,
    atom_count,
    cell_from_parameters,
    check_lattice,
    full_occupancy,
    number,
    shown,
)
from cgcnn.data.cif_blocks import Block, blocks
from cgcnn.data.cif_formula import as_stated
from cgcnn.data.cif_symmetry import operations, unfold
from cgcnn.errors import CrystalError


def read_cif(text: str) -> Draft:
    """The first data block that lists atoms, its symmetry unfolded to all atoms of the cell, in the file's order."""
    block = _without_dummies(_block_with_atoms(text))
    labels = block.get("_atom_site_label", block.get("_atom_site_type_symbol"))
    if labels is None:
        raise CrystalError("its atoms have neither _atom_site_label nor _atom_site_type_symbol; add the elements")
    atom_count(len(labels), "the list of atoms")
    symbols = block.get("_atom_site_type_symbol") or [_from_label(label) for label in labels]
    if len(symbols) != len(labels):
        raise CrystalError(f"it names {len(labels)} atoms but {len(symbols)} elements; correct the list of atoms")
    _whole_atoms(block, symbols, labels)
    _one_arrangement(block)
    coords = np.array([[_coordinate(block, x, i, labels) for x in "xyz"] for i in range(len(labels))])
    lattice = cell_from_parameters(
        [_cell(block, f"_cell_length_{name}") for name in "abc"],
        [_cell(block, f"_cell_angle_{name}") for name in ("alpha", "beta", "gamma")],
    )
    check_lattice(lattice)
    drafts = []
    for symmetry in operations(block, len(labels), lattice):
        row, images = unfold(symmetry, coords, lattice, labels)
        drafts.append(Draft(lattice, [symbols[i] for i in row], images, [labels[i] for i in row]))
    return as_stated(block, drafts)


def _without_dummies(block: Block) -> Block:
    """The block without the rows that stand for no atom (calc_flag dum), such as the center of a ring."""
    flags = block.get("_atom_site_calc_flag", [])
    if "dum" not in flags:
        return block
    return {
        name: [value for value, flag in zip(column, flags, strict=True) if flag != "dum"]
        if name.startswith("_atom_site_") and len(column) == len(flags)
        else column
        for name, column in block.items()
    }


def _one_arrangement(block: Block) -> None:
    groups = sorted(set(block.get("_atom_site_disorder_group", [])) - {".", "?"})
    if len(groups) > 1:
        raise CrystalError(
            f"its atoms are disordered over {len(groups)} groups (_atom_site_disorder_group {shown(groups[0])} and "
            f"{shown(groups[1])}), of which only one is there at a time; bring an ordered cell"
        )


def _block_with_atoms(text: str) -> Block:
    n_blocks = 0
    for block in blocks(text):
        n_blocks += 1
        if block.get("_atom_site_fract_x"):
            return block
    if not n_blocks:
        raise CrystalError("it holds no line that starts with data_, so it is no CIF; bring the CIF itself")
    raise CrystalError(
        f"none of its {n_blocks} data blocks lists atoms (_atom_site_fract_x); bring a file with the coordinates"
        if n_blocks > 1
        else "it lists no atoms (_atom_site_fract_x is missing); bring a file with the coordinates"
    )


def _whole_atoms(block: Block, symbols: list[str], labels: list[str]) -> None:
    """Refuse partial occupancy, mixed species and hydrogens without coordinates."""
    for i, label in enumerate(labels):
        if re.search(r"\d*\.\d+\s*[A-Z]", symbols[i][:80]) or " + " in symbols[i]:
            raise CrystalError(f"site {shown(label)} mixes species ({shown(symbols[i])}); bring an ordered cell")
        occupancy = _at(block, "_atom_site_occupancy", i)
        if occupancy not in (".", "?"):
            full_occupancy(
                _value(occupancy, f"the occupancy of {shown(label)}"), symbols[i][:40], f"site {shown(label)}"
            )
        hydrogens = _at(block, "_atom_site_attached_hydrogens", i)
        if hydrogens.strip("0.?"):
            raise CrystalError(
                f"atom {shown(label)} has {shown(hydrogens)} hydrogen atoms without coordinates; list them as atoms"
            )


def _at(block: Block, name: str, row: int) -> str:
    column = block.get(name, [])
    return column[row] if row < len(column) else "."


def _value(text: str, what: str) -> float:
    """A number without its standard uncertainty: 5.6402(3) is 5.6402."""
    return number(re.sub(r"\(\d*\)?$", "", text[:99]), what)


def _cell(block: Block, name: str) -> float:
    if not block.get(name):
        raise CrystalError(f"it gives no cell: {name} is missing; add the cell lengths and angles")
    return _value(block[name][0], f"the {name[1:].replace('_', ' ')}")


def _coordinate(block: Block, axis: str, row: int, labels: list[str]) -> float:
    """One coordinate; where k/6 lies within the last written digit (0.3333), k/6 is what it means."""
    text = re.sub(r"\(\d*\)?$", "", _at(block, f"_atom_site_fract_{axis}", row)[:99])
    value = number(text, f"coordinate {axis} of atom {shown(labels[row])} (row {row + 1})")
    digits = len(text.partition(".")[2])
    sixth = round(value * 6) / 6
    return sixth if digits >= 3 and text[-1].isdigit() and abs(value - sixth) <= 0.5 * 10.0**-digits else value


def _from_label(label: str) -> str:
    """The element in a label such as Fe1, O1A, Fe2+ or CL3: the letters that it begins with, and no others."""
    letters = re.sub(r"[^A-Za-z].*", "", label[:99], flags=re.DOTALL)
    symbol = letters.capitalize() if len(letters) == 2 and letters.isupper() else letters
    if symbol not in SYMBOLS or re.search(r"[/,&|]|\d\.\d+[A-Z]", label[:99]):
        raise CrystalError(
            f"the label {shown(label)} does not name one element from H to Fm; add a column _atom_site_type_symbol"
        )
    return symbol
