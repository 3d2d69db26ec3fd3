"""What the deeper tabs of the Graph page work out, kept so that a second look costs nothing."""

import hashlib
from typing import Any

import streamlit as st
from pymatgen.core import Structure

from cgcnn.data.cells import Symmetry
from cgcnn.explain.invariance import Invariance, invariance
from cgcnn.explain.quotient import BothWays, both_ways
from cgcnn.graph import GraphConfig, build_graph
from cgcnn.graph.classes import MergedGraph, merged_graph
from cgcnn.graph.cost import Cost, costs
from cgcnn.graph.neighborhood import Group, neighborhood
from cgcnn.training.predictor import Predictor
from cgcnn.ui.symmetry import content, symmetry_of


def weights(predictor: Predictor) -> tuple[Any, ...]:
    """A network as plain values: a run that was trained on has other weights, and so another key."""
    digest = hashlib.sha1(usedforsecurity=False)
    for tensor in predictor.model.state_dict().values():
        digest.update(tensor.numpy().tobytes())
    return digest.hexdigest(), predictor.graph.to_dict(), predictor.normalizer.to_dict(), predictor.target.label


HASHES: dict[Any, Any] = {Structure: content, Predictor: weights}


@st.cache_data(max_entries=64, show_spinner="Describing the crystal in other words …", hash_funcs=HASHES)
def invariance_of(structure: Structure, predictor: Predictor, config: GraphConfig) -> list[Invariance]:
    """See cgcnn.explain.invariance."""
    return invariance(structure, predictor, config)


@st.cache_data(max_entries=64, show_spinner="Building the graphs of larger and larger cells …", hash_funcs=HASHES)
def costs_of(structure: Structure, config: GraphConfig) -> list[Cost]:
    """See cgcnn.graph.cost; at most half a second for one rule."""
    return list(costs(structure, config))


@st.cache_data(max_entries=256, show_spinner="Asking the rules …", hash_funcs=HASHES)
def neighborhood_of(structure: Structure, config: GraphConfig, atom: int, rule: str) -> list[Group]:
    """See cgcnn.graph.neighborhood."""
    return neighborhood(structure, config, atom, rule)


@st.cache_data(max_entries=64, show_spinner="Looking for equal atoms …", hash_funcs=HASHES)
def classes_of(structure: Structure, config: GraphConfig) -> tuple[MergedGraph, Symmetry]:
    """The merged graph of a crystal, and the symmetry to compare it with."""
    return merged_graph(build_graph(structure, config), config.tolerance), symmetry_of(structure)


@st.cache_data(max_entries=64, show_spinner=False, hash_funcs=HASHES)
def quotient_of(structure: Structure, config: GraphConfig, predictor: Predictor) -> BothWays:
    """See cgcnn.explain.quotient."""
    return both_ways(build_graph(structure, config), predictor)
