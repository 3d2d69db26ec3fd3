"""What is this material made of, and how does it repeat?"""

import streamlit as st

from cgcnn.data.crystal import formula_of
from cgcnn.data.structures import write_structure
from cgcnn.figures.scene import STYLES, crystal_scene
from cgcnn.ui.crystal_facts import atom_table, fact_cards
from cgcnn.ui.current import current, selected_atom, strain_slider
from cgcnn.ui.frame import framed
from cgcnn.ui.pick import pickable_view
from cgcnn.ui.prose import explained, plain
from cgcnn.ui.viewer import studio_view

framed()
shown = current()
structure, selected = shown.structure, selected_atom(shown.structure)
st.title(plain(shown.title))
st.markdown("**What is this material made of, and how does it repeat?**")

picture, facts = st.columns([3, 2], gap="large")
with picture:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        style = st.segmented_control(
            "Style", list(STYLES), default="ball and stick", required=True, key="style", bind="query-params"
        )
        cells = st.segmented_control("Cells", [1, 2, 3], default=1, required=True, key="cells", bind="query-params")
        viewer = st.segmented_control(
            "Viewer",
            ["canvas", "py3Dmol"],
            default="canvas",
            required=True,
            key="viewer",
            bind="query-params",
            help="The canvas needs no graphics card and answers to clicks; py3Dmol draws with WebGL.",
        )
    scene = crystal_scene(structure, style=style, supercell=cells, selected=selected)
    if viewer == "py3Dmol":
        studio_view(scene, key="crystal_studio", height=480)
    else:
        pickable_view(scene, key="crystal_canvas", selected=selected)
    explained("crystal", "What am I looking at?")

with facts:
    st.markdown(f"{plain(shown.title)}: {plain(shown.subtitle)}")
    fact_cards(structure)
    strain_slider()
    name = formula_of(structure)
    with st.container(horizontal=True):
        st.download_button("CIF", lambda: write_structure(structure, "cif"), f"{name}.cif", icon=":material/download:")
        st.download_button(
            "POSCAR", lambda: write_structure(structure, "poscar"), f"{name}.vasp", icon=":material/download:"
        )
    if shown.source:
        st.markdown(f"Source: {shown.source}")

st.subheader("Atoms of the cell")
atom_table(structure, selected)
