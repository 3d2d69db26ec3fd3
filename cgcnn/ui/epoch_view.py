"""A run looked back at, epoch by epoch: what its network said, saw and let pass at each of the kept ones."""

import time

import streamlit as st

from cgcnn.errors import CrystalError
from cgcnn.figures.epochs import crystal_map, gate_histograms, gate_top, marked_curve, parity_at
from cgcnn.runs.records import Run
from cgcnn.runs.store import RunStore
from cgcnn.ui.compare_choice import LISTED
from cgcnn.ui.current import current
from cgcnn.ui.epoch_cached import Kept, gates_of, kept
from cgcnn.ui.link import linked, set_link, write_links
from cgcnn.ui.prose import explained, mistakes_shown, plain, show_mistake
from cgcnn.ui.run_view import seen, title_of
from cgcnn.ui.warm import one_thread

STEP_EVERY = 0.9  # s between epochs while they play
LOOKED_AT = 20  # runs that are asked for kept networks when the link names none


def epoch_tab(runs: RunStore) -> None:
    """Choose a run, then move through its kept epochs."""
    one_thread()
    run = _chosen(runs)
    if run is None:
        return
    epochs = tuple(runs.snapshots(run.id))
    if len(epochs) < 2:
        st.info(_why_none(run, len(epochs)), icon=":material/info:")
        return
    with mistakes_shown():
        looked = kept(runs, run.id, epochs)
    playing = st.session_state["epoch_clock"] = st.session_state.get("epoch_playing", False)
    st.fragment(_epoch, run_every=STEP_EVERY if playing else None)(runs, run, looked)


def _chosen(runs: RunStore) -> Run | None:
    listed = [run for run in runs.runs(LISTED) if run.started is not None]
    known, wanted = {run.id: run for run in listed}, linked("epochs_of", "")
    if wanted and wanted not in known:
        try:
            known[wanted] = runs.run(wanted)
        except CrystalError as mistake:
            show_mistake(str(mistake))
            wanted = ""
    if not known:
        st.info("No run yet: train one on the Train page, then look back at it here.", icon=":material/info:")
        return None
    first = next((run.id for run in listed[:LOOKED_AT] if len(runs.snapshots(run.id)) > 1), next(iter(known)))
    st.session_state["epochs_choice"] = wanted or first
    chosen = st.selectbox(
        "Run",
        list(known),
        format_func=lambda i: title_of(known[i]),
        key="epochs_choice",
        on_change=lambda: set_link("epochs_of", st.session_state.epochs_choice),
    )
    return known[chosen]


def _why_none(run: Run, n: int) -> str:
    if n == 1 and run.is_live:
        return "Only the untrained network is kept so far; look again after the first epochs."
    if run.sweep:
        return (
            "The runs of an experiment keep the network of their best epoch only; train one alone to look back at it."
        )
    return "This run kept no networks on its way; train it again with “Epochs kept” above zero."


def _epoch(runs: RunStore, run: Run, looked: Kept) -> None:
    epochs = looked.epochs
    epoch = _moved(epochs)
    if st.session_state.get("epoch_playing", False) != st.session_state["epoch_clock"]:
        st.rerun()  # the whole page: only so does the clock of the fragment start or stop
    _controls(epochs, epoch)
    if looked.config.dataset.also:
        st.caption(f"Of the targets of this run its main one is shown: {looked.target.label}.")
    parity, cloud = st.columns(2, gap="medium")
    with parity:
        mae = looked.maes[epoch]
        spec = parity_at(
            looked.truth,
            looked.predicted[epoch],
            names=looked.names,
            span=looked.span,
            target=looked.target,
            epoch=epoch,
        )
        alt = (
            f"Predictions of {len(looked.truth)} validation crystals at epoch {epoch}: {looked.target.error_text(mae)}"
        )
        st.echarts_chart(spec, key=f"epoch_parity_{run.id}", height=420, alt=alt)
    with cloud:
        spec = crystal_map(
            looked.vectors[epoch], looked.truth, looked.plane, names=looked.names, target=looked.target, epoch=epoch
        )
        alt = f"The vectors of the validation crystals at epoch {epoch}, on two fixed directions"
        st.echarts_chart(spec, key=f"epoch_map_{run.id}", height=420, alt=alt)
    curve, gates = st.columns(2, gap="medium")
    with curve:
        spec = marked_curve(seen(runs, run.id).epochs, looked.maes, epoch=epoch, target=looked.target)
        st.echarts_chart(spec, key=f"epoch_curve_{run.id}", height=300, alt=f"Validation error, epoch {epoch} marked")
        explained("compare", "What am I looking back at?")
    with gates:
        _gates(runs, run, looked, epoch)


