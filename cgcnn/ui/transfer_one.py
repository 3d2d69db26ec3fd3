"""The tab "One network": a run that starts from another one or a published network, with what becomes of each part."""

from dataclasses import dataclass

import streamlit as st

from cgcnn.config import Config, option
from cgcnn.data.targets import TARGETS
from cgcnn.errors import CrystalError
from cgcnn.figures.transfer import HEAD, PART_HEIGHT, parts_alt, parts_picture
from cgcnn.models.published import PUBLISHED
from cgcnn.runs.records import Run
from cgcnn.runs.store import RunStore
from cgcnn.training.experiment import RunConfig
from cgcnn.training.transfer import PUBLISHED_PREFIX, TransferConfig
from cgcnn.training.transfer_parts import n_learning, parts_of
from cgcnn.training.transfer_study import SCRATCH, Study, network
from cgcnn.ui.data_sets import builtin_targets
from cgcnn.ui.form import choice, form
from cgcnn.ui.networks import finished_runs
from cgcnn.ui.prose import explained, plain, show_mistake
from cgcnn.ui.run_link import show_run
from cgcnn.ui.run_queue import machine_line
from cgcnn.ui.run_view import title_of
from cgcnn.ui.who import who

PREFIX = "one_"


@dataclass(frozen=True)
class Start:
    """What a network can start from: as TransferConfig names it, and the settings that fit to it."""

    source: str
    base: RunConfig


@dataclass(frozen=True)
class Amounts(Config):
    """How much and how long one network learns."""

    crystals: int = option(
        200, "Crystals to learn from (0: all)", "Few, since that is when help counts.", minimum=0, maximum=5000
    )
    epochs: int = option(30, "Epochs", "How often it sees all its crystals.", minimum=1, maximum=500)
    seed: int = option(0, "Seed", "Of the random weights and the order of the crystals.", minimum=0, maximum=9999)


def one_tab(runs: RunStore) -> None:
    """The form beside the picture of parts, and the button."""
    left, right = st.columns([2, 3], gap="large")
    with left:
        st.markdown("One network that starts from another one: it trains like any run, and is watched on **Train**.")
        button = st.container()
        config = _config()
        with button:
            _submitted(runs, config)
        machine_line(runs)
    with right:
        _picture(config)
        explained("transfer", "What am I looking at?")


def run_words(config: RunConfig, source: str) -> str:
    """What such a run is called: `Band gap (non-metals), from published: formation energy, 1 frozen, seed 0`."""
    label, transfer = TARGETS[config.dataset.target].label, config.transfer
    how = f"from {source}, {transfer.taken} {'frozen' if transfer.frozen else 'fine-tuned'}"
    return f"{label}, {how if transfer.source else SCRATCH}, seed {config.train.seed}"


def _config() -> RunConfig:
    starts = _starts(finished_runs())
    chosen = choice(
        "Start from", list(starts), f"{PREFIX}from", "A network published with CGCNN, or a run of this lab."
    )
    start = starts[chosen]
    st.session_state["start_words"] = chosen.partition(" · ")[2] or chosen
    targets = sorted(builtin_targets(), key=lambda target: target != Study().target)
    words = {TARGETS[target].axis: target for target in targets}
    target = words[choice("New property", list(words), f"{PREFIX}target", "What the network learns now.")]
    n_convs = getattr(start.base.model, "n_convs", 0)
    transfer = TransferConfig()
    if start.source:
        transfer = form(TransferConfig, prefix=PREFIX, only=["taken", "frozen"], fixed={"source": start.source})
    if transfer.taken > n_convs and start.source:
        st.caption(f"The source has {n_convs} convolutions: all of them are taken over.")
        transfer = transfer.with_(taken=n_convs)
    amounts = form(Amounts, prefix=PREFIX)
    changes = {
        "dataset.target": target,
        "dataset.also": (),
        "dataset.test_fraction": 0.3,
        "dataset.train_crystals": amounts.crystals,
        "train.epochs": amounts.epochs,
        "train.seed": amounts.seed,
        "train.weights": "",
    }
    return start.base.with_(**changes, transfer=transfer)


def _starts(runs: list[Run]) -> dict[str, Start]:
    """Every network that one can start from, by the words of the list: published ones first; and none, to compare."""
    like_published = RunConfig(model=network()).with_(**{"train.batch_size": 32, "train.snapshots": 0})
    names = [f"{PUBLISHED_PREFIX}{name}" for name in PUBLISHED]
    found = {name: Start(name, like_published) for name in names} | {SCRATCH: Start("", like_published)}
    for run in runs:
        try:
            config = run.config
        except CrystalError:  # of another version, which no network can start from
            continue
        if config.dataset.source == "built-in":
            found[title_of(run)] = Start(run.id, config.with_(**{"train.snapshots": 0}))
    return found


def _picture(config: RunConfig) -> None:
    parts, transfer = parts_of(config.model), config.transfer
    columns = [("from scratch", n_learning(parts, TransferConfig())), ("this network", n_learning(parts, transfer))]
    states = [[part.state(way) for part in parts] for way in (TransferConfig(), transfer)]
    picture = parts_picture([(part.name, part.n_parameters) for part in parts], columns, states)
    picture["title"]["subtext"] = "Above each column: how many parameters learn"
    st.echarts_chart(picture, key="parts_one", height=HEAD + PART_HEIGHT * len(parts), alt=parts_alt(columns))


def _submitted(runs: RunStore, config: RunConfig) -> None:
    """The button; the new run is watched on the Train page."""
    me = who()
    if st.button("Train it", type="primary", icon=":material/play_arrow:", width="stretch", key="train_one"):
        name = run_words(config, st.session_state["start_words"])
        try:
            run_id = runs.submit(config, user=me.name, name=name, owner=me.owner)
        except CrystalError as mistake:
            show_mistake(str(mistake))
            return
        st.session_state["one_begun"] = run_id, name
        show_run(run_id)
    if begun := st.session_state.get("one_begun"):
        st.markdown(f":material/check: Begun: {plain(begun[1])}.")
        st.page_link(
            "pages/train.py", label="Watch it on Train", icon=":material/show_chart:", query_params={"run": begun[0]}
        )
