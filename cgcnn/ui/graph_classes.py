"""The tab Symmetry: which atoms the network cannot tell apart, beside those that the space group makes equal."""

from typing import Any

import streamlit as st
from pymatgen.core import Structure

from cgcnn.data.cells import Symmetry
from cgcnn.data.crystal import formula_of, site_label
from cgcnn.data.csv_text import csv_of
from cgcnn.figures.classes import MOST_CLASSES, class_names, merged_picture
from cgcnn.graph import GraphConfig
from cgcnn.graph.classes import MergedGraph, compared
from cgcnn.ui.graph_both_ways import both_ways_table
from cgcnn.ui.graph_cached import classes_of
from cgcnn.ui.prose import explained, mistakes_shown, plain

MOST_NAMED = 4  # atoms or classes in a sentence
WYCKOFF = "A Wyckoff site, such as 4a: how many equal atoms the cell has, and the letter of their places."
ROWS = 500  # of the table on the page; the download has all


def classes_tab(structure: Structure, config: GraphConfig, title: str) -> None:
    """The merged graph of the crystal called `title`, in a picture, in words and as a table."""
    with mistakes_shown():
        merged, symmetry = classes_of(structure, config)
    formula = formula_of(structure)
    st.markdown(f"{in_short(merged, title)} {against_symmetry(structure, merged, symmetry, config)}")
    picture, tables = st.columns(2, gap="large")
    with picture:
        if merged.n_classes <= MOST_CLASSES:
            spec = merged_picture(merged, formula=formula)
            alt = f"{merged.n_classes} kinds of atoms of {formula} and the edges between them"
            st.echarts_chart(spec, key="classes", height=440 if merged.n_classes > 2 else 330, alt=alt)
        else:
            st.markdown(f"More than {MOST_CLASSES} kinds of atoms make no readable picture; the tables have them all.")
        explained("graph", "What are classes of atoms?")
        both_ways_table(structure, config, len(merged.edges))
    with tables:
        st.markdown("**Kinds of atoms**")  # short: on a telephone the buttons of a table lie over the line above it
        st.dataframe(_class_rows(structure, merged, symmetry)[:ROWS], hide_index=True, height="content")
        st.markdown(f"{by_depth(merged)} {WYCKOFF}")
        rows = _edge_rows(merged)
        st.markdown("**Kinds of edges** of one center")
        st.dataframe(rows[:ROWS], hide_index=True, height=min(260, 38 + 35 * len(rows)))
        name = f"{formula}_merged_graph.csv"
        st.download_button("Edges as CSV", csv_of(rows), name, "text/csv", icon=":material/download:")


def in_short(merged: MergedGraph, title: str) -> str:
    """The size of the merged graph in one sentence about the crystal called `title`."""
    atoms, edges = _kinds(merged.n_classes, "atom"), _kinds(len(merged.edges), "edge")
    return f"**For the network, {plain(title)} is {atoms} and {edges}.**"


def _kinds(n: int, of: str) -> str:
    return f"{n:,} kinds of {of}s" if n != 1 else f"1 kind of {of}"


def against_symmetry(structure: Structure, merged: MergedGraph, symmetry: Symmetry, config: GraphConfig) -> str:
    """Whether the kinds of atoms are the orbits of the space group; if not, where they differ and why."""
    found, n_orbits = compared(merged.classes, symmetry.orbits), len(set(symmetry.orbits))
    orbits = f"{n_orbits} orbit{'s' * (n_orbits != 1)}"
    meaning = " (an orbit is all atoms that symmetry maps onto one another)"
    if found.equal:
        exactly = f"exactly the {orbits}" if n_orbits != 1 else "the only orbit"
        more = "" if config.rule == "k nearest" else "; a larger cell adds none"
        return f"The kinds of atoms are {exactly} of space group {symmetry.symbol}{meaning}{more}."
    words = [f"Space group {symmetry.symbol} has {orbits}{meaning}."]
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
    start = f"Before the first convolution the network knows {first}, by their 92 bits"
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
        rows.append({"Kind": name, "Atoms": len(atoms), "Which": shown + more, "Wyckoff site": sites})
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
