"""One convolution taken apart: the pictures that answer clicks, the steps, the equation with its numbers, the code."""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import streamlit as st
from pymatgen.core import Structure

from cgcnn.data.crystal import site_label
from cgcnn.explain.equations import Line, lines
from cgcnn.explain.steps import LayerSteps, layer_steps
from cgcnn.explain.variants import changed, forms_of, norm_variants
from cgcnn.figures.graph_scene import graph_scene
from cgcnn.figures.layer import Bars, feature_map, joined_bars, map_height, picked_cell, step_bars, steps_height
from cgcnn.figures.parts import Scene
from cgcnn.nn import ACTIVATIONS, CONVS, AttentionConv
from cgcnn.nn.weight_shared_conv import WeightSharedConv
from cgcnn.ui.current import select_atom
from cgcnn.ui.layer_choice import Asked, Look, Place, convs_of, edge_names
from cgcnn.ui.link import set_link
from cgcnn.ui.pick import pickable_view
from cgcnn.ui.prose import prose
from cgcnn.ui.theme import is_dark
from cgcnn.ui.viewer import edge_view

KINDS = {**CONVS, "attention": AttentionConv}
AS_IT_IS = "as it is"
UNMOVED = 5e-4  # of the length of v_i′: less is not shown either
MOST_ROWS = 48  # edges on one map; the list of edges turns its pages
# On a narrow screen a long equation scrolls in its own line.
SCROLLED = "<style>.stMain .katex-display { overflow-x: auto; overflow-y: hidden; padding: 4px 0; }</style>"


def steps_of(look: Look, asked: Asked, layer: int, atom: int) -> LayerSteps:
    """The steps of one layer of the network for one atom."""
    return layer_steps(convs_of(asked)[layer], look.v[layer], look.u, look.graph, atom)


def kind_of(steps: LayerSteps) -> str:
    """The kind of the layer in words, as CONVS has it, or attention."""
    return next(name for name, kind in KINDS.items() if kind is type(steps.layer))


def atom_picture(structure: Structure, look: Look, atom: int, place: Place, *, listening: bool) -> None:
    """The atom and its edges in 3D; a click selects another atom or, where the layer is `listening`, another edge."""
    scene = graph_scene(structure, look.graph, selected=atom)
    if not listening:
        pickable_view(scene, key="conv_canvas", selected=atom, height=420)
        return
    picked = edge_view(_edge_marked(scene, place.edge), key="conv_canvas", selected=atom, height=420)
    if picked.site is not None and picked.site != atom:
        select_atom(picked.site)
        set_link("edge", "1")
        st.rerun()
    own = int((look.graph.center == atom).sum())
    if picked.edge is not None and picked.edge < own and picked.edge != place.edge:  # the atom's own come first
        set_link("edge", str(picked.edge + 1))
        st.rerun()


def _edge_marked(scene: Scene, edge: int) -> Scene:
    marked = [replace(e, width=3 * e.width) if n == edge else e for n, e in enumerate(scene.edges)]
    return replace(scene, edges=tuple(marked))


def message_picture(structure: Structure, look: Look, atom: int, steps: LayerSteps, place: Place) -> None:
    """Every message to the atom as a map; a click chooses its edge and its feature."""
    if not steps.of_edges:
        st.info("This layer has no messages: every atom is on its own.", icon=":material/do_not_disturb_on:")
        return
    values = steps.of_edges[-1].values.numpy()
    first = place.edge // MOST_ROWS * MOST_ROWS
    shown = slice(first, first + MOST_ROWS)
    names = [name.split(" → ")[1] for name in edge_names(structure, look.graph, steps.edges.tolist())][shown]
    part = f", edges {first + 1} to {first + len(names)} of {len(values)}" if len(values) > MOST_ROWS else ""
    title = f"Messages to {site_label(structure, atom)}{part}"

    def pick(row: int) -> None:
        set_link("edge", str(first + row + 1))

    _clickable_map(values[shown], names, place.edge - first, place.feature, title, key="messages", pick=pick)


def layer_picture(structure: Structure, look: Look, atom: int, place: Place) -> None:
    """The atom's own vector after each layer as a map; a click chooses the layer that made it, and the feature."""
    rows = np.stack([v[atom].numpy() for v in look.v])
    names = ["embedding", *(f"after layer {n}" for n in range(1, len(rows)))]

    def pick(row: int) -> None:
        set_link("layer", str(max(row, 1)))

    title = f"The vector of {site_label(structure, atom)}, layer by layer"
    _clickable_map(rows, names, place.layer + 1, place.feature, title, key="layers", pick=pick, each_row=True)


def _clickable_map(
    values: np.ndarray,
    names: Sequence[str],
    row: int,
    feature: int,
    title: str,
    *,
    key: str,
    pick: Callable[[int], None],
    each_row: bool = False,
) -> None:
    """A map of rows and features; a click calls `pick` with its row and chooses its feature."""
    spec = feature_map(values, names, row, feature, title, each_row=each_row, dark=is_dark())

    def take() -> None:
        cell = picked_cell(values.shape[1], st.session_state[key]["selection"].get("selected", []))
        if cell is not None:
            pick(cell[0])
            set_link("feature", str(cell[1] + 1))

    alt = f"{title}: {len(names)} rows of {values.shape[1]} features"
    st.echarts_chart(spec, key=key, on_select=take, height=map_height(len(names)), alt=alt)


