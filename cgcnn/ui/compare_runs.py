"""Runs side by side: what differs, their curves, their predictions, their errors by element."""

from collections.abc import Mapping, Sequence
from math import floor, log10
from typing import Any

import streamlit as st

from cgcnn.data.csv_text import csv_of
from cgcnn.data.targets import TARGETS
from cgcnn.figures.compare import error_difference, overlaid_curves
from cgcnn.figures.learning import error_by_element
from cgcnn.runs.store import RunStore
from cgcnn.ui.compare_choice import chosen_runs, refreshed
from cgcnn.ui.compare_differences import (
    NONE,
    Compared,
    copies_words,
    differing,
    doubts,
    error_name,
    headings,
    paired_words,
    repeats,
    shared_words,
    value_of,
)
from cgcnn.ui.compare_predictions import curves_of, predictions, roc_area
from cgcnn.ui.compare_save import save_and_bring
from cgcnn.ui.prose import explained, plain
from cgcnn.ui.run_results import errors_by_element

LOOK_EVERY = 1.0  # s, while a run is live
NOTHING = "nothing"
ERRORS = tuple(f"{side} {error}" for side in ("Test", "Validation") for error in ("MAE", "share wrong", "error"))
COLUMNS: dict[str, Any] = {
    "Weights": st.column_config.NumberColumn(
        format="%,d", help="How many numbers the network has, frozen ones among them."
    ),
    "Test AUC": st.column_config.NumberColumn(format="%.3f", help="The area under the ROC curve; 0.5 is guessing."),
    "s/epoch": st.column_config.NumberColumn(help="The usual time of training for one epoch, in seconds."),
}


def runs_tab(runs: RunStore) -> None:
    """Choose runs and compare them; live ones grow while one looks."""
    chosen = chosen_runs(runs)
    if not chosen:
        st.info(_nothing(runs), icon=":material/info:")
        save_and_bring(runs, [])
        return
    live = any(one.run.is_live for one in chosen)
    st.fragment(_table_and_curves, run_every=LOOK_EVERY if live else None)(runs, chosen)
    judged = [one for one in refreshed(runs, chosen) if one.test]
    if judged:
        predictions(judged, differing(chosen))
        _by_element(judged)
    save_and_bring(runs, refreshed(runs, chosen))


def _nothing(runs: RunStore) -> str:
    if runs.runs(1):
        return "Choose runs above; what they differ in, and what came of it, stands here then."
    return "No run yet: train one on the Train page, change a setting, train another, and compare the two here."


def _table_and_curves(runs: RunStore, chosen: Sequence[Compared]) -> None:
    now = refreshed(runs, chosen)
    names = differing(now)
    if len(now) > 1:
        st.markdown(plain(" ".join([shared_words(now, names), copies_words(now)])))
        for doubt in doubts(now):
            st.warning(plain(doubt), icon=":material/balance:")
    rows = table_rows(now, names)
    st.dataframe(
        rows, hide_index=True, key="compare_table", column_config=COLUMNS | error_columns(rows), placeholder=NONE
    )
    _repeats(now, names)
    if any(one.epochs for one in now):
        _curves(now, names)
    if any(one.run.is_live for one in chosen) and not any(one.run.is_live for one in now):
        st.rerun()  # the last one is over: its predictions can be drawn


def table_rows(runs: Sequence[Compared], names: Sequence[str]) -> list[dict[str, Any]]:
    """One row a run: the settings that differ, where it stands, how good and how fast it is."""
    titles, units = headings(runs, names), {_unit(one) for one in runs}
    unit = f" ({units.pop()})" if len(units) == 1 and "" not in units else ""
    error = error_name(runs)
    rows = []
    for one in runs:
        row: dict[str, Any] = {"Run": one.letter}
        row |= {f"Test {error}{unit}": _error(one, one.test.get("mae"))}
        row |= {f"Validation {error}{unit}": _error(one, one.best_mae)}
        if any(other.target.is_class for other in runs):
            row["Test AUC"] = _rounded(roc_area(one), 4)
        row |= {"Unit": _unit(one)} if len({_unit(r) for r in runs}) > 1 else {}
        row |= {titles[name]: value_of(one, name) for name in names}
        if not names:
            row["Name"] = one.run.name or one.run.id
        row |= {"Weights": one.data.get("n_parameters"), "s/epoch": _rounded(one.seconds, 3), "State": one.run.state}
        rows.append(row)
    return rows


def _unit(run: Compared) -> str:
    return "%" if run.target.is_class else run.target.unit


def _error(run: Compared, error: float | None) -> float | None:
    """With four digits, more than any test set of this size bears out; of a class in %."""
    return None if error is None else _rounded(100 * error if run.target.is_class else error, 4)


