"""How long a reader waits: `python -m benchmarks.pages [FILE.json]` drives the app in Chromium and prints medians.

Waits are measured inside the browser, from the key or click to the change that the reader was waiting for. Beside them
stand the goals, and the memory of the server, of the dispatcher and of each worker.
"""

import json
import os
import shutil
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil
from playwright.sync_api import Page, sync_playwright

from benchmarks.clocks import event_age, first_point, opened, slider, stop
from cgcnn.runs.dispatcher import end_all
from cgcnn.runs.store import RunStore
from tests.browser_kit import FLAGS, Server

PAGES = ["crystal", "graph", "encoding", "convolution", "train", "compare", "predict", "data"]
SLIDES, COLD, WARM, OTHER, OPENINGS = 8, 2, 5, 3, 3  # how often each wait is measured
WATCHED = 15.0  # s
LOOK_AGAIN = 2.5  # s after which the server looks after its dispatcher again


@dataclass(frozen=True)
class Wait:
    """One kind of wait: each time that it was measured, in s, and what is asked of the median; None for nothing."""

    name: str
    seconds: list[float]
    goal: float | None = None

    @property
    def line(self) -> str:
        """A row of the table in Markdown."""
        each = f"{min(self.seconds):.2f} to {max(self.seconds):.2f} of {len(self.seconds)}"
        goal = "" if self.goal is None else f"{self.goal:g} s"
        return f"| {self.name} | {goal} | {statistics.median(self.seconds):.2f} s | {each} |"


@dataclass
class Lab:
    """The app on a server, a window of a browser, and the store between them."""

    server: Server
    page: Page
    store: RunStore

    def first_page(self) -> float:
        """From starting the server to the picture of rock salt, in s."""
        begun = time.perf_counter()
        self.server.start()
        self.page.goto(self.server.url)
        self.page.locator(".st-key-crystal_canvas canvas").wait_for(timeout=60_000)
        return time.perf_counter() - begun

    def without_workers(self) -> None:
        """End the dispatcher and all workers; the next page that opens starts them again."""
        self.page.goto("about:blank")
        processes = self.store.processes()
        end_all(self.store)
        while any(p.is_alive for p in processes if p.name != "page"):
            time.sleep(0.01)
        time.sleep(LOOK_AGAIN)

    def with_all_workers(self) -> None:
        """Wait until every worker is warm, the spare one too."""
        while self.store.load().workers < self.store.limits.n_slots + self.store.limits.spares:
            time.sleep(0.1)

    def presses(self, n: int, settings: str = "") -> Iterator[tuple[float, float]]:
        """Train to first point and Stop to stopped, `n` times with warm workers; `{n}` in the settings counts."""
        for turn in range(n):
            self.with_all_workers()
            yield first_point(self.server, self.page, settings.format(n=turn + 1)), stop(self.page, self.store)

    def cold_press(self) -> float:
        """Train to first point when the page that opens starts the dispatcher and the workers, in s."""
        self.without_workers()
        seconds = first_point(self.server, self.page)
        stop(self.page, self.store)
        return seconds

    def memory(self) -> dict[str, int]:
        """The memory of every process of the app, in MiB."""
        assert self.server.process is not None
        pids = {"server": self.server.process.pid}
        pids |= {p.name: p.pid for p in self.store.processes() if p.name != "page" and p.is_alive}
        return {name: psutil.Process(pid).memory_info().rss >> 20 for name, pid in pids.items()}


def waits(lab: Lab) -> Iterator[Wait]:
    """Every wait, in the order of a lesson."""
    yield Wait("start to first page, browser never here", [lab.first_page()])
    lab.server.kill()
    yield Wait("start to first page", [lab.first_page()], 3.0)
    for name in PAGES:
        address = "" if name == "crystal" else name
        yield Wait(f"link to the {name.title()} page", [opened(lab.server, lab.page, address) for _ in range(OPENINGS)])
    yield Wait("slider to picture, idle", slider(lab.server, lab.page, SLIDES), 0.3)
    yield Wait("Train to first point, cold workers", [lab.cold_press() for _ in range(COLD)], 6.0)
    pressed = list(lab.presses(WARM))
    yield Wait("Train to first point, warm workers", [point for point, _ in pressed], 2.0)
    yield Wait("Stop to stopped", [stopped for _, stopped in pressed], 2.0)
    other = [point for point, _ in lab.presses(OTHER, "&data_seed={n}")]
    yield Wait("Train to first point, warm workers, another split", other, 2.0)
    first_point(lab.server, lab.page)
    yield Wait("age of an event on the page", event_age(lab.page, lab.store, WATCHED), 0.3)
    yield Wait("slider to picture, one run training", slider(lab.server, lab.page, SLIDES), 0.3)


def measured(home: Path) -> Iterator[Wait | dict[str, int]]:
    """All waits on a home of its own, and the memory while a run trains."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        server = Server(home, probe.getsockname()[1])
    store = RunStore(home)
    try:
        with sync_playwright() as playwright:
            chromium = shutil.which("chromium") or shutil.which("google-chrome")
            page = playwright.chromium.launch(executable_path=chromium, args=FLAGS).new_page()
            lab = Lab(server, page, store)
            yield from waits(lab)
            yield lab.memory()
    finally:
        server.kill()
        end_all(store)


def main() -> None:
    """Print a table in Markdown and, with a file name, write all of it as JSON."""
    loads, found, memory = [os.getloadavg()[0]], [], {}
    print("| wait | goal | median | smallest to largest |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        for each in measured(Path(home)):
            if isinstance(each, Wait):
                found.append(each)
                print(each.line, flush=True)
            else:
                memory = each
    loads.append(os.getloadavg()[0])
    print("\nMemory in MiB: " + ", ".join(f"{name} {mib}" for name, mib in memory.items()) + ".")
    print(f"Load of the machine before and after: {loads[0]:.1f}, {loads[1]:.1f} on {os.cpu_count()} cores.")
    if sys.argv[1:]:
        rows = [asdict(wait) | {"median": statistics.median(wait.seconds)} for wait in found]
        everything = {"waits": rows, "memory_mib": memory, "load": loads, "cores": os.cpu_count()}
        Path(sys.argv[1]).write_text(json.dumps(everything, indent=2))


if __name__ == "__main__":
    main()
