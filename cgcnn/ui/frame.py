"""What stands on every page: the crystal, the selected atom and the neighbor rule, in the sidebar."""

from collections.abc import Sequence
from typing import Any

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager

from cgcnn.data import samples, sandbox, shelf
from cgcnn.data.files import home
from cgcnn.errors import CrystalError
from cgcnn.graph import GraphConfig
from cgcnn.ui.current import (
    CELLS,
    Current,
    add_own,
    atom_labels,
    choose,
    choose_cell,
    current,
    current_cell,
    label,
    own_keys,
    select_atom,
    selected_atom,
)
from cgcnn.ui.form import form
from cgcnn.ui.link import linked, write_links
from cgcnn.ui.prose import show_mistake
from cgcnn.ui.teacher import (
    LOCKED,
    SIDEBAR,
    drawn,
    hold_still,
    is_fixed,
    is_hidden,
    is_locked,
    lesson_begins,
    lesson_notice,
    link_button,
)
from cgcnn.ui.who import who_panel

FILE_KINDS = "CIF, mCIF, POSCAR or CONTCAR, XSF, extended XYZ, pymatgen JSON"
DARK_ON_BRIGHT = "<style>[data-testid='stBaseButton-primary']:not(:disabled) * { color: #08131b !important; }</style>"
# Without a mouse to hover with, Plotly's tool bar stays for ever, and lies on the titles.
NO_TOOL_BAR = "<style>@media (hover: none) { .modebar-container { display: none !important; } }</style>"
LARGE_TYPE = "<style>html { font-size: 130% !important; } .stMain p, .stMain li { line-height: 1.5; }</style>"


def sidebar(page: str) -> None:
    """Draw the sidebar; the neighbor rule that it shows holds on every page."""
    if st.session_state.setdefault("last_page", page) != page:
        st.session_state["last_page"], st.session_state["mistakes"] = page, []
    lesson_begins(page)
    with st.sidebar:
        lesson_notice()
        shown = _crystal_choice()
        _atom_choice(shown)
        hold_still()
        _own_crystals()
        st.subheader("Crystal graph")
        knobs = ["rule", "max_neighbors", "cutoff", "isolated"]
        st.session_state["graph_config"] = form(GraphConfig, keys={"max_neighbors": "neighbors"}, only=knobs)
        if st.toggle("Large type", key="large", bind="query-params", help="For the last row of the room."):
            st.html(LARGE_TYPE)
        link_button()
        who_panel()
    linked("brought", "")  # the Predict page's uploads: every page carries them on
    write_links()
    st.html(NO_TOOL_BAR)
    if st.context.theme.type == "dark":
        st.html(DARK_ON_BRIGHT)  # Streamlit writes white on the bright button of the dark theme
    _show_mistakes()


def framed() -> GraphConfig:
    """The neighbor rule of the sidebar; every page begins with this.

    Because of the folder name pages/, Streamlit runs the first link into a fresh server without app.py, and so
    without the frame. Then say that this is no such app, and start over through app.py.
    """
    if PagesManager.uses_pages_directory:
        PagesManager.uses_pages_directory = False
        st.rerun()
    return st.session_state["graph_config"]


def _crystal_choice() -> Current:
    shown = current()
    keys = [*own_keys(), *samples.sample_names()]
    if shown.key not in keys:
        keys.insert(0, shown.key)
    if control := _control("crystal"):
        st.session_state["crystal_choice"] = shown.key
        st.selectbox(options=keys, format_func=label, key="crystal_choice", on_change=_choose_crystal, **control)
    if control := _control("cell", "The same crystal, described by a larger or a smaller cell."):
        st.session_state["cell_choice"] = current_cell()
        st.selectbox(options=list(CELLS), key="cell_choice", on_change=_choose_cell, **control)
    return shown


def _control(name: str, help: str = "") -> dict[str, Any]:
    """The label and the help of a choice in the sidebar; empty where the lesson leaves it out."""
    drawn(name, SIDEBAR[name])
    if is_hidden(name):
        return {}
    locked = is_locked(name)
    words = " ".join([help, *[LOCKED] * locked]).strip()
    return {"label": SIDEBAR[name], "help": words or None, "disabled": locked}


def _choose_crystal() -> None:
    st.session_state["mistakes"] = []  # they spoke of what was there before
    choose(st.session_state["crystal_choice"])


def _choose_cell() -> None:
    choose_cell(st.session_state["cell_choice"])


def _atom_choice(shown: Current) -> None:
    control = _control("atom", "The same atom is selected on every page; click one in a picture, or choose it here.")
    if not control:
        return
    st.session_state["atom_choice"] = selected_atom(shown.structure)
    labels = atom_labels(shown.structure)
    st.selectbox(
        options=range(len(labels)),
        format_func=lambda i: labels[i],
        key="atom_choice",
        on_change=lambda: select_atom(st.session_state.atom_choice),
        **control,
    )


def _own_crystals() -> None:
    """Files and pasted text; not where the lesson fixes the crystal, since a new one is looked at."""
    drawn("upload", SIDEBAR["upload"])
    if not is_hidden("upload") and not is_fixed("crystal"):
        with st.expander(SIDEBAR["upload"], icon=":material/upload_file:"):
            _uploads(locked=is_locked("upload"))


def _uploads(*, locked: bool) -> None:
    sandbox.warm()  # reads what is brought; the first file must not wait for it
    st.file_uploader(
        FILE_KINDS,
        accept_multiple_files=True,
        key="uploads",
        on_change=_take_uploads,
        max_upload_size=5,
        disabled=locked,
        help=LOCKED if locked else None,
    )
    st.text_area("Or paste the text of a file", key="pasted", height=100, placeholder="data_NaCl ...", disabled=locked)
    st.button("Read the text", on_click=_take_paste, width="stretch", disabled=locked)


def _take_uploads() -> None:
    """Only what is new: the list still holds the files of before, and may have lost one."""
    files = st.session_state.uploads or []
    before = st.session_state.get("taken", set())
    st.session_state["taken"] = {file.file_id for file in files}
    if new := [(file.getvalue(), file.name) for file in files if file.file_id not in before]:
        _take(new)


def _take_paste() -> None:
    st.session_state["mistakes"] = []
    if st.session_state.pasted.strip():
        _take([(st.session_state.pasted.encode(), "")])


def _take(files: Sequence[tuple[bytes, str]]) -> None:
    """Keep the crystals that can be read; each other one gets its own sentence."""
    st.session_state["mistakes"] = []
    for data, name in files:
        try:
            add_own(shelf.keep(data, name, home() / "crystals"))
        except CrystalError as mistake:
            st.session_state["mistakes"].append(str(mistake))


def _show_mistakes() -> None:
    for sentence in st.session_state.get("mistakes", []):
        show_mistake(sentence)
