"""Imports that the first page does not need and the next one does, paid while the reader looks."""

import threading
from importlib import import_module

import streamlit as st


@st.cache_resource(show_spinner=False)
def warm_up() -> threading.Thread:
    """Import torch and the rest beside the first page, once for the server."""
    thread = threading.Thread(target=import_module, args=("cgcnn.training.experiment",), daemon=True)
    thread.start()
    return thread
