"""A run on the page: where it stands, its numbers and its curves. All of it is read from the store."""

import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import streamlit as st

from cgcnn.data.targets import TARGETS
from cgcnn.errors import CrystalError, RunError
from cgcnn.figures.learning import loss_curves
from cgcnn.runs.records import Run
from cgcnn.runs.store import RunStore
from cgcnn.training.experiment import RunConfig
from cgcnn.ui.backend import keep_served
from cgcnn.ui.link import linked, set_link, write_links
from cgcnn.ui.prose import show_mistake

STATES = {
    "queued": ":material/hourglass_top: waiting",
    "running": ":material/play_arrow: running",
    "finished": ":material/check: finished",
    "stopped": ":material/stop: stopped",
    "failed": ":material/error: failed",
}


@dataclass
class Seen:
    """The events of a run that this session has already read."""

    last: int = 0
    epochs: list[dict[str, Any]] = field(default_factory=list)
    latest: dict[str, dict[str, Any]] = field(default_factory=dict)  # kind -> newest data


def seen(runs: RunStore, run_id: str) -> Seen:
    """Read what is new since the last look."""
    kept: dict[str, Seen] = st.session_state.setdefault("seen_runs", {})
    mine = kept.setdefault(run_id, Seen())
    for event in runs.events(run_id, after=mine.last):
        mine.last = event.n
        mine.latest[event.kind] = event.data
        if event.kind == "epoch":
            mine.epochs.append(event.data)
    return mine


def chosen_run(runs: RunStore) -> Run | None:
    """The run in the URL, or one chosen from the list of earlier ones."""
    run_id = linked("run", "")
    listed = runs.runs(50)
    if run_id and run_id not in [run.id for run in listed]:
        try:
            listed.append(runs.run(run_id))
        except RunError as mistake:
            show_mistake(str(mistake))
            set_link("run", "")
            run_id = ""
    if not listed:
        st.info("No run yet. The settings on the left work as they are: press Train.", icon=":material/info:")
        return None
    names = {run.id: _title(run) for run in listed}
    st.session_state["run_choice"] = run_id or None
    st.selectbox(
        "Run",
        list(names),
        format_func=lambda i: names[i],
        key="run_choice",
        placeholder="Choose an earlier run",
        on_change=lambda: set_link("run", st.session_state.run_choice or ""),
    )
    write_links()
    chosen = next((run for run in listed if run.id == run_id), None)
    return _readable(chosen) if chosen is not None else None


def _readable(run: Run) -> Run | None:
    """The run, unless this version of the lab cannot read its settings: then they are shown as they are."""
    try:
        RunConfig.from_dict(run.settings)
    except CrystalError as mistake:
        show_mistake(f"Run {run.id} was made by another version of the lab: {mistake}")
        st.json(dict(run.settings))
        return None
    return run


def _title(run: Run) -> str:
    return f"{run.state} · {datetime.fromtimestamp(run.created):%d %b %H:%M} · {run.name or run.id}"


def run_status(runs: RunStore, run_id: str) -> None:
    """Where the run stands, its numbers and its curves; asks the page to redraw itself once it is over."""
    run, mine = runs.run(run_id), seen(runs, run_id)
    if run.is_live:
        keep_served(runs)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{STATES[run.state]}** {_sentence(runs, run, mine)}")
        if run.is_live:
            st.button(
                "Stop",
                icon=":material/stop:",
                on_click=runs.request,
                args=(run_id, "stop"),
                disabled=run.wanted == "stop",
            )
    if run.error:
        show_mistake(run.error)
    _numbers(run, mine)
    if mine.epochs:
        _curves(run, mine)
    if not run.is_live and st.session_state.get("live_run") == run_id:
        st.session_state["live_run"] = ""
        st.rerun()
    elif run.is_live:
        st.session_state["live_run"] = run_id


def _sentence(runs: RunStore, run: Run, mine: Seen) -> str:
    if run.state == "queued":
        before = runs.queue_position(run.id)
        return f"{before} runs stand before it." if before else "It is next, as soon as a worker is free."
    if run.state == "running" and run.wanted == "stop":
        return "Stopping after this step."
    total = run.settings["train"]["epochs"]
    if run.state == "running" and not mine.epochs:
        progress = mine.latest.get("progress", {"stage": "Starting", "done": 0, "total": 1})
        if "data" in mine.latest:
            batch = mine.latest.get("batch", {"batch": 0, "n_batches": 1})
            return f"First epoch, batch {batch['batch']} of {batch['n_batches']}."
        return f"{progress['stage']}: {progress['done']:,} of {progress['total']:,}."
    if run.state == "running":
        epoch = mine.epochs[-1]["epoch"]
        per_epoch = (time.time() - (run.started or time.time())) / epoch
        return f"Epoch {epoch} of {total}, about {per_epoch * (total - epoch):.0f} s to go."
    return f"{len(mine.epochs)} of {total} epochs."


def _numbers(run: Run, mine: Seen) -> None:
    target = TARGETS[run.settings["dataset"]["target"]]
    if not mine.epochs:
        return
    best = min(mine.epochs, key=lambda e: e["val_mae"])
    with st.container(horizontal=True):
        test = mine.latest.get("test")
        if test:
            st.metric(
                f"Test MAE ({target.unit})" if target.unit else "Test MAE",
                f"{test['mae']:.3f}",
                f"{test['mae'] - test['mean_mae']:+.3f} against the mean ({test['mean_mae']:.3f})",
                delta_color="inverse",
                border=True,
                help=f"On {len(test['ids'])} crystals never seen. Always guessing the mean of the training targets "
                f"errs by {test['mean_mae']:.3f}, their median by {test['median_mae']:.3f} {target.unit}.",
            )
        st.metric("Best validation MAE", f"{best['val_mae']:.3f}", border=True, help=f"In epoch {best['epoch']}.")
    if data := mine.latest.get("data"):
        n_out = data["n_left_out"]
        left_out = f" {n_out:,} others of the set have no such value or too many atoms." if n_out else ""
        speed = f"{mine.epochs[-1]['crystals_per_second']:,.0f} crystals a second"
        st.markdown(
            f"{data['n_train']:,} crystals to learn from, {data['n_val']:,} to choose the best epoch, "
            f"{data['n_test']:,} to judge it.{left_out} {data['n_parameters']:,} weights on {data['device']}, {speed}."
        )
        if data["n_dropped"]:
            with st.expander(f"{data['n_dropped']:,} crystals have no graph", icon=":material/warning:"):
                st.dataframe([{"crystal": i, "why": why} for i, why in data["dropped"].items()], hide_index=True)


def _curves(run: Run, mine: Seen) -> None:
    target = TARGETS[run.settings["dataset"]["target"]]
    total = run.settings["train"]["epochs"]
    with st.container(horizontal=True):
        shown = st.segmented_control(
            "Curve", ["MAE", "loss"], default="MAE", required=True, key="curve", bind="query-params"
        )
        log = st.toggle("Logarithmic", key="log", bind="query-params")
    baseline = mine.latest.get("data", {}).get("val_mean_mae")
    spec = loss_curves(
        mine.epochs,
        log=log,
        metric="mae" if shown == "MAE" else "loss",
        unit=target.unit if shown == "MAE" else "",
        baseline=baseline if shown == "MAE" else None,
        total_epochs=total if run.is_live or run.state == "finished" else None,
    )
    st.echarts_chart(spec, key=f"curves_{run.id}", height=360, alt="Training and validation curves, epoch by epoch")
