"""The Table tab: what stays and what begins anew, a study with one seed, and the same with repeats, live."""

from datetime import datetime
from typing import Any

import streamlit as st

from cgcnn.data.csv_text import csv_of
from cgcnn.errors import CrystalError
from cgcnn.figures.sweep import sweep_alt
from cgcnn.figures.transfer import transfer_chart
from cgcnn.runs.store import RunStore
from cgcnn.training.transfer_crystals import material_words
from cgcnn.training.transfer_study import Table
from cgcnn.ui.backend import keep_served
from cgcnn.ui.experiment_words import counted, progress_words
from cgcnn.ui.link import set_link
from cgcnn.ui.prose import explained, plain, show_mistake
from cgcnn.ui.transfer_controls import study_controls
from cgcnn.ui.transfer_form import earlier, study_form
from cgcnn.ui.transfer_seen import STUDY, StudySeen, looked_again, pace, study_in_view
from cgcnn.ui.transfer_static import frozen_axes, parts_shown, their_study, their_table
from cgcnn.ui.transfer_words import THERE, here_words, table_columns, table_csv, table_rows

ICONS = {"yes": ":material/check_circle:", "no": ":material/cancel:", "open": ":material/balance:"}
DOWNLOAD = ":material/download:"


def table_tab(runs: RunStore) -> None:
    """The study that the URL names, or what there is to know before one begins, and the form."""
    seen = in_view(runs)
    if seen is not None:
        _study_view(runs, seen)
        return
    left, right = st.columns(2, gap="large")
    with left:
        parts_shown("parts")
    with right:
        their_study()
    st.subheader("The same with repeats, on this machine", anchor=False)
    earlier(runs)
    study_form(runs)


def in_view(runs: RunStore) -> StudySeen | None:
    """The study that the URL names; one that cannot be shown is a sentence, and the link goes on without it."""
    try:
        return study_in_view(runs)
    except CrystalError as mistake:
        show_mistake(str(mistake))
        set_link(STUDY, "")
        return None


def head(seen: StudySeen) -> None:
    """Whose study it is, and when it was begun."""
    sweep = seen.sweep
    when = f"{datetime.fromtimestamp(sweep.created):%d %b %H:%M}"
    st.subheader(plain(sweep.title), anchor=False)
    st.caption(" · ".join([*[plain(sweep.user)] * bool(sweep.user), when, counted(len(seen.members))]))


def _study_view(runs: RunStore, seen: StudySeen) -> None:
    st.button(
        "All studies", icon=":material/arrow_back:", type="tertiary", on_click=set_link, args=(STUDY, ""),
        key="back_to_studies",
    )  # fmt: skip
    head(seen)
    if not seen.members:
        st.info("All runs of this study have been deleted; run it again.", icon=":material/info:")
        return
    every = pace(seen)
    st.fragment(_live, run_every=every)(runs, seen, every)
    with st.expander("What is held equal, and what is not", icon=":material/balance:"):
        st.markdown("\n".join(f"- {plain(words)}" for words in material_words(seen.study, seen.crystals)))
        explained("transfer", "What is held equal?")


def _live(runs: RunStore, seen: StudySeen, every: float | None) -> None:
    """Progress, buttons, sentences, chart and table."""
    seen = looked_again(runs, seen, every)
    if every is not None:
        keep_served(runs)
        _progress(runs, seen)
    study_controls(runs, seen)
    strict = st.toggle(
        f"Judge only by the {seen.crystals.n_apart} test crystals that no source has met",
        True,
        key="study_strict",
        bind="query-params",
        disabled=not seen.crystals.kin or not seen.crystals.n_apart,
        help="Of the other test crystals, a source has learned from one of the same chemical system, with another "
        "label; off: all test crystals count.",
    )
    seen.strict = strict and seen.crystals.n_apart > 0
    table = seen.table
    findings_shown(seen)
    _chart(seen, table)
    left, right = st.columns([8, 5], gap="medium")
    with left:
        st.markdown(here_words(seen.study))
        st.dataframe(table_rows(table), hide_index=True, key="study_table", column_config=table_columns(seen.study))
        if (guess := seen.baseline()) is not None:
            st.caption(
                f"Always predicting the mean of these test crystals errs by {guess:.3g} {seen.study.meaning.unit}."
            )
        st.download_button("Runs as CSV", csv_of(table_csv(table)), "transfer.csv", "text/csv", icon=DOWNLOAD)
    with right:
        st.markdown(THERE)
        their_table(sizes=False)


def _progress(runs: RunStore, seen: StudySeen) -> None:
    words = progress_words(seen.states, seen.seconds_to_go(), runs.load())
    if why := runs.ballast.why_not():
        st.warning(plain(why), icon=":material/hard_drive:")
    st.progress(seen.share, words)


def findings_shown(seen: StudySeen, only: str = "") -> None:
    """The claims with what the runs say of them; `only` those whose question holds this word."""
    if not seen.is_over:
        st.markdown("Whether the differences mean anything is judged when all runs have ended.")
        return
    for finding in seen.findings():
        if only in finding.question:
            st.info(
                f"**{plain(finding.question)}** {plain(finding.sentence)}",
                icon=ICONS.get(finding.found, ":material/help:"),
            )
    explained("transfer", "How is it judged?")


def _chart(seen: StudySeen, table: Table) -> None:
    study = seen.study
    found = [row.cells[place].arm for place in range(len(study.columns)) for row in table.rows]
    if not any(arm.maes for arm in (*found, table.scratch.arm)):
        return
    if seen.drawn.get("table", (None, {}))[0] != table:
        seen.drawn["table"] = table, _drawn(found, table)
    alt = sweep_alt([*found, table.scratch.arm], unit=study.meaning.unit)
    st.echarts_chart(seen.drawn["table"][1], key=f"study_{seen.sweep.id}", height=460, alt=alt)


def _drawn(found: list[Any], table: Table) -> dict[str, Any]:
    study = table.study
    title = f"Test error: {study.meaning.label.lower()}"
    axes = frozen_axes(study.columns, study.sources)
    return transfer_chart(found, axes, table.scratch.arm, title=title, unit=study.meaning.unit)
