"""The network's answer for the crystal in view: which network, the value, what others say, and when to doubt it."""

from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from cgcnn.data.crystal import formula_of
from cgcnn.data.csv_text import csv_of
from cgcnn.data.targets import Target
from cgcnn.errors import CrystalError
from cgcnn.explain.contributions import digits
from cgcnn.explain.doubts import Answer, Known, answers, distance_doubt, doubts
from cgcnn.explain.likeness import others_alike
from cgcnn.graph import CrystalGraph, GraphConfig, build_graph
from cgcnn.models.published import PUBLISHED
from cgcnn.training.predictor import Predictor
from cgcnn.ui.backend import store
from cgcnn.ui.current import Current
from cgcnn.ui.networks import Network, chosen_network, network, of_chosen_target
from cgcnn.ui.predict_known import Survey, survey
from cgcnn.ui.prose import explained, plain, show_mistake
from cgcnn.ui.run_targets import Shown, targets_of

CRYSTALS = "Training crystals"
MOST_DECADES = 12  # a logarithm beyond it is no physical value, and its power may be no number
ERRORS_EXPLAINED = (
    "Measured on crystals that the network did not learn from. MAE, the mean absolute error: how far an answer is "
    "off on average, in the unit of the value. AUC: how often a metal is given a higher probability than a "
    "non-metal; 0.5 is guessing, 1 is perfect."
)


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

    @property
    def as_learned(self) -> bool:
        """True when the graphs are made as those that the network learned from."""
        return self.predictor.graph.words == self.network.predictor.graph.words


def asked_network(sidebar: GraphConfig) -> Asked | None:
    """Let the reader choose a network and whose neighbor rule holds; None, and a sentence, if it cannot be read."""
    try:
        chosen = chosen_network()
    except CrystalError as mistake:
        show_mistake(str(mistake))
        return None
    if chosen is None:
        return None
    chosen = of_chosen_target(chosen)
    if chosen.predictor.model.on_grid:  # it sees no edges, whatever the rule
        return Asked(chosen, chosen.predictor, f"{chosen.stamp} {chosen.predictor.graph}")
    own = chosen.predictor.graph
    bend = st.toggle(
        "Use the neighbor rule of the sidebar",
        key="sidebar_rule",
        bind="query-params",
        help=f"Off: the rule that the network learned with ({own.words}). On: the rule of the sidebar, "
        "which the network may never have seen.",
    )
    predictor = replace(chosen.predictor, graph=sidebar) if bend else chosen.predictor
    return Asked(chosen, predictor, f"{chosen.stamp} {predictor.graph}")


def graph_of(asked: Asked, shown: Current) -> CrystalGraph | None:
    """The graph that the network is asked about; None, and a sentence, for a crystal that has none."""
    try:
        return build_graph(shown.structure, asked.predictor.graph)
    except CrystalError as mistake:
        show_mistake(f"No answer for {shown.title}: {mistake}")
        if asked.as_learned and not asked.predictor.model.on_grid:
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
    st.metric(heading(asked.target, plain(shown.title)), number_text(asked.predictor, answer.value), border=True)
    if words := in_other_words(asked.target, answer.value, plain(shown.title)):
        st.markdown(words)
    if others := _other_targets(asked, graph):
        st.markdown(f"The same network says: {others}.")
    st.markdown(f"**{plain(asked.network.title)}**: {plain(_about(asked.network))}.", help=ERRORS_EXPLAINED)
    size = f"{graph.n_atoms:,} {'atom' if graph.n_atoms == 1 else 'atoms'}"
    if asked.predictor.model.on_grid:
        st.markdown(f"This network sees no graph: it gets the {size} as densities on a grid.")
    else:
        st.markdown(f"Graph: {asked.predictor.graph.words}; {size}, {graph.n_edges:,} edges.")
    explained("predict", "What am I looking at?")
    return answer


def number_text(predictor: Predictor, value: float) -> str:
    """A value with its unit and the digits that it deserves; of a class the probability of the second one."""
    n = digits(predictor)
    words = f"{value:.{n}f}" if predictor.target.is_class else predictor.target.text(value, n)
    return words.replace("-", "−")


def _other_targets(asked: Asked, graph: CrystalGraph) -> str:
    """What the network says of its other targets; "" when it has one alone."""
    told = []
    for index, target in enumerate(asked.predictor.targets):
        if index != asked.predictor.index:
            value = float(asked.predictor.of(index).of_graph(graph)[0])
            told.append(f"{target.label} **{target.text(value).replace('-', '−')}**")
    return ", ".join(told)


def heading(target: Target, name: str) -> str:
    """What the number is: `Band gap of Si`, or for a class `Probability that Si is a metal`."""
    if not target.is_class:
        return f"{target.label} of {name}"
    return f"Probability that {name} is {_class_of(target)}"


def answer_axis(target: Target) -> str:
    """The heading of a column of answers: label and unit, or of a class what the probability is of."""
    word = _class_of(target) if target.is_class else ""
    return f"Probability of {word}" if word.startswith("“") else target.axis


