"""The atoms' half of the Encoding page: bits, two elements, the table of distances, what cannot be told apart."""

from typing import Any

import streamlit as st
from pymatgen.core import Structure

from cgcnn.data.csv_text import csv_of
from cgcnn.data.element_distances import differing_bits, gaps, indistinguishable, never_set, rounded_down
from cgcnn.data.element_distances import shared_bits as count_shared
from cgcnn.data.elements import (
    COLUMN_WORDS,
    SYMBOLS,
    atom_vector,
    bit_in_words,
    describe_bits,
    same_vector,
)
from cgcnn.figures.encoding import Place, bits_height, compared_bits, element_bits, picked_bit
from cgcnn.figures.periodic_table import clickable_table, picked_element
from cgcnn.ui.encoding_choice import chosen_bit, clickable, species
from cgcnn.ui.link import set_link
from cgcnn.ui.prose import prose
from cgcnn.ui.theme import is_dark

PER_ROW = 3  # pictures beside each other


def bit_pictures(structure: Structure, element: int) -> None:
    """The bits of each species of the crystal, and of the chosen element where it is another one."""
    shown = list(dict.fromkeys([*species(structure), element]))
    for start in range(0, len(shown), PER_ROW):
        row = shown[start : start + PER_ROW]
        for column, z in zip(st.columns(min(len(shown), PER_ROW), gap="medium"), row, strict=False):
            with column:
                option = element_bits(z, chosen=chosen_bit(z) if z == element else None, dark=is_dark())
                _bit_chart(option, f"bits_{SYMBOLS[z - 1]}", 1, _bits_alt(z), {"element": SYMBOLS[z - 1]})


def bit_text(element: int, column: int) -> None:
    """What the chosen bit says of the chosen element."""
    st.info(bit_in_words(element, column), icon=":material/barcode:")


def value_table(element: int) -> None:
    """The nine values of an element in words, with the bit that each sets."""
    symbol = SYMBOLS[element - 1]
    st.markdown(f"**The nine values behind the bits of {symbol}**")
    rows = [
        {"Property": m.band.name, "Value": m.value_text, "Bin": m.range_text, "Bit": _bit_number(m.column)}
        for m in describe_bits(element)
    ]
    st.table(rows, border="horizontal")
    if twins := same_vector(element):
        st.warning(f"{symbol} has exactly the bits of {' and '.join(twins)}: the network cannot tell them apart.")
    bits = [{"bit": c, "meaning": COLUMN_WORDS[c], symbol: int(b)} for c, b in enumerate(atom_vector(element))]
    st.download_button(
        f"92 bits of {symbol} as CSV", csv_of(bits), f"{symbol}_92_bits.csv", "text/csv", icon=":material/download:"
    )


def pair_cards(one: int, other: int) -> None:
    """How alike two elements are for the network."""
    a, b = SYMBOLS[one - 1], SYMBOLS[other - 1]
    with st.container(horizontal=True):
        st.metric("Differing bits", int(differing_bits(one)[other - 1]), border=True, help="1 in one, 0 in the other.")
        st.metric("Shared set bits", count_shared(one, other), border=True, help="1 in both.")
        for symbol, z in dict.fromkeys(((a, one), (b, other))):
            st.metric(f"Bits set in {symbol}", int(atom_vector(z).sum()), border=True)
    if b in same_vector(one):
        st.warning(f"{a} and {b} have exactly the same 92 bits: the network cannot tell them apart.")


def pair_picture(one: int, other: int) -> None:
    """Both elements cell under cell; a click on a cell chooses its bit."""
    differ = int(differing_bits(one)[other - 1])
    alt = f"The bits of {SYMBOLS[one - 1]} above those of {SYMBOLS[other - 1]}: {differ} of 92 differ"
    _bit_chart(compared_bits(one, other, chosen=chosen_bit(one), dark=is_dark()), "pair_bits", 2, alt, {})


