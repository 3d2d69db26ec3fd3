"""Begin an experiment: its runs join the queue, and its id stands in the URL."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import streamlit as st
from streamlit.errors import StreamlitAPIException

from cgcnn.errors import CrystalError
from cgcnn.runs.store import RunStore
from cgcnn.training.sweep import Planned
from cgcnn.ui.link import set_link
from cgcnn.ui.prose import plain, show_mistake
from cgcnn.ui.who import who

CUSTOM = "custom"  # the key of an experiment that a reader made up


def run_button(guess: str, mistake: str = "") -> bool:
    """The button that needs a guess and no mistake; it is bright when it can be pressed."""
    why_not = mistake or ("" if guess else "Guess first: what one expects is what one learns from.")
    return st.button(
        "Run it",
        type="secondary" if why_not else "primary",
        icon=":material/play_arrow:",
        disabled=bool(why_not),
        help=plain(why_not) or None,
        key="run_it",
    )


def begin(
    runs: RunStore,
    planned: Sequence[Planned],
    *,
    experiment: str,
    title: str,
    guess: str,
    axes: Mapping[str, Sequence[Any]],
) -> None:
    """Submit all runs and show the experiment; when the queue or the disk is full, say so and change nothing."""
    me = who()
    try:
        sweep_id = runs.submit_sweep(
            [plan.config for plan in planned],
            experiment=experiment,
            title=title,
            guess=guess,
            axes={field: list(values) for field, values in axes.items()},
            names=[plan.name for plan in planned],
            user=me.name,
            owner=me.owner,
        )
    except CrystalError as mistake:
        show_mistake(str(mistake))
        return
    st.session_state.setdefault("own_sweeps", set()).add(sweep_id)
    show_experiment(sweep=sweep_id)  # the link names the answer alone
    st.rerun()


def is_own(sweep_id: str, user: str) -> bool:
    """Whether this reader made the guess of an experiment: by name, or in this session."""
    name = who().name
    return sweep_id in st.session_state.get("own_sweeps", set()) or (name != "" and name == user)


def forget_form() -> None:
    """Take what the form of an own grid wrote out of the link: a link to an answer names the answer alone."""
    for name in [name for name in st.query_params if name.startswith("grid_")]:
        with suppress(StreamlitAPIException):  # still bound to a field that was drawn a moment ago: it goes with that
            del st.query_params[name]


def show_experiment(experiment: str = "", sweep: str = "") -> None:
    """Turn to a card, to an experiment that was begun, or, with neither, to all of them."""
    set_link("experiment", experiment)
    set_link("sweep", sweep)
