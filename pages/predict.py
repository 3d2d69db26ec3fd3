"""What does a network say about my crystal?"""

import streamlit as st

from cgcnn.data.crystal import formula_of
from cgcnn.graph import GraphConfig
from cgcnn.ui.current import current
from cgcnn.ui.frame import framed
from cgcnn.ui.predict_alike import nearest_crystals
from cgcnn.ui.predict_answer import (
    all_published,
    answer_card,
    asked_network,
    graph_of,
    nothing_to_show,
    show_doubts,
)
from cgcnn.ui.predict_atoms import atom_contributions
from cgcnn.ui.predict_batch import many_crystals
from cgcnn.ui.predict_files import uploads
from cgcnn.ui.predict_known import known_by
from cgcnn.ui.predict_lessons import lessons
from cgcnn.ui.prose import plain

config, shown = framed(), current()
uploads()  # a link to another tab may name some
st.title("Predict")
st.markdown(
    f"**What does a network say about {plain(shown.title)}?** "
    "A number, where it comes from, and when not to believe it."
)

one, eight = st.columns([2, 3], gap="large")
answer = known = graph = None
with one:
    asked = asked_network(config)
    if asked is not None:
        known, graph = known_by(asked.network), graph_of(asked, shown)
        answer = answer_card(asked, shown, graph) if graph is not None else None
with eight:
    rule = config if st.session_state.get("sidebar_rule") else GraphConfig()
    all_published(shown, rule, asked.network.key if asked else "")
if asked is not None and answer is not None:
    show_doubts(asked, answer, formula_of(shown.structure), known)

TABS = ["Atoms", "Nearest crystals", "Many crystals", "Lessons"]
atoms, alike, many, wrong = st.tabs(TABS, key="predict_tab", on_change="rerun", bind="query-params")
with atoms:
    if atoms.open:
        atom_contributions(asked, shown, graph) if asked and graph else nothing_to_show(shown)
with alike:
    if alike.open:
        nearest_crystals(asked, shown, answer, known) if asked and answer and known else nothing_to_show(shown)
with many:
    if many.open and asked is not None:
        many_crystals(asked, known)
with wrong:
    if wrong.open:
        lessons()
