"""Clocks inside the browser: from what a reader does to the picture that answers, in seconds of the page's own time."""

import time

from playwright.sync_api import Page

from cgcnn.runs.store import RunStore
from tests.browser_kit import READY, Server

PATIENCE = 60_000  # ms
# Start at the next event of a kind; stop two frames after something holds: the first of them draws it.
CLOCK = """([event, holds]) => {
    const is_so = new Function('return ' + holds);
    window.waited = null;
    document.addEventListener(event, () => {
        const begun = performance.now();
        let frames = 0;
        const look = () => {
            frames = is_so() ? frames + 1 : 0;
            if (frames > 2) window.waited = performance.now() - begun; else requestAnimationFrame(look);
        };
        look();
    }, {once: true, capture: true});
}"""
# A picture of the curve, and the sentence that names its newest point.
FIRST_POINT = """document.querySelector('[class*=st-key-curves_] canvas') !== null
    && /Batch|Epoch \\d/.test(document.querySelector('.st-key-run_state')?.innerText ?? '')"""
METRICS = "[...document.querySelectorAll('[data-testid=stMetric]')].map(metric => metric.innerText).join()"
# The page of a link is there when its script is over and no gray box stands for a piece that is still on its way.
OPEN = f"""document.querySelector('h1') !== null && document.querySelector('{READY}') !== null
    && document.querySelector('[data-testid=stSkeleton]') === null"""
# Since the address was asked for.
SINCE_ASKED = f"""() => {{
    const is_so = () => {OPEN};
    return new Promise(done => {{
        let frames = 0;
        const look = () => {{
            frames = is_so() ? frames + 1 : 0;
            if (frames > 2) done(performance.now()); else requestAnimationFrame(look);
        }};
        look();
    }});
}}"""
# Note the time of every change of the line that says what the newest event was.
NOTED = """() => {
    window.noted = [];
    const note = () => {
        const text = document.querySelector('.st-key-run_state')?.innerText ?? '';
        if (text !== window.noted.at(-1)?.[1]) window.noted.push([Date.now() / 1000, text]);
    };
    new MutationObserver(note).observe(document.body, {childList: true, subtree: true, characterData: true});
}"""


def waited(page: Page) -> float:
    """What the clock that was set by CLOCK says, once it has stopped, in s."""
    page.wait_for_function("window.waited !== null", timeout=PATIENCE)
    return page.evaluate("window.waited") / 1000


def opened(server: Server, page: Page, address: str) -> float:
    """From asking for a page by its link to its content, in s."""
    page.goto(f"{server.url}/{address}", wait_until="commit")
    return page.evaluate(SINCE_ASKED) / 1000


def slider(server: Server, page: Page, rounds: int) -> list[float]:
    """From an arrow key on the slider of the Graph page to the new numbers, in s."""
    opened(server, page, "graph")
    knob = page.get_by_role("slider", name="Neighbors k").first
    waits = []
    for turn in range(rounds):
        knob.focus()
        now = page.evaluate(METRICS)
        page.evaluate(CLOCK, ["keydown", f"{METRICS} !== {now!r}"])
        knob.press("ArrowRight" if turn % 2 else "ArrowLeft")
        waits.append(waited(page))
    return waits


def first_point(server: Server, page: Page, settings: str = "") -> float:
    """From pressing Train on a page just opened to the first batch on the curve, in s."""
    opened(server, page, f"train?train_epochs=200{settings}")
    page.evaluate(CLOCK, ["click", FIRST_POINT])
    page.get_by_role("button", name="Train", exact=True).click()
    return waited(page)


def stop(page: Page, store: RunStore) -> float:
    """From pressing Stop to a run that has stopped, in s."""
    (run,) = [run for run in store.runs() if run.is_live]
    begun = time.perf_counter()
    page.get_by_role("button", name="Stop", exact=True).click()
    while store.run(run.id).is_live:
        time.sleep(0.005)
    return time.perf_counter() - begun


def event_age(page: Page, store: RunStore, seconds: float) -> list[float]:
    """How old an event is, in s, when the page first shows it, for every one that is shown while a run is watched."""
    (run,) = [run for run in store.runs() if run.is_live]
    page.evaluate(NOTED)
    time.sleep(seconds)
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
