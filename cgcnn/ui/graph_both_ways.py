"""What the merged graph is good for: the same answer for a fraction of the work."""

import streamlit as st
from pymatgen.core import Structure

from cgcnn.explain.quotient import BothWays
from cgcnn.graph import GraphConfig
from cgcnn.ui.graph_cached import quotient_of
from cgcnn.ui.networks import network
from cgcnn.ui.prose import explained, mistakes_shown

NETWORK = "formation energy"  # of the published ones; any would do


def both_ways_table(structure: Structure, config: GraphConfig) -> None:
    """The crystal with every edge and with each kind once: how much there is, and what a network says of both."""
    with mistakes_shown():
        asked = network(NETWORK)
        found = quotient_of(structure, config, asked.predictor)
    st.markdown(f"**Each kind once.** {in_words(found)} The answer is that of the published network for the {NETWORK}.")
    (atoms, few_atoms), (edges, few_edges), (answer, same) = found.n_atoms, found.n_edges, found.answers
    rows = {
        "": ["Atoms", "Messages a layer", "Answer (eV/atom)"],
        "All": [f"{atoms:,}", f"{edges:,}", f"{answer:.5f}".replace("-", "−")],
        "Each once": [f"{few_atoms:,}", f"{few_edges:,}", f"{same:.5f}".replace("-", "−")],
    }
    st.dataframe(rows, hide_index=True, height="content")
    explained("graph", "Why is the answer the same?")


def in_words(found: BothWays) -> str:
    """What a training makes of this crystal, in one sentence."""
    edges, few = found.n_edges
    if few == edges:
        return "No two edges of one atom are equal here, so there is nothing to save."
    saved = f"{few:,} messages do the work of {edges:,}, {edges / few:.3g} times as many"
    if found.trains_merged:
        return f"{saved}; training on crystals like this one computes only those."
    return f"{saved}: too little for training to bother."
