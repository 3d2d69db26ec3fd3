"""An experiment that was begun: it grows arm by arm, and at its end it answers."""

from datetime import datetime
from functools import partial
from typing import Any

import streamlit as st

from cgcnn.errors import CrystalError
from cgcnn.figures.sweep import sweep_alt, sweep_chart
from cgcnn.runs.records import Sweep
from cgcnn.runs.store import RunStore
from cgcnn.training.arms import Arm
from cgcnn.training.experiments import EXPERIMENTS
from cgcnn.training.sweep import axes_words, axis_options
from cgcnn.ui.backend import keep_served
from cgcnn.ui.experiment_answer import answered, verdict
from cgcnn.ui.experiment_begin import CUSTOM, is_own
from cgcnn.ui.experiment_card import back
from cgcnn.ui.experiment_controls import sweep_controls
from cgcnn.ui.experiment_custom import refill
from cgcnn.ui.experiment_seen import SweepSeen, seconds_to_go
from cgcnn.ui.experiment_words import counted, guess_words, progress_words
from cgcnn.ui.prose import plain, show_mistake

LOOK_EVERY = 1.0  # s, while runs are queued or at work
PUT_AWAY = 3.0  # s, while all stand still: somebody else may resume them
NONE = "–"  # no result yet


def sweep_view(runs: RunStore, sweep: Sweep) -> None:
    """The question, the guess, and what the runs say so far or at last."""
    seen = _seen(runs, sweep)
    with st.container(horizontal=True):
        back()
        if sweep.experiment == CUSTOM and seen.members:
            back(CUSTOM, partial(refill, sweep, seen.members[0].run.id, len(seen.seeds)))
        else:
            back(sweep.experiment)
    st.subheader(plain(sweep.title), anchor=False)
    if card := EXPERIMENTS.get(sweep.experiment):
        st.markdown(f"**{plain(card.question)}**")
    when = f"{datetime.fromtimestamp(sweep.created):%d %b %H:%M}"
    st.caption(" · ".join([*[plain(sweep.user)] * bool(sweep.user), when, counted(len(seen.members))]))
    if not seen.members:
        st.info("All runs of this experiment have been deleted; run it again.", icon=":material/info:")
        return
    mine = is_own(sweep.id, sweep.user)
    if sweep.guess:
        st.markdown(f":material/psychology_alt: {guess_words(plain(sweep.user), mine)}: **{plain(sweep.guess)}**")
    every = LOOK_EVERY if seen.is_live else None if seen.is_over else PUT_AWAY
    st.fragment(_results, run_every=every)(runs, sweep, every)
    if seen.is_over:
        answered(seen)


def _seen(runs: RunStore, sweep: Sweep) -> SweepSeen:
    """What this session knows of the experiment in view, brought up to date; of others nothing is kept."""
    if unknown := [field for field in sweep.axes if field not in axis_options()]:
        raise CrystalError(
            f"Experiment {sweep.id} varies {', '.join(unknown)}, which this version of the lab does not; run it anew."
        )
    seen = st.session_state.get("sweep_seen")
    if not isinstance(seen, SweepSeen) or seen.sweep.id != sweep.id:
        seen = st.session_state["sweep_seen"] = SweepSeen(sweep)
    seen.look(runs)
    return seen


def _results(runs: RunStore, sweep: Sweep, every: float | None) -> None:
    """Progress, buttons, figure and table; the whole page is drawn again when the experiment comes to life or ends."""
    try:
        seen = _seen(runs, sweep)
    except CrystalError as mistake:
        show_mistake(str(mistake))
        return
    if not seen.members or every != (LOOK_EVERY if seen.is_live else None if seen.is_over else PUT_AWAY):
        st.rerun()
    if every is not None:
        keep_served(runs)
        _progress(runs, seen)
    if every is not None or any(arm.n_lost for arm in seen.arms):
        sweep_controls(runs, sweep, seen.members)
    verdict(seen)
    if any(arm.maes for arm in seen.arms):
        _chart(seen)
    st.dataframe([_row(arm) for arm in seen.arms], hide_index=True, key="sweep_table", column_config=_columns(seen))


def _progress(runs: RunStore, seen: SweepSeen) -> None:
    card = EXPERIMENTS.get(seen.sweep.experiment)
    expected = card.core_seconds / len(seen.members) if card and card.core_seconds else None
    words = progress_words(seen.states, seconds_to_go(seen.members, seen.sweep.axes, expected), runs.load())
    if why := runs.ballast.why_not():
        st.warning(plain(why), icon=":material/hard_drive:")
    st.progress(seen.share, words)


def _chart(seen: SweepSeen) -> None:
    with st.container(horizontal=True):
        mean = st.toggle(
            "With “predict the mean”",
            key="sweep_mean",
            bind="query-params",
            help="The error of always predicting the mean of the training crystals: what a network must beat.",
        )
        log = st.toggle("Logarithmic", key="sweep_log", bind="query-params")
    if seen.drawn[0] != (seen.members, mean, log):
        seen.drawn = (seen.members, mean, log), _drawn(seen, mean, log)
    st.echarts_chart(
        seen.drawn[1], key=f"sweep_{seen.sweep.id}", height=440, alt=sweep_alt(seen.arms, unit=seen.target.unit)
    )


def _drawn(seen: SweepSeen, mean: bool, log: bool) -> dict[str, Any]:
    target, baseline = seen.target, seen.baseline if mean else None
    axes = axes_words(seen.sweep.axes)
    title = f"Test error: {target.label.lower()}"
    return sweep_chart(seen.arms, axes, title=title, unit=target.unit, baseline=baseline, log=log)


def _row(arm: Arm) -> dict[str, str]:
    return {
        "setting": arm.words,
        "mae": arm.text() if arm.maes else NONE,
        "runs": f"{len(arm.maes)} of {len(arm.maes) + arm.n_live + arm.n_lost}",
        "pace": NONE if arm.seconds is None else f"{arm.seconds:.2g}",
    }


def _columns(seen: SweepSeen) -> dict[str, Any]:
    """The headings of the table; on a narrow screen their help says what they have no room for."""
    text, unit = st.column_config.TextColumn, f" ({seen.target.unit})" if seen.target.unit else ""
    return {
        "setting": text("Setting"),
        "mae": text(f"Test MAE{unit}", help="The mean over the seeds ± one standard deviation."),
        "runs": text("Runs", help="How many runs have a result."),
        "pace": text("s/epoch", help="The usual time of one epoch, in seconds."),
    }
