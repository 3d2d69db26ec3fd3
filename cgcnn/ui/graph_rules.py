"""The tab Neighbor rules: one atom under every rule, beside what a chemist would call its bonds."""

from collections import Counter
from typing import Any

import streamlit as st
from pymatgen.core import Structure

from cgcnn.data.crystal import formula_of, site_label
from cgcnn.data.csv_text import csv_of
from cgcnn.errors import CrystalError
from cgcnn.figures.rules import neighbors_by_rule
from cgcnn.graph import NEIGHBOR_RULES, GraphConfig
from cgcnn.graph.neighborhood import CHEMIST, Group, table
from cgcnn.ui.graph_cached import neighborhood_of
from cgcnn.ui.prose import explained, show_mistake


def rules_tab(structure: Structure, config: GraphConfig, atom: int) -> None:
    """The neighbors of the selected atom under each of NEIGHBOR_RULES, and CrystalNN."""
    rules = {rule: neighborhood_of(structure, config, atom, rule) for rule in NEIGHBOR_RULES}
    try:
        rules[CHEMIST] = neighborhood_of(structure, config, atom, CHEMIST)
    except CrystalError as mistake:  # the other rules still stand
        show_mistake(str(mistake))
    label = site_label(structure, atom)
    picture, words = st.columns([2, 3], gap="large")
    with picture:
        figure = neighbors_by_rule(rules, center=label, cutoff=_reach(rules, config.cutoff))
        st.plotly_chart(figure, key="rules", alt=f"Neighbors of {label} by distance under {', '.join(rules)}")
        explained("graph", "Which rule is right?")
    with words:
        st.markdown("\n".join(f"- **{rule}:** {in_words(groups)}" for rule, groups in rules.items()))
        rows = _rows(rules, config.tolerance)
        height = min(420, 38 + 35 * len(rows))
        st.dataframe(rows, hide_index=True, height=height, placeholder="", column_config=_widths(rules))
        name = f"{formula_of(structure)}_{label.replace(' ', '')}_neighbors.csv"
        st.download_button("Neighbors as CSV", csv_of(rows), name, "text/csv", icon=":material/download:")


def in_words(groups: list[Group]) -> str:
    """How many neighbors of which elements, and how far: `12 (6 Cl, 6 Na), out to 3.988 Å`."""
    if not groups:
        return "none"
    counts: Counter[str] = Counter()
    for group in groups:
        counts[group.symbol] += group.count
    of_each = ", ".join(f"{count} {symbol}" for symbol, count in counts.items())
    nearest, farthest = groups[0].distance, groups[-1].distance
    where = f"all at {nearest:.3f} Å" if farthest - nearest < 1e-3 else f"out to {farthest:.3f} Å"
    return f"{counts.total()} ({of_each}), {where}"


def _reach(rules: dict[str, list[Group]], cutoff: float) -> float:
    return max([cutoff, *(groups[-1].distance for groups in rules.values() if groups)])


def _widths(rules: dict[str, list[Group]]) -> dict[str, Any]:
    """Columns as narrow as their heads, so that all stand side by side in half a page."""
    wide = {"Distance (Å)": 92, "Element": 68} | {rule: 18 + 6.5 * len(rule) for rule in rules}
    return {name: st.column_config.Column(width=round(width)) for name, width in wide.items()}


def _rows(rules: dict[str, list[Group]], tolerance: float) -> list[dict[str, Any]]:
    return [
        {"Distance (Å)": round(distance, 4), "Element": symbol}
        | {rule: count or None for rule, count in zip(rules, counts, strict=True)}
        for distance, symbol, counts in table(rules, tolerance)
    ]
