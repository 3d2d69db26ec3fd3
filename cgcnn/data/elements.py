"""The 92 bits that CGCNN reads of an element, made from nine physical values of each of 100 elements.

The encoding is that of Xie and Grossman, Phys. Rev. Lett. 120, 145301 (2018), as their code has it. The
values in elements.csv are those of the mendeleev package 0.3.6, which that encoding was made from: Pauling's
electronegativities, Pyykkö and Atsumi's single-bond radii (Chem. Eur. J. 15, 186, 2009), and so on.
"""

import csv
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cgcnn.errors import CrystalError

N_ELEMENTS = 100  # hydrogen to fermium
SOURCE = "mendeleev 0.3.6"  # of the values


@dataclass(frozen=True)
class Band:
    """One property's share of the vector: its first column, and how its values fall into bins.

    A property of kinds (group, block) has one bin for each of its `labels`; a continuous one has `n_bins`
    equal bins from `low` to `high`, of the logarithm of the value where `log` is set.
    """

    name: str
    unit: str
    header: str  # of the column in elements.csv
    first: int
    n_bins: int
    low: float = 0.0
    high: float = 0.0
    log: bool = False
    labels: tuple[str, ...] = ()

    @property
    def edges(self) -> tuple[float, ...]:
        """The n_bins + 1 edges between the bins, in the property's own unit; none for a property of kinds."""
        if self.labels:
            return ()
        steps = [self.low + (self.high - self.low) * i / self.n_bins for i in range(self.n_bins + 1)]
        return tuple(math.exp(step) for step in steps) if self.log else tuple(steps)

    @property
    def noun(self) -> str:
        """The property as "its ..." continues: `covalent radius`, `number of valence electrons`."""
        return ("number of " if self.name.endswith("electrons") else "") + self.name.lower()

    def bin(self, text: str) -> int | None:
        """The bin of a value as elements.csv writes it; None if it is missing or outside the bins."""
        if self.labels:
            return self.labels.index(text)
        if not text:
            return None
        x = math.log(float(text)) if self.log else float(text)
        # The published order of operations, in doubles: it puts 1.90 (Si, Cu) below the edge 1.9.
        place = (x - self.low) / (self.high - self.low) * self.n_bins
        return int(place) if 0 <= place < self.n_bins else None

    def range_text(self, bin: int) -> str:
        """What a bin stands for: `group 4`, or `115 to 137.5 pm`."""
        if self.labels:
            return f"{self.name.lower()} {self.labels[bin]}"
        low, high = (f"{edge:.4g}" for edge in self.edges[bin : bin + 2])
        return f"{low} to {high} {self.unit}".rstrip()


def _numbers(first: int, last: int) -> tuple[str, ...]:
    return tuple(str(number) for number in range(first, last + 1))


GROUPS = ("none", *_numbers(1, 18))  # none: lanthanides and actinides, La and Ac among them
BANDS: tuple[Band, ...] = (
    Band("Group", "", "group", 0, 19, labels=GROUPS),
    Band("Period", "", "period", 19, 7, labels=_numbers(1, 7)),
    Band("Electronegativity", "", "electronegativity_pauling", 26, 10, 0.5, 4.0),
    Band("Covalent radius", "pm", "covalent_radius_pm", 36, 10, 25.0, 250.0),
    Band("Valence electrons", "", "valence_electrons", 46, 12, labels=_numbers(1, 12)),
    Band("First ionization energy", "eV", "first_ionization_energy_ev", 58, 10, 1.3, 3.3, log=True),
    Band("Electron affinity", "eV", "electron_affinity_ev", 68, 10, -3.0, 3.7),
    Band("Block", "", "block", 78, 4, labels=("s", "p", "d", "f")),
    Band("Atomic volume", "cm³/mol", "atomic_volume_cm3_per_mol", 82, 10, 1.5, 4.3, log=True),
)
N_COLUMNS = BANDS[-1].first + BANDS[-1].n_bins  # 92


