"""Known failures of published networks, asked anew, and opened with one click."""

import streamlit as st

from cgcnn.explain.lessons import LESSONS, Lesson
from cgcnn.ui.current import choose, choose_cell, find
from cgcnn.ui.link import set_link
from cgcnn.ui.networks import network


def lessons() -> None:
    """A card for each known failure: what the network says now, what is true, and a button to look at it."""
    st.markdown("**These answers are wrong**, though nothing on this page would tell you so.")
    for lesson, column in zip(LESSONS, st.columns(len(LESSONS)), strict=True):
        with column.container(border=True, height="stretch"):
            _card(lesson)


def _card(lesson: Lesson) -> None:
    predictor = network(lesson.network).predictor
    value = predictor.predict([find(lesson.crystal).structure])[0]
    st.markdown(f"**{lesson.title}**")
    st.metric(f"{predictor.target.label}, predicted", predictor.target.text(value).replace("-", "−"))
    st.markdown(f"**True:** {lesson.truth}")
    st.markdown(lesson.remark)
    st.markdown(f"Source: {lesson.source}")
    st.button(
        f"Ask about {lesson.crystal}",
        key=f"lesson_{lesson.crystal}_{lesson.network}",
        icon=":material/visibility:",
        on_click=_open,
        args=(lesson,),
    )


def _open(lesson: Lesson) -> None:
    choose(lesson.crystal)
    choose_cell("as given")
    set_link("network", lesson.network)
    st.session_state["sidebar_rule"] = False
    st.session_state["predict_tab"] = "Atoms"
