"""What changed, and was it the knob?"""

import streamlit as st

from cgcnn.ui.backend import store
from cgcnn.ui.compare_runs import runs_tab
from cgcnn.ui.epoch_view import epoch_tab
from cgcnn.ui.experiments_view import experiments, led_here
from cgcnn.ui.frame import framed
from cgcnn.ui.prose import mistakes_shown

framed()
st.title("Compare")
st.markdown("**What changed, and was it the knob?** Put runs side by side, ask a question, or look back at one run.")

led_here()
names = ["Runs", "Experiments", "Epoch by epoch"]
tabs = dict(zip(names, st.tabs(names, key="compare_tab", on_change="rerun", bind="query-params"), strict=True))
with mistakes_shown():
    runs = store()
if tabs["Runs"].open:
    with tabs["Runs"], mistakes_shown():
        runs_tab(runs)
if tabs["Experiments"].open:
    with tabs["Experiments"], mistakes_shown():
        experiments(runs)
if tabs["Epoch by epoch"].open:
    with tabs["Epoch by epoch"], mistakes_shown():
        epoch_tab(runs)
