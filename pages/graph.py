"""What does the network see of the crystal?"""

import streamlit as st

from cgcnn.data.crystal import site_label
from cgcnn.figures.graph import adjacency, distance_histogram
from cgcnn.figures.graph_scene import graph_scene
from cgcnn.graph import build_graph, shells
from cgcnn.ui.current import current, selected_atom
from cgcnn.ui.frame import framed
from cgcnn.ui.graph_classes import classes_tab
from cgcnn.ui.graph_cost import cost_tab
from cgcnn.ui.graph_facts import cut_shell_notice, edges_with_download, graph_cards, quotient_chart
from cgcnn.ui.graph_invariance import invariance_tab
from cgcnn.ui.graph_rules import rules_tab
from cgcnn.ui.graph_voxels import voxels_tab
from cgcnn.ui.pick import pickable_view
from cgcnn.ui.prose import explained, mistakes_shown, plain

config, shown = framed(), current()
structure, selected = shown.structure, selected_atom(shown.structure)
st.title("Crystal graph")
st.markdown(
    f"**What does the network see of {plain(shown.title)}?** Atoms, and an edge to each neighbor; nothing else."
)

with mistakes_shown():
    graph = build_graph(structure, config)
graph_cards(structure, graph, selected)
cut_shell_notice(structure, config, selected)

picture, chart = st.columns([3, 2], gap="large")
with picture:
    scene = graph_scene(structure, graph, selected=selected)
    pickable_view(scene, key="graph_canvas", selected=selected)
    explained("graph", "What am I looking at?")
with chart:
    around = shells(structure, graph, selected, config.cutoff)
    count = None if config.rule == "radius" else config.max_neighbors
    label = site_label(structure, selected)
    spec = distance_histogram(around, center=label, cutoff=config.cutoff, max_neighbors=count)
    st.echarts_chart(spec, key="shells", height=440, alt=f"Neighbors of {label} by distance")
    explained("graph", "What are shells?")

names = ["Edges", "Quotient graph", "Adjacency", "Invariance", "Cost", "Neighbor rules", "Symmetry", "Voxels"]
tabs = dict(zip(names, st.tabs(names, key="graph_tab", on_change="rerun", bind="query-params"), strict=True))
if tabs["Edges"].open:
    with tabs["Edges"]:
        edges_with_download(structure, graph, selected)
if tabs["Quotient graph"].open:
    with tabs["Quotient graph"]:
        st.markdown("One dot for each atom of the cell; a line carries the number of edges between two atoms.")
        quotient_chart(structure, graph, selected)
if tabs["Adjacency"].open:
    with tabs["Adjacency"], mistakes_shown():
        st.plotly_chart(adjacency(structure, graph), key="adjacency", width="stretch")
if tabs["Invariance"].open:
    with tabs["Invariance"]:
        invariance_tab(structure, config)
if tabs["Cost"].open:
    with tabs["Cost"]:
        cost_tab(structure, config)
if tabs["Neighbor rules"].open:
    with tabs["Neighbor rules"]:
        rules_tab(structure, config, selected)
if tabs["Symmetry"].open:
    with tabs["Symmetry"]:
        classes_tab(structure, config, shown.title)
if tabs["Voxels"].open:
    with tabs["Voxels"]:
        voxels_tab(structure, graph)
