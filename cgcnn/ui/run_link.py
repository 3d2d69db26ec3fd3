"""Which run is in view: in the URL as `run`, on a page that asks for news several times a second."""

import time

import streamlit as st

from cgcnn.ui.link import goes_back, linked, linked_values, set_link

PLACE = "the-run"  # where the run in view stands on the page, for links down to it
UNDER_WAY = 5.0  # s; longer than any request that the browser sent before it heard of the new address


def run_in_view() -> str:
    """The id of the run in view, "" for none.

    A look that the browser asked for before it knew of a new run arrives with the old address: that is no wish to
    go back, unless Back was pressed. The frame has read the address then, see `write_links`.
    """
    told = linked("run", "")
    if goes_back():
        st.session_state.pop("run_shown", None)
        return told
    new, old, since = st.session_state.get("run_shown", ("", "", 0.0))
    if told != old or new == old or time.monotonic() - since > UNDER_WAY:
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
