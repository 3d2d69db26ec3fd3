"""The network, the layer, the edge and the feature that the Convolution page takes apart."""

from dataclasses import dataclass
from typing import Literal

import streamlit as st
from pymatgen.core import Structure
from torch import Tensor, nn

from cgcnn.config import Config
from cgcnn.errors import CrystalError
from cgcnn.explain.record import record
from cgcnn.figures.graph_scene import edge_text
from cgcnn.graph import CrystalGraph, GraphConfig, build_graph
from cgcnn.models import MODELS
from cgcnn.training.experiment import RunConfig
from cgcnn.training.train import TrainConfig
from cgcnn.ui.form import choice, form
from cgcnn.ui.link import linked, set_link
from cgcnn.ui.networks import Network, chosen_network
from cgcnn.ui.prose import plain
from cgcnn.ui.symmetry import content

FRESH = ["model", "conv", "attention", "heads", "n_convs", "activation", "norm", "pooling"]


@dataclass(frozen=True)
class Asked:
    """The network that is taken apart; `trained` is None for random weights."""

    key: str  # another one for other weights
    title: str
    model: nn.Module
    trained: Network | None = None


@dataclass(frozen=True)
class Look:
    """One crystal's way through a network: v (atoms, d) after each layer, u (edges, k), the crystal vector."""

    graph: CrystalGraph
    v: list[Tensor]
    u: Tensor


@dataclass(frozen=True)
class Place:
    """Where we look: the layer, the edge among the atom's own, and the feature; all from 0."""

    layer: int
    edge: int
    feature: int


def asked_network(config: GraphConfig) -> Asked:
    """Choose a network; of an untrained one also its kind and its seed."""
    networks, knobs = st.columns([2, 3])
    with networks:
        chosen = chosen_network(untrained=True)
    if chosen is not None:
        with knobs:
            _say_where_it_comes_from(chosen, config)
        _refuse_grids(chosen)
        return Asked(chosen.stamp, chosen.title, chosen.predictor.model, chosen)
    with knobs, st.expander("Its layers and its seed", icon=":material/tune:"):
        kinds = [name for name, model in MODELS.items() if not model.on_grid]
        kind = MODELS[choice("Model", kinds, "fresh_model")].Config
        shape = form(kind, prefix="fresh_", only=[name for name in FRESH if name in kind.options()])
        seed = form(TrainConfig, prefix="fresh_", only=["seed"]).seed
    return Asked(f"{type(shape).__qualname__} {shape} {seed}", f"untrained, seed {seed}", _fresh(shape, seed))


@st.cache_resource(max_entries=16, show_spinner=False)
def _fresh(shape: Config, seed: int) -> nn.Module:
    return RunConfig(model=shape, train=TrainConfig(seed=seed)).new_model().eval()


def _refuse_grids(chosen: Network) -> None:
    if getattr(chosen.predictor.model, "on_grid", False):
        raise CrystalError(
            f"The network of {chosen.title} reads a grid of voxels and has no edges to show; "
            "choose one that reads a graph."
        )


def _say_where_it_comes_from(chosen: Network, config: GraphConfig) -> None:
    own = chosen.predictor.graph
    about = plain(chosen.about)
    if own.words != config.words:
        about += f". It learned with {own.words}; the sidebar gives it {config.words}"
    st.caption(f"{about}.")


def looked(structure: Structure, config: GraphConfig, asked: Asked) -> Look:
    """The crystal in view, once through the network."""
    return _looked(structure, asked.model, config, asked.key)


@st.cache_resource(max_entries=6, show_spinner=False, hash_funcs={Structure: content})
def _looked(structure: Structure, _model: nn.Module, config: GraphConfig, key: str) -> Look:
    graph = build_graph(structure, config)
    seen = record(_model, graph)
    return Look(graph, seen.atom_vectors, seen.edge_vectors)


def place(structure: Structure, look: Look, atom: int, *, listening: bool) -> Place:
    """The lists for layer, edge and feature, as far as the network has them; clicks change the same values."""
    own = (look.graph.center == atom).nonzero()[:, 0].tolist()
    n_layers, d = len(look.v) - 1, look.v[0].shape[1]
    layer, edge, feature = st.columns([1, 2, 1])
    t = e = 0
    if n_layers:
        with layer:
            t = _linked_choice("layer", "Layer", n_layers, _counted(n_layers))
    if own and listening:
        with edge:
            e = _linked_choice("edge", "Edge", len(own), edge_names(structure, look.graph, own))
    with feature:
        f = _linked_choice("feature", "Feature", d, _counted(d))
    return Place(t, e, f)


def layer_again(n_layers: int) -> int:
    """The list of layers once more, where the one above is out of sight; both are one."""
    return _linked_choice("layer", "Layer", n_layers, _counted(n_layers), key="layer_again", width=140)


def convs_of(asked: Asked) -> list[nn.Module]:
    """The layers of the network, in order."""
    return list(asked.model.get_submodule("convs").children())


def edge_names(structure: Structure, graph: CrystalGraph, edges: list[int]) -> list[str]:
    """The name of each edge of one atom, in the order of the graph."""
    columns = (graph.center, graph.neighbor, graph.image, graph.distance)
    rows = zip(*(column[edges].tolist() for column in columns), strict=True)
    return [edge_text(structure, i, j, (image[0], image[1], image[2]), d) for i, j, image, d in rows]


def _counted(count: int) -> list[str]:
    return [f"{n + 1} of {count}" for n in range(count)]


def _linked_choice(
    name: str, label: str, count: int, words: list[str], *, key: str = "", width: int | Literal["stretch"] = "stretch"
) -> int:
    """A list over 0 … count − 1 whose value stands in the URL, counted from 1."""
    text = linked(name, "1")
    number = int(text[:6]) if text.isdecimal() else 0
    if not 1 <= number <= count:
        number = 1
        set_link(name, "1")
    key = key or f"{name}_choice"
    st.session_state[key] = number - 1
    return st.selectbox(
        label,
        range(count),
        format_func=lambda n: words[n],
        key=key,
        on_change=lambda: set_link(name, str(st.session_state[key] + 1)),
        width=width,
    )
