"""Which run is in view: in the URL as `run`, on a page that asks for news several times a second."""

import time

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from cgcnn.ui.link import linked, linked_values, set_link

UNDER_WAY = 5.0  # s; longer than any request that the browser sent before it heard of the new address


def run_in_view() -> str:
    """The id of the run in view, "" for none.

    A look that the browser asked for before it knew of a new run arrives with the old address: that is no wish to
    go back, unless Back was pressed.
    """
    told = linked("run", "")
    new, old, since = st.session_state.get("run_shown", ("", "", 0.0))
    if told != old or new == old or time.monotonic() - since > UNDER_WAY:
        return told
    if (context := get_script_run_ctx()) is not None and context.is_history_navigation:
        st.session_state.pop("run_shown")
        return told
    set_link("run", new)
    return new


def show_run(run_id: str) -> None:
    """Make another run the one in view, or none."""
    st.session_state["run_shown"] = (run_id, still_shown(), time.monotonic())
    set_link("run", run_id)


def still_shown() -> str:
    """The run in view as last said, whatever the address of a late request says."""
    return linked_values().get("run", "")
