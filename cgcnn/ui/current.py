"""The crystal and the atom that every page talks about."""

from dataclasses import dataclass, replace

import streamlit as st
from pymatgen.core import Structure

from cgcnn.data import builtin, cells, samples, shelf
from cgcnn.data.crystal import site_label
from cgcnn.data.files import home
from cgcnn.errors import CrystalError
from cgcnn.ui.link import linked, set_link

FIRST = "NaCl"
CELLS = {"as given": lambda s: s, "conventional": cells.conventional_cell, "primitive": cells.primitive_cell}
MAX_STRAIN = 5.0  # %


@dataclass(frozen=True)
class Current:
    """The crystal in view: its key in the URL, the words for it, and its structure."""

    key: str
    title: str
    subtitle: str
    source: str  # where the structure comes from, to be cited
    structure: Structure


@st.cache_data(max_entries=64, show_spinner=False)
def find(key: str) -> Current:
    """A crystal by its key: a sample's name, `my-…` for the user's own, `mp-…` for one of the built-in set."""
    if shelf.SHELF_ID.fullmatch(key):
        name, crystal = shelf.kept(key, home() / "crystals")
        return Current(key, name, f"your crystal, {crystal.formula}", "", crystal.structure)
    if key.startswith("mp-"):
        crystal = builtin.find(key)
        return Current(
            key, f"{crystal.formula} {key}", "built-in set, DFT structure", "Materials Project", crystal.structure
        )
    card = samples.sample_card(key)
    source = ". ".join(words for words in (card.source, card.comment) if words)
    return Current(key, key, card.structure_type, source, samples.load_sample(key).structure)


def label(key: str) -> str:
    """A crystal in the list: its name and its structure type; a sample is not read for that."""
    try:
        if key in samples.sample_names():
            return f"{key} · {samples.sample_card(key).structure_type}"
        found = find(key)
    except CrystalError:
        return f"{key} (gone)"
    return f"{found.title} · {found.subtitle}"


def own_keys() -> list[str]:
    """The crystals that this session uploaded or opened, kept in the URL so that a refresh finds them."""
    return [key for key in linked("mine", "").split(",") if key]


def add_own(key: str) -> None:
    """Put a crystal on this session's list and look at it."""
    mine = [key, *(k for k in own_keys() if k != key)][:12]
    set_link("mine", ",".join(mine))
    choose(key)


def choose(key: str) -> None:
    """Look at another crystal, unstrained; its first atom is selected."""
    set_link("crystal", key)
    set_link("atom", "1")
    set_link("strain", "0")


def choose_cell(cell: str) -> None:
    """Describe the crystal by another cell; its first atom is selected."""
    set_link("cell", cell)
    set_link("atom", "1")


def current() -> Current:
    """The crystal in view, in the chosen cell and strain; rock salt takes the place of one that cannot be found."""
    key = linked("crystal", FIRST)
    try:
        return prepared(key, current_cell(), current_strain())
    except (CrystalError, KeyError) as reason:
        st.session_state.setdefault("mistakes", []).append(str(reason).strip("'"))
        choose(FIRST)
        return prepared(FIRST, "as given", 0.0)


@st.cache_data(max_entries=64, show_spinner=False)
def prepared(key: str, cell: str, strain: float) -> Current:
    """A crystal in one of its cells, stretched along all axes by `strain` %."""
    found = find(key)
    structure = cells.strained(CELLS[cell](found.structure), strain) if strain else CELLS[cell](found.structure)
    words = [
        found.subtitle,
        *([f"{cell} cell"] if cell != "as given" else []),
        *([f"strained by {strain:+g} %"] * bool(strain)),
    ]
    return replace(found, subtitle=", ".join(words), structure=structure)


def current_cell() -> str:
    """Which cell describes the crystal."""
    cell = linked("cell", "as given")
    return cell if cell in CELLS else "as given"


def current_strain() -> float:
    """The strain in %; text that is no number in range means none."""
    try:
        strain = float(linked("strain", "0"))
    except ValueError:
        return 0.0
    return strain if abs(strain) <= MAX_STRAIN else 0.0


def strain_slider() -> None:
    """Stretch or squeeze the crystal on every page."""
    st.session_state["strain_choice"] = current_strain()
    st.slider(
        "Strain (%)",
        -MAX_STRAIN,
        MAX_STRAIN,
        step=0.5,
        key="strain_choice",
        on_change=lambda: set_link("strain", f"{st.session_state.strain_choice:g}"),
        help="All three lattice vectors grow by this much; distances follow, angles stay.",
    )


def selected_atom(structure: Structure) -> int:
    """The index of the selected atom, 0 for the first; a number outside the crystal selects the first."""
    text = linked("atom", "1")
    number = int(text) if text.isdecimal() and len(text) < 6 else 1
    if not 1 <= number <= len(structure):
        number = 1
        set_link("atom", "1")
    return number - 1


def select_atom(index: int) -> None:
    """Select an atom on every page."""
    set_link("atom", str(index + 1))


def atom_labels(structure: Structure) -> list[str]:
    """The names of all atoms, in order."""
    return [site_label(structure, i) for i in range(len(structure))]
