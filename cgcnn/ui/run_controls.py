"""The buttons of a run, always in this order: resume, pause, step a batch, step an epoch, stop, reset."""

from dataclasses import dataclass

import streamlit as st

from cgcnn.errors import CrystalError
from cgcnn.runs.records import Run
from cgcnn.runs.store import RunStore
from cgcnn.ui.prose import plain, show_mistake
from cgcnn.ui.run_link import PLACE, show_run
from cgcnn.ui.who import may_control, who

RESET = "reset"
WIDTH = 152  # px: three in a row beside the settings, also on a laptop, and two on a phone
STYLE = f"""<style>
@media (hover: none), (max-width: 1500px) {{ .st-key-controls kbd {{ display: none !important; }} }}
@media (min-width: 641px) {{ .st-key-see_below {{ display: none !important; }} }}
[data-testid=stElementContainer]:has(#{PLACE}) {{ position: absolute; }}
</style><div id="{PLACE}"></div>"""  # 640 px: where Streamlit puts columns below each other


@dataclass(frozen=True)
class Control:
    """One button: what it asks of the run, and how it looks."""

    wanted: str  # one of WANTED, or RESET
    label: str
    icon: str
    help: str
    shortcut: str | None = None  # none where one press cannot be taken back


CONTROLS = [
    Control("run", "Resume", ":material/play_arrow:", "Go on from where it stands, with the same numbers.", "Alt+P"),
    Control("pause", "Pause", ":material/pause:", "Stand still after this batch; nothing is lost.", "Alt+U"),
    Control("batch", "One batch", ":material/skip_next:", "Learn from one batch, then pause.", "Alt+N"),
    Control("epoch", "One epoch", ":material/fast_forward:", "Learn to the end of the epoch, then pause.", "Alt+O"),
    Control("stop", "Stop", ":material/stop:", "End it for good, and test the network of its best epoch."),
    Control(
        RESET,
        "Reset",
        ":material/restart_alt:",
        "A new run with the same settings, split, seed and initial weights, paused before its first batch. "
        "This one stays in the list; if it is at work, it pauses.",
    ),
]


def means_something(wanted: str, run: Run, has_begun: bool) -> bool:
    """Whether a button would change anything in the state of the run as it is."""
    if wanted == RESET:
        return has_begun or run.state != "paused"
    if run.is_live:
        return run.wanted != "stop" and run.wanted != wanted
    return run.can_resume and wanted != "pause"


def style() -> None:
    """Shortcuts only where there is a keyboard and room, and the way down to the run only where it stands below."""
    st.html(STYLE)


def controls(runs: RunStore, run: Run | None, has_begun: bool = False) -> None:
    """The six buttons, and why they are off for a run of somebody else."""
    mine = run is not None and may_control(run.user)
    with st.container(horizontal=True, gap="small", key="controls"):
        for control in CONTROLS:
            st.button(
                control.label,
                icon=control.icon,
                help=control.help,
                shortcut=control.shortcut,
                width=WIDTH,
                key=f"control_{control.wanted}",
                disabled=run is None or not mine or not means_something(control.wanted, run, has_begun),
                on_click=_press,
                args=(runs, run, control.wanted),
            )
    if run is None:
        return
    if not mine:
        st.markdown(
            f":material/lock: This run belongs to **{plain(run.user)}**, who alone can steer it; "
            "“Change one thing” makes a run of your own from it."
        )
    if sentence := st.session_state.get("control_mistakes", {}).get(run.id):
        show_mistake(sentence)


def _press(runs: RunStore, run: Run, wanted: str) -> None:
    """A mistake stands until the next press: the page draws itself anew several times a second."""
    mistakes: dict[str, str] = st.session_state.setdefault("control_mistakes", {})
    mistakes.clear()
    try:
        if wanted == RESET:
            _reset(runs, run)
        else:
            runs.request(run.id, wanted)
    except CrystalError as mistake:
        mistakes[run.id] = str(mistake)


def copied(name: str, how: str = "reset") -> str:
    """The name of a copy: `Formation energy, seed 0 (reset)`, however often it was copied before."""
    first = name.removesuffix(" (reset)").removesuffix(" (again)")
    return f"{first} ({how})".strip()


def _reset(runs: RunStore, run: Run) -> None:
    """The new run is the one in view; the old one gives its slot back."""
    me = who()
    fresh = runs.submit(run.config, user=me.name, name=copied(run.name), owner=me.owner, parent=run.id, paused=True)
    if runs.run(run.id).is_live:
        runs.request(run.id, "pause")
    show_run(fresh)


def delete_button(runs: RunStore, run: Run) -> None:
    """Forget a run that is over, after a second press."""
    words = "Delete"
    with st.popover(words, icon=":material/delete:", key=f"delete_{run.id}", disabled=not may_control(run.user)):
        st.markdown("Its curves, its predictions and its network are gone then, for everybody, and cannot come back.")
        st.button("Delete this run", type="primary", key="delete_now", on_click=_delete, args=(runs, run.id))


def _delete(runs: RunStore, run_id: str) -> None:
    try:
        runs.delete(run_id)
        show_run("")
    except CrystalError as mistake:
        st.session_state.setdefault("control_mistakes", {})[run_id] = str(mistake)
