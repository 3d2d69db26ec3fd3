"""The run store of this machine, and the process that serves it."""

import streamlit as st

from cgcnn.data.files import home
from cgcnn.runs.dispatcher import ensure_running
from cgcnn.runs.store import RunStore


@st.cache_resource(show_spinner=False)
def _opened(folder: str) -> RunStore:
    return RunStore(folder)


def store() -> RunStore:
    """The store, with workers at hand; shared by all sessions of the server."""
    opened = _opened(str(home()))
    ensure_running(opened)
    return opened
