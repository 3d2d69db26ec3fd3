"""Many crystals at once: the reader's files, the reader's list or the samples, one row of answers for each."""

from typing import Any

import streamlit as st

from cgcnn.data import samples
from cgcnn.data.crystal import formula_of
from cgcnn.data.csv_text import csv_of
from cgcnn.errors import CrystalError
from cgcnn.explain.doubts import Answer, Known, answers, distance_doubt, doubts
from cgcnn.explain.likeness import others_alike
from cgcnn.graph import CrystalGraph, build_graph
from cgcnn.ui.current import add_own, choose, find, own_keys
from cgcnn.ui.predict_answer import Asked, answer_axis
from cgcnn.ui.predict_files import clear_button, take_files
from cgcnn.ui.predict_known import survey
from cgcnn.ui.predict_progress import STEP, shown_progress
from cgcnn.ui.prose import plain

DISTANCE = "Distance"  # from the nearest known crystal, in the network's own vector
MOST_KEPT = 4  # networks whose answers a session keeps
UPLOADS, LIST, SAMPLES = "uploads", "your list", "samples"
Said = tuple[str, str, Answer | str]  # name, formula, and the answer, or the sentence why there is none


def many_crystals(asked: Asked, known: Known | None) -> None:
    """The tab for many crystals; it runs as a fragment, so the rest of the page stays as it is."""
    st.fragment(_many)(asked, known)


def _many(asked: Asked, known: Known | None) -> None:
    # remembered, since Streamlit drops from the URL what equals the default
    st.session_state.setdefault("predict_sets_linked", "predict_sets" in st.query_params)
    brought = take_files(on_new=_look_at_uploads, on_none=_look_at_samples)
    sets = {UPLOADS: brought.keys, LIST: own_keys(), SAMPLES: list(samples.sample_names())}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.pills(
            "Crystals",
            list(sets),
            selection_mode="multi",
            default=[UPLOADS if brought.files else SAMPLES],
            key="predict_sets",
            bind="query-params",
        )
        clear_button(brought, on_none=_look_at_samples)
    keys = list(dict.fromkeys(key for name in chosen for key in sets[name]))
    answered = _answered(asked, keys)
    _table([_row(key, answered[key], asked, known) for key in keys], asked)


def _look_at_uploads() -> None:
    """Whoever brings files wants to see them, and not among 36 samples, unless these were asked for."""
    chosen = st.session_state.get("predict_sets", [])
    by_default = chosen == [SAMPLES] and not st.session_state.get("predict_sets_linked")
    asked_for = [] if by_default else chosen
    st.session_state["predict_sets"] = list(dict.fromkeys([UPLOADS, *asked_for]))


def _look_at_samples() -> None:
    """With the uploads gone, their set is empty; the samples fill a table that would be empty too."""
    rest = [name for name in st.session_state.get("predict_sets", []) if name != UPLOADS]
    st.session_state["predict_sets"] = rest or [SAMPLES]


def _answered(asked: Asked, keys: list[str]) -> dict[str, Said]:
    """What the network says of each crystal; it is asked only about those that it has not been asked about."""
    kept: dict[str, dict[str, Said]] = st.session_state.setdefault("predict_answers", {})
    answered = kept.setdefault(asked.stamp, {})
    while len(kept) > MOST_KEPT:
        kept.pop(next(iter(kept)))
    missing = [key for key in keys if key not in answered]
    for done in shown_progress("Answered", len(missing)):
        answered |= _answers_for(missing[done : done + STEP], asked)
    return answered


def _answers_for(keys: list[str], asked: Asked) -> dict[str, Said]:
    """For each key its name, its formula, and the answer, or the sentence why there is none."""
    found: dict[str, Said] = {}
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


def _row(key: str, said: Said, asked: Asked, known: Known | None) -> dict[str, Any]:
    name, formula, answer = said
    row: dict[str, Any] = {
        "Name": name,
        answer_axis(asked.target): None,
        "Formula": formula,
        "Atoms": None,
        DISTANCE: None,
        "Warnings": "",
    }
    if isinstance(answer, str):
        return row | {"Warnings": answer, "id": key}
    sentences = [] if known is None else doubts(answer, known, asked.predictor)
    begun = survey(asked.network, start=True) if asked.as_learned else None
    if known and begun and begun.result:
        _, others = others_alike(begun.result, answer.vector, formula, 1)
        row[DISTANCE] = others[0].distance
        sentences += distance_doubt(others[0].distance, begun.result.far, known.words)
    return row | {
        "Atoms": answer.n_atoms,
        answer_axis(asked.target): answer.value,
        "Warnings": " ".join(sentences),
        "id": key,
    }


def _table(rows: list[dict[str, Any]], asked: Asked) -> None:
    """All answers; a chosen row can be opened on every page."""
    if not rows:
        st.info("Bring files, or choose which crystals to ask about.", icon=":material/info:")
        return
    st.markdown(
        f"**{len(rows):,} {'crystal' if len(rows) == 1 else 'crystals'}**, network: {plain(asked.network.title)}"
    )
    value = st.column_config.NumberColumn(format="%.3f")
    chosen = st.dataframe(
        rows,
        hide_index=True,
        placeholder="–",
        column_config={
            answer_axis(asked.target): value,
            DISTANCE: st.column_config.NumberColumn(format="%.2f", help="From the nearest other known crystal."),
            "Warnings": st.column_config.TextColumn(width="large"),
            "id": None,
        },
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
