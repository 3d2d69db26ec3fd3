"""What a network learned from, as far as it is at hand: its crystals, and their vectors, worked out once a network."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import streamlit as st

from cgcnn.data import DatasetConfig, builtin, load_crystals, share_out, shelf
from cgcnn.data.crystal import Crystal
from cgcnn.data.files import home
from cgcnn.data.targets import TARGETS
from cgcnn.errors import CrystalError
from cgcnn.explain.doubts import DEVIATIONS, Known
from cgcnn.explain.likeness import Reference, reference, vectors_of
from cgcnn.nn.segment import segment_sum
from cgcnn.training.predictor import Predictor
from cgcnn.ui.backend import store
from cgcnn.ui.networks import Network
from cgcnn.ui.prose import show_mistake

AT_ONCE = True  # compare as soon as a network is chosen; tests of other things go without
EVERY = "density"  # a target that each crystal of the built-in set has


@dataclass
class Survey:
    """The vectors of all crystals that a network is held against, while a thread works them out."""

    done: int = 0
    total: int = 0
    result: Reference | None = None
    mistake: str = ""
    started: float = 0.0
    stopped: bool = False  # by a reader; the thread ends after the crystals in hand

    @property
    def is_over(self) -> bool:
        """True once there is a result, a sentence that says why not, or the wish to stop."""
        return self.result is not None or bool(self.mistake) or self.stopped

    @property
    def seconds_to_go(self) -> float:
        """At the pace so far; 0 before there is one."""
        return (time.monotonic() - self.started) / self.done * (self.total - self.done) if self.done else 0.0

    def work(self, predictor: Predictor, load: Callable[[], list[Crystal]]) -> None:
        """Load the crystals and ask the network for each one's vector."""
        try:
            crystals = load()
            self.started, self.total = time.monotonic(), len(crystals)
            parts = []
            for part in vectors_of(predictor, crystals):
                if self.stopped or not threading.main_thread().is_alive():
                    return  # the server is ending, and waits for this thread; or nobody does
                parts.append(part)
                self.done = min(self.done + len(part[0]), self.total)
            self.result = reference(predictor, parts)
        except CrystalError as mistake:
            self.mistake = str(mistake)
        except Exception:
            self.mistake = "The known crystals could not be compared; the server's log says why."
            raise


def known_by(asked: Network) -> Known | None:
    """What a network learned from, in words and numbers; None, and a sentence, if that is gone."""
    try:
        known = _of_published() if asked.is_published else _of_run(asked.key, asked.predictor.index, asked.stamp)
    except CrystalError as mistake:
        show_mistake(f"What this run learned from cannot be loaded: {mistake}")
        return None
    predictor = asked.predictor
    span = known.span
    if asked.is_published and not predictor.target.is_class:
        (mean,), (std,) = predictor.normalizer.mean, predictor.normalizer.std
        span = (mean - DEVIATIONS * std, mean + DEVIATIONS * std)
    return replace(known, graph=predictor.graph, span=span)


def survey(asked: Network, *, start: bool, anew: bool = False) -> Survey | None:
    """The comparison for a network, shared by all readers; with `start` it begins, else None until it has begun.

    One that was stopped, or failed, stays so until it is wanted `anew`.
    """
    surveys = _surveys()
    if anew and (old := surveys.get(asked.stamp)) and (old.stopped or old.mistake):
        surveys.pop(asked.stamp, None)
    if (start and AT_ONCE) or anew or asked.stamp in surveys:
        return _begun(surveys, asked)
    return None


def key_of(asked: Network, crystal_id: str) -> str:
    """The key under which a known crystal can be opened; one of the reader's own set is put on the shelf for that."""
    if asked.is_published or store().run(asked.key).config.dataset.source == "built-in":
        return crystal_id
    found = next(crystal for crystal in _loader(asked.key)() if crystal.id == crystal_id)
    return shelf.put(found.structure, found.id, home() / "crystals")


@st.cache_resource(show_spinner=False)
def _surveys() -> dict[str, Survey]:
    return {}


_one_at_a_time = threading.Lock()


def _begun(surveys: dict[str, Survey], asked: Network) -> Survey:
    key = asked.stamp
    with _one_at_a_time:
        if key not in surveys:
            surveys[key] = Survey()
            load = _builtin_crystals if asked.is_published else _loader(asked.key)
            # Not a daemon, as the thread of this page is: the server must wait for it, or it ends in a crash.
            threading.Thread(target=surveys[key].work, args=(asked.predictor, load), daemon=False).start()
        while len(surveys) > 12:  # 3 MB each; the oldest one goes
            surveys.pop(next(iter(surveys)))
    return surveys[key]


def _builtin_crystals() -> list[Crystal]:
    return builtin.load(DatasetConfig(target=EVERY, max_sites=0)).crystals


def _loader(run_id: str) -> Callable[[], list[Crystal]]:
    config = store().run(run_id).config.dataset
    return lambda: share_out(load_crystals(config).crystals, config).train


@st.cache_resource(show_spinner=False)
def _of_published() -> Known:
    elements = frozenset(builtin.element_counts(EVERY))
    words = f"{builtin.card().n_crystals:,} Materials Project crystals here"
    return Known(words, elements, as_published=True)


@st.cache_resource(max_entries=16, show_spinner="Reading what the network learned from")
def _of_run(run_id: str, index: int, stamp: str) -> Known:
    """What a run learned from; the span is that of one of its targets, and a class has none."""
    config = store().run(run_id).config
    target = config.dataset.targets[index]
    crystals = _loader(run_id)()
    values = [crystal.targets[target] for crystal in crystals if target in crystal.targets]
    span = None if TARGETS[target].is_class or not values else (min(values), max(values))
    elements = frozenset(symbol for crystal in crystals for symbol in crystal.chemical_system.split("-"))
    adds_up = getattr(config.new_model().pool, "gather", None) is segment_sum
    largest = max(len(crystal.structure) for crystal in crystals) if adds_up else None
    return Known(f"{len(crystals):,} training crystals", elements, span, largest)
