"""The network's answer for the crystal in view: which network, the value, what others say, and when to doubt it."""

from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from cgcnn.data.crystal import formula_of
from cgcnn.data.targets import Target
from cgcnn.errors import CrystalError
from cgcnn.explain.doubts import Answer, Known, answers, distance_doubt, doubts
from cgcnn.explain.likeness import Reference, most_alike
from cgcnn.graph import CrystalGraph, GraphConfig, build_graph
from cgcnn.models.published import PUBLISHED
from cgcnn.training.predictor import Predictor
from cgcnn.ui.backend import store
from cgcnn.ui.csv_text import csv_of
from cgcnn.ui.current import Current
from cgcnn.ui.networks import Network, chosen_network, network
from cgcnn.ui.prose import explained, plain, show_mistake


@dataclass(frozen=True)
class Asked:
    """The chosen network, and the predictor that this page asks: on its own graphs, or on the sidebar's."""

    network: Network
    predictor: Predictor
    stamp: str  # changes when the network or its graphs do

    @property
    def target(self) -> Target:
        """What the network predicts."""
        return self.predictor.target


def asked_network(sidebar: GraphConfig) -> Asked | None:
    """Let the reader choose a network and whose neighbor rule holds; None, and a sentence, if it cannot be read."""
    try:
        chosen = chosen_network()
    except CrystalError as mistake:
        show_mistake(str(mistake))
        return None
    if chosen is None:
        return None
    own = chosen.predictor.graph
    bend = st.toggle(
        "Use the neighbor rule of the sidebar",
        key="sidebar_rule",
        bind="query-params",
        help=f"Off: the rule that the network learned with ({rule_in_words(own)}). On: the rule of the sidebar, "
        "which the network may never have seen.",
    )
    predictor = replace(chosen.predictor, graph=sidebar) if bend else chosen.predictor
    ended = "" if chosen.is_published else store().run(chosen.key).ended
    return Asked(chosen, predictor, f"{chosen.key} {ended} {predictor.graph}")


def rule_in_words(config: GraphConfig) -> str:
    """A neighbor rule as a reader says it: `k nearest, k = 12, within 8 Å`."""
    count = "" if config.rule == "radius" else f", k = {config.max_neighbors}"
    return f"{config.rule}{count}, within {config.cutoff:g} Å"


def graph_of(asked: Asked, shown: Current) -> CrystalGraph | None:
    """The graph that the network is asked about; None, and a sentence, for a crystal that has none."""
    try:
        return build_graph(shown.structure, asked.predictor.graph)
    except CrystalError as mistake:
        show_mistake(f"No answer for {shown.title}: {mistake}")
        if asked.predictor.graph == asked.network.predictor.graph:
            st.info(
                "The network is asked with the rule it learned from; to ask it with another one, switch on "
                "“Use the neighbor rule of the sidebar” and change the rule there.",
                icon=":material/info:",
            )
        return None


def nothing_to_show(shown: Current) -> None:
    """Why a part of the page is empty."""
    st.info(plain(f"There is no answer for {shown.title}, so there is nothing to explain."), icon=":material/info:")


def answer_card(asked: Asked, shown: Current, graph: CrystalGraph) -> Answer:
    """The value, large, and beside it which network says so and how far it can be trusted."""
    answer = answers(asked.predictor, [graph])[0]
    st.metric(
        f"{asked.target.label} of {plain(shown.title)}", asked.target.text(answer.value).replace("-", "−"), border=True
    )
    if words := in_other_words(asked.target, answer.value):
        st.markdown(words)
    st.markdown(f"**{plain(asked.network.title)}**: {plain(_about(asked.network))}.")
    size = f"{graph.n_atoms:,} {'atom' if graph.n_atoms == 1 else 'atoms'}, {graph.n_edges:,} edges"
    st.markdown(f"Graph: {rule_in_words(asked.predictor.graph)}; {size}.")
    explained("predict", "What am I looking at?")
    return answer


def in_other_words(target: Target, value: float) -> str:
    """The same value without its logarithm, or a probability as what it stands for; empty for other targets."""
    if target.unit.startswith("log10 "):
        return f"That is {10**value:.3g} {target.unit.removeprefix('log10 ')}."
    if target.task == "classification":
        side = "more" if value > 0.5 else "less"
        return f"A probability: it takes the statement for {side} likely than not."
    return ""


def all_published(shown: Current, config: GraphConfig, chosen: str) -> None:
    """What every published network says of the crystal in view, as a table."""
    try:
        rows = published_rows(build_graph(shown.structure, config), chosen)
    except CrystalError as mistake:
        st.info(plain(f"The published networks have no answer: {mistake}"), icon=":material/info:")
        return
    st.markdown(f"**All eight published networks on {plain(shown.title)}**")
    columns = {"": st.column_config.TextColumn(width=24), "Value": st.column_config.NumberColumn(format="%.3f")}
    columns["Training crystals"] = st.column_config.NumberColumn(format="localized")
    st.dataframe(rows, hide_index=True, column_config=columns, height=38 + 35 * len(rows))
    name = f"{formula_of(shown.structure)}_published.csv"
    st.download_button("All eight as CSV", csv_of(rows), name, "text/csv", icon=":material/download:")


def published_rows(graph: CrystalGraph, chosen: str = "") -> list[dict[str, Any]]:
    """A row for each published network: what it predicts, its value for the graph, unit, and error on the test set."""
    return [
        {
            "": "▶" if name == chosen else "",
            "Target": card.target.label,
            "Value": value,
            "Unit": card.target.unit or "–",
            "Test error": card.error,
            "Training crystals": card.n_train,
        }
        for (name, card), value in zip(PUBLISHED.items(), _published_values(graph), strict=True)
    ]


def _content(graph: CrystalGraph) -> list[bytes]:
    parts = (graph.atomic_numbers, graph.center, graph.neighbor, graph.displacement)
    return [part.numpy().tobytes() for part in parts]


@st.cache_data(max_entries=64, show_spinner=False, hash_funcs={CrystalGraph: _content})
def _published_values(graph: CrystalGraph) -> list[float]:
    return [float(network(name).predictor.of_graph(graph)[0]) for name in PUBLISHED]


def show_doubts(asked: Asked, answer: Answer, known: Known | None, reference: Reference | None) -> None:
    """Why the answer may be worth little: one sentence each, or that no reason was found."""
    if known is None:
        return
    found = doubts(answer, known, asked.predictor)
    if reference is not None:
        nearest = most_alike(reference, answer.vector, 1)[0]
        found += distance_doubt(nearest.distance, reference.far, known.words)
    for sentence in found:
        st.warning(plain(sentence), icon=":material/warning:")
    compared = "" if reference else " Its distance from them is told under “Nearest crystals”."
    if not found:
        st.markdown(f":material/check: No warning, measured against the {known.words}.{compared}")
    explained("predict", "When not to believe it")


def _about(asked: Network) -> str:
    """What a network was trained on and how well it did on its test crystals."""
    if asked.is_published:
        return asked.about
    latest = {event.kind: event.data for event in store().events(asked.key, kinds=["data", "test"])}
    about, target = asked.about, asked.predictor.target
    if data := latest.get("data"):
        about += f", {data['n_train']:,} training crystals"
    if test := latest.get("test"):
        about += f", on its {len(test['ids']):,} test crystals MAE {target.text(test['mae'])}"
    return about
