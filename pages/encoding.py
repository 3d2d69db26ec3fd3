"""How do atoms and bonds become numbers?"""

import streamlit as st

from cgcnn.ui import encoding_atoms as atoms
from cgcnn.ui import encoding_bonds as bonds
from cgcnn.ui import encoding_choice as choice
from cgcnn.ui.current import current, selected_atom
from cgcnn.ui.frame import framed
from cgcnn.ui.prose import explained, plain

config, shown = framed(), current()
structure, selected = shown.structure, selected_atom(shown.structure)
choice.follow(shown.key)
st.title("Encoding")
st.markdown(
    f"**How do the atoms and bonds of {plain(shown.title)} become numbers?** "
    "An atom becomes 92 bits, a distance a row of Gaussians; the network learns from nothing else."
)

names = ["Atoms", "Two elements", "Periodic table", "Bonds"]
bits, pair, table, edges_tab = st.tabs(names, key="encoding", bind="query-params", on_change="rerun")

if bits.open:
    with bits:
        left, right = st.columns(2)
        with left:
            element = choice.element_list(structure, selected)
        with right:
            column = choice.bit_list(element)
        atoms.bit_text(element, column)
        atoms.bit_pictures(structure, element)
        explained("encoding", "What am I looking at?")
        atoms.value_table(element)
        atoms.origin()

if pair.open:
    with pair:
        one, other = choice.pair_lists(structure, selected)
        atoms.pair_cards(one, other)
        picture, words = st.columns(2, gap="large")
        with picture:
            atoms.pair_picture(one, other)
            explained("encoding", "What does the comparison show?")
        with words:
            column = choice.bit_list(one)
            for z in dict.fromkeys((one, other)):
                atoms.bit_text(z, column)
            atoms.pair_table(one, other)

if table.open:
    with table:
        element = choice.element_list(structure, selected)
        atoms.distance_table(element)
        explained("encoding", "What does the table show?")
        st.subheader("What the 92 bits cannot say")
        atoms.blind_spots()

if edges_tab.open:
    with edges_tab:
        edges = bonds.neighbor_edges(structure, config, selected)
        knob_column, picture = st.columns([1, 2], gap="large")
        with knob_column:
            distance = bonds.distance_slider(edges)
            knobs = bonds.gaussian_form()
            bonds.vector_text(knobs, distance)
        with picture:
            bonds.curves(knobs, distance, edges)
            explained("encoding", "What do the Gaussians show?")
        if edges:
            st.subheader("All edges of the selected atom")
            bonds.matrix(structure, selected, edges, knobs)
            explained("encoding", "What is the matrix?")
        st.subheader("Too narrow, too wide")
        bonds.width_lesson(distance, distance + bonds.gap_slider(), knobs)
        explained("encoding", "What does the width do?")
