"""Who is heard: the attention of a network on the crystal in view, or what the published score would make of it."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st
from pymatgen.core import Structure

from cgcnn.data.crystal import site_label
from cgcnn.data.csv_text import csv_of
from cgcnn.explain.attention import (
    Attention,
    Blindness,
    as_published_on,
    attention_on,
    blindness,
    convs_with_attention,
)
from cgcnn.figures.attention import (
    Dot,
    Layers,
    attention_scene,
    effective_by_layer,
    self_product,
    weights_by_distance,
)
from cgcnn.figures.graph_scene import edge_text
from cgcnn.graph import CrystalGraph
from cgcnn.nn.attention_conv import PublishedScore
from cgcnn.ui.layer_choice import Asked, Look, Place, layer_again
from cgcnn.ui.pick import pickable_view
from cgcnn.ui.prose import explained

LEARNED, PUBLISHED = "learned score", "published score"
MOST_DOTS = 4_000  # edges of other atoms in the scatter; more are a cloud
SAME = 1e-3  # of the largest weight; edges closer to it share the first place
MOST_FACTOR = 10_000  # beyond it no number says more
Kinds = Mapping[str, Sequence[Attention]]


def attention_tab(structure: Structure, look: Look, asked: Asked, place: Place, atom: int) -> None:
    """The weights on the atom's edges, against distance and layer by layer, with what they say in numbers."""
    kinds = _kinds(look, asked)
    st.markdown(_what_it_is(kinds, asked))
    name, head = _chosen(kinds, look, place)
    shown = kinds[name][place.layer]
    own = (look.graph.center == atom).nonzero()[:, 0].tolist()
    if not own:
        st.info("This atom has no neighbors, and nobody to attend to.", icon=":material/info:")
        return
    picture, chart = st.columns(2, gap="large")
    with picture:
        _on_the_edges(structure, shown, head, atom, own)
    with chart:
        title = f"Weights in layer {place.layer + 1}, large: edges of {site_label(structure, atom)}"
        figure = weights_by_distance(_dots(structure, shown, head, atom), 1 / len(own), title)
        st.plotly_chart(figure, key="attention_weights", alt=title)
        explained("convolution", "What do the weights show?")
    lines, blind = st.columns(2, gap="large")
    with lines:
        _layer_by_layer(kinds, name, place)
    with blind:
        _what_is_heard(asked, kinds[PUBLISHED], own)
    explained("convolution", "Why count neighbors?")
    st.dataframe(_table(kinds), hide_index=True)
    rows = _edge_rows(structure, shown)
    st.download_button("Weights as CSV", csv_of(rows), "attention.csv", "text/csv", icon=":material/download:")


def _on_the_edges(structure: Structure, shown: Attention, head: int, atom: int, own: list[int]) -> None:
    weights = shown.weights[own, head].tolist()
    scene = attention_scene(structure, shown.graph, atom, weights)
    pickable_view(scene, key="attention_canvas", selected=atom, height=400)
    st.markdown(_heaviest(structure, shown.graph, own, weights, float(shown.effective[atom, head])))


def _layer_by_layer(kinds: Kinds, name: str, place: Place) -> None:
    graph = kinds[name][0].graph
    degree = graph.n_edges / graph.n_atoms
    figure = effective_by_layer({kind: _layers(found) for kind, found in kinds.items()}, degree, place.layer)
    st.plotly_chart(figure, key="attention_layers", alt="How many neighbors count in each layer")
    st.markdown(_saturation(name, kinds[name], degree))


def _what_is_heard(asked: Asked, published: Sequence[Attention], own: list[int]) -> None:
    far = blindness(asked.model.get_submodule("embed_edge"))
    lengths = sorted({round(d, 3) for d in published[0].graph.distance[own].tolist()})
    figure = self_product(far.distance.numpy(), far.product.numpy(), lengths)
    st.plotly_chart(figure, key="attention_blind", alt="The product of an edge vector with itself, by distance")
    st.markdown(_blind(far, published))


def _kinds(look: Look, asked: Asked) -> Kinds:
    """The network's own attention, if it has one, and the published score on the vectors of any network."""
    convs = convs_with_attention(asked.model)
    heads = convs[0].heads if convs else 1
    published = {PUBLISHED: as_published_on(look.v[:-1], look.u, look.graph, heads)}
    if not convs or isinstance(convs[0].score, PublishedScore):
        return published
    return {LEARNED: attention_on(convs, look.v, look.u, look.graph), **published}


def _what_it_is(kinds: Kinds, asked: Asked) -> str:
    if LEARNED in kinds:
        return (
            "This network attends with the **learned score** of a query and a key, sᵢⱼ = ⟨qᵢ, kᵢⱼ⟩/√d. Beside it, the "
            "**published score**, ⟨vᵢ, vⱼ⟩⟨uᵢⱼ, uᵢⱼ⟩: it has no weights and can be read off any network's vectors."
        )
    if convs_with_attention(asked.model):
        return "This network attends with the **published score**, sᵢⱼ = ⟨vᵢ, vⱼ⟩⟨uᵢⱼ, uᵢⱼ⟩: what is shown is what ran."
    return (
        "This network does not attend. But the **published score**, sᵢⱼ = ⟨vᵢ, vⱼ⟩⟨uᵢⱼ, uᵢⱼ⟩, has no weights of its "
        "own, so here is what it would make of this network's vectors, layer by layer."
    )


