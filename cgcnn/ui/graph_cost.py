"""The tab Cost: how edges, angles and build time grow with the crystal."""

import streamlit as st
from pymatgen.core import Structure

from cgcnn.data.crystal import formula_of
from cgcnn.data.csv_text import csv_of
from cgcnn.errors import CrystalError
from cgcnn.figures.cost import Growth, growth
from cgcnn.graph import NEIGHBOR_RULES, GraphConfig
from cgcnn.graph.cost import MOST_EDGES, TRIES, Cost, slope
from cgcnn.ui.graph_cached import costs_of
from cgcnn.ui.prose import explained, show_mistake


def cost_tab(structure: Structure, config: GraphConfig) -> None:
    """Edges, line-graph edges and seconds of supercells of the crystal, for every neighbor rule."""
    found = {}
    for rule in NEIGHBOR_RULES:
        try:
            found[rule] = costs_of(structure, config.with_(rule=rule))
        except CrystalError as mistake:  # as for a radius that holds too many: the other rules are still shown
            show_mistake(str(mistake))
    if config.rule not in found:
        return
    st.markdown(sentence(found[config.rule]))
    edges, time = st.columns(2, gap="large")
    with edges:
        figure = growth(_counts(found, config.rule), title="Edges of larger and larger cells", axis="Edges")
        st.plotly_chart(figure, key="cost_edges", alt="Edges against atoms for every rule, straight lines of slope 1")
        explained("graph", "Why is it linear?")
    with time:
        figure = growth(times(found, config.rule), title="Time to build the graph", axis="Time", unit="ms")
        st.plotly_chart(figure, key="cost_time", alt="Build time against atoms for every rule")
        st.markdown(
            f"Measured on this machine, the best of up to {TRIES} tries; whatever else it does makes a line uneven. "
            "The time of a small cell is mostly that of starting. The dashed line is time in proportion to N."
        )
    shortest = min(found.values(), key=lambda costs: costs[-1].n_atoms)
    if shortest[-1].n_atoms < max(costs[-1].n_atoms for costs in found.values()):
        st.markdown(f"A line ends where the next cell would pass {MOST_EDGES:,} edges.")
    rows = [{"rule": rule} | _row(cost) for rule, costs in found.items() for cost in costs]
    name = f"{formula_of(structure)}_cost.csv"
    st.download_button("Table as CSV", csv_of(rows), name, "text/csv", icon=":material/download:")


def sentence(found: list[Cost]) -> str:
    """The exponent in words."""
    first, last = found[0], found[-1]
    power = slope([cost.n_atoms for cost in found], [cost.n_edges for cost in found])
    if power != power:
        return f"{first.n_atoms:,} atoms have {first.n_edges:,} edges; a larger cell would be too large to try here."
    return (
        f"From {first.n_atoms:,} to {last.n_atoms:,} atoms, edges grow from {first.n_edges:,} to {last.n_edges:,}: "
        f"as N to the power **{power:.2f}**. Twice the cell has twice the edges, not four times as many."
    )


def _counts(found: dict[str, list[Cost]], rule: str) -> dict[str, Growth]:
    lines = {}
    for name, costs in found.items():
        atoms, edges = [cost.n_atoms for cost in costs], [cost.n_edges for cost in costs]
        lines[name] = Growth(atoms, edges, slope(atoms, edges))
    atoms, angles = [cost.n_atoms for cost in found[rule]], [cost.n_line_edges for cost in found[rule]]
    lines[f"line graph, {rule}"] = Growth(atoms, angles, slope(atoms, angles), faint=True)
    return lines


def times(found: dict[str, list[Cost]], rule: str) -> dict[str, Growth]:
    """Build times in ms without an exponent, which noise would falsify, and a line in proportion to N to hold on to.

    That line passes through the largest cell of `rule`.
    """
    lines = {
        name: Growth([c.n_atoms for c in costs], [1000 * c.seconds for c in costs]) for name, costs in found.items()
    }
    last, atoms = found[rule][-1], lines[rule].n_atoms
    lines["in proportion to N"] = Growth(atoms, [1000 * last.seconds * n / last.n_atoms for n in atoms], faint=True)
    return lines


def _row(cost: Cost) -> dict[str, float]:
    return {
        "atoms": cost.n_atoms,
        "edges": cost.n_edges,
        "line graph edges": cost.n_line_edges,
        "seconds": round(cost.seconds, 6),
    }
