"""How far apart two elements are for CGCNN, and what its 92 bits cannot say."""

from dataclasses import dataclass

import numpy as np

from cgcnn.data.elements import ATOM_VECTORS, BANDS, N_ELEMENTS, SYMBOLS, atom_vector, describe_bits


@dataclass(frozen=True)
class Gaps:
    """What one property lacks: elements without a value, and elements whose value no bin holds."""

    name: str  # of the property
    missing: tuple[str, ...]
    outside: tuple[str, ...]


def differing_bits(z: int) -> np.ndarray:
    """The number of bits in which each of the 100 elements (shape 100, hydrogen first) differs from element z."""
    return (atom_vector(z) != ATOM_VECTORS).sum(axis=1)


def shared_bits(a: int, b: int) -> int:
    """The number of bits that are 1 in both elements."""
    return int((atom_vector(a) & atom_vector(b)).sum())


def indistinguishable() -> list[tuple[str, ...]]:
    """The groups of elements with one and the same vector, by atomic number: (La, Ce) and so on."""
    groups: dict[bytes, list[str]] = {}
    for symbol, vector in zip(SYMBOLS, ATOM_VECTORS, strict=True):
        groups.setdefault(vector.tobytes(), []).append(symbol)
    return [tuple(group) for group in groups.values() if len(group) > 1]


def never_set() -> list[int]:
    """The columns that are 0 for every element, and so say nothing."""
    return np.flatnonzero(ATOM_VECTORS.sum(axis=0) == 0).tolist()


def gaps() -> list[Gaps]:
    """The properties that are not known, or not in range, for some of the 100 elements."""
    bits = [describe_bits(z) for z in range(1, N_ELEMENTS + 1)]
    found = []
    for place, band in enumerate(BANDS):
        unset = [(SYMBOLS[i], of[place].value) for i, of in enumerate(bits) if of[place].column is None]
        missing = tuple(symbol for symbol, value in unset if not value)
        outside = tuple(symbol for symbol, value in unset if value)
        found += [Gaps(band.name, missing, outside)] if unset else []
    return found


def rounded_down() -> dict[str, tuple[str, ...]]:
    """Property -> the elements whose value stands on an edge and falls, by rounding, into the bin below it."""
    found: dict[str, tuple[str, ...]] = {}
    for z, symbol in enumerate(SYMBOLS, start=1):
        for bit in describe_bits(z):
            if bit.is_rounded_down:
                found[bit.band.name] = (*found.get(bit.band.name, ()), symbol)
    return found


def beside(z: int) -> int:
    """The element after z in the table, or before it for the last: something to compare z with."""
    return z + 1 if z < N_ELEMENTS else z - 1
