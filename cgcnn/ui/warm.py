"""Imports that the first page does not need and the next one does, paid while the reader looks."""

import threading
from importlib import import_module

import streamlit as st

AFTER = 2.0  # s; an import at once would hold up the pictures of the first page, which are still on their way


@st.cache_resource(show_spinner=False)
def warm_up() -> threading.Timer:
    """Import torch and the rest a moment after the first page, once for the server."""
    timer = threading.Timer(AFTER, import_module, args=("cgcnn.training.experiment",))
    timer.daemon = True
    timer.start()
    return timer
