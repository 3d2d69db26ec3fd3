"""The bonds' half of the Encoding page: one distance among the Gaussians, the matrix of an atom, the width."""

import streamlit as st
from pymatgen.core import Structure

from cgcnn.data.crystal import formula_of, site_label
from cgcnn.data.csv_text import csv_of
from cgcnn.errors import CrystalError
from cgcnn.figures.bonds import (
    MOST_ROWS,
    Gaussians,
    NeighborEdge,
    edge_matrix,
    edges_of,
    expand,
    gaussian_curves,
    likeness,
    likeness_bars,
    matrix_rows,
    widths_to_compare,
)
from cgcnn.graph import GraphConfig, build_graph
from cgcnn.ui.form import form
from cgcnn.ui.link import linked, set_link
from cgcnn.ui.prose import show_mistake

FAR = 12.0  # Å; the last distance that the slider reaches
LEAST = 0.001  # of an entry that is worth a word
ANYWHERE = 2.5  # Å; a usual bond, where the atom has no neighbor to start from


def neighbor_edges(structure: Structure, config: GraphConfig, atom: int) -> list[NeighborEdge]:
    """The edges of the selected atom by the sidebar's neighbor rule; without a graph, the reason is shown."""
    try:
        return edges_of(structure, build_graph(structure, config), atom)
    except CrystalError as mistake:
        show_mistake(str(mistake))
        return []


def gaussian_form() -> Gaussians:
    """Spacing, width and last center of the Gaussians."""
    return form(Gaussians, prefix="gaussian_")


def distance_slider(edges: list[NeighborEdge]) -> float:
    """The distance in Å that moves through the Gaussians; that of the nearest neighbor until it is moved."""
    start = edges[0].distance if edges else ANYWHERE
    st.session_state["distance_choice"] = min(max(_number(linked("distance", ""), round(start, 2)), 0.0), FAR)
    return st.slider(
        "Distance d (Å)",
        0.0,
        FAR,
        step=0.01,
        key="distance_choice",
        on_change=lambda: set_link("distance", f"{st.session_state.distance_choice:g}"),
    )


def gap_slider() -> float:
    """How much longer the second distance is, in Å."""
    return st.slider("The second distance is longer by (Å)", 0.01, 1.0, 0.1, 0.01, key="gap", bind="query-params")


def curves(knobs: Gaussians, distance: float, edges: list[NeighborEdge]) -> None:
    """The Gaussians, the distance and its vector."""
    alt = f"{len(knobs.centers)} Gaussians and the vector of the distance {distance:.2f} Å"
    st.plotly_chart(gaussian_curves(knobs, distance, edges), key="gaussians", alt=alt)


def vector_text(knobs: Gaussians, distance: float) -> None:
    """The size of the vector, and its largest entries in words."""
    st.markdown(f"**d = {distance:.2f} Å becomes {len(knobs.centers)} numbers.** {largest(knobs, distance)}")


def largest(knobs: Gaussians, distance: float) -> str:
    """At most three entries of the vector of a distance in Å, the largest first; none that is zero to three digits."""
    u = expand([distance], knobs.centers, knobs.width)[0]
    entries = sorted(zip(u.tolist(), knobs.centers.tolist(), strict=True), reverse=True)[:3]
    words = [f"u({center:.2f} Å) = {value:.3f}" for value, center in entries if value >= LEAST]
    if not words:
        return f"No Gaussian sees it: all entries are below {LEAST:g}."
    return f"The largest: {', '.join(words)}." if len(words) > 1 else f"Only one is {LEAST:g} or more: {words[0]}."


def matrix(structure: Structure, atom: int, edges: list[NeighborEdge], knobs: Gaussians) -> None:
    """The vectors of all edges of the selected atom, as a picture and as CSV."""
    label, count = site_label(structure, atom), len(knobs.centers)
    if len(edges) > MOST_ROWS:
        st.markdown(f"The nearest {MOST_ROWS} of {len(edges):,} edges; the download has all.")
    alt = f"{len(edges)} edges of {label} as rows of {count} numbers between 0 and 1"
    st.plotly_chart(edge_matrix(edges, knobs, label), key="edge_matrix", alt=alt)
    name = f"{formula_of(structure)}_{label.replace(' ', '')}_edge_vectors.csv"
    data = csv_of(matrix_rows(edges, knobs))
    st.download_button(f"{len(edges)} × {count} matrix as CSV", data, name, "text/csv", icon=":material/download:")


def width_lesson(first: float, second: float, knobs: Gaussians) -> None:
    """Two distances under a narrow, the chosen and a wide Gaussian: picture, numbers, and what they mean."""
    found = [likeness(first, second, knobs.centers, width) for width in widths_to_compare(knobs.width)]
    rows = [
        {
            "Width σ": f"{each.width:g} Å" + " (chosen)" * (each.width == knobs.width),
            "Cosine similarity (1: same direction)": f"{each.cosine:.3f}",
            "Euclidean distance (length of the difference)": f"{each.euclidean:.3f}",
        }
        for each in found
    ]
    st.table(rows, border="horizontal")
    st.markdown("\n".join(f"- **σ = {each.width:g} Å.** {each.meaning}" for each in found))
    alt = f"The vectors of {first:.2f} Å and {second:.2f} Å beside each other, for {len(found)} widths"
    st.plotly_chart(likeness_bars(first, second, knobs), key="likeness", alt=alt)


def _number(text: str, default: float) -> float:
    """The number in a link; the default where there is none, or none that is finite."""
    try:
        value = float(text)
    except ValueError:
        return default
    return value if abs(value) < 1e6 else default
