"""Where a network begins: from scratch, or with parts of a published one or of a run; and whether these parts fit."""

from collections.abc import Mapping
from dataclasses import fields

import streamlit as st

from cgcnn.config import Config
from cgcnn.data import DatasetConfig
from cgcnn.data.targets import TARGETS
from cgcnn.errors import CrystalError, RunError
from cgcnn.graph import GraphConfig
from cgcnn.models import MODELS
from cgcnn.models.published import PUBLISHED
from cgcnn.runs.records import Run
from cgcnn.runs.store import RunStore
from cgcnn.training.transfer import AFTER, PUBLISHED_PREFIX, TransferConfig, mismatch, published_source
from cgcnn.training.transfer_study import known_by
from cgcnn.ui.backend import store
from cgcnn.ui.form import form, put
from cgcnn.ui.link import is_news, linked, note_mistake, set_link
from cgcnn.ui.prose import plain
from cgcnn.ui.teacher import LOCKED, drawn, is_fixed, is_hidden, is_locked, link_text

KEY = "start_source"
SCRATCH = "from scratch"
LISTED = 50  # runs to start from


def start_form() -> TransferConfig:
    """The source, and how its parts are treated; what means nothing for the source is not shown."""
    source = _source_choice()
    if not source:
        return TransferConfig()
    known = ["taken", "frozen"]
    first = form(TransferConfig, prefix="start_", only=known, fixed={"source": source})
    rest = ["norm_learns"] if first.frozen else ["rate"]
    fixed = {name: getattr(first, name) for name in ("source", *known)}
    return form(TransferConfig, prefix="start_", only=rest, fixed=fixed, quiet=True)


def fits(transfer: TransferConfig, model: Config, graph: GraphConfig, dataset: DatasetConfig) -> bool:
    """Whether the source's parts fit into the network of the form; if not, a sentence, and a button that makes them.

    Where they fit, a sentence on each reason why the run may say less than it seems to.
    """
    if not transfer.source:
        return True
    if why := misfit(transfer, model):
        st.warning(plain(why), icon=":material/warning:")
        _offer_theirs(transfer, model)
        return False
    _, learned_with = source_settings(transfer)
    if words := flattered(transfer, dataset):
        st.warning(plain(words), icon=":material/warning:")
    if learned_with.words != graph.words and not getattr(MODELS[_kind(model)], "on_grid", False):
        st.warning(
            f"The source learned with {learned_with.words}, and this network will with {graph.words}: its sums will "
            "have other terms, and frozen layers cannot adapt to them. Set the sidebar to the source's rule.",
            icon=":material/warning:",
        )
    return True


def misfit(transfer: TransferConfig, model: Config) -> str:
    """Why a network of these settings cannot start from this source, in one sentence; "" when it can."""
    if not transfer.source:
        return ""
    try:
        theirs, _ = source_settings(transfer)
    except CrystalError as mistake:
        return str(mistake)
    has = getattr(model, "n_convs", transfer.taken)
    if type(model) is type(theirs) and transfer.taken > has:
        return (
            f"{transfer.taken} convolutions are to be taken over and this network has {has}; take {has} at most, or "
            "give it more."
        )
    why = mismatch(model, theirs, transfer.taken)
    return f"The source does not fit: {why[:1].lower() + why[1:]}" if why else ""


def flattered(transfer: TransferConfig, dataset: DatasetConfig) -> str:
    """That a source may know the very answers that judge this network, in one sentence; "" when it does not.

    A run of the same crystals and split has never seen the test crystals; how many it learned from plays no part.
    """
    if transfer.published:
        known = known_by(transfer.source)
    else:
        theirs = store().run(transfer.run).config.dataset
        is_same = theirs == dataset.with_(train_crystals=theirs.train_crystals)
        known = () if is_same else theirs.targets
    shared = [TARGETS[name].label for name in dataset.targets if name in known]
    if not shared:
        return ""
    return (
        "The source may have learned from crystals that test this network, with the same property "
        f"({', '.join(shared)}): its test error would flatter it."
    )


def source_settings(transfer: TransferConfig) -> tuple[Config, GraphConfig]:
    """The network and the neighbor rule of a source; CrystalError when there is no such run or it left no network."""
    if transfer.published:
        return _published(transfer.published), GraphConfig()
    runs = store()
    run = runs.run(transfer.run)
    if not (run.is_live or run.can_resume or runs.checkpoint_file(run.id).exists()):
        raise RunError(f"Run {run.id} left no network to start from; choose another one.")
    return run.config.model, run.config.graph


