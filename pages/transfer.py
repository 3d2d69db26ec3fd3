"""What does a network take along to a new property?"""

import streamlit as st

from cgcnn.ui.backend import store
from cgcnn.ui.frame import framed
from cgcnn.ui.prose import mistakes_shown
from cgcnn.ui.transfer_combined import combined_tab
from cgcnn.ui.transfer_curves import curves_tab
from cgcnn.ui.transfer_one import one_tab
from cgcnn.ui.transfer_table import table_tab

framed()
st.title("Transfer")
st.markdown(
    "**What does a network take along to a new property?** Keep its first layers, let the rest begin anew on few "
    "crystals, and compare with a network that began from scratch."
)

names = ["Table", "Curves", "Combined or single", "One network"]
tabs = dict(zip(names, st.tabs(names, key="transfer_tab", on_change="rerun", bind="query-params"), strict=True))
with mistakes_shown():
    runs = store()
if tabs["Table"].open:
    with tabs["Table"], mistakes_shown():
        table_tab(runs)
if tabs["Curves"].open:
    with tabs["Curves"], mistakes_shown():
        curves_tab(runs)
if tabs["Combined or single"].open:
    with tabs["Combined or single"], mistakes_shown():
        combined_tab(runs)
if tabs["One network"].open:
    with tabs["One network"], mistakes_shown():
        one_tab(runs)
