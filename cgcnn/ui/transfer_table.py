"""The Table tab: what stays and what begins anew, a study with one seed, and the same with repeats, live."""

from datetime import datetime
from typing import Any

import streamlit as st

from cgcnn.data.csv_text import csv_of
from cgcnn.errors import CrystalError
from cgcnn.figures.sweep import sweep_alt
from cgcnn.figures.transfer import transfer_chart
from cgcnn.runs.store import RunStore
from cgcnn.training.transfer_answers import Finding
from cgcnn.training.transfer_crystals import material_words
from cgcnn.training.transfer_study import Study, Table
from cgcnn.ui.backend import keep_served
from cgcnn.ui.experiment_words import counted, progress_words
from cgcnn.ui.link import set_link
from cgcnn.ui.prose import explained, plain, show_mistake
from cgcnn.ui.teacher import LOCKED, drawn, is_hidden, is_locked
from cgcnn.ui.transfer_controls import study_controls
from cgcnn.ui.transfer_form import back_to_form, earlier, study_form
from cgcnn.ui.transfer_seen import NO, STRICT, STUDY, YES, StudySeen, looked_again, pace, study_in_view
from cgcnn.ui.transfer_static import frozen_axes, numbers_of, parts_shown, their_study, their_table
from cgcnn.ui.transfer_words import THERE, guess_words, here_words, table_columns, table_csv, table_rows

ICONS = {"yes": ":material/check_circle:", "no": ":material/cancel:", "open": ":material/balance:"}
DOWNLOAD = ":material/download:"
OTHER_PROPERTY = "The published study learned the band gap, so its errors cannot be laid beside these."


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
        "New study or another one", icon=":material/arrow_back:", type="tertiary", on_click=back_to_form,
        args=(seen.study,), key="back_to_studies",
    )  # fmt: skip
    head(seen)
    if not seen.members:
        st.info("All runs of this study have been deleted; run it again.", icon=":material/info:")
        return
    judges(seen)
    every = pace(seen)
    st.fragment(_live, run_every=every)(runs, seen, every)
    with st.expander("What is held equal, and what is not", icon=":material/balance:"):
        st.markdown("\n".join(f"- {plain(words)}" for words in material_words(seen.study, seen.crystals, seen.strict)))
        explained("transfer", "What is held equal?")


def _live(runs: RunStore, seen: StudySeen, every: float | None) -> None:
    """Progress, buttons, sentences, chart and table."""
    seen = looked_again(runs, seen, every)
    if every is not None:
        keep_served(runs)
        _progress(runs, seen)
    study_controls(runs, seen)
    table = seen.table
    findings_shown(seen)
    _chart(seen, table)
    left, right = beside_theirs(seen.study)
    with left:
        st.markdown(here_words(seen.study))
        st.dataframe(table_rows(table), hide_index=True, key="study_table", column_config=table_columns(seen.study))
        if (guess := seen.baseline()) is not None:
            st.caption(guess_words(seen.study, guess))
        st.download_button("Runs as CSV", csv_of(table_csv(table)), "transfer.csv", "text/csv", icon=DOWNLOAD)
    with right:
        if is_theirs(seen.study):
            st.markdown(THERE)
            their_table(sizes=False)
        else:
            st.caption(OTHER_PROPERTY)


def judges(seen: StudySeen) -> None:
    """The switch between all test crystals and those that are new to every source; it stands in the URL."""
    found, locked = seen.crystals, is_locked(STRICT)
    label = f"Judge only by the {found.n_apart} test crystals that no source trained here has met"
    drawn(STRICT, label)
    if not is_hidden(STRICT):
        st.session_state[STRICT] = seen.strict
        st.toggle(
            label,
            key=STRICT,
            disabled=locked or not found.kin or not found.n_apart,
            help="Of the other test crystals, a source has learned from one of the same chemical system, with another "
            f"label; off: all {found.n_test} test crystals count. {LOCKED if locked else ''}".strip(),
            on_change=lambda: set_link(STRICT, YES if st.session_state[STRICT] else NO),
        )


def beside_theirs(study: Study) -> list[Any]:
    """Two columns where the published table is shown beside that of a study, else two rows."""
    return st.columns([8, 5], gap="medium") if is_theirs(study) else [st.container(), st.container()]


def is_theirs(study: Study) -> bool:
    """Whether a study learns what the published one learned: no other errors can be laid beside its own."""
    return study.target == Study().target


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
    by_sentence: dict[str, list[Finding]] = {}  # what is unknown for one reason is said once
    for finding in seen.findings():
        if only in finding.question:
            by_sentence.setdefault(finding.sentence, []).append(finding)
    for sentence, several in by_sentence.items():
        questions = " ".join(finding.question for finding in several)
        icon = ICONS.get(several[0].found, ":material/help:")
        st.info(f"**{plain(questions)}** {plain(sentence)}", icon=icon)
    explained("transfer", "How is it judged?")


def _chart(seen: StudySeen, table: Table) -> None:
    study = seen.study
    found = [row.cells[place].arm for place in range(len(study.columns)) for row in table.rows]
    if not any(arm.maes for arm in (*found, table.scratch.arm)):
        return
    if seen.drawn.get("table", (None, {}))[0] != table:
        seen.drawn["table"] = table, _drawn(found, table)
    alt = sweep_alt([*found, table.scratch.arm], unit=study.unit)
    st.echarts_chart(seen.drawn["table"][1], key=f"study_{seen.sweep.id}", height=460, alt=alt)


def _drawn(found: list[Any], table: Table) -> dict[str, Any]:
    study = table.study
    title = f"Test error: {study.meaning.label.lower()}"
    axes = frozen_axes(study.columns, study.sources)
    return transfer_chart(
        found,
        axes,
        table.scratch.arm,
        title=title,
        unit=study.unit,
        error=study.error,
        numbers=numbers_of(study.sources),
    )
