"""Many crystals at once: files are taken in bit by bit, each one is answered or named, and nothing is lost."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from cgcnn.data import samples, shelf
from cgcnn.data.archive import zip_files
from cgcnn.data.crystal import formula_of
from cgcnn.data.files import home
from cgcnn.errors import CrystalError
from cgcnn.explain.doubts import Answer, Known, answers, distance_doubt, doubts
from cgcnn.explain.likeness import most_alike
from cgcnn.graph import CrystalGraph, build_graph
from cgcnn.ui.csv_text import csv_of
from cgcnn.ui.current import add_own, choose, find, own_keys
from cgcnn.ui.predict_answer import Asked
from cgcnn.ui.predict_known import survey
from cgcnn.ui.prose import explained, plain, show_mistake

STEP = 16  # crystals between two looks at the clock
MOST_SHOWN = 4  # mistakes shown one by one; more stand in a list
MOST_KEPT = 4  # networks whose answers a session keeps
UPLOADS, LIST, SAMPLES = "uploads", "your list", "samples"


@dataclass
class Batch:
    """What a session brought to this page; it stays until the reader clears it, whatever page is shown."""

    taken: set[str] = field(default_factory=set)  # ids of the files in the uploader
    waiting: list[tuple[str, Callable[[], bytes]]] = field(default_factory=list)  # name, and what reads it
    keys: list[str] = field(default_factory=list)  # of crystals that could be read
    mistakes: list[str] = field(default_factory=list)
    answered: dict[str, dict[str, tuple[str, str, Answer | str]]] = field(default_factory=dict)  # network -> key -> ...


def many_crystals(asked: Asked, known: Known | None) -> None:
    """The tab for many crystals; it runs as a fragment, so the rest of the page stays as it is."""
    st.fragment(_many)(asked, known)


def _many(asked: Asked, known: Known | None) -> None:
    batch = _batch()
    st.file_uploader(
        "Crystal files, or zips of them",
        accept_multiple_files=True,
        key="predict_files",
        on_change=_take,
        max_upload_size=20,
    )
    explained("predict", "Which files?")
    _read_waiting(batch)
    _mistakes(batch)
    sets = {UPLOADS: batch.keys, LIST: own_keys(), SAMPLES: list(samples.sample_names())}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.pills(
            "Crystals",
            list(sets),
            selection_mode="multi",
            default=[UPLOADS, SAMPLES],
            key="predict_sets",
            bind="query-params",
        )
        if batch.keys or batch.mistakes:
            st.button("Clear the uploads", icon=":material/delete:", on_click=_clear)
    keys = list(dict.fromkeys(key for name in chosen for key in sets[name]))
    _answer_missing(batch, asked, keys)
    rows = [_row(key, batch.answered[asked.stamp][key], asked, known) for key in keys]
    _table(rows, asked)


def _batch() -> Batch:
    return st.session_state.setdefault("predict_batch", Batch())


def _take() -> None:
    """Queue what is new in the uploader; reading happens with a bar of progress in view."""
    batch, files = _batch(), st.session_state["predict_files"] or []
    new = [file for file in files if file.file_id not in batch.taken]
    batch.taken = {file.file_id for file in files}
    for file in new:
        if not file.name.lower().endswith(".zip"):
            batch.waiting.append((file.name, file.getvalue))
            continue
        try:
            members, dropped = zip_files(file.getvalue(), file.name)
        except CrystalError as mistake:
            batch.mistakes.append(str(mistake))
            continue
        batch.waiting += list(members.items())
        batch.mistakes += [f"{name}: {why}" for name, why in dropped.items()]


def _clear() -> None:
    kept = _batch()
    st.session_state["predict_batch"] = Batch(taken=kept.taken, answered=kept.answered)


def _stop() -> None:
    _batch().waiting.clear()


def _read_waiting(batch: Batch) -> None:
    """Read the queue. Whatever interrupts this, the next run goes on with what is left."""
    total = len(batch.waiting)
    for done in _shown_progress("Read", total, stoppable=True):
        if done >= total or not batch.waiting:
            break
        for _ in range(min(STEP, len(batch.waiting))):
            name, read = batch.waiting.pop(0)
            try:
                key = shelf.keep(read(), name, home() / "crystals")
                batch.keys += [key] if key not in batch.keys else []
            except CrystalError as mistake:
                sentence = str(mistake)
                batch.mistakes.append(sentence if name in sentence else f"{name}: {sentence}")


def _answer_missing(batch: Batch, asked: Asked, keys: list[str]) -> None:
    """Ask the network about each crystal that it has not been asked about."""
    while len(batch.answered) > MOST_KEPT:
        batch.answered.pop(next(iter(batch.answered)))
    answered = batch.answered.setdefault(asked.stamp, {})
    missing = [key for key in keys if key not in answered]
    for done in _shown_progress("Answered", len(missing)):
        answered |= _answers_for(missing[done : done + STEP], asked)


def _shown_progress(verb: str, total: int, *, stoppable: bool = False) -> Iterator[int]:
    """0, STEP, 2 STEP, ... below `total`, with a bar that says how many are done and how long it may take."""
    if not total:
        return
    place, started = st.container(), time.monotonic()
    with place:
        bar = st.progress(0.0, f"{verb} 0 of {total:,}")
        button = st.empty()
        if stoppable:
            button.button("Stop", icon=":material/stop:", on_click=_stop, key="predict_stop")
    for done in range(0, total, STEP):
        to_go = (time.monotonic() - started) / done * (total - done) if done else 0.0
        bar.progress(done / total, f"{verb} {done:,} of {total:,}" + (f", about {to_go:.0f} s to go" if done else ""))
        yield done
    bar.empty()
    button.empty()


def _answers_for(keys: list[str], asked: Asked) -> dict[str, tuple[str, str, Answer | str]]:
    """For each key its name, its formula, and the answer, or the sentence why there is none."""
    found: dict[str, tuple[str, str, Answer | str]] = {}
    graphs: dict[str, CrystalGraph] = {}
    for key in keys:
        name, formula = key, ""
        try:
            shown = find(key)
            name, formula = shown.title, formula_of(shown.structure)
            graphs[key] = build_graph(shown.structure, asked.predictor.graph)
            found[key] = (name, formula, "")
        except CrystalError as mistake:
            found[key] = (name, formula, str(mistake))
    if graphs:
        for key, answer in zip(graphs, answers(asked.predictor, list(graphs.values())), strict=True):
            found[key] = (*found[key][:2], answer)
    return found


def _row(key: str, said: tuple[str, str, Answer | str], asked: Asked, known: Known | None) -> dict[str, Any]:
    name, formula, answer = said
    row = {"Name": name, asked.target.axis: None, "Formula": formula, "Atoms": None, "Warnings": ""}
    if isinstance(answer, str):
        return row | {"Warnings": answer, "id": key}
    sentences = [] if known is None else doubts(answer, known, asked.predictor)
    begun = survey(asked.network, start=False)
    if known and begun and begun.result:
        nearest = most_alike(begun.result, answer.vector, 1)[0].distance
        sentences += distance_doubt(nearest, begun.result.far, known.words)
    return row | {"Atoms": answer.n_atoms, asked.target.axis: answer.value, "Warnings": " ".join(sentences), "id": key}


def _mistakes(batch: Batch) -> None:
    """The files that could not be read: the first ones as they are, the others in a list."""
    for sentence in batch.mistakes[:MOST_SHOWN]:
        show_mistake(sentence)
    if more := batch.mistakes[MOST_SHOWN:]:
        with st.expander(f"{len(more):,} more files could not be read", icon=":material/error:"):
            st.dataframe([{"Why": sentence} for sentence in more], hide_index=True)


def _table(rows: list[dict[str, Any]], asked: Asked) -> None:
    """All answers; a chosen row can be opened on every page."""
    if not rows:
        st.info("Bring files, or choose which crystals to ask about.", icon=":material/info:")
        return
    st.markdown(f"**{len(rows):,} crystals**, network: {plain(asked.network.title)}")
    value = st.column_config.NumberColumn(format="%.3f")
    chosen = st.dataframe(
        rows,
        hide_index=True,
        placeholder="–",
        column_config={asked.target.axis: value, "Warnings": st.column_config.TextColumn(width="large"), "id": None},
        on_select="rerun",
        selection_mode="single-row",
        key=f"predict_rows_{len(rows)}",
        height=min(38 + 35 * len(rows), 420),
    )
    picked = chosen["selection"]["rows"]
    with st.container(horizontal=True):
        st.download_button("All as CSV", csv_of(rows), "predictions.csv", "text/csv", icon=":material/download:")
        if picked and picked[0] < len(rows):
            _open_button(rows[picked[0]])


def _open_button(row: dict[str, Any]) -> None:
    if st.button(f"Look at {plain(row['Name'])} on every page", key="predict_open", icon=":material/visibility:"):
        key = row["id"]
        choose(key) if key in samples.sample_names() else add_own(key)
        st.rerun()
