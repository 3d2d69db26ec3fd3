"""All runs of an experiment at once: pause, resume, stop, and try again what was lost."""

from collections.abc import Callable, Sequence
from functools import partial

import streamlit as st

from cgcnn.errors import CrystalError
from cgcnn.runs.records import Run, Sweep
from cgcnn.runs.store import RunStore
from cgcnn.ui.experiment_seen import LOST, Member
from cgcnn.ui.prose import plain, show_mistake
from cgcnn.ui.who import may_control, who

CONTROLS: dict[str, tuple[str, str, str, Callable[[Run], bool]]] = {
    "pause": (
        "Pause all",
        ":material/pause:",
        "Every run stands still after its batch; nothing is lost.",
        lambda run: run.is_live and run.wanted not in ("pause", "stop"),
    ),
    "run": (
        "Resume all",
        ":material/play_arrow:",
        "Go on from where each run stands, with the same numbers.",
        lambda run: run.can_resume or (run.state == "running" and run.wanted == "pause"),
    ),
    "stop": (
        "Stop all",
        ":material/stop:",
        "End for good what has not finished; a stopped run learned for less long and does not count.",
        lambda run: (run.is_live and run.wanted != "stop") or run.can_resume,
    ),
}


def sweep_controls(runs: RunStore, sweep: Sweep, members: Sequence[Member]) -> None:
    """Three buttons, and a fourth where runs were lost; off for the experiment of somebody else."""
    mine = may_control(sweep.user)
    lost = [member.run for member in members if member.run.state in LOST]
    with st.container(horizontal=True, gap="small"):
        for wanted, (label, icon, help, applies) in CONTROLS.items():
            st.button(
                label,
                icon=icon,
                help=help,
                key=f"sweep_{wanted}",
                disabled=not mine or not any(applies(member.run) for member in members),
                on_click=_ask,
                args=(runs, sweep, wanted),
            )
        if lost:
            words = "Try again" if len(lost) == 1 else f"Try all {len(lost)} again"
            help = "The same settings and seeds once more, in a new run each."
            st.button(
                words, icon=":material/replay:", help=help, key="sweep_again", disabled=not mine, on_click=_try_again,
                args=(runs, sweep, lost),
            )  # fmt: skip
    if not mine:
        st.markdown(f":material/lock: This experiment belongs to **{plain(sweep.user)}**, who alone can steer it.")
    if sentence := st.session_state.get("sweep_mistakes", {}).get(sweep.id):
        show_mistake(sentence)
    _lost(members)


def _lost(members: Sequence[Member]) -> None:
    """Runs that failed or wait for help, each sentence once with the runs that it is about."""
    about: dict[tuple[str, str], list[str]] = {}
    for run in (member.run for member in members if member.run.state in ("failed", "interrupted")):
        about.setdefault((run.state, run.error), []).append(run.name or run.id)
    for (state, why), names in about.items():
        was = "failed" if state == "failed" else "was interrupted" if len(names) == 1 else "were interrupted"
        st.warning(f"**{plain('; '.join(names))}** {was}: {plain(why)}", icon=":material/error:")


def _ask(runs: RunStore, sweep: Sweep, wanted: str) -> None:
    """Ask the runs that it concerns; the last in line first, so that none starts while the others are told."""
    applies = CONTROLS[wanted][3]
    members = runs.runs(1000, sweep=sweep.id)
    _noting(sweep, [partial(runs.request, run.id, wanted) for run in members if applies(run)])


def _try_again(runs: RunStore, sweep: Sweep, lost: Sequence[Run]) -> None:
    """A run that is over stays so: a new one with its settings, which names it as its parent, takes its place."""

    def again(run: Run) -> None:
        first = run.parent or run.id
        runs.submit(run.config, user=sweep.user, owner=who().owner, name=run.name, parent=first)

    _noting(sweep, [partial(again, run) for run in lost])


def _noting(sweep: Sweep, asks: Sequence[Callable[[], object]]) -> None:
    """A mistake stands until the next press: the figure draws itself anew every second."""
    mistakes: dict[str, str] = st.session_state.setdefault("sweep_mistakes", {})
    mistakes.clear()
    try:
        for ask in asks:
            ask()
    except CrystalError as mistake:
        mistakes[sweep.id] = str(mistake)
