"""What an experiment found: the plain sentence, the guess against it, its limits, and where to look next."""

from typing import Any

import streamlit as st

from cgcnn.data.csv_text import csv_of
from cgcnn.figures.sweep import sweep_rows
from cgcnn.training.answers import Answer, spread_words
from cgcnn.training.experiments import EXPERIMENTS
from cgcnn.training.guesses import judged
from cgcnn.training.sweep import limits, values_of
from cgcnn.ui.compare_differences import LETTERS
from cgcnn.ui.experiment_begin import is_own
from cgcnn.ui.experiment_seen import SweepSeen
from cgcnn.ui.experiment_words import judged_words, so_far_words
from cgcnn.ui.link import set_link
from cgcnn.ui.prose import explained, plain

ICONS = {"effect": ":material/insights:", "no effect": ":material/balance:", "unknown": ":material/help:"}
DOWNLOAD = ":material/download:"


def verdict(seen: SweepSeen) -> None:
    """Who leads while runs are to come; at the end whether it means anything, and what became of the guess."""
    if not seen.is_over:
        if words := so_far_words(seen.arms, seen.target.unit):
            st.markdown(plain(words))
        return
    found = seen.judged()
    st.info(plain(found.sentence), icon=ICONS[found.found])
    if seen.sweep.guess:
        st.markdown(_on_the_guess(seen, found))


def answered(seen: SweepSeen) -> None:
    """At the end: how it was judged, what it cannot tell, what to look at next, and all of it to take home."""
    found, card = seen.judged(), EXPERIMENTS.get(seen.sweep.experiment)
    lines = [*found.remarks, limits(seen.sweep.axes, len(seen.seeds))]
    st.markdown("\n".join(f"- {plain(line)}" for line in lines))
    if card:
        st.markdown(f":material/arrow_forward: **Look next:** {plain(card.look)}")
    _links(seen)
    with st.container(horizontal=True):
        explained("compare", "How is an experiment judged?")
        rows = sweep_rows(seen.arms, unit=seen.target.unit)
        st.download_button("Settings as CSV", csv_of(rows), "experiment.csv", "text/csv", icon=DOWNLOAD)
        st.download_button("Runs as CSV", csv_of(run_rows(seen)), "runs.csv", "text/csv", icon=DOWNLOAD)
    if words := spread_words(found):
        st.caption(plain(words))


def run_rows(seen: SweepSeen) -> list[dict[str, Any]]:
    """One row for each run: its setting, its seed and its result; errors in the unit of the target."""
    tail = f" ({seen.target.unit})" if seen.target.unit else ""
    return [
        {"run": member.run.id, "name": member.run.name, "state": member.run.state}
        | values_of(member.config, seen.sweep.axes)
        | {
            "seed": member.config.train.seed,
            f"test MAE{tail}": member.outcome.mae,
            f"test MAE of predicting the mean{tail}": member.outcome.mean_mae,
            "seconds per epoch": member.outcome.seconds,
        }
        for member in seen.members
    ]


def side_by_side(seen: SweepSeen) -> list[str]:
    """The ids of one finished run of each setting, of the same seed where it can be; as many as Compare takes."""
    first: dict[tuple[Any, ...], str] = {}
    for member in seen.members:
        if member.outcome.mae is not None:
            first.setdefault(tuple(values_of(member.config, seen.sweep.axes).values()), member.run.id)
    return list(first.values())[: len(LETTERS)]


def _on_the_guess(seen: SweepSeen, found: Answer) -> str:
    """Hold the guess of a card against the runs; words of one's own are for the reader to judge."""
    card = EXPERIMENTS.get(seen.sweep.experiment)
    mine = is_own(seen.sweep.id, seen.sweep.user)
    guess = card.guess(seen.sweep.guess) if card else None
    if guess is None:
        return f"Does this bear out {'your' if mine else 'the'} guess? Judge by the sentence above and the bars below."
    return plain(judged_words(judged(guess, found), mine))


def _links(seen: SweepSeen) -> None:
    """To the runs: one of each setting side by side, or a single one on its own page."""
    ids = side_by_side(seen)
    names = {member.run.id: member.run.name or member.run.id for member in seen.members}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.button(
            "Put one run of each setting side by side",
            icon=":material/compare_arrows:",
            disabled=len(ids) < 2,
            on_click=_compare,
            args=(ids,),
            key="sweep_compare",
        )
        one = st.selectbox("A single run", list(names), format_func=lambda i: names[i], key="single_run", width=320)
        if one:
            st.page_link(
                "pages/train.py", label="Open it on Train", icon=":material/show_chart:", query_params={"run": one}
            )


def _compare(ids: list[str]) -> None:
    set_link("runs", ",".join(ids))
    st.session_state["compare_tab"] = "Runs"
