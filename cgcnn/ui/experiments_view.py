"""Experiments: a question first, a guess, then the runs, and the answer with its error bars."""

from datetime import datetime

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from cgcnn.errors import CrystalError
from cgcnn.runs.records import Sweep
from cgcnn.runs.store import RunStore
from cgcnn.training.experiments import EXPERIMENTS
from cgcnn.training.transfer_study import EXPERIMENT as TRANSFER
from cgcnn.ui.experiment_begin import CUSTOM, forget_form, show_experiment
from cgcnn.ui.experiment_card import back, card_view, cards
from cgcnn.ui.experiment_custom import custom_view
from cgcnn.ui.experiment_sweep import sweep_view
from cgcnn.ui.link import linked, write_links
from cgcnn.ui.prose import show_mistake
from cgcnn.ui.who import who

TAB, NAME = "compare_tab", "Experiments"
MINE, ALL = "Mine", "Everyone's"


def experiments(runs: RunStore) -> None:
    """What the URL names: an experiment that was begun (`sweep`), a card (`experiment`), or all cards."""
    sweep, key = _linked_sweep(runs), linked("experiment", "")
    write_links()
    with _place(sweep.id if sweep else key):
        if sweep is not None and sweep.experiment == TRANSFER:
            _elsewhere(sweep)
        elif sweep is not None:
            forget_form()
            sweep_view(runs, sweep)
        elif key == CUSTOM:
            custom_view(runs)
        elif key in EXPERIMENTS:
            card_view(runs, key, EXPERIMENTS[key])
        else:
            if key:
                known = ", ".join([*EXPERIMENTS, CUSTOM])
                show_mistake(f"There is no experiment {key[:40]!r} to choose; the link may name one of {known}.")
            _gallery(runs)


def _elsewhere(sweep: Sweep) -> None:
    """A transfer study has a page of its own."""
    back()
    st.info("This is a transfer study: its rows learn different properties, and it is shown on the page **Transfer**.")
    st.page_link(
        "pages/transfer.py", label="Open it there", icon=":material/move_down:", query_params={"study": sweep.id}
    )


def _place(view: str) -> DeltaGenerator:
    """Where a view is drawn; another one than before begins empty, or the old one would stay below it for a while."""
    if st.session_state.get("experiments_shown") == view:
        return st.container()
    st.session_state["experiments_shown"] = view
    return st.empty().container()


def led_here() -> None:
    """A link that names an experiment opens this tab, even one that names no tab."""
    names = st.query_params.keys() & {"experiment", "sweep"}
    if names and TAB not in st.query_params and TAB not in st.session_state:
        st.session_state[TAB] = NAME


def _linked_sweep(runs: RunStore) -> Sweep | None:
    sweep_id = linked("sweep", "")
    if not sweep_id:
        return None
    try:
        return runs.sweep(sweep_id)
    except CrystalError as mistake:
        show_mistake(str(mistake))
        show_experiment(linked("experiment", ""))
        return None


def _gallery(runs: RunStore) -> None:
    st.markdown(
        "Choose a question and **guess first**. Then small networks are trained on this machine, each setting "
        "several times from other random beginnings (seeds), and you see whether the difference is larger than chance."
    )
    cards(runs)
    _earlier(runs)


def _earlier(runs: RunStore) -> None:
    """The latest experiments, to open again; they stand below the questions, since they tell the answers."""
    name = who().name
    if not _begun(runs):
        return
    st.subheader("Earlier experiments")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        whose = ALL
        if name:
            whose = st.segmented_control(
                "Whose experiments", [MINE, ALL], default=MINE, required=True, key="whose_sweeps",
                bind="query-params", width="content",
            )  # fmt: skip
        listed = {sweep.id: sweep for sweep in _begun(runs, name if whose == MINE else None)}
        st.session_state["sweep_choice"] = None
        st.selectbox(
            "Open one again",
            list(listed),
            format_func=lambda i: _title(listed[i]),
            key="sweep_choice",
            placeholder="Choose an experiment" if listed else "None of yours yet",
            on_change=lambda: show_experiment(sweep=st.session_state.sweep_choice or ""),
        )


def _begun(runs: RunStore, user: str | None = None) -> list[Sweep]:
    """The latest experiments but for transfer studies, of all or of one user."""
    return [sweep for sweep in runs.sweeps(100, user=user) if sweep.experiment != TRANSFER]


def _title(sweep: Sweep) -> str:
    words = [f"{datetime.fromtimestamp(sweep.created):%d %b %H:%M}", sweep.user, sweep.title]
    return " · ".join(word for word in words if word)
