"""The tab Invariance: one crystal in other words, asked of one network, for two neighbor rules side by side."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import streamlit as st
from pymatgen.core import Structure

from cgcnn.data.crystal import formula_of, site_label
from cgcnn.data.csv_text import csv_of
from cgcnn.data.targets import Target
from cgcnn.explain.descriptions import CONTROL
from cgcnn.explain.invariance import Invariance, Summary, shown_scale
from cgcnn.figures.invariance import moved_answers
from cgcnn.graph import CutShell, GraphConfig, cut_shells
from cgcnn.training.predictor import Predictor
from cgcnn.ui.current import choose
from cgcnn.ui.graph_cached import invariance_of
from cgcnn.ui.networks import chosen_network
from cgcnn.ui.prose import explained, mistakes_shown, plain

CASE = "SrTiO3"  # its cut shell mixes two elements


def invariance_tab(structure: Structure, config: GraphConfig) -> None:
    """Which numbers change when only the description of the crystal does."""
    with mistakes_shown():
        network = chosen_network()
        assert network is not None  # the untrained one is not offered
        results = invariance_of(structure, network.predictor, config)
    st.markdown(f"**{plain(network.title)}**: {plain(network.about)}.")
    target = network.predictor.target
    said = [verdict(result, target) for result in results] + trust(results, network.predictor, config)
    st.markdown("\n".join(f"- {each}" for each in said))
    if all(result.holds for result in results):
        st.markdown(unmoved(structure, cut_shells(structure, config.with_(rule="k nearest"))))
        if formula_of(structure) != CASE:
            st.button(f"Open {CASE}, where one does", on_click=choose, args=(CASE,), icon=":material/content_cut:")
    _picture(results, target)
    _tables(structure, results, target)


def verdict(result: Invariance, target: Target) -> str:
    """What one rule's readings show, in one sentence or two."""
    control = amount(result.change(result.control), target, signed=True)
    real = f"A strain of 1 %, which is a real change, moves it by {control}"
    moved = result.control.moved
    real += f", part of it because {moved:.2f} edges an atom now lead to another element." if moved > 0.005 else "."
    if result.holds:
        least = 0.1 / shown_scale(target)[0] if shown_scale(target)[0] != 1.0 else 1e-4  # the last digit that is shown
        within = f"within {amount(max(result.spread, least), target)}"
        return f"**{result.rule}:** the prediction stays the same {within}. {real}"
    spread = amount(result.spread, target)
    return f"**{result.rule}:** the predictions spread over **{spread}**, although only the description changed. {real}"


def unmoved(structure: Structure, cuts: Sequence[CutShell]) -> str:
    """Why no description moved the prediction; `cuts` are the shells that "k nearest" cuts."""
    if not cuts:
        return "No description moves the prediction, for no shell of this crystal is cut."
    mixed = next((cut for cut in cuts if len(cut.symbols) > 1), None)
    if mixed is None:
        return (
            "No description moves the prediction, although shells are cut: each of them holds one element only, and "
            "here it does not matter which of its atoms are kept."
        )
    return (
        f"No description tried here moved the prediction, although the cut shell of "
        f"{site_label(structure, mixed.atom)} mixes {' and '.join(mixed.symbols)}."
    )


def trust(results: list[Invariance], predictor: Predictor, config: GraphConfig) -> list[str]:
    """What the network is used to, and so how much its values count: a spread needs no trust, a value does."""
    if predictor.model.on_grid:
        return ["This network reads a grid of voxels: neighbor rules do nothing to it, so both rows are the same."]
    learned = predictor.graph
    habit = f"The network learned with {learned.rule}, k = {learned.max_neighbors} within {learned.cutoff:g} Å"
    if (learned.max_neighbors, learned.cutoff) != (config.max_neighbors, config.cutoff):
        habit += f"; here k = {config.max_neighbors} within {config.cutoff:g} Å"
    used = next((result for result in results if result.rule == learned.rule), None)
    if used is None:
        return [f"{habit}.", "Neither value is to be trusted: look only at whether it moves."]
    other = next(result for result in results if result is not used)
    if abs(used.given.edges_per_atom - other.given.edges_per_atom) < 0.005:
        return [f"{habit}. Both rules give this crystal equally many edges."]
    values = f"{other.given.value:.2f} instead of {used.given.value:.2f} {_unit(predictor.target)}".rstrip()
    edges = f"{other.given.edges_per_atom:.4g} edges an atom instead of {used.given.edges_per_atom:.4g}"
    return [
        f"{habit}.",
        f"“{other.rule.capitalize()}” gives it {edges}, and it answers {values.replace('-', '−')}. "
        "Do not trust that value: look only at whether it moves.",
    ]