def pair_table(one: int, other: int) -> None:
    """The comparison in words."""
    a, b = SYMBOLS[one - 1], SYMBOLS[other - 1]
    rows = [
        {"Property": m.band.name, a: m.short_text, f"{b} ": o.short_text, "Bits": _verdict(m.column, o.column)}
        for m, o in zip(describe_bits(one), describe_bits(other), strict=True)
    ]
    st.table(rows, border="horizontal")


def distance_table(element: int) -> None:
    """The periodic table by the number of bits that differ from the chosen element; a click chooses another."""
    symbol, distances = SYMBOLS[element - 1], differing_bits(element).tolist()
    values = dict(zip(SYMBOLS, distances, strict=True))
    title, outside = f"Bits that differ from {symbol}", "not among the 100 elements of the encoding"
    option = clickable_table(values, title=title, unit="bits", chosen=symbol, no_value=outside)

    def pick(place: Place) -> None:
        if (picked := picked_element(option, place[1])) is not None:
            set_link("element", picked)

    alt = f"Periodic table colored by the number of bits in which each element differs from {symbol}"
    clickable(option, "distance_table", 380, alt, pick)
    nearest = sorted((d, z) for z, d in enumerate(distances, start=1) if z != element)[:8]
    words = ", ".join(f"{SYMBOLS[z - 1]} ({d})" for d, z in nearest)
    st.markdown(f"**Nearest to {symbol}**, with the number of differing bits: {words}.")
    rows = [{"element": s, f"bits that differ from {symbol}": d} for s, d in values.items()]
    st.download_button(
        "Distances as CSV", csv_of(rows), f"{symbol}_distances.csv", "text/csv", icon=":material/download:"
    )


def blind_spots() -> None:
    """What the 92 bits cannot say: equal vectors, bits never set, values missing or out of range."""
    groups = [" = ".join(group) for group in indistinguishable()]
    distinct = len(SYMBOLS) - sum(len(group) - 1 for group in indistinguishable())
    st.markdown(f"**{len(SYMBOLS)} elements, {distinct} different vectors.** Not told apart: {', '.join(groups)}.")
    unused = " and ".join(f"{column} ({COLUMN_WORDS[column]})" for column in never_set())
    st.markdown(f"**Bits that are 0 for every element:** {unused}.")
    edges = "; ".join(f"{name.lower()} of {', '.join(symbols)}" for name, symbols in rounded_down().items())
    st.markdown(f"**On an edge, rounded into the lower bin:** {edges}.")
    rows = [
        {
            "Property": gap.name,
            "No value": f"{len(gap.missing)}: {' '.join(gap.missing)}",
            "Outside all bins": " ".join(gap.outside) or "none",
        }
        for gap in gaps()
    ]
    st.markdown("**Properties whose bits are all 0**")
    st.table(rows, border="horizontal")


def origin() -> None:
    """Where the numbers come from, for the most asked question of the field."""
    with st.expander("Where do the 92 numbers come from?", icon=":material/history_edu:"):
        st.markdown(prose("encoding", "Where do the 92 numbers come from?"))


def _bit_chart(option: dict[str, Any], key: str, lines: int, alt: str, links: dict[str, str]) -> None:
    """A picture of bits; a click on a cell chooses its bit, and sets `links` too."""

    def pick(place: Place) -> None:
        if (column := picked_bit(option, place)) is not None:
            for name, value in {"bit": str(column), **links}.items():
                set_link(name, value)

    clickable(option, key, bits_height(lines), alt, pick)


def _bits_alt(z: int) -> str:
    said = "; ".join(f"{m.band.name.lower()} {m.value_text}, {m.range_text}" for m in describe_bits(z))
    return f"The 92 bits of {SYMBOLS[z - 1]} of nine properties: {said}"


def _bit_number(column: int | None) -> str:
    return "none" if column is None else str(column)


def _verdict(one: int | None, other: int | None) -> str:
    if one == other:
        return "both all zeros" if one is None else f"bit {one} in both"
    return " against ".join("all zeros" if column is None else str(column) for column in (one, other))
