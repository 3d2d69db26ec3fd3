"""Which network a page asks: one published with CGCNN, or a run of this machine; the same on every page."""

from dataclasses import dataclass, replace

import streamlit as st

from cgcnn.errors import ConfigError, RunError
from cgcnn.models.published import PUBLISHED
from cgcnn.runs.records import Run
from cgcnn.training.predictor import Predictor
from cgcnn.ui.backend import store
from cgcnn.ui.link import linked, set_link
from cgcnn.ui.prose import show_mistake
from cgcnn.ui.warm import one_thread

UNTRAINED = "untrained"
FIRST = next(iter(PUBLISHED))


@dataclass(frozen=True)
class Network:
    """A trained network as a page shows it: its key in the URL, its name, and what it is."""

    key: str
    title: str
    about: str
    predictor: Predictor
    stamp: str  # another one for other weights: a run may go on

    @property
    def is_published(self) -> bool:
        """True for one of the eight networks that came with the paper."""
        return self.key in PUBLISHED


def chosen_network(*, untrained: bool = False) -> Network | None:
    """A list of networks to choose from; None when the reader chose the untrained one, where that is offered.

    The choice stands in the URL as `network`. CrystalError when a run's network can no longer be read.
    """
    one_thread()
    runs = {run.id: run for run in finished_runs()}
    keys = [*([UNTRAINED] * untrained), *PUBLISHED, *runs]
    linked_key = linked("network", keys[0])
    if linked_key not in [UNTRAINED, *keys]:
        show_mistake(f"There is no network {linked_key!r} here; choose one from the list.")
    st.session_state["network_choice"] = linked_key if linked_key in keys else keys[0]
    key = st.selectbox(
        "Network",
        keys,
        format_func=lambda key: _words(key, runs),
        key="network_choice",
        on_change=lambda: set_link("network", st.session_state.network_choice),
        help="The eight networks published with CGCNN, and every run of yours that has one.",
    )
    return None if key == UNTRAINED else network(key, runs)


def of_chosen_target(asked: Network) -> Network:
    """The network asked for one of its targets: the reader chooses where it has several, and the URL keeps it."""
    targets = asked.predictor.targets
    if len(targets) < 2:
        return asked
    labels = [target.label for target in targets]
    if st.session_state.get("answer_of") not in (None, *labels):
        del st.session_state["answer_of"]  # of another network
    label = st.segmented_control(
        "Target", labels, default=labels[0], required=True, key="answer_of", bind="query-params", wrap=True
    )
    index = labels.index(label) if label in labels else 0
    return replace(asked, predictor=asked.predictor.of(index), stamp=f"{asked.stamp} {index}")


def network(key: str, runs: dict[str, Run] | None = None) -> Network:
    """A network by its key: a name of PUBLISHED, or the id of a run."""
    one_thread()
    if key in PUBLISHED:
        card = PUBLISHED[key]
        about = f"Published with CGCNN: learned from {card.n_train:,} crystals, {card.error} on its test crystals"
        return Network(key, f"published, {key}", about, _published(key), key)
    run = (runs or {run.id: run for run in finished_runs()})[key]
    return Network(key, run.name, "A run of yours", _of_run(key, run.ended), f"{key} {run.ended}")


def finished_runs() -> list[Run]:
    """The runs that are over and left a network, newest first."""
    runs = store()
    return [run for run in runs.runs() if not run.is_live and runs.checkpoint_file(run.id).exists()]


def _words(key: str, runs: dict[str, Run]) -> str:
    if key == UNTRAINED:
        return "untrained: random weights"
    return f"published: {key}" if key in PUBLISHED else f"run: {runs[key].name}"


@st.cache_resource(max_entries=len(PUBLISHED), show_spinner=False)
def _published(name: str) -> Predictor:
    return Predictor.published(name)


@st.cache_resource(max_entries=8, show_spinner=False)
def _of_run(run_id: str, ended: float | None) -> Predictor:
    """Cached until the run ends anew; a checkpoint that cannot be read is a mistake of one sentence."""
    kept = store().checkpoint(run_id)
    if kept is None:
        raise RunError(f"Run {run_id} left no network; choose another one.")
    try:
        return Predictor.of_checkpoint(*kept)
    except ConfigError as reason:  # made by another version
        raise RunError(f"The network of run {run_id} does not fit this version; train it again.") from reason
