"""Can it learn, and what helps?"""

import streamlit as st

from cgcnn.ui.backend import store
from cgcnn.ui.frame import framed
from cgcnn.ui.prose import explained, mistakes_shown
from cgcnn.ui.run_change import change_one_thing, compare_link, lineage
from cgcnn.ui.run_controls import controls, delete_button
from cgcnn.ui.run_form import repeated, run_form, submitted
from cgcnn.ui.run_results import run_results
from cgcnn.ui.run_targets import chosen_target
from cgcnn.ui.run_view import chosen_run, watched

STEPS = ("batch", "epoch")

graph = framed()
st.title("Train")
st.markdown("**Can it learn, and what helps?** Choose what to learn and how, press Train, and watch the error fall.")

with mistakes_shown():
    runs = store()
settings, results = st.columns([2, 3], gap="large")
with settings:
    button = st.container()  # drawn first, filled last
    config = run_form(graph)
    with button:
        submitted(runs, config)
    if config is not None:
        repeated(config, "These settings as a script", "form")

with results:
    run = chosen_run(runs)
    if run is None:
        controls(runs, None)
    else:
        lineage(runs, run)
        with st.container(horizontal=True, vertical_alignment="center"):
            change_one_thing(runs, run)
            compare_link(run)
            if not run.is_live and not run.can_resume:
                delete_button(runs, run)
            explained("train", "The buttons")
        shown = chosen_target(run.settings)
        watched(runs, run, shown)
        if not run.is_live or run.wanted in STEPS:  # what stands below stays while one steps
            run_results(runs, run, shown)
