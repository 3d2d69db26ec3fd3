"""A run on the page: where it stands, its numbers and its curves. All of it is read from the store."""

from datetime import datetime
from typing import Any

import streamlit as st

from cgcnn.errors import CrystalError, RunError
from cgcnn.figures.learning import axis_end, loss_curves
from cgcnn.runs.records import Run
from cgcnn.runs.store import RunStore
from cgcnn.training.experiment import RunConfig
from cgcnn.ui.backend import keep_served
from cgcnn.ui.link import write_links
from cgcnn.ui.prose import plain, show_mistake
from cgcnn.ui.run_controls import controls, style
from cgcnn.ui.run_link import run_in_view, show_run, still_shown
from cgcnn.ui.run_numbers import numbers
from cgcnn.ui.run_queue import kind_of, pace_of, queue_words
from cgcnn.ui.run_targets import Shown, targets_of
from cgcnn.ui.run_words import Seen, curve_words, newest, taken_up, where
from cgcnn.ui.who import may_control, who

STATES = {
    "queued": ":material/hourglass_top: **Waiting**",
    "running": ":material/play_arrow: **Running**",
    "paused": ":material/pause: **Paused**",
    "interrupted": ":material/power_off: **Interrupted**",
    "finished": ":material/check: **Finished**",
    "stopped": ":material/stop: **Stopped**",
    "failed": ":material/error: **Failed**",
}
MINE, ALL = "Mine", "Everyone's"


def seen(runs: RunStore, run_id: str) -> Seen:
    """Read what is new since the last look."""
    kept: dict[str, Seen] = st.session_state.setdefault("seen_runs", {})
    mine = kept.setdefault(run_id, Seen())
    for event in runs.events(run_id, after=mine.last):
        mine.last = event.n
        mine.take(event.kind, event.data)
    return mine


def chosen_run(runs: RunStore) -> Run | None:
    """The run in the URL, or one chosen from the list of earlier ones."""
    run_id = run_in_view()
    style()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        listed = _listed(runs)
        if run_id and run_id not in [run.id for run in listed]:
            try:
                listed.append(runs.run(run_id))
            except RunError as mistake:
                show_mistake(str(mistake))
                show_run("")
                run_id = ""
        names = {run.id: title_of(run) for run in listed}
        if listed:
            _choice(names, run_id)
    write_links()
    if not listed:
        st.info(_no_run(runs), icon=":material/info:")
    chosen = next((run for run in listed if run.id == run_id), None)
    return _readable(chosen) if chosen is not None else None


def _no_run(runs: RunStore) -> str:
    if who().name and runs.runs(1):
        return f"You have no run yet: press Train. **{ALL}** shows those of the class."
    return "No run yet. The settings work as they are: press Train."


def _listed(runs: RunStore) -> list[Run]:
    """The latest runs; with a name, this reader's own unless all are asked for."""
    name = who().name
    if not name:
        return runs.runs(50)
    whose = st.segmented_control(
        "Runs", [MINE, ALL], default=MINE, required=True, key="whose_runs", bind="query-params", width="content"
    )
    return runs.runs(50, user=name if whose == MINE else None)


def _readable(run: Run) -> Run | None:
    """The run, unless this version of the lab cannot read its settings: then they are shown as they are."""
    try:
        RunConfig.from_dict(run.settings)
    except CrystalError as mistake:
        show_mistake(f"Run {run.id} was made by another version of the lab: {mistake}")
        st.json(dict(run.settings))
        return None
    return run


def title_of(run: Run) -> str:
    """A run in the list. The browser answers with these words, so they are unique and stay the same for ever."""
    words = [f"{datetime.fromtimestamp(run.created):%d %b %H:%M}", run.name, run.user, run.id]
    return " · ".join(word for word in words if word)


def _choice(names: dict[str, str], run_id: str) -> None:
    """The list, a new one for each run in view: a look at the store that the browser asked for before it knew of a
    new run still carries the old choice, and must not bring the old run back.
    """
    key = f"run_choice_{run_id}"
    st.selectbox(
        "Run",
        list(names),
        list(names).index(run_id) if run_id else None,
        format_func=lambda i: names[i],
        key=key,
        placeholder="Choose an earlier run",
        on_change=_chosen,
        args=(key, run_id),
    )


