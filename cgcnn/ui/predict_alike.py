"""The crystals that a network finds most like the one in view, with their true values beside its answer."""

from typing import Any

import streamlit as st

from cgcnn.data.crystal import formula_of
from cgcnn.data.csv_text import csv_of
from cgcnn.data.targets import Target
from cgcnn.explain.doubts import Answer, Known
from cgcnn.explain.likeness import Alike, Reference, others_alike
from cgcnn.ui.current import Current, add_own
from cgcnn.ui.predict_answer import Asked, answer_axis
from cgcnn.ui.predict_known import Survey, key_of, survey
from cgcnn.ui.prose import explained, plain, show_mistake

COUNT = 3
ABOUT_PUBLISHED = (
    "The list of crystals that the published networks learned from is not at hand. They learned from the Materials "
    "Project, so they are held against the {words} instead; many of these were likely among them."
)


def nearest_crystals(asked: Asked, shown: Current, answer: Answer, known: Known) -> None:
    """The nearest known crystals; the comparison runs beside the page and says how far it is."""
    if not asked.as_learned:
        st.info(
            "The known crystals are compared under the rule that the network learned with; "
            "switch off “Use the neighbor rule of the sidebar” to compare this one.",
            icon=":material/info:",
        )
        return
    if asked.network.is_published:
        st.markdown(ABOUT_PUBLISHED.format(words=known.words))
    begun = survey(asked.network, start=True) or survey(asked.network, start=True, anew=True)
    assert begun is not None
    every = None if begun.is_over else 0.5  # s
    st.fragment(_progress_or_result, run_every=every)(begun, asked, shown, answer)


def _progress_or_result(begun: Survey, asked: Asked, shown: Current, answer: Answer) -> None:
    if begun.mistake:
        show_mistake(begun.mistake)
        if st.button("Try again", icon=":material/refresh:"):
            survey(asked.network, start=True, anew=True)
            st.rerun()
    elif begun.result is not None:
        if st.session_state.pop("survey_awaited", False):
            st.rerun()  # of the whole page: the asking ends, and its warnings know the distance
        _result(begun.result, asked, shown, answer)
    elif begun.stopped:
        st.markdown("Stopped before all known crystals were compared, so the nearest ones are not known.")
        if st.button("Compare after all", icon=":material/play_arrow:"):
            survey(asked.network, start=True, anew=True)
            st.rerun()
    else:
        st.session_state["survey_awaited"] = True
        _progress(begun)
        st.button("Stop", icon=":material/stop:", key="survey_stop", on_click=_stop, args=(begun,))


def _stop(begun: Survey) -> None:
    begun.stopped = begun.result is None


def _progress(begun: Survey) -> None:
    if not begun.total:
        st.progress(0.0, "Reading the known crystals")
        return
    words = f"{begun.done:,} of {begun.total:,} crystals compared"
    to_go = f", about {begun.seconds_to_go:.0f} s to go" if begun.done else ""
    st.progress(begun.done / begun.total, words + to_go)


def _result(known: Reference, asked: Asked, shown: Current, answer: Answer) -> None:
    itself, found = others_alike(known, answer.vector, formula_of(shown.structure), COUNT)
    true, said = _columns(asked.target)
    own = {"Crystal": f"{shown.title} (in view)", "Formula": formula_of(shown.structure), "Atoms": answer.n_atoms}
    truth = _true(asked.target, itself[0].truth) if itself else None
    rows = [own | {"Distance": 0.0, true: truth, said: answer.value}]
    rows += [_row(alike, asked.target) for alike in found]
    numbers = ["Distance", said] if asked.target.is_class else ["Distance", true, said]
    columns = dict.fromkeys(numbers, st.column_config.NumberColumn(format="%.3f"))
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
        f"{plain(shown.title)} has one at **{found[0].distance:.2f}**"
        + (f", and is itself among them as {', '.join(alike.id for alike in itself)}." if itself else ".")
    )
    explained("predict", "What is a nearest crystal?")


def _row(alike: Alike, target: Target) -> dict[str, Any]:
    true, said = _columns(target)
    facts = {"Crystal": alike.id, "Formula": alike.formula, "Atoms": alike.n_atoms, "Distance": alike.distance}
    return facts | {true: _true(target, alike.truth), said: alike.predicted}


def _columns(target: Target) -> tuple[str, str]:
    """The headings of the true value and of the answer."""
    axis = target.axis[:1].lower() + target.axis[1:]
    return ("True class", answer_axis(target)) if target.is_class else (f"True {axis}", f"Predicted {axis}")


def _true(target: Target, value: float | None) -> float | str | None:
    """A true value; of a class its word."""
    return target.word(value) if target.is_class and value is not None else value
