"""The tab Symmetry: which atoms the network cannot tell apart, beside those that the space group makes equal."""

from typing import Any

import streamlit as st
from pymatgen.core import Structure

from cgcnn.data.cells import Symmetry
from cgcnn.data.crystal import formula_of, site_label
from cgcnn.figures.classes import MOST_CLASSES, class_names, merged_picture
from cgcnn.graph import GraphConfig
from cgcnn.graph.classes import MergedGraph, compared
from cgcnn.ui.csv_text import csv_of
from cgcnn.ui.graph_cached import classes_of
from cgcnn.ui.prose import explained, mistakes_shown

MOST_NAMED = 4  # atoms or classes in a sentence
ROWS = 500  # of the table on the page; the download has all


def classes_tab(structure: Structure, config: GraphConfig) -> None:
    """The merged graph, in a picture, in words and as a table."""
    with mistakes_shown():
        merged, symmetry = classes_of(structure, config)
    formula = formula_of(structure)
    st.markdown(f"{in_short(merged, formula)} {against_symmetry(structure, merged, symmetry, config)}")
    picture, tables = st.columns(2, gap="large")
    with picture:
        if merged.n_classes <= MOST_CLASSES:
            spec = merged_picture(merged, formula=formula)
            alt = f"{merged.n_classes} kinds of atoms of {formula} and the edges between them"
            st.echarts_chart(spec, key="classes", height=440 if merged.n_classes > 2 else 330, alt=alt)
        else:
            st.markdown(f"More than {MOST_CLASSES} kinds of atoms make no readable picture; the tables have them all.")
        explained("graph", "What are classes of atoms?")
    with tables:
        st.markdown(f"**Kinds of atoms.** {by_depth(merged)}")
        st.dataframe(_class_rows(structure, merged, symmetry)[:ROWS], hide_index=True, height="content")
        rows = _edge_rows(merged)
        st.markdown("**Kinds of edges**, counted for one atom of the center's kind.")
        st.dataframe(rows[:ROWS], hide_index=True, height=min(260, 38 + 35 * len(rows)))
        name = f"{formula}_merged_graph.csv"
        st.download_button("Edges as CSV", csv_of(rows), name, "text/csv", icon=":material/download:")


def in_short(merged: MergedGraph, formula: str) -> str:
    """The size of the merged graph in one sentence."""
    atoms = f"{merged.n_classes:,} kind{'s' * (merged.n_classes != 1)} of atoms"
    edges = f"{len(merged.edges):,} kind{'s' * (len(merged.edges) != 1)} of edges"
    return f"**For the network, {formula} is {atoms} and {edges}.**"


def against_symmetry(structure: Structure, merged: MergedGraph, symmetry: Symmetry, config: GraphConfig) -> str:
    """Whether the kinds of atoms are the orbits of the space group; if not, where they differ and why."""
    found, n_orbits = compared(merged.classes, symmetry.orbits), len(set(symmetry.orbits))
    orbits = f"{n_orbits} orbit{'s' * (n_orbits != 1)}"
    if found.equal:
        exactly = f"exactly the {orbits}" if n_orbits != 1 else "the only orbit"
        more = "" if config.rule == "k nearest" else "; a larger cell adds none"
        return f"The kinds of atoms are {exactly} of space group {symmetry.symbol}{more}."
    words = [f"Space group {symmetry.symbol} has {orbits}."]
    if found.split:
        atoms = [merged.classes.index(c) for c in found.split[0][:MOST_NAMED]]
        labels = " and ".join(site_label(structure, atom) for atom in atoms[:2])
        why = " A cut shell broke the symmetry; “whole shells” keeps it." if config.rule == "k nearest" else ""
        words.append(f"The graph tells equal atoms apart, such as {labels}, which symmetry makes equal.{why}")
    if found.merged:
        atoms = [symmetry.orbits.index(o) for o in found.merged[0][:MOST_NAMED]]
        labels = " and ".join(site_label(structure, atom) for atom in atoms[:2])
        words.append(f"The network takes {labels} for the same, though no symmetry maps one to the other.")
    return " ".join(words)


def by_depth(merged: MergedGraph) -> str:
    """How many kinds there are after each convolution."""
    first, *later = merged.rounds
    start = f"Before the first convolution the network knows {first}, by element"
    if not later:
        return f"{start}; no convolution finds more."
    steps = ", ".join(f"after {depth} at most {n:,}" for depth, n in enumerate(later[:6], start=1))
    return f"{start}; {steps}{', …' if len(later) > 6 else ''}."


def _class_rows(structure: Structure, merged: MergedGraph, symmetry: Symmetry) -> list[dict[str, Any]]:
    rows, sites_of = [], symmetry.sites
    for c, name in enumerate(class_names(merged)):
        atoms = [atom for atom, own in enumerate(merged.classes) if own == c]
        shown = ", ".join(site_label(structure, atom) for atom in atoms[:MOST_NAMED])
        more = f" and {len(atoms) - MOST_NAMED} more" if len(atoms) > MOST_NAMED else ""
        sites = ", ".join(sorted({sites_of[atom] for atom in atoms}))
        rows.append({"Kind": name, "Atoms": len(atoms), "Which": shown + more, "Wyckoff": sites})
    return rows


def _edge_rows(merged: MergedGraph) -> list[dict[str, Any]]:
    names = class_names(merged)
    return [
        {
            "Center": names[edge.center],
            "Neighbor": names[edge.neighbor],
            "Distance (Å)": round(edge.distance, 4),
            "Edges": edge.count,
        }
        for edge in merged.edges
    ]
