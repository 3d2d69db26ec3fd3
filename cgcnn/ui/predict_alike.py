"""The crystals that a network finds most like the one in view, with their true values beside its answer."""

from typing import Any

import streamlit as st

from cgcnn.data.crystal import formula_of
from cgcnn.explain.doubts import Answer, Known
from cgcnn.explain.likeness import Alike, Reference, most_alike
from cgcnn.ui.csv_text import csv_of
from cgcnn.ui.current import Current, add_own
from cgcnn.ui.predict_answer import Asked
from cgcnn.ui.predict_known import Survey, key_of, survey
from cgcnn.ui.prose import explained, plain, show_mistake

COUNT = 3
ABOUT_PUBLISHED = (
    "The list of crystals that the published networks learned from is not at hand. They learned from the Materials "
    "Project, so they are held against the {words} instead; many of these were likely among them."
)


def nearest_crystals(asked: Asked, shown: Current, answer: Answer, known: Known) -> None:
    """The nearest known crystals; the comparison runs beside the page and says how far it is."""
    if asked.network.is_published:
        st.markdown(ABOUT_PUBLISHED.format(words=known.words))
    begun = survey(asked.network, start=True)
    assert begun is not None
    every = None if begun.is_over else 0.5  # s
    st.fragment(_progress_or_result, run_every=every)(begun, asked, shown, answer)


def _progress_or_result(begun: Survey, asked: Asked, shown: Current, answer: Answer) -> None:
    if begun.mistake:
        show_mistake(begun.mistake)
    elif begun.result is not None:
        if st.session_state.pop("survey_awaited", False):
            st.rerun()  # of the whole page: the asking ends, and its warnings know the distance
        _result(begun.result, asked, shown, answer)
    else:
        st.session_state["survey_awaited"] = True
        _progress(begun)


def _progress(begun: Survey) -> None:
    if not begun.total:
        st.progress(0.0, "Reading the known crystals")
        return
    words = f"{begun.done:,} of {begun.total:,} crystals compared"
    to_go = f", about {begun.seconds_to_go:.0f} s to go" if begun.done else ""
    st.progress(begun.done / begun.total, words + to_go)


def _result(known: Reference, asked: Asked, shown: Current, answer: Answer) -> None:
    found = most_alike(known, answer.vector, COUNT)
    axis = asked.target.axis[:1].lower() + asked.target.axis[1:]
    true, said = f"True {axis}", f"Predicted {axis}"
    own = {"Crystal": f"{shown.title} (in view)", "Formula": formula_of(shown.structure), "Atoms": answer.n_atoms}
    rows = [own | {"Distance": 0.0, true: None, said: answer.value}]
    rows += [_row(alike, true, said, shown.key) for alike in found]
    columns = dict.fromkeys(["Distance", true, said], st.column_config.NumberColumn(format="%.3f"))
    st.dataframe(rows, hide_index=True, column_config=columns, placeholder="–")
    if all(alike.truth is None for alike in found):
        st.markdown("The set here has no true value of this target for these crystals.")
    with st.container(horizontal=True):
        for alike in found:
            if st.button(f"Look at {alike.formula} {alike.id}", key=f"open_{alike.id}", icon=":material/visibility:"):
                add_own(key_of(asked.network, alike.id))
                st.rerun()
        name = f"nearest_{shown.key}.csv"
        st.download_button("Nearest as CSV", csv_of(rows), name, "text/csv", icon=":material/download:")
    st.markdown(
        f"Of the {len(known.ids):,} known crystals, 99 % have another one within **{known.far:.2f}**; "
        f"{plain(shown.title)} has one at **{found[0].distance:.2f}**."
    )
    explained("predict", "What is a nearest crystal?")


def _row(alike: Alike, true: str, said: str, shown_key: str) -> dict[str, Any]:
    name = f"{alike.id} (the one in view)" if alike.id == shown_key else alike.id
    facts = {"Crystal": name, "Formula": alike.formula, "Atoms": alike.n_atoms, "Distance": alike.distance}
    return facts | {true: alike.truth, said: alike.predicted}