def source_words(source: str, runs: RunStore | None = None, *, short: bool = False) -> str:
    """A source as a reader knows it: `from scratch`, `published: band gap`, or the name and id of a run.

    In `short` a run is the first of its words and its id: `Formation energy · 0d142629`.
    """
    if not source or source.startswith(PUBLISHED_PREFIX):
        return source or SCRATCH
    try:
        run = runs.run(source) if runs else None
        if run is None:
            return f"run {source}"
        return f"{run.name.partition(',')[0] or 'run'} · {run.id}" if short else run_words(run)
    except CrystalError:
        return f"run {source}, which is not here any more"


def run_words(run: Run) -> str:
    """A run to start from. The browser answers with these words, so they are unique and stay the same for ever."""
    return f"run: {run.name or 'without a name'} · {run.id}"


def start_words(transfer: TransferConfig) -> str:
    """How a network begins, for the name of its run: `from published band gap, 2 convolutions frozen`."""
    if not transfer.source:
        return ""
    source = f"published {transfer.published}" if transfer.published else f"run {transfer.run}"
    n = f"{transfer.taken} convolution{'' if transfer.taken == 1 else 's'}" if transfer.taken else "embedding"
    return f"from {source}, {n} {'frozen' if transfer.frozen else 'tuned'}"


def sources(runs: RunStore) -> dict[str, str]:
    """What a network can begin with: source -> words; runs that left a network, or are about to, newest first."""
    found = {"": SCRATCH} | {f"{PUBLISHED_PREFIX}{name}": f"{PUBLISHED_PREFIX}{name}" for name in PUBLISHED}
    for run in runs.runs(LISTED):
        if run.is_live or run.can_resume or runs.checkpoint_file(run.id).exists():
            found[run.id] = run_words(run)
    return found


def _source_choice() -> str:
    """The list of sources; the choice stands in the URL by its name or id."""
    runs, option = store(), TransferConfig.options()["source"]
    source, offered = linked(KEY, ""), sources(runs)
    if source and source not in offered:
        offered |= _late(source, runs)
    drawn(KEY, option.label)
    if is_hidden(KEY):
        return source if source in offered else ""
    locked = is_locked(KEY)
    st.session_state[KEY] = source if source in offered else ""
    return st.selectbox(
        option.label,
        list(offered),
        format_func=lambda name: offered[name],
        key=KEY,
        help=" ".join([HELP, *[LOCKED] * locked]),
        disabled=locked,
        on_change=lambda: set_link(KEY, st.session_state[KEY]),
    )


HELP = "A trained network gives its embedding and its first convolutions; what follows learns the new property anew."


def _late(source: str, runs: RunStore) -> dict[str, str]:
    """A source that the link names and the list does not hold, if it exists; else one sentence, and none."""
    try:
        TransferConfig(source=source)
        return {source: run_words(runs.run(source))}
    except CrystalError as mistake:
        set_link(KEY, "")
        if is_news(KEY, source):
            note_mistake(f"The link starts from {source[:40]!r}, so this network starts from scratch: {mistake}")
            st.rerun()  # mistakes stand at the top
        return {}


def _offer_theirs(transfer: TransferConfig, model: Config) -> None:
    """A button that sets the network as its source was, where that is all it takes."""
    try:
        theirs, _ = source_settings(transfer)
    except CrystalError:  # the sentence above says so
        return
    differing = _differing(model, theirs)
    if not differing or mismatch(theirs, theirs, transfer.taken) or any(is_fixed(name) for name in differing):
        return
    st.button(
        "Take over the source's network settings",
        icon=":material/content_copy:",
        help="Sets the Network tab to what the source was trained with, but for what begins anew.",
        on_click=_take_settings,
        args=(model, theirs),
    )


def _differing(model: Config, theirs: Config) -> Mapping[str, object]:
    """What the form must be set to, by the names of its controls in a link: the kind of network first."""
    found: dict[str, object] = {} if type(model) is type(theirs) else {"model": _kind(theirs)}
    for field in fields(theirs):
        mine, value = getattr(model, field.name, None), getattr(theirs, field.name)
        if mine != value and (field.name not in AFTER or field.name == "n_convs"):
            found[f"net_{field.name}"] = value
    return found


def _take_settings(model: Config, theirs: Config) -> None:
    for name, value in _differing(model, theirs).items():
        if is_hidden(name):
            set_link(name, link_text(value))
        else:
            put(name, value)


def _kind(model: Config) -> str:
    return next(name for name, kind in MODELS.items() if kind.Config is type(model))


@st.cache_resource(max_entries=len(PUBLISHED), show_spinner=False)
def _published(name: str) -> Config:
    return published_source(name)[1]