@dataclass(frozen=True)
class BitMeaning:
    """What one property says of one element: its value, and the column that it sets (None: no bit is set)."""

    band: Band
    value: str
    column: int | None

    @property
    def value_text(self) -> str:
        """The physical value with its unit: `102 pm`; `no value` where none is known."""
        return f"{self.value} {self.band.unit}".rstrip() if self.value else "no value"

    @property
    def short_text(self) -> str:
        """The same to four digits where it is a measured number: `5.139 eV`."""
        value = f"{float(self.value):.4g}" if self.value and self.band.edges else self.value
        return f"{value} {self.band.unit}".rstrip() if value else "no value"

    @property
    def range_text(self) -> str:
        """The bin of the value in words; why there is none where no bit is set."""
        if self.column is None:
            return "outside all bins" if self.value else "unknown: all zeros"
        return self.band.range_text(self.column - self.band.first)

    @property
    def is_rounded_down(self) -> bool:
        """Whether the value stands on the upper edge of its bin, where rounding alone put it below that edge."""
        if self.column is None or not self.band.edges:
            return False
        return math.isclose(float(self.value), self.band.edges[self.column - self.band.first + 1], rel_tol=1e-12)

    def reason(self, column: int) -> str:
        """Why the bit `column` of this property is 0 or 1: the end of a sentence about the element."""
        noun, zeros = self.band.noun, f"so all {self.band.n_bins} bits of this property are 0"
        if not self.value:
            return f"its {noun} is missing in the source, {zeros}"
        if self.column is None:
            low, high = self.band.edges[0], self.band.edges[-1]
            bins = f"outside all bins ({low:.4g} to {high:.4g} {self.band.unit})"
            return f"its {noun} is {self.value_text} in the source ({SOURCE}), far {bins}, {zeros}"
        own = column == self.column
        if self.band.labels:
            return f"its {noun} is {self.value_text}" + f" (bit {self.column})" * (not own)
        place = self.range_text if own else f"another bin (bit {self.column})"
        edge = "; the value stands on the edge of two bins, and rounding puts it into the lower one"
        return f"its {noun}, {self.value_text}, lies in {place}" + edge * self.is_rounded_down


def _read_values() -> list[dict[str, str]]:
    with (Path(__file__).parent / "elements.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _encoded(values: list[dict[str, str]]) -> np.ndarray:
    table = np.zeros((len(values), N_COLUMNS), dtype=np.uint8)
    for row, element in zip(table, values, strict=True):
        for band in BANDS:
            bin = band.bin(element[band.header])
            if bin is not None:
                row[band.first + bin] = 1
    table.setflags(write=False)  # shared by every model
    return table


_VALUES = _read_values()
SYMBOLS: tuple[str, ...] = tuple(element["symbol"] for element in _VALUES)  # SYMBOLS[z - 1]
ATOM_VECTORS = _encoded(_VALUES)  # (100 elements, 92 columns) of 0 and 1; row z - 1
COLUMN_WORDS: tuple[str, ...] = tuple(
    band.range_text(bin) if band.labels else f"{band.name.lower()} {band.range_text(bin)}"
    for band in BANDS
    for bin in range(band.n_bins)
)


def atom_vector(z: int) -> np.ndarray:
    """The 92 bits of the element with atomic number z (1 to 100)."""
    return ATOM_VECTORS[_index(z)]


def describe_bits(z: int) -> list[BitMeaning]:
    """What each of the nine properties says of element z, in the order of the vector; absent values too."""
    element = _VALUES[_index(z)]
    meanings = []
    for band in BANDS:
        bin = band.bin(element[band.header])
        column = None if bin is None else band.first + bin
        meanings.append(BitMeaning(band, element[band.header], column))
    return meanings


def band_of(column: int) -> Band:
    """The property that a column (0 to 91) belongs to."""
    return next(band for band in reversed(BANDS) if band.first <= column)


def bit_in_words(z: int, column: int) -> str:
    """One sentence about one bit of element z: whether it is 1, what it stands for, and why."""
    band = band_of(column)
    meaning = next(bit for bit in describe_bits(z) if bit.band == band)
    answer = "is 1" if meaning.column == column else f"({band.range_text(column - band.first)}) is 0"
    return f"Bit {column} {answer} for {SYMBOLS[z - 1]}: {meaning.reason(column)}."


def same_vector(z: int) -> list[str]:
    """Symbols of the other elements that CGCNN cannot tell from element z, such as Ce for La."""
    index = _index(z)
    twins = (ATOM_VECTORS[index] == ATOM_VECTORS).all(axis=1).nonzero()[0]
    return [SYMBOLS[twin] for twin in twins if twin != index]


def _index(z: int) -> int:
    if not 1 <= z <= N_ELEMENTS:
        raise CrystalError(
            f"Atomic number {z} is not among the {N_ELEMENTS} elements (H to Fm) that the encoding knows; "
            "replace that element."
        )
    return z - 1
