"""The cards of the ready experiments, and one of them opened: question, background, guess, and the button."""

from collections.abc import Callable
from functools import partial

import streamlit as st

from cgcnn.runs.store import RunStore
from cgcnn.training.experiments import EXPERIMENTS, Card
from cgcnn.training.sweep import limits
from cgcnn.ui.experiment_begin import CUSTOM, begin, run_button, show_experiment
from cgcnn.ui.experiment_words import counted, held_words, size_words, time_words
from cgcnn.ui.prose import plain
from cgcnn.ui.run_queue import spoken

IN_A_ROW = 3


def cards(runs: RunStore) -> None:
    """Every ready experiment and the own grid, each with its question and its size."""
    slots = runs.load().slots
    shown = [(key, card.title, card.question, _short(card, slots)) for key, card in EXPERIMENTS.items()]
    own = "Vary one or two settings of your choice, each several times from other random beginnings (seeds)."
    shown.append((CUSTOM, "Your own question", own, f"Up to {runs.limits.sweep_size} runs"))
    for start in range(0, len(shown), IN_A_ROW):
        for column, (key, title, question, size) in zip(st.columns(IN_A_ROW), shown[start:], strict=False):
            with column, st.container(border=True, height="stretch", key=f"card_{key}"):
                st.markdown(f"**{plain(title)}**")
                st.markdown(plain(question))
                st.space("stretch")
                with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
                    st.button("Open", key=f"open_{key}", on_click=show_experiment, args=(key,))
                    st.caption(size, width="content")


def card_view(runs: RunStore, key: str, card: Card) -> None:
    """One experiment before it runs: nothing is shown of what earlier ones found."""
    back()
    st.subheader(card.title, anchor=False)
    st.markdown(f"**{plain(card.question)}**")
    st.markdown(plain(card.why))
    planned = card.runs()
    st.markdown(
        f"- {plain(size_words(card.axes, len(card.seeds)))}.\n"
        f"- {plain(held_words(card.base, card.axes, card.seeds))}\n"
        f"- {plain(time_words(len(planned), card.core_seconds, runs.load()))}\n"
        f"- {plain(limits(card.axes, len(card.seeds)))}"
    )
    words = [guess.words for guess in card.guesses]
    guess = st.radio("What do you expect?", words, index=None, key=f"guess_{key}", format_func=plain)
    if run_button(guess or ""):
        begin(runs, planned, experiment=key, title=card.title, guess=guess or "", axes=card.axes)


def back(experiment: str = "", on_click: Callable[[], None] | None = None) -> None:
    """The way back to all experiments, or to one question."""
    words = "To the question" if experiment else "All experiments"
    st.button(
        words,
        icon=":material/arrow_back:",
        type="tertiary",
        on_click=on_click or partial(show_experiment, experiment),
        key=f"back_to_{experiment or 'all'}",
    )


def _short(card: Card, slots: int) -> str:
    time = f", about {spoken(card.core_seconds / max(1, slots))}" if card.core_seconds else ""
    return f"{counted(len(card.runs()))}{time}"