def _chosen(key: str, run_id: str) -> None:
    """Show what was chosen in the list that was drawn for `run_id`.

    A late request still carries the value of a list that is gone, which Streamlit takes for a choice: it is none once
    another run is in view.
    """
    if still_shown() == run_id:
        show_run(st.session_state[key] or "")


def watched(runs: RunStore, run: Run, shown: Shown) -> None:
    """The run and one of its targets, looked at again as often as it may change; see run_queue."""
    every = pace_of(runs, run)
    st.fragment(_status, run_every=every)(runs, run.id, shown, kind_of(run), every)


def _status(runs: RunStore, run_id: str, shown: Shown, kind: str, every: float | None) -> None:
    """Buttons, sentence, numbers, curves. The whole page is drawn again when the run becomes one of another kind."""
    run = _as_drawn(runs, run_id, kind, every)
    mine = seen(runs, run_id)
    if run.is_live:
        try:
            keep_served(runs)
        except RunError as mistake:  # the run can still be seen
            show_mistake(str(mistake))
    controls(runs, run, has_begun=mine.last > 0)
    with st.container(key="run_state", gap=None):
        st.markdown(f"{STATES[run.state]}{_where(runs, run, mine)}")
        if kind != "over" and (words := newest(run, mine, shown)):
            st.markdown(words)
        if run.is_live and (words := taken_up(mine)):
            st.caption(words)
    if run.error:
        show_mistake(run.error)
    if run.is_live or mine.epochs or mine.batches:  # empty axes at first: the browser has its picture made by then
        _curves(run, mine, shown)
    numbers(run, mine, shown)


def _as_drawn(runs: RunStore, run_id: str, kind: str, every: float | None) -> Run:
    """The run as it is now; if the page around it no longer fits, the page starts over."""
    try:
        run = runs.run(run_id)
    except RunError:  # deleted by somebody else
        st.rerun()
    now = pace_of(runs, run)
    if still_shown() != run_id or kind_of(run) != kind or not (now or 1) / 1.6 < (every or 1) < (now or 1) * 1.6:
        st.rerun()
    return run


def _where(runs: RunStore, run: Run, mine: Seen) -> str:
    if run.state != "queued":
        return where(run, mine)
    if source := runs.waits_for(run.id):
        return f": it starts from run {source.id} ({plain(source.name)}), which is not over yet."
    whose = "yours" if may_control(run.user) else "this one"
    why_not = plain(runs.ballast.why_not())
    return f": {why_not or queue_words(runs.load(), runs.queue_position(run.id), whose)}"


def _curves(run: Run, mine: Seen, shown: Shown) -> None:
    target, others = shown.target, [other.target for other in targets_of(run.settings) if other.name != shown.name]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        curve = st.segmented_control(
            "Curve",
            [shown.error, "loss"],
            default=shown.error,
            required=True,
            key="class_curve" if target.is_class else "curve",
            bind="query-params",
            help=curve_words(run.settings["train"]["loss"], target, others),
        )
        log = st.toggle("Logarithmic", key="log", bind="query-params")
    depends = (mine.last, run.state, shown, curve, log)
    if mine.drawn[0] != depends:
        mine.drawn = depends, _chart(run, mine, shown, curve != "loss", log)
    alt = "Training and validation curves, epoch by epoch"
    st.echarts_chart(mine.drawn[1], key=f"curves_{run.id}_{shown.index}", height=360, alt=alt)


def _chart(run: Run, mine: Seen, shown: Shown, is_error: bool, log: bool) -> dict[str, Any]:
    total, under_way = run.settings["train"]["epochs"], run.is_live or run.can_resume
    done = len(mine.epochs) + (1 if mine.batches else 0)
    batches = mine.batches if (under_way or not mine.epochs) and not (is_error and shown.index) else ()
    return loss_curves(
        shown.epochs(mine.epochs),
        log=log,
        metric="mae" if is_error else "loss",
        unit=shown.target.unit if is_error else "",
        baseline=shown.baseline(mine.latest.get("data", {})) if is_error else None,
        total_epochs=axis_end(done, total) if under_way else total if run.state == "finished" else None,
        batches=batches,
        is_class=shown.target.is_class,
        best_words="best" if shown.is_alone else "best for all targets",
        n_targets=shown.among,
    )
