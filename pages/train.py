"""Can it learn, and what helps?"""

import streamlit as st

from cgcnn.ui.backend import store
from cgcnn.ui.frame import framed
from cgcnn.ui.prose import mistakes_shown
from cgcnn.ui.run_form import repeated, run_form, submitted
from cgcnn.ui.run_results import run_results
from cgcnn.ui.run_view import chosen_run, run_status

graph, runs = framed(), store()
st.title("Train")
st.markdown("**Can it learn, and what helps?** Choose what to learn and how, press Train, and watch the error fall.")

settings, results = st.columns([2, 3], gap="large")
with settings, mistakes_shown():
    button = st.container()  # drawn first, filled last
    config = run_form(graph)
    with button:
        submitted(runs, config)
    repeated(config, "These settings as a script", "form")

with results:
    run = chosen_run(runs)
    if run is not None:
        st.fragment(run_status, run_every=0.4 if run.is_live else None)(runs, run.id)
        if not run.is_live:
            run_results(runs, run)
