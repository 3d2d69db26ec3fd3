"""The knobs of a run, and the button that starts it."""

import json

import streamlit as st

from cgcnn.config import Config
from cgcnn.data import DatasetConfig, folder
from cgcnn.data.files import home
from cgcnn.data.targets import TARGETS
from cgcnn.graph import GraphConfig
from cgcnn.models import MODELS
from cgcnn.runs.store import RunStore
from cgcnn.training.experiment import RunConfig
from cgcnn.training.train import TrainConfig
from cgcnn.ui.form import form
from cgcnn.ui.link import set_link

DATA_KNOBS = ["target", "max_sites", "max_crystals", "split", "val_fraction", "test_fraction", "seed"]


def run_form(graph: GraphConfig) -> RunConfig:
    """All settings of a run in three tabs; the neighbor rule is the one in the sidebar."""
    data_tab, network_tab, training_tab = st.tabs(["Data", "Network", "Training"])
    with data_tab:
        dataset = _dataset_form()
    with network_tab:
        model = _model_form()
        st.markdown(f"Graph: **{graph.rule}**, k = {graph.max_neighbors}, r = {graph.cutoff:g} Å (in the sidebar).")
    with training_tab:
        train = form(TrainConfig, prefix="train_")
    config = RunConfig(dataset, graph, model, train)
    if TARGETS[dataset.target].extensive and getattr(model, "pooling", "") != "sum" and not train.per_atom:
        st.info(
            "This target grows with the cell, and mean or max pooling cannot see how large the cell is. "
            "Expect a poor fit; then try sum pooling, or “Learn per atom”.",
            icon=":material/lightbulb:",
        )
    return config


def submitted(runs: RunStore, config: RunConfig) -> None:
    """The Train button; a new run becomes the one that the page shows, and stands in the URL."""
    if st.button("Train", type="primary", icon=":material/play_arrow:", width="stretch"):
        set_link("run", runs.submit(config, name=run_name(config)))
        st.rerun()


def repeated(config: RunConfig) -> None:
    """The same run as a script and as a file of settings."""
    with st.expander("The same run elsewhere", icon=":material/code:"):
        st.markdown("In a notebook or a terminal, these lines give the same numbers:")
        st.code(script_of(config), language="python")
        st.download_button(
            "Settings as JSON", json.dumps(config.to_dict(), indent=2), "config.json", "application/json"
        )


def run_name(config: RunConfig) -> str:
    """A run in a few words: its target, and what differs from the defaults."""
    changed = sorted(_differences(config.to_dict(), RunConfig().to_dict()))
    words = [f"{key} {value}" for key, value in changed if key not in ("target", "seed")]
    return ", ".join([TARGETS[config.dataset.target].label, *words[:4], f"seed {config.train.seed}"])


def _differences(mine: dict, standard: dict) -> set[tuple[str, str]]:
    found = set()
    for key, value in mine.items():
        if isinstance(value, dict):
            found |= _differences(value, standard.get(key, {}))
        elif value != standard.get(key):
            found.add((key, str(value)))
    return found


def script_of(config: RunConfig) -> str:
    """A Python script that repeats the run."""
    settings = json.dumps(config.to_dict(), indent=4).replace(": true", ": True").replace(": false", ": False")
    return (
        "from cgcnn.training.experiment import RunConfig, run_experiment\n\n"
        f"config = RunConfig.from_dict({settings})\n"
        "for event in run_experiment(config):\n"
        "    print(event)\n"
    )


def _dataset_form() -> DatasetConfig:
    stored = folder.stored_sets(home())
    words = {"target": lambda target: TARGETS[target].axis}
    if not stored:
        return form(DatasetConfig, prefix="data_", only=DATA_KNOBS, words=words)
    names = {"built-in": "", **{path.stem: str(path) for path in stored}}
    chosen = st.selectbox("Crystals", list(names), key="data_set", bind="query-params")
    fixed = {"source": "folder", "path": names[chosen]} if names[chosen] else {}
    return form(DatasetConfig, prefix="data_", only=DATA_KNOBS, fixed=fixed, words=words)


def _model_form() -> Config:
    names = list(MODELS)
    name = st.selectbox("Model", names, key="model", bind="query-params") if len(names) > 1 else names[0]
    return form(MODELS[name].Config, prefix="net_")
