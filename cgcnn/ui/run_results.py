"""What a finished run says: its predictions beside the truth, its mistakes, its answer for the crystal in view."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import streamlit as st
from pymatgen.core import Composition

from cgcnn.data.csv_text import csv_of
from cgcnn.data.targets import Target
from cgcnn.errors import CrystalError
from cgcnn.figures.learning import error_by_element, parity_plot
from cgcnn.figures.scene import crystal_scene
from cgcnn.runs.export import epoch_rows, predictions
from cgcnn.runs.records import Run
from cgcnn.runs.store import RunStore
from cgcnn.training.advice import advice
from cgcnn.training.predictor import Predictor
from cgcnn.ui.current import current
from cgcnn.ui.networks import network
from cgcnn.ui.prose import explained, plain
from cgcnn.ui.run_classes import class_figures
from cgcnn.ui.run_form import repeated
from cgcnn.ui.run_targets import Shown
from cgcnn.ui.run_view import seen
from cgcnn.ui.run_words import Seen
from cgcnn.ui.viewer import crystal_view

NO_RESULT = "No epoch was finished, so there is no network to judge."
NOT_YET = (
    "The test crystals are for the end: when the run has finished, or you press Stop, they judge its best network."
)
TABS = ["Predictions", "Error by element", "The crystal in view", "Save"]


def run_results(runs: RunStore, run: Run, shown: Shown) -> None:
    """What a run says of a target that is over or stands still: advice, parity, error by element, answer, downloads."""
    mine = seen(runs, run.id)
    baseline = shown.baseline(mine.latest.get("data", {}))
    of_class, epochs = shown.target.is_class, shown.epochs(mine.epochs)
    for sentence in advice(epochs, baseline, finished=run.state == "finished", is_class=of_class):
        st.info(sentence, icon=":material/lightbulb:")
    tabs = st.tabs(TABS, key="result", on_change="rerun", bind="query-params")
    opened = next((name for name, tab in zip(TABS, tabs, strict=True) if tab.open), TABS[0])
    with tabs[TABS.index(opened)]:
        _result(opened, runs, run, mine, shown)
    explained("train", "What do the classes say?" if shown.target.is_class else "What am I looking at?")


def _result(opened: str, runs: RunStore, run: Run, mine: Seen, shown: Shown) -> None:
    test = shown.test(mine.latest.get("test"))
    if opened == "Save":
        _downloads(runs, run, mine)
        repeated(run.config, "This run as a script", f"repeat_{run.id}")
    elif opened == "The crystal in view":
        _answer_for_current(runs, run)
    elif not test:
        st.markdown(NOT_YET if run.is_live or run.can_resume else NO_RESULT)
    elif opened == "Error by element":
        _by_element(test, shown.target)
    elif shown.target.is_class:
        class_figures(test, shown.target)
    else:
        _parity(test, shown.target)


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
    errors = errors_by_element(test, is_class=target.is_class)
    st.plotly_chart(error_by_element(errors, unit=target.unit, is_class=target.is_class), key="by_element")


def errors_by_element(test: Mapping[str, Any], *, is_class: bool = False) -> dict[str, tuple[float, int]]:
    """For each element: the mean absolute error of the test crystals that contain it, and how many there are.

    Of a class, the share of these crystals that is put into the wrong one.
    """
    errors = defaultdict(list)
    for formula, truth, predicted in zip(test["formulas"], test["truth"], test["predicted"], strict=True):
        answer = float(predicted >= 0.5) if is_class else predicted
        for element in Composition(formula).elements:
            errors[element.symbol].append(abs(answer - truth))
    return {symbol: (sum(e) / len(e), len(e)) for symbol, e in errors.items()}


def _answer_for_current(runs: RunStore, run: Run) -> None:
    """What the network of the best epoch so far says of each target; another one when a later epoch was better."""
    shown, file = current(), runs.checkpoint_file(run.id)
    if not file.exists():
        st.markdown(NO_RESULT)
        return
    try:
        stamped = replace(run, ended=file.stat().st_mtime)
        predictors = _of_each(network(run.id, {run.id: stamped}).predictor)
        values = [predictor.predict([shown.structure])[0] for predictor in predictors]
    except CrystalError as mistake:
        st.warning(plain(f"No answer for {shown.title}: {mistake}"))
        return
    with st.container(horizontal=True):
        for predictor, value in zip(predictors, values, strict=True):
            what = "What this network says of" if len(predictors) == 1 else f"{predictor.target.label} of"
            st.metric(f"{what} {shown.title}", predictor.target.text(value), border=True)
    crystal_view(crystal_scene(shown.structure), key="answered", height=320)


def _of_each(predictor: Predictor) -> Sequence[Predictor]:
    return [predictor.of(n) for n in range(len(predictor.targets))] or [predictor]


def _downloads(runs: RunStore, run: Run, mine: Seen) -> None:
    """The curves and predictions of all targets, and the weights."""
    names = run.config.dataset.targets
    with st.container(horizontal=True):
        if mine.epochs:
            curve, name = csv_of(epoch_rows(mine.epochs, names)), f"{run.id}_metrics.csv"
            st.download_button("Curve as CSV", curve, name, icon=":material/download:")
        if test := mine.latest.get("test"):
            rows, name = predictions(test, names), f"{run.id}_predictions.csv"
            st.download_button("Predictions as CSV", csv_of(rows), name, icon=":material/download:")
        file = runs.checkpoint_file(run.id)
        if file.exists():
            st.download_button("Weights", file.read_bytes, file.name, icon=":material/download:")