def error_columns(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The columns of errors, all with the decimals that give the largest error four digits: so they line up.

    Errors in different units do not: each has its own four digits.
    """
    errors = {name: [row[name] for row in rows] for name in rows[0] if name.startswith(ERRORS)}
    known = [value for values in errors.values() for value in values if value]
    decimals = min(6, max(0, 3 - floor(log10(max(known))))) if known else 4
    digits = "%.4g" if "Unit" in rows[0] else f"%.{decimals}f"
    return {name: st.column_config.NumberColumn(format=digits) for name in errors}


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else float(f"{value:.{digits}g}")


def _repeats(runs: Sequence[Compared], names: Sequence[str]) -> None:
    """Mean and spread over seeds, where there is more than one; else, of two runs, what their test crystals say."""
    groups = repeats(runs)
    rest = [name for name in names if name != "train.seed"]
    if any(len(group.maes) > 1 for group in groups):
        titles = headings(runs, rest)
        rows = [
            {"Runs": ", ".join(one.letter for one in group.runs)}
            | {titles[name]: value_of(group.runs[0], name) for name in rest}
            | {_spread_heading(group.runs[0]): group.words}
            for group in groups
        ]
        st.markdown("Over the seeds, runs with otherwise equal settings:")
        st.dataframe(rows, hide_index=True, key="compare_repeats")
    elif len(runs) == 2 and all(one.test for one in runs) and not doubts(runs) and not copies_words(runs):
        st.markdown(plain(paired_words(*runs)))


def _spread_heading(run: Compared) -> str:
    unit = f" ({_unit(run)})" if _unit(run) else ""
    return f"Test {error_name([run])}{unit}, mean ± std"


def _curves(runs: Sequence[Compared], names: Sequence[str]) -> None:
    learners = [one for one in runs if one.of in ("", one.shown.name)]
    of_class = all(one.target.is_class for one in learners)
    error, key = ("Share wrong", "compare_class_metric") if of_class else ("MAE", "compare_metric")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        metric = st.segmented_control(
            "Error", [error, "loss"], default=error, required=True, key=key, bind="query-params"
        )
        x = st.segmented_control(
            "Along", ["epoch", "time"], default="epoch", required=True, key="compare_x", bind="query-params"
        )
        training = st.toggle("Training, too", key="compare_training", bind="query-params")
        log = st.toggle("Logarithmic", key="compare_log", bind="query-params")
    smoothing = st.slider(
        "Smoothing",
        0.0,
        0.95,
        0.0,
        0.05,
        key="smoothing",
        bind="query-params",
        width=320,
        help="An exponential moving average: the share of the past in each point. What was measured stays behind it.",
    )
    drawn = runs if metric == "loss" else learners
    if words := _left_out(runs, drawn):
        st.caption(words)
    units = {one.target.unit for one in drawn}
    curves = [curve for curve, one in zip(curves_of(runs, names), runs, strict=True) if one in drawn]
    spec = overlaid_curves(
        curves,
        metric="loss" if metric == "loss" else "mae",
        unit=" or ".join(sorted(u for u in units if u)) if metric != "loss" else "",
        x=x,
        smoothing=smoothing,
        training=training,
        log=log,
        is_class=of_class,
    )
    alt = f"Validation {metric} of {len(drawn)} runs by {x}"
    st.echarts_chart(spec, key="compare_curves", height=420, alt=alt)
    with st.container(horizontal=True):
        explained("compare", "What am I looking at?")
        st.download_button("Table as CSV", csv_of(table_rows(runs, names)), "runs.csv", icon=":material/download:")
        rows = [{"run": one.letter, "id": one.run.id, **e} for one in runs for e in one.epochs]
        st.download_button("Curves as CSV", csv_of(rows), "curves.csv", icon=":material/download:")


def _left_out(runs: Sequence[Compared], drawn: Sequence[Compared]) -> str:
    """Which runs have no curve, since they do not learn the target that is compared."""
    letters = [one.letter for one in runs if one not in drawn]
    if not letters:
        return ""
    what = TARGETS[runs[0].of].label
    does = "does" if len(letters) == 1 else "do"
    return f"Not drawn: {' and '.join(letters)}, which {does} not learn “{what}”."


def _by_element(runs: Sequence[Compared]) -> None:
    st.subheader("Errors by element")
    by_letter = {one.letter: one for one in runs}
    if st.session_state.get("element_run") not in (None, *by_letter):
        del st.session_state["element_run"]
    if st.session_state.get("element_other") not in (None, NOTHING, *by_letter):
        del st.session_state["element_other"]
    letters = list(by_letter)
    with st.container(horizontal=True):
        mine = st.segmented_control(
            "Run", letters, default=letters[0], required=True, key="element_run", bind="query-params"
        )
        other = NOTHING
        if len(letters) > 1:
            other = st.segmented_control(
                "minus", [NOTHING, *letters], default=NOTHING, required=True, key="element_other", bind="query-params"
            )
    run = by_letter[mine]
    of_class, unit = run.target.is_class, run.target.unit
    errors = errors_by_element(run.test, is_class=of_class)
    if other in (NOTHING, mine):
        st.plotly_chart(error_by_element(errors, unit=unit, is_class=of_class), key="compare_elements")
    elif by_letter[other].target != run.target:
        st.info("These two runs learn different targets: their errors cannot be subtracted.", icon=":material/info:")
    else:
        title = f"Error of {mine} minus error of {other}: blue where {mine} is better"
        others = errors_by_element(by_letter[other].test, is_class=of_class)
        if of_class:
            errors, others, unit = _percent(errors), _percent(others), "%"
        figure = error_difference(errors, others, unit=unit, title=title)
        st.plotly_chart(figure, key="compare_elements")
    explained("compare", "What does an element's error say?")


def _percent(shares: Mapping[str, tuple[float, int]]) -> dict[str, tuple[float, int]]:
    return {symbol: (100 * share, n) for symbol, (share, n) in shares.items()}
