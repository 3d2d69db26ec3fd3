"""The knobs of a run, and the button that starts it."""

import json
from dataclasses import fields
from typing import Any

import streamlit as st

from cgcnn.config import Config
from cgcnn.data import DatasetConfig
from cgcnn.data.targets import TARGETS
from cgcnn.errors import ConfigError, CrystalError, RunError
from cgcnn.graph import GraphConfig
from cgcnn.models import MODELS
from cgcnn.runs.export import SOURCE_FILE, script_of
from cgcnn.runs.store import RunStore
from cgcnn.training.experiment import RunConfig
from cgcnn.training.parallel import notice
from cgcnn.training.train import TrainConfig
from cgcnn.ui.data_sets import builtin_targets, own_targets, stored_sets
from cgcnn.ui.form import choice, form, several
from cgcnn.ui.prose import explained, plain, show_mistake
from cgcnn.ui.run_labels import label_words
from cgcnn.ui.run_link import PLACE, show_run, still_shown
from cgcnn.ui.run_queue import machine_line
from cgcnn.ui.run_start import fits, start_form, start_words
from cgcnn.ui.who import who

DATA_KNOBS = ["max_sites", "max_crystals", "train_crystals", "split", "val_fraction", "test_fraction", "seed"]


WRONG = "form_wrong"  # in the session: why the settings of the form cannot be trained; "" when they can
NO_FIT = "The source does not fit into this network: see the tab “Start”."


def run_form(graph: GraphConfig) -> RunConfig | None:
    """All settings of a run; None where a mistake is among them, which then stands at the button, too."""
    st.session_state[WRONG] = ""
    try:
        config = _tabs(graph)
    except CrystalError as mistake:
        st.session_state[WRONG] = str(mistake)
        return None
    return config if st.session_state[WRONG] in ("", NO_FIT) else None


def _tabs(graph: GraphConfig) -> RunConfig:
    """The settings in four tabs; the neighbor rule is the one in the sidebar."""
    data_tab, network_tab, training_tab, start_tab = st.tabs(["Data", "Network", "Training", "Start"])
    with data_tab:
        dataset = _dataset_form()
    with network_tab:
        model = _model_form()
        on_grid = _on_grid(model)
        rule = f"Graph: **{graph.rule}**, k = {graph.max_neighbors}, r = {graph.cutoff:g} Å (in the sidebar)."
        st.markdown(ON_GRID if on_grid else rule)
    with training_tab:
        train = _train_form(dataset)
        if words := notice(train.processes):
            st.info(words, icon=":material/info:")
    with start_tab:
        transfer = start_form()
        explained("train", "Where a network begins")
    if not fits(transfer, model, graph, dataset):
        st.session_state[WRONG] = st.session_state[WRONG] or NO_FIT
    config = RunConfig(dataset, graph, model, train, transfer)
    _hints(config, on_grid)
    return config


ON_GRID = (
    "This network sees no graph: it gets the atoms as densities on a grid, so the neighbor rule of the sidebar "
    "changes nothing."
)


def _on_grid(model: Config) -> bool:
    return any(kind.on_grid for kind in MODELS.values() if kind.Config is type(model))


def _hints(config: RunConfig, on_grid: bool) -> None:
    """What cannot work well, before it is tried."""
    dataset, graph, model, train = config.dataset, config.graph, config.model, config.train
    growing = [TARGETS[name].label for name in dataset.targets if TARGETS[name].extensive]
    if growing and getattr(model, "pooling", "") != "sum" and not train.per_atom:
        which = "This target grows" if len(dataset.targets) == 1 else f"{' and '.join(growing)}: this grows"
        st.info(
            f"{which} with the cell, and mean or max pooling cannot see how large the cell is. "
            "Expect a poor fit; then try sum pooling, or “Learn per atom”.",
            icon=":material/lightbulb:",
        )
    longest = getattr(model, "gaussian_max", graph.cutoff)
    if graph.cutoff > longest + 1 and not on_grid:
        st.info(
            f"The last Gaussian stands at {longest:g} Å: edges up to {graph.cutoff:g} Å look all alike to the network.",
            icon=":material/lightbulb:",
        )


