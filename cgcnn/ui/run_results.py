"""What a finished run says: its predictions beside the truth, its mistakes, its answer for the crystal in view."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import streamlit as st
from pymatgen.core import Composition

from cgcnn.data.csv_text import csv_of
from cgcnn.data.targets import TARGETS, Target
from cgcnn.errors import CrystalError
from cgcnn.figures.learning import error_by_element, parity_plot
from cgcnn.figures.scene import crystal_scene
from cgcnn.runs.records import Run
from cgcnn.runs.store import RunStore
from cgcnn.training.advice import advice
from cgcnn.ui.current import current
from cgcnn.ui.networks import network
from cgcnn.ui.prose import explained, plain
from cgcnn.ui.run_form import repeated
from cgcnn.ui.run_view import seen
from cgcnn.ui.run_words import Seen
from cgcnn.ui.viewer import crystal_view

NO_RESULT = "No epoch was finished, so there is no network to judge."
NOT_YET = (
    "The test crystals are for the end: when the run has finished, or you press Stop, they judge its best network."
)
TABS = ["Predictions", "Error by element", "The crystal in view", "Save"]


def run_results(runs: RunStore, run: Run) -> None:
    """What a run says that is over or stands still: advice, parity, error by element, its answer, downloads."""
    mine = seen(runs, run.id)
    baseline = mine.latest.get("data", {}).get("val_mean_mae")
    for sentence in advice(mine.epochs, baseline, finished=run.state == "finished"):
        st.info(sentence, icon=":material/lightbulb:")
    tabs = st.tabs(TABS, key="result", on_change="rerun", bind="query-params")
    shown = next((name for name, tab in zip(TABS, tabs, strict=True) if tab.open), TABS[0])
    with tabs[TABS.index(shown)]:
        _result(shown, runs, run, mine)
    explained("train", "What am I looking at?")


def _result(shown: str, runs: RunStore, run: Run, mine: Seen) -> None:
    test, target = mine.latest.get("test"), TARGETS[run.config.dataset.target]
    if shown == "Save":
        _downloads(runs, run, mine)
        repeated(run.config, "This run as a script", f"repeat_{run.id}")
    elif shown == "The crystal in view":
        _answer_for_current(runs, run)
    elif not test:
        st.markdown(NOT_YET if run.is_live or run.can_resume else NO_RESULT)
    elif shown == "Predictions":
        _parity(test, target)
    else:
        _by_element(test, target)


def _parity(test: Mapping[str, Any], target: Target) -> None:
    labels = [f"{formula} ({crystal})" for formula, crystal in zip(test["formulas"], test["ids"], strict=True)]
    figure = parity_plot(
        test["truth"],
        test["predicted"],
        ids=labels,
        unit=target.unit,
        label=target.label,
        title="Predicted against true, test crystals",
    )
    st.plotly_chart(figure, key="parity")


def _by_element(test: Mapping[str, Any], target: Target) -> None:
    st.plotly_chart(error_by_element(errors_by_element(test), unit=target.unit), key="by_element")


def errors_by_element(test: Mapping[str, Any]) -> dict[str, tuple[float, int]]:
    """For each element: the mean absolute error of the test crystals that contain it, and how many there are."""
    errors = defaultdict(list)
    for formula, truth, predicted in zip(test["formulas"], test["truth"], test["predicted"], strict=True):
        for element in Composition(formula).elements:
            errors[element.symbol].append(abs(predicted - truth))
    return {symbol: (sum(e) / len(e), len(e)) for symbol, e in errors.items()}


def _answer_for_current(runs: RunStore, run: Run) -> None:
    """What the network of the best epoch so far says; another one when a later epoch was better."""
    shown, file = current(), runs.checkpoint_file(run.id)
    if not file.exists():
        st.markdown(NO_RESULT)
        return
    try:
        stamped = replace(run, ended=file.stat().st_mtime)
        predictor = network(run.id, {run.id: stamped}).predictor
        value = predictor.predict([shown.structure])[0]
    except CrystalError as mistake:
        st.warning(plain(f"No answer for {shown.title}: {mistake}"))
        return
    st.metric(f"What this network says of {shown.title}", predictor.target.text(value), border=True)
    crystal_view(crystal_scene(shown.structure), key="answered", height=320)


def _downloads(runs: RunStore, run: Run, mine: Seen) -> None:
    with st.container(horizontal=True):
        if mine.epochs:
            st.download_button("Curve as CSV", csv_of(mine.epochs), f"{run.id}_metrics.csv", icon=":material/download:")
        if test := mine.latest.get("test"):
            rows = [
                {"id": i, "formula": f, "truth": t, "predicted": p}
                for i, f, t, p in zip(test["ids"], test["formulas"], test["truth"], test["predicted"], strict=True)
            ]
            name = f"{run.id}_predictions.csv"
            st.download_button("Predictions as CSV", csv_of(rows), name, icon=":material/download:")
        file = runs.checkpoint_file(run.id)
        if file.exists():
            st.download_button("Weights", file.read_bytes, file.name, icon=":material/download:")
