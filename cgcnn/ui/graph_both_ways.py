"""What the merged graph is good for: the same answer for a fraction of the work."""

import streamlit as st
from pymatgen.core import Structure

from cgcnn.explain.quotient import BothWays
from cgcnn.graph import GraphConfig
from cgcnn.graph.merge import SAME
from cgcnn.ui.graph_cached import quotient_of
from cgcnn.ui.networks import network
from cgcnn.ui.prose import explained, mistakes_shown

NETWORK = "formation energy"  # of the published ones; any would do


def both_ways_table(structure: Structure, config: GraphConfig, n_kinds: int) -> None:
    """The crystal with every edge and with each kind once: how much there is, and what a network says of both.

    `n_kinds` is how many kinds of edges the picture beside it shows.
    """
    with mistakes_shown():
        asked = network(NETWORK)
        found = quotient_of(structure, config, asked.predictor)
    asks = f"The answer is that of the published network for the {NETWORK}"
    learned = asked.predictor.graph
    if config != learned:
        asks += f", which learned with {learned.words}: another rule makes the number itself worthless"
    st.markdown(f"**Each kind once.** {in_words(found, n_kinds)} {asks}.")
    (atoms, few_atoms), (edges, few_edges), (answer, same) = found.n_atoms, found.n_edges, found.answers
    rows = {
        "": ["Atoms", "Messages in each layer", "Answer (eV/atom)"],
        "All": [f"{atoms:,}", f"{edges:,}", f"{answer:.6g}".replace("-", "−")],
        "Each once": [f"{few_atoms:,}", f"{few_edges:,}", f"{same:.6g}".replace("-", "−")],
    }
    st.dataframe(rows, hide_index=True, height="content")
    explained("graph", "Why is the answer the same?")


def in_words(found: BothWays, n_kinds: int) -> str:
    """What a training makes of this crystal; `n_kinds` kinds of edges are counted to a coarser tolerance."""
    edges, few = found.n_edges
    finer = ""
    if few > n_kinds:
        finer = (
            "The picture takes lengths within the shell tolerance for equal, and elements with the same 92 bits; "
            f"training only lengths within {SAME:.5f} Å and the same element. "
        )
    if few == edges:
        return f"{finer}No two edges of one atom are equal here to {SAME:.5f} Å, so there is nothing to save."
    saved = f"{finer}{few:,} messages instead of {edges:,} ({edges / few:.3g} times fewer)"
    if found.trains_merged:
        return f"{saved}; training on crystals like this one computes only those."
    return f"{saved}: too little for training to bother."
