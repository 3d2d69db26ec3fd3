"""What each atom of the crystal in view does to the answer: in 3D, along an axis, and as a table."""

from typing import Any

import streamlit as st
from pymatgen.core import Structure

from cgcnn.data.crystal import formula_of, site_label
from cgcnn.data.csv_text import csv_of
from cgcnn.errors import CrystalError
from cgcnn.explain.contributions import Contributions, Group, contributions, grouped, orbit_labels
from cgcnn.explain.record import record
from cgcnn.figures.contributions import contribution_scene, contribution_strip, number
from cgcnn.graph import CrystalGraph, cut_shells
from cgcnn.ui.current import Current, selected_atom
from cgcnn.ui.pick import pickable_view
from cgcnn.ui.predict_answer import Asked
from cgcnn.ui.prose import explained, show_mistake
from cgcnn.ui.symmetry import symmetry_of

ROWS = 500  # more than anyone reads; the download has all
MOST_GROUPS = 20  # rows of the figure; a crystal with more orbits is shown by element
ONLY_SAVE = {"modeBarButtons": [["toImage"]], "displaylogo": False}  # more buttons cover the title on a phone
UNEQUAL = 1e-3  # in the target's unit; equivalent atoms differ by less through rounding and 0.01 Å of symmetry


def atom_contributions(asked: Asked, shown: Current, graph: CrystalGraph) -> None:
    """The tab about atoms: the picture, what the numbers mean, and the numbers."""
    structure, selected = shown.structure, selected_atom(shown.structure)
    try:
        parts = contributions(asked.predictor, record(asked.predictor.model, graph))
    except CrystalError as mistake:
        show_mistake(str(mistake))
        return
    labels = orbit_labels(structure, symmetry_of(structure))
    picture, chart = st.columns([1, 1], gap="large")
    with picture:
        scene = contribution_scene(
            structure, parts.values, label=parts.label, unit=parts.unit, digits=parts.digits, selected=selected
        )
        pickable_view(scene, key="contribution_canvas", selected=selected)
        explained("predict", "What does an atom contribute?")
    with chart:
        st.markdown(_meaning(parts))
        _relation(parts)
        _strip(structure, parts, labels)
    _unequal_orbits(asked, structure, grouped(parts.values, labels), parts)
    _table(structure, parts, labels)


def _meaning(parts: Contributions) -> str:
    return f"**{parts.label}** ({parts.unit or 'no unit'}). {parts.meaning}"


def _relation(parts: Contributions) -> None:
    """What the atoms give together, beside the answer, and the gap between the two."""
    if parts.gap is None or parts.answer is None:
        st.markdown(f"{parts.together}: {number(parts.combined, parts.digits)} {parts.unit}.")
        return
    with st.container(horizontal=True):
        st.metric(parts.together, number(parts.combined, parts.digits), border=True)
        st.metric("Answer for the crystal", number(parts.answer, parts.digits), border=True)
        st.metric(
            "Gap",
            number(parts.gap, parts.digits),
            border=True,
            help="The head, the small network at the end, is not linear, so its answer for the pooled vector is not "
            "made of answers for single atoms.",
        )


def _strip(structure: Structure, parts: Contributions, labels: list[str]) -> None:
    """The figure: a row for each orbit, or for each element where there are many orbits."""
    by = labels if len(set(labels)) <= MOST_GROUPS else [site.specie.symbol for site in structure]
    rows: dict[str, list[tuple[str, float]]] = {label: [] for label in dict.fromkeys(by)}
    for atom, label in enumerate(by):
        rows[label].append((site_label(structure, atom), parts.values[atom]))
    marks = {}
    if parts.on_scale and parts.answer is not None:
        marks = {"answer": parts.answer, "mean of atoms": parts.combined}
    axis = f"{parts.label} ({parts.unit})" if parts.unit else parts.label
    title = f"{parts.label} in {formula_of(structure)}"
    figure = contribution_strip(rows, title=title, axis=axis, unit=parts.unit, digits=parts.digits, marks=marks)
    alt = f"{title}: a dot for each atom, in the row of its orbit or element"
    st.plotly_chart(figure, key="contribution_strip", width="stretch", config=ONLY_SAVE, alt=alt)


def _unequal_orbits(asked: Asked, structure: Structure, groups: list[Group], parts: Contributions) -> None:
    """Say where atoms that are equal by symmetry are not equal to the network, which a cut shell explains."""
    widest = max(groups, key=lambda group: group.high - group.low)
    spread = widest.high - widest.low
    if parts.gap is not None and spread > UNEQUAL and cut_shells(structure, asked.predictor.graph):
        st.info(
            f"The {len(widest.atoms)} atoms {widest.label} are equal by symmetry, yet their values differ by up to "
            f"{number(spread, parts.digits)} {parts.unit}: k = {asked.predictor.graph.max_neighbors} cuts a shell, "
            "and each of them keeps another part of it.",
            icon=":material/content_cut:",
        )


def _table(structure: Structure, parts: Contributions, labels: list[str]) -> None:
    """The numbers: by orbit, by element, or atom by atom."""
    kinds = ["orbits", "elements", "atoms"]
    kind = st.segmented_control("Rows", kinds, default="orbits", required=True, key="atom_rows", bind="query-params")
    atoms = _atom_rows(structure, parts, labels)
    if kind == "atoms":
        rows = atoms
    else:
        by = labels if kind == "orbits" else [site.specie.symbol for site in structure]
        rows = [_group_row(group, parts) for group in grouped(parts.values, by)]
    if len(rows) > ROWS:
        st.markdown(f"The first {ROWS} of {len(rows):,}; the download has all atoms.")
    numbers = [name for name in rows[0] if name not in ("Atom", "Orbit", "Group", "Atoms", "Names")]
    columns = dict.fromkeys(numbers, st.column_config.NumberColumn(format="%.4f"))
    st.dataframe(rows[:ROWS], hide_index=True, column_config=columns, height=min(38 + 35 * len(rows), 360))
    name = f"{formula_of(structure)}_atoms.csv"
    st.download_button("Atoms as CSV", csv_of(atoms), name, "text/csv", icon=":material/download:")


def _atom_rows(structure: Structure, parts: Contributions, labels: list[str]) -> list[dict[str, Any]]:
    head = _head(parts)
    return [
        {"Atom": site_label(structure, atom), "Orbit": labels[atom], head: value}
        for atom, value in enumerate(parts.values)
    ]


def _group_row(group: Group, parts: Contributions) -> dict[str, Any]:
    values = {f"Mean: {_head(parts)}": group.mean, "Least": group.low, "Greatest": group.high}
    return {"Group": group.label, "Atoms": len(group.atoms), **values}


def _head(parts: Contributions) -> str:
    return f"{parts.label} ({parts.unit})" if parts.unit else parts.label