def submitted(runs: RunStore, config: RunConfig | None) -> None:
    """The Train button, and what the machine does; a new run becomes the one that the page shows, by its URL.

    Without settings that can be trained (None, or a source that does not fit) it says why, and is off.
    """
    wrong = st.session_state.get(WRONG, "")
    if (
        st.button("Train", type="primary", icon=":material/play_arrow:", width="stretch", disabled=bool(wrong))
        and config
    ):
        me = who()
        try:
            run_id = runs.submit(config, user=me.name, name=run_name(config), owner=me.owner)
            st.session_state["begun"] = run_id
            show_run(run_id)
        except RunError as mistake:
            show_mistake(str(mistake))
    if wrong:
        st.markdown(f":material/warning: {plain(wrong)}")
    if (begun := st.session_state.get("begun")) and begun == still_shown():
        with st.container(key="see_below"):  # on a phone, where it is out of sight
            st.markdown(f":material/check: Your run has begun: [see below ↓](#{PLACE})")
    machine_line(runs)


def repeated(config: RunConfig, words: str, key: str) -> None:
    """A run as a script and as a file of settings; `words` say which run."""
    with st.expander(words, icon=":material/code:", key=f"script_{key}", on_change="rerun") as panel:
        if not panel.open:
            return
        st.markdown("In a notebook or a terminal, these lines give the same numbers:")
        if config.transfer.run:
            st.markdown(f"They need the source's weights (“Save” of run {config.transfer.run}) here, as {SOURCE_FILE}.")
        st.code(script_of(config.to_dict()), language="python")
        settings = json.dumps(config.to_dict(), indent=2)
        st.download_button("Settings as JSON", settings, "config.json", "application/json", key=key)


def run_name(config: RunConfig) -> str:
    """A run in a few words: its targets, what it starts from, and what differs from the defaults."""
    kind = next(name for name, model in MODELS.items() if model.Config is type(config.model))
    usual = RunConfig().with_(model=type(config.model)(), transfer=config.transfer)
    changed = sorted(_differences(config, usual))
    words = [f"{label} {value}" for label, value in changed]
    first = " + ".join(TARGETS[target].label for target in config.dataset.targets)
    told = [kind if kind != next(iter(MODELS)) else "", start_words(config.transfer), *words[:4]]
    return ", ".join([first, *filter(None, told), f"seed {config.train.seed}"])


def _differences(mine: Config, standard: Config) -> set[tuple[str, str]]:
    """The options that differ, by the label that a reader knows them by."""
    found = set()
    for field in fields(mine):
        value, usual = getattr(mine, field.name), getattr(standard, field.name, None)
        if isinstance(value, Config) and isinstance(usual, Config):
            found |= _differences(value, usual)
        elif value != usual and field.name not in ("target", "also", "seed", "source", "path"):
            found.add((field.metadata["option"].label.partition(" (")[0], str(value)))
    return found


def _dataset_form() -> DatasetConfig:
    stored = stored_sets("data_set")
    chosen = choice("Crystals", ["built-in", *stored], "data_set")
    if chosen in stored:
        path = str(stored[chosen])
        known, knobs = own_targets(path), [k for k in DATA_KNOBS if k != "max_sites"]
        fixed: dict[str, Any] = {"source": "folder", "path": path, "max_sites": 0}
    else:
        known, knobs, fixed = builtin_targets(), DATA_KNOBS, {}
    words = [TARGETS[target].axis for target in known]
    key = "data_target" if not fixed else "own_target"
    target = known[words.index(choice("Target", words, key))]
    others = {name: TARGETS[name].axis for name in known if name != target}
    also = several("Learn also", others, "data_also", DatasetConfig.options()["also"].help)
    lines = st.container()  # filled when the largest cell is known
    dataset = form(DatasetConfig, prefix="data_", only=knobs, fixed=fixed | {"target": target, "also": also})
    if also:
        with lines:
            st.markdown(label_words(dataset))
            explained("train", "Several targets")
    return dataset


def _train_form(dataset: DatasetConfig) -> TrainConfig:
    """The knobs of training; the weights of the targets only where there are several."""
    knobs = [name for name in TrainConfig.options() if name != "weights" or dataset.also]
    train = form(TrainConfig, prefix="train_", only=knobs)
    if classes := [TARGETS[name].label for name in dataset.targets if TARGETS[name].is_class]:
        one = "a class takes" if len(classes) == 1 else "classes take"
        st.markdown(f"{' and '.join(classes)}: {one} the negative log-likelihood, whatever the loss above.")
    try:
        train.weights_of(len(dataset.targets))
    except ConfigError as mistake:
        show_mistake(str(mistake))
        st.session_state[WRONG] = str(mistake)
        return train.with_(weights="")  # the rest of the page goes on
    return train


def _model_form() -> Config:
    names = list(MODELS)
    name = choice("Model", names, "model") if len(names) > 1 else names[0]
    return form(MODELS[name].Config, prefix="net_")