def _moved(epochs: list[int]) -> int:
    """The epoch in view: the nearest kept one to that of the link; while they play, the next one when it is time."""
    text = linked("epoch", str(epochs[-1]))
    wanted = int(text) if text.isdecimal() and len(text) < 6 else epochs[-1]
    epoch = min(epochs, key=lambda e: abs(e - wanted))
    if not st.session_state.get("epoch_playing"):
        return epoch
    if time.monotonic() - st.session_state.get("epoch_moved", 0.0) < STEP_EVERY * 0.8:
        return epoch
    st.session_state["epoch_moved"] = time.monotonic()
    if epoch == epochs[-1]:
        st.session_state["epoch_playing"] = False
        return epoch
    _forget_slider()
    return _go(epochs[epochs.index(epoch) + 1])


def _go(epoch: int) -> int:
    set_link("epoch", str(epoch))
    return epoch


def _controls(epochs: list[int], epoch: int) -> None:
    """Step back, play, step on, and the slider; the link follows when nothing plays."""
    at, playing = epochs.index(epoch), st.session_state.get("epoch_playing", False)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.button(
            "Back", icon=":material/skip_previous:", disabled=at == 0, on_click=_step, args=(epochs[max(at - 1, 0)],)
        )
        icon = f":material/{'pause' if playing else 'play_arrow'}:"
        st.button("Pause" if playing else "Play", icon=icon, on_click=_play, args=(epochs, epoch))
        after = epochs[min(at + 1, len(epochs) - 1)]
        st.button("Next", icon=":material/skip_next:", disabled=at == len(epochs) - 1, on_click=_step, args=(after,))
        key = _slider_key()
        st.select_slider(
            "Epoch",
            epochs,
            epoch,
            key=key,
            format_func=lambda e: "untrained" if e == 0 else str(e),
            on_change=lambda: _slid(key),
        )
    if not playing:
        write_links()


def _play(epochs: list[int], epoch: int) -> None:
    """Start, from the beginning if the end is in view, or pause."""
    playing = st.session_state["epoch_playing"] = not st.session_state.get("epoch_playing", False)
    st.session_state["epoch_moved"] = time.monotonic()
    if playing and epoch == epochs[-1]:
        _forget_slider()
        _go(epochs[0])


def _step(epoch: int) -> None:
    st.session_state["epoch_playing"] = False
    _forget_slider()
    _go(epoch)


def _slid(key: str) -> None:
    if key == _slider_key():
        st.session_state["epoch_playing"] = False
        _go(st.session_state[key])


def _slider_key() -> str:
    return f"epoch_choice_{st.session_state.get('epoch_slider', 0)}"


def _forget_slider() -> None:
    """Let another slider take its place: on a slow line the old one may still send where it stood before."""
    st.session_state["epoch_slider"] = st.session_state.get("epoch_slider", 0) + 1


def _gates(runs: RunStore, run: Run, looked: Kept, epoch: int) -> None:
    shown = current()
    try:
        every = gates_of(runs, run.id, tuple(looked.epochs), shown.structure)
    except (CrystalError, RuntimeError) as mistake:
        st.warning(plain(f"No gates for {shown.title}: {mistake}"))
        return
    if not every[epoch]:
        words = "The layers of this network have no gates; what they do with neighbors is on the Convolution page."
        blind = "The layers of this network read a grid of voxels: they have no gates, and know of no neighbors."
        st.info(blind if run.config.kind.on_grid else words, icon=":material/info:")
        return
    after = "untrained" if epoch == 0 else f"epoch {epoch}"
    spec = gate_histograms(
        every[epoch],
        top=gate_top(list(every.values())),
        title=f"Gates of all edges of {shown.title}, {after}: how open",
    )
    alt = f"How far the gates of {len(every[epoch])} layers stand open for {shown.title}, {after}"
    st.echarts_chart(spec, key=f"epoch_gates_{run.id}", height=300, alt=alt)
    explained("compare", "What do the gates say?")
