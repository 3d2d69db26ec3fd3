"""What a finished run says: its predictions beside the truth, its mistakes, its answer for the crystal in view."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import streamlit as st
from pymatgen.core import Composition
from safetensors.torch import save

from cgcnn.data.targets import TARGETS
from cgcnn.errors import CrystalError
from cgcnn.figures.learning import error_by_element, parity_plot
from cgcnn.runs.store import Run, RunStore
from cgcnn.training.advice import advice
from cgcnn.training.experiment import Predictor
from cgcnn.ui.current import current
from cgcnn.ui.graph_facts import csv_of
from cgcnn.ui.run_view import Seen, seen


def run_results(runs: RunStore, run: Run) -> None:
    """What the finished run says: parity, error by element, advice, the crystal in view, downloads."""
    mine = seen(runs, run.id)
    test, target = mine.latest.get("test"), TARGETS[run.settings["dataset"]["target"]]
    baseline = mine.latest.get("data", {}).get("val_mean_mae")
    for sentence in advice(mine.epochs, baseline, finished=run.state == "finished"):
        st.info(sentence, icon=":material/lightbulb:")
    if not test:
        return
    parity, elements = st.columns(2, gap="large")
    with parity:
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
    with elements:
        st.plotly_chart(error_by_element(errors_by_element(test), unit=target.unit), key="by_element")
    _answer_for_current(runs, run)
    _downloads(runs, run, mine)


def errors_by_element(test: Mapping[str, Any]) -> dict[str, tuple[float, int]]:
    """For each element: the mean absolute error of the test crystals that contain it, and how many there are."""
    errors = defaultdict(list)
    for formula, truth, predicted in zip(test["formulas"], test["truth"], test["predicted"], strict=True):
        for element in Composition(formula).elements:
            errors[element.symbol].append(abs(predicted - truth))
    return {symbol: (sum(e) / len(e), len(e)) for symbol, e in errors.items()}


@st.cache_resource(max_entries=8, show_spinner=False)
def _predictor(_runs: RunStore, run_id: str, ended: float | None) -> Predictor | None:
    kept = _runs.checkpoint(run_id)
    return Predictor(*kept) if kept else None


def _answer_for_current(runs: RunStore, run: Run) -> None:
    shown = current()
    try:
        predictor = _predictor(runs, run.id, run.ended)
        if predictor is None:
            return
        value = predictor.predict([shown.structure])[0]
    except CrystalError as mistake:
        st.warning(f"No answer for {shown.title}: {mistake}")
        return
    st.metric(f"What this network says of {shown.title}", predictor.target.text(value), border=True)


def _downloads(runs: RunStore, run: Run, mine: Seen) -> None:
    with st.container(horizontal=True):
        st.download_button("Curve as CSV", csv_of(mine.epochs), f"{run.id}_metrics.csv", icon=":material/download:")
        test = mine.latest["test"]
        rows = [
            {"id": i, "formula": f, "truth": t, "predicted": p}
            for i, f, t, p in zip(test["ids"], test["formulas"], test["truth"], test["predicted"], strict=True)
        ]
        st.download_button("Predictions as CSV", csv_of(rows), f"{run.id}_predictions.csv", icon=":material/download:")
        kept = runs.checkpoint(run.id)
        if kept:
            data = save(kept[0], {"about": str(kept[1])})
            st.download_button("Weights", data, f"{run.id}.safetensors", icon=":material/download:")
