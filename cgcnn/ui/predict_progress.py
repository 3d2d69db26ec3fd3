"""A bar for work on many crystals: how many are done, and how long the rest may take."""

import time
from collections.abc import Callable, Iterator

import streamlit as st

from cgcnn.ui.run_queue import spoken

STEP = 16  # crystals between two looks at the clock


def shown_progress(verb: str, total: int, *, on_stop: Callable[[], None] | None = None) -> Iterator[int]:
    """0, STEP, 2 STEP, ... below `total`, with a bar in view, and a button to stop where `on_stop` is given."""
    if not total:
        return
    place, started = st.container(), time.monotonic()
    with place:
        bar = st.progress(0.0, f"{verb} 0 of {total:,}")
        button = st.empty()
        if on_stop:
            button.button("Stop", icon=":material/stop:", on_click=on_stop, key="predict_stop")
    for done in range(0, total, STEP):
        to_go = (time.monotonic() - started) / done * (total - done) if done else 0.0
        bar.progress(done / total, f"{verb} {done:,} of {total:,}" + (f", about {spoken(to_go)} to go" if done else ""))
        yield done
    bar.empty()
    button.empty()
