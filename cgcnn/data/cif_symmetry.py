"""Symmetry operations of a CIF, listed or by the name of the space group, and the atoms they make of its rows."""

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import numpy as np
import spglib
from scipy.spatial import cKDTree

from cgcnn.data.checks import MAX_ATOMS, atom_count, shown, wrapped
from cgcnn.data.cif_blocks import Block
from cgcnn.errors import CrystalError

MAX_IMAGES = 20_000  # rows of atoms times symmetry operations
MAX_OPERATIONS = 384  # 192 of the largest space groups, twice that with time reversal
SAME_PLACE = 0.03  # Å; images of one atom closer than this are one: special positions have rounded digits
SPLIT = 0.1  # Å; images closer than this, yet not in one place, are a split site or too few digits
MISFIT = 1e-2  # of the largest squared length; what an operation may change of the cell's metric
SAME_SHIFT = 0.02  # of a cell edge; translations that differ less are one, since 2/3 may be written 0.67
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

Setting = tuple[int, str]  # number in spglib's list, and its mark: "1", "2", "H", "R", "b1"...
Operations = tuple[np.ndarray, np.ndarray]  # rotations (n, 3, 3) and translations (n, 3)


@contextmanager
def quiet_spglib() -> Iterator[None]:
    """Silence spglib 2, which announces at every call that version 3 will report failures differently."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Set OLD_ERROR_HANDLING", DeprecationWarning)
        warnings.filterwarnings("ignore", "get_error_message", DeprecationWarning)
        yield


def operations(block: Block, n_rows: int, lattice: np.ndarray) -> list[Operations]:
    """The listed operations, or those that the symbol may mean: the usual origin choice first, then the other.

    All of them fit the lattice (3, 3) in Å, are closed as a group, and are counted before anything is unfolded.
    """
    listed = next((block[name] for name in OPERATIONS if block.get(name)), None)
    if listed is None:
        choices = _of_space_group(block, lattice)
        _countable(n_rows, len(choices[0][0]))
        return choices
    centering = block.get(CENTERINGS) or ["x,y,z"]
    _countable(n_rows, len(listed) * len(centering))
    inner = [_operation(text) for text in listed]
    outer = [_operation(text) for text in centering]
    pairs = [(r, t + shift) for _, shift in outer for r, t in inner]
    rotation, translation = np.array([r for r, _ in pairs]), np.array([t for _, t in pairs])
    fits = _fits(rotation, lattice)
    if not fits.all():
        wrong = shown(listed[int(fits.argmin()) % len(listed)])
        raise CrystalError(
            f"its symmetry operation {wrong} does not fit {_written(lattice)}; correct the operations or the cell"
        )
    _check_closed(rotation, translation)
    return [(rotation, translation)]


def _fits(rotation: np.ndarray, lattice: np.ndarray) -> np.ndarray:
    """Which operations keep every length and angle: R^T G R = G for the metric tensor G of the lattice."""
    metric = lattice @ lattice.T
    change = np.swapaxes(rotation, 1, 2) @ metric @ rotation - metric
    return np.abs(change).max(axis=(1, 2)) <= MISFIT * np.abs(metric).max()


def _written(lattice: np.ndarray) -> str:
    lengths = np.linalg.norm(lattice, axis=1)
    cosines = [lattice[i - 2] @ lattice[i - 1] / (lengths[i - 2] * lengths[i - 1]) for i in range(3)]
    angles = np.degrees(np.arccos(cosines))
    return (
        f"its cell (a, b, c = {', '.join(f'{x:.4g}' for x in lengths)} Å; "
        f"alpha, beta, gamma = {', '.join(f'{x:.4g}' for x in angles)}°)"
    )


def _check_closed(rotation: np.ndarray, translation: np.ndarray) -> None:
    """Refuse operations of which two in a row are none of the list: an operation is missing or wrong."""
    kinds, kind = np.unique(np.rint(12 * rotation).reshape(-1, 9), axis=0, return_inverse=True)
    tree = cKDTree(np.column_stack([wrapped(translation), kind.ravel()]), boxsize=[1, 1, 1, 0])
    product = np.rint(12 * np.einsum("pij,qjk->pqik", rotation, rotation)).reshape(-1, 9)
    distance, same = cKDTree(kinds).query(product, distance_upper_bound=0.5)
    closed = bool(np.isfinite(distance).all())
    if closed:
        shift = np.einsum("pij,qj->pqi", rotation, translation) + translation[:, None]
        points = np.column_stack([wrapped(shift.reshape(-1, 3)), same])
        closed = bool(np.isfinite(tree.query(points, p=np.inf, distance_upper_bound=SAME_SHIFT)[0]).all())
    if not closed:
        raise CrystalError(
            f"its list of symmetry operations ({len(rotation)}) is no complete group: two in a row give one that is "
            "not listed; list all of them, or only the space group"
        )


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


def _of_space_group(block: Block, lattice: np.ndarray) -> list[Operations]:
    """Operations of the space group that the file only names; without any name the list could be incomplete."""
    named = [" ".join(block[name][:8]) for name in NAMES if block.get(name)]  # 'F m -3 m', or so without quotes
    numbers = [block[name][0] for name in NUMBERS if block.get(name)]
    for name in (*named, *(f"no. {n}" for n in numbers)):
        if halls := _halls().get(_plain(name)):
            return _fitting(name, halls, lattice)
    if given := [name for name in (*named, *numbers) if name not in (".", "?")]:
        raise CrystalError(
            f"its space group {shown(given[0])} is unknown; write it as 'F m -3 m', or list the operations"
        )
    raise CrystalError(
        "it gives no symmetry; add _space_group_name_H-M_alt, which is 'P 1' if the list of atoms is complete"
    )


def _fitting(name: str, halls: list[Setting], lattice: np.ndarray) -> list[Operations]:
    """The first setting and its other origin if they fit the cell, else the only one that does (R, unique axis)."""
    made = [_made(hall) for hall, _ in halls]
    fits = [bool(_fits(rotation, lattice).all()) for rotation, _ in made]
    if fits[0]:
        first = halls[0][1]
        other = {"1": "2", "2": "1"}.get(first[:1], "?") + first[1:]
        return [made[0], *(ops for ops, (_, choice) in zip(made, halls, strict=True) if choice == other)]
    if sum(fits) == 1:
        return [made[fits.index(True)]]
    raise CrystalError(
        f"its space group {shown(name)} does not fit {_written(lattice)}; correct the symbol or the cell, or list "
        "the operations"
    )


@cache
def _made(hall: int) -> Operations:
    with quiet_spglib():
        found = spglib.get_symmetry_from_database(hall)
    assert found, "every number in the list of settings has its operations"
    return found["rotations"].astype(float), found["translations"]


def _plain(symbol: str) -> str:
    return re.sub(r"[\s_'\"]", "", symbol[:60]).lower()


@cache
def _halls() -> dict[str, list[Setting]]:
    """Every way to write a space group -> its settings in spglib's list of 530, the usual one first.

    A symbol without a setting means the first one listed (origin choice 1, hexagonal axes), as pymatgen
    takes it, unless the cell or the formula asks for another. S and Z are older marks for origin choices 1 and 2.
    """
    found: dict[str, list[tuple[int, Setting]]] = {}
    with quiet_spglib():
        kinds = [(hall, kind) for hall in range(1, 531) if (kind := spglib.get_spacegroup_type(hall))]
    for hall, kind in kinds:
        short = {kind.international_short, kind.international_full, *kind.international.split("=")}
        forms = [*map(_plain, short), f"no.{kind.number}"]
        marks = (f":{kind.choice.lower()}", *{"1": "s", "2": "z", "H": "h", "R": "r"}.get(kind.choice, ""))
        for written in {*forms, *(form + mark for form in forms for mark in marks), _plain(kind.hall_symbol)}:
            found.setdefault(written, []).append((kind.number, (hall, kind.choice)))
    halls = {form: [one for number, one in group if number == group[0][0]] for form, group in found.items()}
    return {old: halls[new] for old, new in OLD_SYMBOLS.items()} | halls


def unfold(
    symmetry: Operations, coords: np.ndarray, lattice: np.ndarray, labels: list[str]
) -> tuple[np.ndarray, np.ndarray]:
    """The row and the coordinates of every atom in the cell: each row's images, those in one place as their mean."""
    rotation, translation = symmetry
    images = wrapped(np.einsum("oij,rj->roi", rotation, coords) + translation)
    kept = np.zeros(images.shape[:2], dtype=bool)
    for row, positions in enumerate(images):
        apart = positions[None] - positions[:, None]
        apart -= np.round(apart)
        distance = np.linalg.norm(apart @ lattice, axis=-1)
        close = distance < SAME_PLACE
        if (split := distance[~close & (distance < SPLIT)]).size:
            raise CrystalError(
                f"two symmetry images of atom {shown(labels[row])} are only {split.min():.3f} Å apart, so its place is "
                "rounded too far or split; write its coordinates with more digits, or bring an ordered cell"
            )
        kept[row] = ~np.tril(close, -1).any(axis=1)
        images[row] += (apart * close[..., None]).sum(axis=1) / close.sum(axis=1)[:, None]
    atom_count(int(kept.sum()))
    return np.nonzero(kept)[0], wrapped(images[kept])
