"""The run store of this machine, and the process that serves it."""

import sqlite3
import time

import streamlit as st

from cgcnn.data.files import home
from cgcnn.errors import RunError
from cgcnn.runs.dispatcher import ensure_running
from cgcnn.runs.store import RunStore

LOOK_AFTER = 2.0  # s between looks at the dispatcher


@st.cache_resource(show_spinner=False)
def _opened(folder: str) -> RunStore:
    return RunStore(folder)


def store() -> RunStore:
    """The store, with workers at hand; shared by all readers of the server."""
    opened = _opened(str(home()))
    keep_served(opened)
    return opened


def keep_served(opened: RunStore) -> None:
    """Start the dispatcher again if it is gone; asked often, it looks every two seconds."""
    if time.monotonic() - st.session_state.get("looked_after", -LOOK_AFTER) < LOOK_AFTER:
        return
    st.session_state["looked_after"] = time.monotonic()
    try:
        ensure_running(opened)
    except sqlite3.OperationalError as reason:
        raise RunError(f"Runs cannot be kept in {opened.folder} ({reason}); make room on that disk.") from reason
