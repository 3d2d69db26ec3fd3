"""Take a run home, hand it to another tool, or bring one from elsewhere."""

import os
from collections.abc import Callable, Sequence
from functools import partial

import streamlit as st

from cgcnn.errors import CrystalError
from cgcnn.runs.export import export_zip, tensorboard_zip, to_mlflow
from cgcnn.runs.imported import import_zip
from cgcnn.runs.store import RunStore
from cgcnn.ui.compare_differences import Compared
from cgcnn.ui.link import linked, set_link
from cgcnn.ui.prose import plain, prose, show_mistake
from cgcnn.ui.who import who

MLFLOW = "MLFLOW_TRACKING_URI"  # the server's owner sets it, as for MLflow's own tools
MOST_MB = 100


def save_and_bring(runs: RunStore, chosen: Sequence[Compared]) -> None:
    """The downloads of the chosen runs, and the place for a zip from elsewhere."""
    with st.expander("Take a run with you, or bring one", icon=":material/swap_vert:"):
        st.markdown(prose("compare", "What is in the zip"))
        over = [one for one in chosen if one.epochs and not one.run.is_live]
        if over:
            _downloads(runs, over)
        else:
            st.markdown("None of the chosen runs has ended yet; a run that has can be saved here.")
        st.file_uploader(
            "Bring a run: the zip that the lab gave", type="zip", key="run_zip", on_change=_bring, args=(runs,),
            max_upload_size=MOST_MB,
        )  # fmt: skip
        _show_notes()


def _downloads(runs: RunStore, over: Sequence[Compared]) -> None:
    """Made when the button is pressed: the network and the crystals of a run may be large."""
    by_letter = {one.letter: one.run for one in over}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        letter = st.segmented_control(
            "Run to save", list(by_letter), default=next(iter(by_letter)), required=True, key="saved_run"
        )
        run = by_letter.get(letter) or next(iter(by_letter.values()))
        icon = ":material/download:"
        whole = partial(_made, export_zip, runs, run.id)
        st.download_button("Run as zip", whole, f"run_{run.id}.zip", "application/zip", icon=icon, on_click="ignore")
        board = partial(_made, tensorboard_zip, runs, run.id)
        name = f"tensorboard_{run.id}.zip"
        st.download_button("For TensorBoard", board, name, "application/zip", icon=icon, on_click="ignore")
        uri = os.environ.get(MLFLOW, "").strip()
        if uri and st.button("Send to MLflow", icon=":material/send:"):
            with st.spinner("Sending; the first time takes a while"):
                _send(runs, run.id, uri)


def _made(make: Callable[[RunStore, str], bytes], runs: RunStore, run_id: str) -> bytes:
    """A mistake while the file is made is its text: the page has been drawn by then."""
    try:
        return make(runs, run_id)
    except CrystalError as mistake:
        return str(mistake).encode()


def _send(runs: RunStore, run_id: str, uri: str) -> None:
    try:
        there = to_mlflow(runs, run_id, uri)
        st.session_state["run_notes"] = [(f"Run {run_id} is in MLflow as {there}.", False)]
    except CrystalError as mistake:
        st.session_state["run_notes"] = [(str(mistake), True)]


def _bring(runs: RunStore) -> None:
    """Keep the run and put it among the compared ones."""
    file = st.session_state["run_zip"]
    st.session_state["run_notes"] = []
    if file is None:
        return
    try:
        run_id = import_zip(runs, file.getvalue(), user=who().name)
    except CrystalError as mistake:
        st.session_state["run_notes"] = [(f"{file.name}: {mistake}", True)]
        return
    set_link("runs", ",".join([*st.session_state.get("compare_choice", []), run_id]))
    linked("runs", "")
    st.session_state["run_notes"] = [(f"{file.name} is here now as run {run_id}, the last of those above.", False)]


def _show_notes() -> None:
    for sentence, wrong in st.session_state.get("run_notes", []):
        if wrong:
            show_mistake(sentence)
        else:
            st.success(plain(sentence), icon=":material/check:")
