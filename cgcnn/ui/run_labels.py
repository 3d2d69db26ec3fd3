"""How many crystals of a set have each of several targets, and how many have more than one."""

from collections import Counter

import streamlit as st

from cgcnn.data import DatasetConfig, builtin
from cgcnn.data.targets import TARGETS
from cgcnn.ui.data_sets import own_set


def label_words(dataset: DatasetConfig) -> str:
    """One line on the labels of a run with several targets, before any part of the crystals is drawn."""
    known = {name: _with_value(dataset.source, dataset.path, name, dataset.max_sites) for name in dataset.targets}
    counts = Counter(crystal for ids in known.values() for crystal in ids)
    each = "; ".join(f"{TARGETS[name].label} **{len(ids):,}**" for name, ids in known.items())
    more = sum(n > 1 for n in counts.values())
    return f"Crystals with a value: {each}. Of all **{len(counts):,}**, **{more:,}** have more than one."


@st.cache_data(max_entries=64, show_spinner=False)
def _with_value(source: str, path: str, target: str, max_sites: int) -> frozenset[str]:
    """The ids of the crystals that have a value of the target and are not too large (0: any size)."""
    if source == "folder":
        return frozenset(crystal.id for crystal in own_set(path).crystals if target in crystal.targets)
    return frozenset(row["id"] for row in builtin.rows(target) if not max_sites or row["atoms"] <= max_sites)
