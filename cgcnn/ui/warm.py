"""Imports that the first page does not need and the next one does, paid while the reader looks."""

import threading
from importlib import import_module

import streamlit as st

LATER = (  # torch, CrystalNN of the Graph page, and the test of experiments
    "cgcnn.training.predictor",
    "pymatgen.analysis.local_env",
    "scipy.stats",
)
AFTER = 2.0  # s; an import at once would hold up the pictures of the first page, which are still on their way


@st.cache_resource(show_spinner=False)
def warm_up() -> threading.Timer:
    """Import torch and the rest a moment after the first page, once for the server."""
    timer = threading.Timer(AFTER, lambda: [import_module(name) for name in LATER])
    timer.daemon = True
    timer.start()
    return timer


@st.cache_resource(show_spinner=False)
def one_thread() -> None:
    """Let each pass through a network use one core, once for the server.

    Graphs are small and readers are many: with a pool of threads for each reader, a pass over 500 atoms took 1 s
    instead of 0.03 s on two busy cores.
    """
    import torch  # here, since the first page must not wait for it

    torch.set_num_threads(1)
