"""How long a reader waits: `python -m benchmarks.pages` drives the app in Chromium and prints medians in seconds.

Every wait is measured inside the browser, from the key or click to the change that the reader was waiting for.
"""

import json
import shutil
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from cgcnn.runs.dispatcher import end_all
from cgcnn.runs.store import RunStore
from tests.browser_kit import FLAGS, Server

ROUNDS = 8
# Start a clock at the next key, and stop it when the text of the element changes.
CLOCK = """watched => {
    const before = watched.innerText;
    window.waited = null;
    const start = event => {
        const begun = performance.now();
        const look = () => watched.innerText !== before ? (window.waited = performance.now() - begun)
                                                        : requestAnimationFrame(look);
        look();
    };
    document.addEventListener('keydown', start, {once: true, capture: true});
}"""
# Note the time of every change of the line that says what the newest event was.
NOTED = """() => {
    window.noted = [];
    const note = () => {
        const text = document.querySelector('.st-key-run_state')?.innerText ?? '';
        if (text !== window.noted.at(-1)?.[1]) window.noted.push([Date.now() / 1000, text]);
    };
    new MutationObserver(note).observe(document.body, {childList: true, subtree: true, characterData: true});
}"""
WATCHED = 15.0  # s


def first_page(server: Server, page: Page) -> float:
    """From starting the server to the picture of rock salt."""
    begun = time.perf_counter()
    server.start()
    page.goto(server.url)
    page.locator(".st-key-crystal_canvas canvas").wait_for(timeout=60_000)
    return time.perf_counter() - begun


def slider(server: Server, page: Page) -> list[float]:
    """From an arrow key on the slider of the Graph page to the new number of edges."""
    page.goto(f"{server.url}/graph")
    knob = page.get_by_role("slider", name="Neighbors k").first
    knob.wait_for(timeout=60_000)
    page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for()
    waits = []
    for turn in range(ROUNDS):
        knob.focus()
        page.get_by_test_id("stMetric").filter(has_text="Edges").first.evaluate(CLOCK)
        knob.press("ArrowRight" if turn % 2 else "ArrowLeft")
        page.wait_for_function("window.waited !== null", timeout=20_000)
        waits.append(page.evaluate("window.waited") / 1000)
    return waits


def first_point(server: Server, page: Page, ready: Callable[[], object]) -> float:
    """From pressing Train to the first batches on the curve."""
    page.goto(f"{server.url}/train?train_epochs=200")
    button = page.get_by_role("button", name="Train", exact=True)
    button.wait_for(timeout=60_000)
    ready()
    begun = time.perf_counter()
    button.click()
    page.locator("[class*=st-key-curves_] canvas").first.wait_for(timeout=60_000)
    return time.perf_counter() - begun


def event_age(page: Page, store: RunStore) -> list[float]:
    """How old an event is when the page first shows it, for every one that is shown while a run is watched."""
    (run,) = [run for run in store.runs() if run.is_live]
    page.evaluate(NOTED)
    time.sleep(WATCHED)
    noted = page.evaluate("window.noted")[1:]  # the first one stood there already
    written = {}
    for event in store.events(run.id, kinds=("batch", "epoch")):
        if event.kind == "batch":
            name = "Batch {batch} of {n_batches} in epoch {epoch}:".format(**event.data)
        else:
            name = f"Epoch {event.step}:"
        written[name] = event.time
    first: dict[str, float] = {}
    for seen, text in noted:
        if name := _newest(text, written):
            first.setdefault(name, seen)
    return [seen - written[name] for name, seen in first.items()]


def _newest(text: str, written: dict[str, float]) -> str:
    return next((line.split(":")[0] + ":" for line in text.splitlines() if line.split(":")[0] + ":" in written), "")


def stop(page: Page, store: RunStore) -> float:
    """From pressing Stop to a run that has stopped."""
    (run,) = [run for run in store.runs() if run.is_live]
    begun = time.perf_counter()
    page.get_by_role("button", name="Stop", exact=True).click()
    while store.run(run.id).is_live:
        time.sleep(0.005)
    return time.perf_counter() - begun


def measure(home: Path) -> dict[str, float]:
    """All waits, on a home of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        server = Server(home, probe.getsockname()[1])
    store = RunStore(home)
    found: dict[str, float] = {}
    try:
        with sync_playwright() as playwright:
            chromium = shutil.which("chromium") or shutil.which("google-chrome")
            page = playwright.chromium.launch(executable_path=chromium, args=FLAGS).new_page()
            found["start to first page, cold browser"] = first_page(server, page)
            server.kill()
            found["start to first page, warm"] = first_page(server, page)
            found["slider to picture, idle"] = statistics.median(slider(server, page))
            found["Train to first point, cold"] = first_point(server, page, lambda: None)
            ages = sorted(event_age(page, store))
            found["age of an event on the page, median"] = statistics.median(ages)
            found["age of an event on the page, 95 of 100"] = ages[int(0.95 * len(ages))]
            found["Stop to stopped"] = stop(page, store)
            found["Train to first point, warm"] = first_point(server, page, lambda: time.sleep(6))
            found["slider to picture, one run training"] = statistics.median(slider(server, page))
    finally:
        server.kill()
        end_all(store)
    return found


def main() -> None:
    """Print a table and, with a file name, write it as JSON."""
    with tempfile.TemporaryDirectory() as home:
        found = measure(Path(home))
    for name, seconds in found.items():
        print(f"{name:40} {seconds:6.2f} s")
    if sys.argv[1:]:
        Path(sys.argv[1]).write_text(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