def step_by_step(steps: LayerSteps, place: Place) -> None:
    """The chosen edge and the atom: each step as a row of bars, and for one feature as an equation with numbers."""
    of_edge, of_atom = lines(steps, place.edge, place.feature)
    if of_edge:
        option = joined_bars(_joined(steps, place.edge), _join_title(steps))
        st.echarts_chart(option, key="joined", height=230, alt="The vectors that go into this edge, end to end")
        with st.container(border=True):
            st.markdown(f"**This edge, feature {place.feature + 1}**")
            _equations(of_edge)
    with st.container(border=True):
        st.markdown(f"**Then the atom, feature {place.feature + 1}**")
        _equations(of_atom)
    _both_bars(steps, None, place, "")


def _both_bars(steps: LayerSteps, other: LayerSteps | None, place: Place, name: str) -> None:
    """The steps of the edge beside those of the atom; the latter alone where the layer has no messages."""
    if not steps.of_edges:
        _bars(steps, other, place, per_edge=False, title="The steps of the atom", name=name)
        return
    edge, atom = st.columns(2, gap="large")
    with edge:
        _bars(steps, other, place, per_edge=True, title="The steps of this edge", name=name)
    with atom:
        _bars(steps, other, place, per_edge=False, title="Then the atom", name=name)


def _joined(steps: LayerSteps, edge: int) -> dict[str, list[float]]:
    parts = {"vᵢ": steps.v_i, "vⱼ": steps.v_j[edge], "uᵢⱼ": steps.u[edge]}
    if isinstance(steps.layer, WeightSharedConv):
        del parts["vᵢ"]  # it joins the neighbor and the edge alone
    return {name: vector.tolist() for name, vector in parts.items()}


def _join_title(steps: LayerSteps) -> str:
    return f"What goes in: {'' if isinstance(steps.layer, WeightSharedConv) else 'z = vᵢ ⊕ '}vⱼ ⊕ uᵢⱼ"


def _equations(found: Sequence[Line]) -> None:
    st.html(SCROLLED)
    for line in found:
        words, formula = st.columns([1, 6], vertical_alignment="center")
        words.markdown(line.words)
        formula.latex(line.latex, width="stretch")


def _bars(
    steps: LayerSteps, other: LayerSteps | None, place: Place, *, per_edge: bool, title: str, name: str = ""
) -> None:
    shown = steps.of_edges if per_edge else steps.of_atom
    rows = []
    for step in shown:
        values = step.values[place.edge] if per_edge else step.values
        same = None if other is None else other.like(step)
        beside = None if same is None else (same.values[place.edge] if per_edge else same.values).tolist()
        rows.append(Bars(f"{step.symbol}, {step.words}", values.tolist(), beside))
    key = f"bars_{per_edge}_{bool(other)}"
    alt = f"{title}: {', '.join(row.title for row in rows)}"
    st.echarts_chart(step_bars(rows, place.feature, title, name), key=key, height=steps_height(len(rows)), alt=alt)


def what_if(look: Look, asked: Asked, steps: LayerSteps, atom: int, place: Place) -> None:
    """The same layer with another activation or norm, or without its gate, beside itself."""
    activation, norm, form = st.columns(3)
    forms, norms = forms_of(steps.layer), norm_variants(steps.layer)
    g = activation.selectbox("Activation g", [AS_IT_IS, *ACTIVATIONS], key="other_activation", bind="query-params")
    n = norm.selectbox("Normalization", norms, key="other_norm", disabled=len(norms) == 1, bind="query-params")
    kinds = list(forms)
    kind = form.selectbox("Form of the layer", kinds, key="other_form", disabled=len(kinds) == 1, bind="query-params")
    shared, reformed = kind == "weight-shared", kind != kinds[0]
    layer = changed(forms[kind](steps.layer) if reformed else steps.layer, None if g == AS_IT_IS else g, n)
    other = layer_steps(layer, look.v[place.layer], look.u, look.graph, atom)
    words = [f"g = {g}"] * (g != AS_IT_IS) + [f"norm: {n}"] * (n != AS_IT_IS) + [kind] * reformed
    name = ", ".join(words)
    if not words:
        st.markdown("Change one thing; the bars are this network, the dots will be the same weights with that change.")
    else:
        _how_far(steps, other, name)
    if shared:
        st.markdown(prose("convolution", "What is the weight-shared form?"))
    _both_bars(steps, other if words else None, place, name)
    if shared:
        st.markdown("**The weight-shared layer in numbers**")
        of_edge, of_atom = lines(other, place.edge, place.feature)
        _equations([*of_edge, *of_atom])


def _how_far(steps: LayerSteps, other: LayerSteps, name: str) -> None:
    far = float((other["v_i′"] - steps["v_i′"]).norm() / steps["v_i′"].norm().clamp(min=1e-12))
    st.metric(f"vᵢ′ changes, with {name}, by", f"{100 * far:.1f} %", help="‖difference‖ over ‖vᵢ′‖.", border=True)
    if far < UNMOVED:
        st.markdown(
            "Nothing changes here: a batch norm that was never trained remembers mean 0 and variance 1, "
            "and lets all numbers pass."
        )


def code_of(steps: LayerSteps) -> None:
    """The source of the layer that ran, and of the score of its attention, as they stand in the library."""
    parts = [steps.layer, steps.layer.score] if isinstance(steps.layer, AttentionConv) else [steps.layer]
    st.markdown(f"`{type(steps.layer).__module__.replace('.', '/')}.py`, exactly what ran:")
    for part in parts:
        st.code(inspect.getsource(type(part)), language="python")
