"""Symmetry operations of a CIF, listed or by the name of the space group, and the atoms they make of its rows."""

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import numpy as np
import spglib

from cgcnn.data.checks import MAX_ATOMS, atom_count, shown, wrapped
from cgcnn.data.cif_blocks import Block
from cgcnn.errors import CrystalError

MAX_IMAGES = 20_000  # rows of atoms times symmetry operations
MAX_OPERATIONS = 384  # 192 of the largest space groups, twice that with time reversal
SAME_PLACE = 0.1  # Å; images of one atom closer than this are one: special positions have rounded digits
OPERATIONS = ("_symmetry_equiv_pos_as_xyz", "_space_group_symop_operation_xyz", "_space_group_symop_magn_operation_xyz")
CENTERINGS = "_space_group_symop_magn_centering_xyz"
NAMES = (
    "_space_group_name_hall",
    "_symmetry_space_group_name_hall",
    "_space_group_name_h-m_alt",
    "_symmetry_space_group_name_h-m",
    "_space_group_name_h-m_full",
    "_symmetry_space_group_name_h-m_alt",
    "_space_group_name_h-m",
)
NUMBERS = ("_space_group_it_number", "_symmetry_int_tables_number")
OLD_SYMBOLS = {"abm2": "aem2", "aba2": "aea2", "cmca": "cmce", "cmma": "cmme", "ccca": "ccce"}  # before 1992


@contextmanager
def quiet_spglib() -> Iterator[None]:
    """Silence spglib 2, which announces at every call that version 3 will report failures differently."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Set OLD_ERROR_HANDLING", DeprecationWarning)
        warnings.filterwarnings("ignore", "get_error_message", DeprecationWarning)
        yield


def operations(block: Block, n_rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Rotations (n, 3, 3) and translations (n, 3), as listed or else from the symbol; counted before unfolding."""
    listed = next((block[name] for name in OPERATIONS if block.get(name)), None)
    centering = block.get(CENTERINGS) or ["x,y,z"]
    if listed is None:
        rotation, translation = _of_space_group(block)
        _countable(n_rows, len(rotation))
        return rotation, translation
    _countable(n_rows, len(listed) * len(centering))
    inner = [_operation(text) for text in listed]
    outer = [_operation(text) for text in centering]
    pairs = [(r, t + shift) for _, shift in outer for r, t in inner]
    return np.array([r for r, _ in pairs]), np.array([t for _, t in pairs])


def _countable(n_rows: int, n_operations: int) -> None:
    if n_operations > MAX_OPERATIONS:
        raise CrystalError(
            f"it lists {n_operations:,} symmetry operations, and no space group has more than 192; correct it"
        )
    if n_rows * n_operations > MAX_IMAGES:
        raise CrystalError(
            f"its {n_rows:,} rows of atoms times {n_operations} symmetry operations give {n_rows * n_operations:,} "
            f"positions, more than the {MAX_IMAGES:,} allowed (and {MAX_ATOMS:,} atoms); bring a smaller cell"
        )


_TERM = re.compile(r"([+-]?)(\d+\.?\d*|\.\d+)?(?:/(\d+))?\*?([xyz]?)", re.ASCII)


def _operation(text: str) -> tuple[np.ndarray, np.ndarray]:
    """`-x+1/2, y, z` as a rotation and a translation; magnetic ones carry a fourth part, which is dropped."""
    rotation, translation = np.zeros((3, 3)), np.zeros(3)
    parts = re.sub(r"\s", "", text[:99]).lower().split(",")
    for i, part in enumerate(parts[:3]):
        terms = [m for m in _TERM.finditer(part) if m[0]]
        for sign, digits, divisor, axis in (m.groups() for m in terms):
            size = float(digits or 1) / max(float(divisor or 1), 1e-9) * (-1 if sign == "-" else 1)
            if axis:
                rotation[i, "xyz".index(axis)] += size
            else:
                translation[i] += size
        if not part or "".join(m[0] for m in terms) != part:
            rotation[:] = 0
    sound = np.isclose(abs(np.linalg.det(rotation)), 1) and abs(rotation).max() <= 1 and abs(translation).max() < 10
    if len(parts) not in (3, 4) or not sound:
        raise CrystalError(f"{shown(text)} is no symmetry operation; write one such as '-x, y+1/2, z'")
    return rotation, translation


def _of_space_group(block: Block) -> tuple[np.ndarray, np.ndarray]:
    """Operations of the space group that the file only names; without any name the list could be incomplete."""
    named = [" ".join(block[name][:8]) for name in NAMES if block.get(name)]  # 'F m -3 m', or so without quotes
    numbers = [block[name][0] for name in NUMBERS if block.get(name)]
    hexagonal = block.get("_cell_angle_gamma", ["120"])[0].startswith("120")  # axes; else R groups have their own
    for name in (*named, *(f"no. {n}" for n in numbers)):
        key = _plain(name)
        hall = _halls().get(key if hexagonal else f"{key}:r") or _halls().get(key)
        with quiet_spglib():
            found = spglib.get_symmetry_from_database(hall) if hall else None
        if found:
            return found["rotations"].astype(float), found["translations"]
    if given := [name for name in (*named, *numbers) if name not in (".", "?")]:
        raise CrystalError(
            f"its space group {shown(given[0])} is unknown; write it as 'F m -3 m', or list the operations"
        )
    raise CrystalError(
        "it gives no symmetry; add _space_group_name_H-M_alt, which is 'P 1' if the list of atoms is complete"
    )


def _plain(symbol: str) -> str:
    return re.sub(r"[\s_'\"]", "", symbol[:60]).lower()


@cache
def _halls() -> dict[str, int]:
    """Every way to write a space group -> its Hall number in spglib's list of 530 settings.

    A symbol without a setting means the first one listed (origin choice 1, hexagonal axes), as pymatgen
    takes it. S and Z are older marks for origin choices 1 and 2.
    """
    halls: dict[str, int] = {}
    with quiet_spglib():
        kinds = [(hall, kind) for hall in range(1, 531) if (kind := spglib.get_spacegroup_type(hall))]
    for hall, kind in kinds:
        forms = {kind.international_short, kind.international_full, *kind.international.split("=")}
        for form in (*map(_plain, forms), f"no.{kind.number}"):
            for mark in {"1": ("s",), "2": ("z",), "H": ("h",)}.get(kind.choice, ()):
                halls[form + mark] = hall
            halls.setdefault(f"{form}:{kind.choice.lower()}", hall)
            halls.setdefault(form, hall)
        halls.setdefault(_plain(kind.hall_symbol), hall)
    return {old: halls[new] for old, new in OLD_SYMBOLS.items()} | halls


def unfold(
    rotation: np.ndarray, translation: np.ndarray, coords: np.ndarray, lattice: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The row and the coordinates of every atom in the cell: each row's images, those in one place once."""
    images = wrapped(np.einsum("oij,rj->roi", rotation, coords) + translation)
    kept = np.zeros(images.shape[:2], dtype=bool)
    for row, positions in enumerate(images):
        apart = positions[:, None] - positions[None]
        close = np.linalg.norm((apart - np.round(apart)) @ lattice, axis=-1) < SAME_PLACE
        kept[row] = ~np.tril(close, -1).any(axis=1)
    atom_count(int(kept.sum()))
    return np.nonzero(kept)[0], images[kept]
