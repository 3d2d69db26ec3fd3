import hashlib
import subprocess
import sys

import numpy as np
import pytest

from cgcnn.data.elements import (
    ATOM_VECTORS,
    BANDS,
    COLUMN_WORDS,
    SYMBOLS,
    atom_vector,
    describe_bits,
    same_vector,
)
from cgcnn.errors import CrystalError

PUBLISHED = "9ecb6fb85c41291d8eeb69c2138769957bb432172952af43f1c8ac7a5af2dbb4"


def test_the_table_equals_the_published_encoding_bit_for_bit() -> None:
    assert ATOM_VECTORS.shape == (100, 92)
    assert ATOM_VECTORS.dtype == np.uint8
    assert hashlib.sha256(ATOM_VECTORS.tobytes()).hexdigest() == PUBLISHED


def test_the_bands_lie_side_by_side_without_a_gap() -> None:
    ends = [band.first + band.n_bins for band in BANDS]
    assert [band.first for band in BANDS] == [0, *ends[:-1]]
    assert ends[-1] == len(COLUMN_WORDS) == 92


@pytest.mark.parametrize("z", range(1, 101))
def test_the_described_bits_are_the_set_bits(z: int) -> None:
    columns = [bit.column for bit in describe_bits(z) if bit.column is not None]
    assert columns == atom_vector(z).nonzero()[0].tolist()


@pytest.mark.parametrize("z", range(1, 101))
def test_every_value_lies_in_the_bin_it_sets(z: int) -> None:
    for bit in describe_bits(z):
        if bit.band.edges and bit.column is not None:
            bin = bit.column - bit.band.first
            low, high = bit.band.edges[bin : bin + 2]
            assert low - 1e-9 <= float(bit.value) <= high + 1e-9


def test_silicon_in_words() -> None:
    words = {bit.band.name: (bit.value_text, bit.range_text) for bit in describe_bits(14)}
    assert words["Group"] == ("14", "group 14")
    assert words["Electronegativity"] == ("1.9", "1.55 to 1.9")
    assert words["Covalent radius"] == ("116 pm", "115 to 137.5 pm")
    assert words["Block"] == ("p", "block p")


def test_helium_says_why_bits_are_absent() -> None:
    words = {bit.band.name: bit.range_text for bit in describe_bits(2)}
    assert words["Electronegativity"] == "unknown: all zeros"
    assert words["Electron affinity"] == "outside all bins"


def test_only_92_elements_can_be_told_apart() -> None:
    assert len(np.unique(ATOM_VECTORS, axis=0)) == 92
    assert same_vector(57) == ["Ce"]
    assert same_vector(11) == []


def test_columns_69_and_71_are_never_set() -> None:
    assert (ATOM_VECTORS.sum(axis=0) == 0).nonzero()[0].tolist() == [69, 71]


def test_symbols_stand_in_order() -> None:
    assert (SYMBOLS[0], SYMBOLS[10], SYMBOLS[99]) == ("H", "Na", "Fm")


@pytest.mark.parametrize("z", [0, 101, -1])
def test_an_unknown_element_is_named(z: int) -> None:
    with pytest.raises(CrystalError, match=f"Atomic number {z} is not among"):
        atom_vector(z)


def test_the_table_cannot_be_changed_by_accident() -> None:
    with pytest.raises(ValueError, match="read-only"):
        ATOM_VECTORS[0, 0] = 1


def test_data_imports_neither_torch_nor_streamlit_nor_pandas() -> None:
    code = "import sys, cgcnn.data.elements; print({'torch', 'streamlit', 'pandas'} & set(sys.modules))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "set()"
