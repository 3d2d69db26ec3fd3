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
from cgcnn.data.cif_symmetry import operations, unfold
from cgcnn.errors import CrystalError


def read_cif(text: str) -> Draft:
    """The first data block that lists atoms, its symmetry unfolded to all atoms of the cell, in the file's order."""
    block = _block_with_atoms(text)
    labels = block.get("_atom_site_label") or block.get("_atom_site_type_symbol")
    if not labels:
        raise CrystalError("its atoms have neither _atom_site_label nor _atom_site_type_symbol; add the elements")
    atom_count(len(labels), "the list of atoms")
    symbols = block.get("_atom_site_type_symbol") or [_from_label(label) for label in labels]
    if len(symbols) != len(labels):
        raise CrystalError(f"it names {len(labels)} atoms but {len(symbols)} elements; correct the list of atoms")
    _whole_atoms(block, symbols, labels)
    coords = np.array([[_coordinate(block, x, i, labels) for x in "xyz"] for i in range(len(labels))])
    lattice = cell_from_parameters(
        [_cell(block, f"_cell_length_{name}") for name in "abc"],
        [_cell(block, f"_cell_angle_{name}") for name in ("alpha", "beta", "gamma")],
    )
    check_lattice(lattice)
    row, coords = unfold(*operations(block, len(labels)), coords, lattice)
    return Draft(lattice, [symbols[i] for i in row], coords, [labels[i] for i in row])


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
    """The element in a label such as Fe1, OW2 or CL3: its letters, or the first of them where that is one."""
    letters = re.sub(r"[^A-Za-z].*", "", label[:9]).capitalize()
    return next((letters[:n] for n in (2, 1) if letters[:n] in SYMBOLS), label)
