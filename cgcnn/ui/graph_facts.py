"""What is known of a crystal's graph: cards, the notice of a cut shell, the list of edges."""

import streamlit as st
from pymatgen.core import Structure

from cgcnn.data.crystal import formula_of, site_label
from cgcnn.data.csv_text import csv_of
from cgcnn.figures.graph import edge_table
from cgcnn.figures.quotient import picked_atom, quotient_graph
from cgcnn.graph import CrystalGraph, GraphConfig, cut_shells
from cgcnn.ui.current import select_atom

ROWS = 500  # more rows than anyone reads; the download has all


def graph_cards(structure: Structure, graph: CrystalGraph, selected: int) -> None:
    """How much the network is given."""
    own = graph.distance[graph.center == selected]
    crossing = int(graph.image.any(dim=1).sum())
    with st.container(horizontal=True):
        st.metric("Atoms", graph.n_atoms, border=True)
        st.metric("Edges", f"{graph.n_edges:,}", border=True, help="Directed: i to j and j to i are two.")
        st.metric(f"Neighbors of {site_label(structure, selected)}", len(own), border=True)
        st.metric("Nearest", f"{float(own.min()):.3f} Å", border=True)
        st.metric("Edges that leave the cell", f"{crossing:,}", border=True)


def cut_shell_notice(structure: Structure, config: GraphConfig, selected: int) -> None:
    """Say where the neighbor count cuts through a shell, and what it would take not to."""
    cuts = cut_shells(structure, config)
    if not cuts:
        if config.rule != "radius":
            st.success(
                "No shell is cut: equally near neighbors are kept or left out together.",
                icon=":material/check:",
            )
        return
    cut = next((c for c in cuts if c.atom == selected), cuts[0])
    label, k = site_label(structure, cut.atom), config.max_neighbors
    mixed = " The shell mixes elements, so the prediction itself depends on the choice." if len(cut.symbols) > 1 else ""
    equal = cut.spread < 2e-5
    accident = "; which ones hangs on the last bit of each distance"
    choice = accident if equal else f", though they differ by {cut.spread:.1g} Å only"
    st.warning(
        f"**k = {k} cuts a shell in two** for {len(cuts)} of {len(structure)} atoms. {label} has {cut.total} neighbors "
        f"({' and '.join(cut.symbols)}) at {cut.distance:.3f} Å and keeps {cut.kept} of them{choice}."
        f"{mixed} “Whole shells” keeps all, as does k = {k - cut.kept + cut.total}.",
        icon=":material/content_cut:",
    )


def edges_with_download(structure: Structure, graph: CrystalGraph, selected: int) -> None:
    """The edges of the selected atom, or all, as a table and as CSV."""
    every = st.toggle("Edges of all atoms", key="all_edges", bind="query-params")
    rows = edge_table(structure, graph, atom=None if every else selected)
    if len(rows) > ROWS:
        st.markdown(f"The first {ROWS} of {len(rows):,} edges; the download has all.")
    st.dataframe(rows[:ROWS], hide_index=True, height=360)
    st.caption(
        "The image says by how many lattice vectors a, b and c the neighbor is moved; (0 0 0) is inside the cell."
    )
    name = f"{formula_of(structure)}_edges.csv"
    st.download_button("Edges as CSV", csv_of(rows), name, "text/csv", icon=":material/download:")


def quotient_chart(structure: Structure, graph: CrystalGraph, selected: int) -> None:
    """The quotient graph; a click on a dot selects its atom on every page."""
    spec = quotient_graph(structure, graph, selected=selected)

    def pick() -> None:
        # Only a new click counts: the chart remembers its selection, and would win over any later choice.
        atom = picked_atom(spec, st.session_state["quotient"]["selection"].get("selected", []))
        if atom is not None:
            select_atom(atom)

    alt = f"The quotient graph of {formula_of(structure)}: {graph.n_atoms} atoms and the number of edges between them"
    st.echarts_chart(spec, key="quotient", on_select=pick, height=420, alt=alt)