def amount(change: float, target: Target, signed: bool = False) -> str:
    """A change of a prediction as a person reads it: `89.0 meV/atom`."""
    scale, unit = shown_scale(target)
    digits = 1 if scale != 1.0 else 4
    number = f"{scale * change:{'+' * signed}.{digits}f}"
    if not float(number):
        number = number.lstrip("+-")  # rounded to zero: no sign
    return f"{number} {unit}".rstrip().replace("-", "−")


def _unit(target: Target) -> str:
    return f"{target.unit} per atom".lstrip() if target.extensive else target.unit


def _picture(results: list[Invariance], target: Target) -> None:
    scale, unit = shown_scale(target)
    changes = {
        result.rule: [(r.kind, scale * result.change(r)) for r in (*result.exact, result.control)] for result in results
    }
    figure = moved_answers(changes, unit=unit, control=CONTROL)
    st.plotly_chart(figure, key="moved", alt="Change of the prediction with each description, for two neighbor rules")
    explained("graph", "What is compared?")
    if results[0].note:
        st.markdown(results[0].note)


def _tables(structure: Structure, results: list[Invariance], target: Target) -> None:
    st.table(_rows(results, target), border="horizontal", hide_index=True)
    with st.expander("Edges by pair of elements"):
        st.markdown("Edges per atom from the first element to the second: as given, and the least and most found.")
        st.dataframe(_pair_rows(results), hide_index=True)
    rows = [{"rule": result.rule} | asdict(row) for result in results for row in result.summaries()]
    name = f"{formula_of(structure)}_invariance.csv"
    st.download_button("Table as CSV", csv_of(rows), name, "text/csv", icon=":material/download:")


def _rows(results: list[Invariance], target: Target) -> list[dict[str, str]]:
    """A row for each kind of description, with the columns of each rule side by side."""
    summaries = [result.summaries() for result in results]
    return [_row(kind, [result.rule for result in results], target) for kind in zip(*summaries, strict=True)]


def _row(kind: Sequence[Summary], rules: Sequence[str], target: Target) -> dict[str, str]:
    tries = f", {kind[0].tries} tries" if kind[0].tries > 1 else ""
    row = {"Description": kind[0].kind + tries}
    unit = shown_scale(target)[1]
    of = f" ({unit})" if unit else ""
    for rule, summary in zip(rules, kind, strict=True):
        row[f"{rule}: largest change{of}"] = amount(summary.change, target, signed=True).removesuffix(unit).strip()
        row[f"{rule}: spread{of}"] = amount(summary.spread, target).removesuffix(unit).strip()
        row[f"{rule}: moved edges per atom"] = f"{summary.moved:.2f} of {summary.edges_per_atom:.4g}"
    row["Distances change by"] = f"{max(summary.stretch for summary in kind):.4f} Å"
    return row


def _pair_rows(results: list[Invariance]) -> list[dict[str, Any]]:
    tables = {result.rule: {pair: counts for pair, *counts in result.pair_rows()} for result in results}
    pairs = sorted({pair for table in tables.values() for pair in table})
    rows: list[dict[str, Any]] = []
    for pair in pairs:
        row: dict[str, Any] = {"Pair": pair}
        for rule, table in tables.items():
            given, least, most = table.get(pair, [0.0, 0.0, 0.0])
            row[f"{rule}: as given"] = round(given, 3)
            row[f"{rule}: range"] = f"{least:.2f} to {most:.2f}" if most - least > 5e-3 else "no change"
        rows.append(row)
    return rows
