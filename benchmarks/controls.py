"""What a click costs the server: `python -m benchmarks.controls` moves every control of every page and tab.

The crystal has 200 atoms. Each control is moved to another value and back a few times, and the run of the script that
answers is timed: on the clock, and as processor time of the server, which a busy machine disturbs less. Printed are the
medians over the controls of a tab, and the slowest control with its share of the goal of 300 ms; the first move of a
control, before anything is kept, stands apart. A run of the Crystal page in the same process is the peer.
"""

import logging
import os
import runpy
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from streamlit.runtime.scriptrunner import script_runner
from streamlit.testing.v1 import AppTest

from cgcnn.data import samples, shelf
from cgcnn.data.structures import write_structure
from tests.page_kit import VIEWS, opened_tab

ROOT = Path(__file__).parents[1]
GOAL = 0.3  # s
ROUNDS = 3
N_ATOMS = 200
PAGES = ["crystal", "graph", "encoding", "convolution", "predict"]  # those that show the crystal in view


@dataclass(frozen=True)
class Timing:
    """How long the server took to answer one control: each move on the clock, and as processor time, in seconds."""

    page: str
    tab: str
    control: str
    clock: list[float]
    processor: list[float]

    @property
    def first(self) -> float:
        """The first move, before anything is kept."""
        return self.processor[0]

    @property
    def usual(self) -> float:
        """The median of all moves."""
        return statistics.median(self.processor)


def new_app(home: Path, page: str, tab: str) -> AppTest:
    """A tab of a page with the crystal of 200 atoms."""
    structure = samples.load_sample("SrTiO3").structure * (2, 4, 5)
    assert len(structure) == N_ATOMS
    crystal = shelf.keep(write_structure(structure, "poscar").encode(), "POSCAR", home / "crystals")
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=300)
    return opened_tab(app, page, tab, crystal=crystal)


def moves(widget: Any) -> list[Any]:
    """Two values of a widget: another one, and the one it has; none for the list of crystals, which is no control."""
    now, kind = widget.value, widget.type
    if kind == "toggle":
        return [not now, now]
    if kind == "selectbox" and widget.key == "network_choice":
        return ["band gap", now]
    if kind == "selectbox" and now in widget.options:
        return [widget.options[widget.options.index(now) - 1], now]
    if kind == "selectbox" and isinstance(now, int):  # shown by other words than its value
        return [(now + 1) % len(widget.options), now]
    if kind in ("slider", "number_input"):
        step = widget.step or 1
        return [now + step if widget.max is None or now + step <= widget.max else now - step, now]
    return []


def controls(app: AppTest) -> Iterator[Any]:
    """Every control on the page and in the sidebar that can be moved."""
    for kind in ("selectbox", "slider", "number_input", "toggle"):
        yield from app.get(kind)


def timed(home: Path, page: str, tab: str) -> list[Timing]:
    """Every control of one tab, moved and moved back."""
    app = new_app(home, page, tab)
    if app.exception:
        raise RuntimeError(f"{page} {tab}: {app.exception[0].value}")
    found = []
    for name, place in [(c.label, n) for n, c in enumerate(controls(app)) if not c.disabled]:
        clock, processor, values = [], [], moves(list(controls(app))[place])
        for turn in range(2 * ROUNDS):
            widget = list(controls(app))[place]
            if widget.label != name or not values:
                break
            begun = (time.perf_counter(), time.process_time())
            widget.set_value(values[turn % 2]).run()
            clock.append(time.perf_counter() - begun[0])
            processor.append(time.process_time() - begun[1])
            if app.exception:
                raise RuntimeError(f"{page} {tab} {name}: {app.exception[0].value}")
        if clock:
            found.append(Timing(page, tab, name, clock, processor))
    return found


def frame_alone(home: Path) -> float:
    """The peer: the sidebar and a page without content."""
    app = new_app(home, "crystal", "")
    spent = []
    for _ in range(5):
        begun = time.process_time()
        app.run()
        spent.append(time.process_time() - begun)
    return statistics.median(spent)


def main() -> None:
    """Print a line for each tab; with a word on the command line, only the pages whose name holds it."""
    logging.disable(logging.WARNING)  # Streamlit remarks that no browser is there
    with tempfile.TemporaryDirectory() as folder:
        os.environ["CRYSTAL_GRAPH_LAB_HOME"] = folder
        script_runner._mpa_v1 = lambda path: runpy.run_path(path, run_name="__main__")
        import cgcnn.ui.backend
        import cgcnn.ui.predict_known

        cgcnn.ui.backend.ensure_running = lambda store: None
        cgcnn.ui.predict_known.AT_ONCE = False  # what goes on beside the page would count as the control's
        peer = frame_alone(Path(folder))
        print(f"processor time of the server in ms; the Crystal page, run again: {peer * 1e3:.0f}\n")
        print(
            f"{'page':12} {'tab':18} controls median (clock) slowest of goal  which control; first move, which control"
        )
        for page, tab in VIEWS:
            if page in PAGES and (not sys.argv[1:] or sys.argv[1] in page):
                report(timed(Path(folder), page, tab))


def report(found: list[Timing]) -> None:
    """One line: how many controls, their median, and the slowest."""
    slowest, first = max(found, key=lambda t: t.usual), max(found, key=lambda t: t.first)
    middle = statistics.median(t.usual for t in found)
    clock = statistics.median(t for timing in found for t in timing.clock)
    print(
        f"{slowest.page:12} {slowest.tab:18} {len(found):8} {middle * 1e3:6.0f} ({clock * 1e3:5.0f}) "
        f"{slowest.usual * 1e3:7.0f} {slowest.usual / GOAL:7.2f}  {slowest.control}; "
        f"{first.first * 1e3:.0f}, {first.control}",
        flush=True,
    )


if __name__ == "__main__":
    main()
