"""The Curves tab: how the sources learned, and how the new property was learned from each of them."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from cgcnn.data.csv_text import csv_of
from cgcnn.figures.compare import Curve
from cgcnn.figures.transfer import as_shares, curve_rows, mean_epochs, source_curves, target_curves
from cgcnn.runs.store import RunStore
from cgcnn.training.transfer_study import OWN, SCRATCH, column_words
from cgcnn.ui.experiment_seen import Member
from cgcnn.ui.prose import explained
from cgcnn.ui.transfer_seen import StudySeen, looked_again, pace
from cgcnn.ui.transfer_static import numbers_of
from cgcnn.ui.transfer_table import DOWNLOAD, head, in_view

NO_STUDY = "Curves come from a study that was run here: begin one on the **Table** tab, or open one there again."


def curves_tab(runs: RunStore) -> None:
    """Two pictures of the study in view, the means over its seeds."""
    seen = in_view(runs)
    if seen is None or not seen.members:
        st.info(NO_STUDY, icon=":material/info:")
        return
    head(seen)
    every = pace(seen)
    st.fragment(_curves, run_every=None if every is None else 2 * every)(runs, seen, every)


def _curves(runs: RunStore, seen: StudySeen, every: float | None) -> None:
    seen = looked_again(runs, seen, every)
    with st.container(horizontal=True, vertical_alignment="center"):
        log = st.toggle("Logarithmic", key="study_log", bind="query-params")
        explained("transfer", "What do the curves say?")
    _of_sources(runs, seen, log)
    _of_target(runs, seen, log)


def _of_sources(runs: RunStore, seen: StudySeen, log: bool) -> None:
    curves = []
    for number, name in zip(numbers_of(seen.study.sources), seen.study.sources, strict=True):
        known = [_epochs(runs, seen, member) for member in seen.of(name, OWN)]
        shares = [as_shares(epochs, _guesses(data)) for epochs, data in known if epochs and data]
        if shares:
            curves.append(Curve(name, number, mean_epochs(shares)))
    if not curves:
        st.info("No source is trained here: this study takes published networks only, or none has begun.")
        return
    option = source_curves(curves, log=log)
    alt = f"Training and validation curves of the sources: {', '.join(curve.label for curve in curves)}"
    st.echarts_chart(option, key=f"sources_{seen.sweep.id}", height=400, alt=alt)
    _download(curve_rows(curves, unit="share of guessing the mean"), "sources")


def _of_target(runs: RunStore, seen: StudySeen, log: bool) -> None:
    study = seen.study
    words = {column_words(column): column for column in study.columns}
    chosen = st.segmented_control(
        "Frozen", list(words), default=next(iter(words)), required=True, key="study_column",
        bind="query-params",
    )  # fmt: skip
    column = words.get(chosen or "", study.columns[0])
    places = [*((name, column) for name in study.sources), (SCRATCH, OWN)]
    curves = []
    for number, place in zip([*numbers_of(study.sources), 0], places, strict=True):
        epochs = [known for member in seen.of(*place) if (known := _epochs(runs, seen, member)[0])]
        if epochs:
            curves.append(Curve(place[0], number, mean_epochs(epochs)))
    if not curves:
        st.markdown("The curves of the new property appear when the first of its runs has begun.")
        return
    unit, is_class = study.meaning.unit, study.meaning.is_class
    option = target_curves(curves, unit=unit, words=column_words(column), log=log, is_class=is_class)
    alt = f"Validation error of {study.meaning.label.lower()} epoch by epoch, from each source and from scratch"
    st.echarts_chart(option, key=f"targets_{seen.sweep.id}", height=400, alt=alt)
    _download(curve_rows(curves, unit=unit, is_class=is_class), "targets")


def _download(rows: list[dict[str, Any]], name: str) -> None:
    st.download_button(
        "Curves as CSV", csv_of(rows), f"transfer_{name}.csv", "text/csv", icon=DOWNLOAD, key=f"{name}_csv"
    )


def _epochs(runs: RunStore, seen: StudySeen, member: Member) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The epochs of a run and what it said of its data; read again only while it learns."""
    state = (member.run.state, member.epochs)
    kept = seen.curves.get(member.run.id)
    if kept is None or kept[0] != state:
        events = runs.events(member.run.id, kinds=["epoch", "data"])
        epochs = sorted((e.data for e in events if e.kind == "epoch"), key=lambda epoch: epoch["epoch"])
        data = next((e.data for e in events if e.kind == "data"), {})
        kept = seen.curves[member.run.id] = state, epochs, data
    return kept[1], kept[2]


def _guesses(data: dict[str, Any]) -> Sequence[float | None]:
    """The error of always guessing the mean, for each target of a run."""
    return data.get("val_mean_maes") or [data["val_mean_mae"]]
