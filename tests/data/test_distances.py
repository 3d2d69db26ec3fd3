import numpy as np
import pytest

from cgcnn.data.element_distances import (
    beside,
    differing_bits,
    gaps,
    indistinguishable,
    never_set,
    rounded_down,
    shared_bits,
)
from cgcnn.data.elements import SYMBOLS, atom_vector, band_of, bit_in_words, describe_bits


def number(symbol: str) -> int:
    return SYMBOLS.index(symbol) + 1


@pytest.mark.parametrize("pair", [("Na", "Cl"), ("Mg", "Ne"), ("La", "Ce"), ("Pm", "Fm")])
def test_differing_bits_are_those_set_in_one_only(pair: tuple[str, str]) -> None:
    a, b = (number(symbol) for symbol in pair)
    either = atom_vector(a).sum() + atom_vector(b).sum()
    assert differing_bits(a)[b - 1] == differing_bits(b)[a - 1] == either - 2 * shared_bits(a, b)


def test_sodium_and_chlorine_share_their_period_and_the_bin_of_their_volume() -> None:
    assert (differing_bits(11)[17 - 1], shared_bits(11, 17)) == (14, 2)


def test_an_element_differs_from_itself_in_nothing() -> None:
    assert all(differing_bits(z)[z - 1] == 0 for z in range(1, 101))


def test_the_groups_that_cannot_be_told_apart() -> None:
    groups = [("La", "Ce"), ("Sm", "Gd"), ("Ho", "Er"), ("Th", "Np"), ("Am", "Cm"), ("Bk", "Cf", "Es", "Fm")]
    assert indistinguishable() == groups
    assert all(differing_bits(number(g[0]))[number(s) - 1] == 0 for g in groups for s in g)


def test_two_columns_are_never_set() -> None:
    assert never_set() == [69, 71]


def test_three_properties_have_gaps() -> None:
    found = {gap.name: (len(gap.missing), gap.outside) for gap in gaps()}
    assert found == {"Electronegativity": (15, ()), "Electron affinity": (24, ("He", "Ar")), "Atomic volume": (9, ())}


def test_six_electronegativities_stand_on_an_edge_and_fall_below_it() -> None:
    assert rounded_down() == {"Electronegativity": ("Si", "Cu", "Gd", "Re", "Hg", "Bi")}


def test_there_is_always_an_element_beside() -> None:
    assert (beside(1), beside(99), beside(100)) == (2, 100, 99)


def test_every_column_belongs_to_the_band_that_holds_it() -> None:
    for column in range(92):
        assert 0 <= column - band_of(column).first < band_of(column).n_bins


@pytest.mark.parametrize(
    ("z", "column", "words"),
    [
        (11, 41, "Bit 41 is 1 for Na: its covalent radius, 155 pm, lies in 137.5 to 160 pm."),
        (11, 39, "Bit 39 (92.5 to 115 pm) is 0 for Na: its covalent radius, 155 pm, lies in another bin (bit 41)."),
        (17, 17, "Bit 17 is 1 for Cl: its group is 17."),
        (17, 16, "Bit 16 (group 16) is 0 for Cl: its group is 17 (bit 17)."),
        (57, 0, "Bit 0 is 1 for La: its group is none."),
        (11, 46, "Bit 46 is 1 for Na: its number of valence electrons is 1."),
    ],
)
def test_a_bit_says_in_one_sentence_whether_it_is_1_and_why(z: int, column: int, words: str) -> None:
    assert bit_in_words(z, column) == words


@pytest.mark.parametrize(
    ("z", "column", "words"),
    [
        (12, 70, "is 0 for Mg: its electron affinity is missing in the source, so all 10 bits of this property are 0."),
        (
            2,
            70,
            "its electron affinity is -19.7 eV in the source (mendeleev 0.3.6), far outside all bins (-3 to 3.7 eV)",
        ),
        (14, 29, "the value stands on the edge of two bins, and rounding puts it into the lower one."),
    ],
)
def test_a_value_that_is_missing_or_odd_is_explained(z: int, column: int, words: str) -> None:
    assert words in bit_in_words(z, column)


def test_a_bit_in_words_agrees_with_the_vector() -> None:
    for z in (1, 2, 12, 57, 61, 100):
        said = [int(" is 1 for " in bit_in_words(z, column)) for column in range(92)]
        assert np.array_equal(said, atom_vector(z))


def test_measured_values_are_shortened_and_kinds_are_not() -> None:
    assert [bit.short_text for bit in describe_bits(11)][:6] == ["1", "3", "0.93", "155 pm", "1", "5.139 eV"]
    assert describe_bits(2)[2].short_text == "no value"
