"""How a run waits and how often a page looks at it: the queue in words, and a pace that thirty readers can share."""

import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import streamlit as st

from cgcnn.runs.records import Load, Run
from cgcnn.runs.store import RunStore
from cgcnn.ui.prose import plain

FASTEST, SLOWEST = 0.2, 1.0  # s between looks at a run under way
PER_WATCHER = 0.03  # s; a look costs the server about 10 ms of one core
PUT_AWAY = 2.0  # s between looks at a paused run, which somebody else may take up
LOAD_EVERY = 3.0  # s between looks at the machine
FORGOTTEN = 12.0  # s without a look before a watcher counts no more; a server that is late must not hurry


@dataclass
class Watchers:
    """The sessions of this server that watch a run under way, by the time of their last look."""

    clock: Callable[[], float] = time.monotonic
    looks: dict[str, float] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def look(self, session: str) -> int:
        """Note a look; the answer is how many watch now, this one among them."""
        with self.lock:
            now = self.clock()
            self.looks = {who: at for who, at in self.looks.items() if now - at < FORGOTTEN} | {session: now}
            return len(self.looks)


def pace(kind: str, n_watchers: int, starts_at_once: bool = True) -> float | None:
    """Seconds between two looks at a run of this kind (see `kind_of`); None for never."""
    if kind == "over":
        return None
    if kind == "put away":
        return PUT_AWAY
    return min(SLOWEST, max(FASTEST, PER_WATCHER * n_watchers)) if starts_at_once else SLOWEST


def kind_of(run: Run) -> str:
    """`live`, `put away` or `over`: what the page shows and how often it looks."""
    return "live" if run.is_live else "put away" if run.can_resume else "over"


def pace_of(runs: RunStore, run: Run) -> float | None:
    """How often this session looks at a run now."""
    kind, n = kind_of(run), 1
    if run.state == "running":
        n = _watchers().look(st.session_state.setdefault("watcher", secrets.token_hex(4)))
    waits = run.state == "queued" and runs.queue_position(run.id) >= _free(runs.load())
    return pace(kind, n, not waits)


def queue_words(load: Load, before: int, whose: str = "yours") -> str:
    """The machine and the place of a waiting run, in one sentence."""
    if not load.workers:
        return "The workers are starting, which takes a few seconds; then it begins."
    if before < _free(load):
        return "A slot is free: it starts in a moment."
    return f"{load_words(load)}; {whose} is {ordinal(before + 1)} in line."


def load_words(load: Load) -> str:
    """`2 of 2 slots busy, 5 runs wait`."""
    wait = f"{load.queued} run{'' if load.queued == 1 else 's'} wait{'s' if load.queued == 1 else ''}"
    return f"{load.running} of {load.slots} slots busy, {wait if load.queued else 'no run waits'}"


def machine_line(runs: RunStore) -> None:
    """What the machine does now, under the Train button; nothing while it is idle. Or why no run can start."""
    load = runs.load()
    st.fragment(_machine, run_every=LOAD_EVERY if load.running or load.queued else None)(runs)


def _machine(runs: RunStore) -> None:
    if why := runs.ballast.why_not():
        st.warning(plain(why), icon=":material/hard_drive:")
        return
    load = runs.load()
    if load.running or load.queued:
        st.markdown(f":material/memory: This machine: {load_words(load)}.")


def ordinal(n: int) -> str:
    """1st, 2nd, 3rd, 4th, 11th, 21st."""
    last = "th" if n % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(n % 10, "th")
    return f"{n}{last}"


def spoken(seconds: float) -> str:
    """A span of time with the digits that one needs: `12 s`, `3 min`, `2.5 h`."""
    if seconds < 1:
        return "a second"
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _free(load: Load) -> int:
    return max(0, load.slots - load.running)


@st.cache_resource(show_spinner=False)
def _watchers() -> Watchers:
    return Watchers()