def _class_of(target: Target) -> str:
    """`a metal`, of `Probability of a metal`; else the word of the second class in quotes."""
    word = target.label.removeprefix("Probability of ")
    return word if word != target.label else f"“{target.classes[1]}”"


def in_other_words(target: Target, value: float, name: str) -> str:
    """The same value without its logarithm, or a probability as what it stands for; empty for other targets."""
    if target.unit.startswith("log10 ") and abs(value) < MOST_DECADES:
        return f"That is {10**value:.3g} {target.unit.removeprefix('log10 ')}."
    if target.is_class:
        side = "probably" if value > 0.5 else "probably not"
        sure = f" The likelier class: **{target.text(value)}**." if target.classes else ""
        return f"To this network, {name} is {side} {_class_of(target)}.{sure}"
    return ""


def all_published(shown: Current, config: GraphConfig, chosen: str) -> None:
    """What every published network says of the crystal in view, as a table."""
    try:
        rows = published_rows(build_graph(shown.structure, config), chosen)
    except CrystalError as mistake:
        st.info(plain(f"The published networks have no answer: {mistake}"), icon=":material/info:")
        return
    st.markdown(f"**All eight published networks on {plain(shown.title)}**")
    columns = {
        "": st.column_config.TextColumn(width=24),
        "Value": st.column_config.TextColumn(alignment="right"),
        "Test error": st.column_config.TextColumn(help=ERRORS_EXPLAINED),
        "Trained on": st.column_config.NumberColumn(
            format="localized", width=80, help="How many crystals of the Materials Project the network learned from."
        ),
    }
    st.dataframe([_short(row) for row in rows], hide_index=True, column_config=columns, height=38 + 35 * len(rows))
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
            CRYSTALS: card.n_train,
        }
        for (name, card), value in zip(PUBLISHED.items(), _published_values(graph), strict=True)
    ]


def _short(row: dict[str, Any]) -> dict[str, Any]:
    """A row for narrow screens: the value with its unit, which the error then need not repeat."""
    unit = "" if row["Unit"] == "–" else row["Unit"]
    value = f"{row['Value']:.3f} {unit}".rstrip().replace("-", "−")
    error = " ".join(row["Test error"].split()[:2])
    return {"": row[""], "Target": row["Target"], "Value": value, "Test error": error, "Trained on": row[CRYSTALS]}


def _content(graph: CrystalGraph) -> list[bytes]:
    parts = (graph.atomic_numbers, graph.center, graph.neighbor, graph.displacement)
    return [part.numpy().tobytes() for part in parts]


@st.cache_data(max_entries=64, show_spinner=False, hash_funcs={CrystalGraph: _content})
def _published_values(graph: CrystalGraph) -> list[float]:
    return [float(network(name).predictor.of_graph(graph)[0]) for name in PUBLISHED]


def show_doubts(asked: Asked, answer: Answer, formula: str, known: Known | None) -> None:
    """Why the answer may be worth little: one sentence each, or that no reason was found.

    The distance to the known crystals takes seconds to find out, once for a network; then the page is drawn again.
    """
    if known is None:
        return
    found = doubts(answer, known, asked.predictor)
    begun = survey(asked.network, start=True) if asked.as_learned else None
    reference = begun.result if begun else None
    known_itself = False
    if reference is not None:
        itself, others = others_alike(reference, answer.vector, formula, 1)
        known_itself = bool(itself)
        found += distance_doubt(others[0].distance, reference.far, known.words)
    for sentence in found:
        st.warning(plain(sentence), icon=":material/warning:")
    if known_itself:
        st.markdown(f":material/book: This very crystal is one of the {known.words}.")
    if not found:
        open_end = "" if reference else "; its distance from them is not known yet" if begun else ""
        st.markdown(f":material/check: No warning, measured against the {known.words}{open_end}.")
    if begun is not None and not begun.is_over and not begun.stopped:
        st.fragment(_until_compared, run_every=1.0)(begun)
    explained("predict", "When not to believe it")


def _until_compared(begun: Survey) -> None:
    """The page is drawn again as soon as the distance is known."""
    if begun.is_over:
        st.rerun()
    st.caption(f"Comparing with the known crystals: {begun.done:,} of {begun.total:,}" if begun.total else "Comparing")


def _about(asked: Network) -> str:
    """What a network was trained on and how well it did on its test crystals."""
    if asked.is_published:
        return asked.about
    latest = {event.kind: event.data for event in store().events(asked.key, kinds=["data", "test"])}
    about, shown = asked.about, _shown(asked)
    if data := latest.get("data"):
        about += f", {data['n_train']:,} training crystals"
        counts = data.get("labels", {}).get(shown.name)
        about += f" ({counts[0]:,} with a value of this target)" if counts and not shown.is_alone else ""
    if test := shown.test(latest.get("test")):
        about += f", on its {len(test['ids']):,} test crystals {shown.target.error_text(test['mae'])}"
    return about


def _shown(asked: Network) -> Shown:
    """The target that the network of a run is asked for."""
    return targets_of(store().run(asked.key).settings)[asked.predictor.index]
