"""What a reader chooses on the Encoding page: elements and a bit, from lists, by clicks, and in the URL."""

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st
from pymatgen.core import Structure

from cgcnn.data.element_distances import beside
from cgcnn.data.elements import COLUMN_WORDS, N_COLUMNS, N_ELEMENTS, SYMBOLS, atom_vector, describe_bits
from cgcnn.errors import CrystalError
from cgcnn.figures.encoding import Place, clicked, latest
from cgcnn.ui.link import linked, set_link, write_links
from cgcnn.ui.prose import show_mistake

RADIUS = 3  # the place of the covalent radius among the nine properties; every element has one


def species(structure: Structure) -> list[int]:
    """The atomic numbers of the crystal that the encoding knows, in the order of the atoms."""
    return [z for z in dict.fromkeys(structure.atomic_numbers) if 1 <= z <= N_ELEMENTS]


def unknown_species_told(structure: Structure) -> None:
    """Say which elements of the crystal the encoding does not know."""
    for z in dict.fromkeys(structure.atomic_numbers):
        try:
            atom_vector(z)
        except CrystalError as mistake:
            show_mistake(str(mistake))


def follow(crystal: str) -> None:
    """Forget the elements that were chosen for another crystal; those of a link just opened stay."""
    if st.session_state.setdefault("encoded_crystal", crystal) != crystal:
        st.session_state["encoded_crystal"] = crystal
        for name in ("element", "against"):
            set_link(name, "")
        write_links()


def element_list(structure: Structure, selected: int) -> int:
    """The element that the tab is about: the selected atom's, until another is chosen."""
    unknown_species_told(structure)
    known = species(structure) or [1]
    own = structure[selected].specie.Z
    return _element("Element", "element", own if own in known else known[0])


def pair_lists(structure: Structure, selected: int) -> tuple[int, int]:
    """Two elements to compare: by default the selected atom's and another of the crystal, or the next in the table."""
    left, right = st.columns(2)
    with left:
        one = element_list(structure, selected)
    others = [z for z in species(structure) if z != one]
    with right:
        return one, _element("Compared with", "against", others[0] if others else beside(one))


def bit_list(element: int) -> int:
    """One of the 92 bits, by its meaning; a click on a cell chooses it too."""
    return _linked_list("Bit", "bit", list(range(N_COLUMNS)), chosen_bit(element), lambda c: f"{c}: {COLUMN_WORDS[c]}")


def chosen_bit(element: int) -> int:
    """The bit in the URL; at first the one that the element's covalent radius sets."""
    text = linked("bit", "")
    if text.isdecimal() and len(text) < 3 and int(text) < N_COLUMNS:
        return int(text)
    return describe_bits(element)[RADIUS].column or 0


def clickable(option: dict[str, Any], key: str, height: int, alt: str, pick: Callable[[Place], None]) -> None:
    """A chart that tells `pick` which cell was clicked last."""
    if key not in st.session_state:
        st.session_state[f"{key}_before"] = set()  # the chart is new on the page, and remembers nothing

    def take() -> None:
        now = clicked(st.session_state[key]["selection"].get("selected", []))
        place = latest(st.session_state[f"{key}_before"], now)
        st.session_state[f"{key}_before"] = now
        if place is not None:
            pick(place)

    st.echarts_chart(option, key=key, on_select=take, height=height, alt=alt)


def _element(label: str, name: str, default: int) -> int:
    symbol = _linked_list(label, name, list(SYMBOLS), SYMBOLS[default - 1], str)
    return SYMBOLS.index(symbol) + 1


def _linked_list(label: str, name: str, options: Sequence[Any], default: Any, show: Any) -> Any:
    """A list whose choice lives in the URL as plain text; without a choice there it follows `default`."""
    key, text = f"{name}_choice", linked(name, "")
    st.session_state[key] = next((choice for choice in options if str(choice) == text), default)
    return st.selectbox(
        label, options, format_func=show, key=key, on_change=lambda: set_link(name, str(st.session_state[key]))
    )