def _chosen(kinds: Kinds, look: Look, place: Place) -> tuple[str, int]:
    """Which score and head are shown; the layer is the page's own."""
    n_heads = next(iter(kinds.values()))[0].heads
    with st.container(horizontal=True, vertical_alignment="bottom"):
        layer_again(len(look.v) - 1)
        name = next(iter(kinds))
        if len(kinds) > 1:
            names = list(kinds)
            name = st.selectbox("Score", names, key="attention_score", bind="query-params", width=180)
        head = 0
        if n_heads > 1:
            heads = [str(n + 1) for n in range(n_heads)]
            head = int(st.selectbox("Head", heads, key="attention_head", bind="query-params", width=120)) - 1
    return name, head


def _dots(structure: Structure, shown: Attention, head: int, atom: int) -> list[Dot]:
    """All edges of the selected atom, and of the others' as many as can be told apart."""
    graph = shown.graph
    every = max(1, -(-graph.n_edges // MOST_DOTS))
    symbols = [site.specie.symbol for site in structure]
    columns = (graph.center, graph.neighbor, graph.distance, shown.weights[:, head])
    rows = enumerate(zip(*(column.tolist() for column in columns), strict=True))
    return [Dot(d, c, symbols[j], i == atom) for n, (i, j, d, c) in rows if i == atom or n % every == 0]


def _heaviest(structure: Structure, graph: CrystalGraph, own: list[int], weights: list[float], effective: float) -> str:
    """Who is heard most, how that compares with equal weights, and what the weights amount to."""
    n, most = len(own), max(weights)
    heaviest = [edge for edge, weight in zip(own, weights, strict=True) if weight > (1 - SAME) * most]
    if len(heaviest) == n:
        return f"All {n} edges weigh the same, **{1 / n:.3g}**."
    j, d = int(graph.neighbor[heaviest[0]]), float(graph.distance[heaviest[0]])
    equal = len(heaviest) - 1
    others = f", as {'do' if equal > 1 else 'does'} {equal} other{'s' * (equal > 1)}" * (equal > 0)
    return (
        f"{site_label(structure, j)} at {d:.3f} Å weighs most, **{most:.3g}**{others}; alike, each of {n} neighbors "
        f"would weigh {1 / n:.3g}. It is as if **{effective:.1f}** of them counted."
    )


def _layers(found: Sequence[Attention]) -> Layers:
    each = [one.effective for one in found]
    return Layers([float(e.mean()) for e in each], [float(e.min()) for e in each], [float(e.max()) for e in each])


def _saturation(name: str, found: Sequence[Attention], degree: float) -> str:
    first, last = found[0], found[-1]
    n = len(found)
    of_last = f"; in layer {n} they are {_range(last)}, and **{float(last.effective.mean()):.1f}** count" * (n > 1)
    return (
        f"With the {name}, scores in layer 1 are {_range(first)}, and of {degree:.3g} neighbors "
        f"**{float(first.effective.mean()):.1f}** count{of_last}."
    )


def _range(one: Attention) -> str:
    return f"{_signed(float(one.scores.min()))} to {_signed(float(one.scores.max()))}"


def _signed(x: float) -> str:
    return f"{x:,.0f}".replace("-", "−") if abs(x) >= 100 else f"{x:.3g}".replace("-", "−")


def _blind(far: Blindness, published: Sequence[Attention]) -> str:
    low, high = float(far.distance[0]), float(far.distance[-1])
    told = (
        f"From {low:g} to {high:g} Å, ⟨u, u⟩ is **{far.mean:.3f} ± {100 * far.swing:.1f} %**: near and far sound alike."
    )
    largest = max(float(one.scores.max()) for one in published)
    return (
        f"{told} What is left is where a distance falls between two Gaussians; at this network's largest score, "
        f"{_signed(largest)}, that alone can change the ratio of two weights by a factor of "
        f"{_factor(far.factor(largest))}."
    )


def _factor(x: float) -> str:
    return f"{float(f'{x:.2g}'):,g}" if x < MOST_FACTOR else f"more than {MOST_FACTOR:,}"


def _table(kinds: Kinds) -> list[dict[str, Any]]:
    return [
        {
            "Score": kind,
            "Layer": n + 1,
            "Scores from": _short(float(one.scores.min()), 4),
            "To": _short(float(one.scores.max()), 4),
            "Largest − smallest around an atom": _short(float(one.contrast.mean()), 4),
            "Neighbors that count": _short(float(one.effective.mean()), 4),
            "Fewest": _short(float(one.effective.min()), 4),
            "Largest weight": _short(float(one.weights.max()), 4),
        }
        for kind, found in kinds.items()
        for n, one in enumerate(found)
    ]


def _edge_rows(structure: Structure, shown: Attention) -> list[dict[str, Any]]:
    """Every edge of the crystal with its score and weight in each head, in the layer in view."""
    graph = shown.graph
    ends = zip(
        graph.center.tolist(), graph.neighbor.tolist(), graph.image.tolist(), graph.distance.tolist(), strict=True
    )
    rows = []
    for n, (i, j, (x, y, z), d) in enumerate(ends):
        row: dict[str, Any] = {"edge": edge_text(structure, i, j, (x, y, z), d), "distance (Å)": round(d, 4)}
        for head in range(shown.heads):
            row[f"score of head {head + 1}"] = _short(float(shown.scores[n, head]))
            row[f"weight of head {head + 1}"] = _short(float(shown.weights[n, head]))
        rows.append(row)
    return rows


def _short(x: float, digits: int = 5) -> float:
    """So many digits that count: a weight may be tiny."""
    return float(f"{x:.{digits}g}")
