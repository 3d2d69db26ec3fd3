"""A class of thirty on one server: `python -m benchmarks.classroom` plays a lesson and prints a table in Markdown.

The app runs with two slots. Thirty readers come, all press Train within two seconds, and wait for their runs; once more
with one who asks for six runs first; then all watch two long runs. Meanwhile a page that only writes a word is polled
in the same way on a server of its own: what it needs is the machine's share of every wait.
"""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import psutil

from benchmarks.lesson import Watched, come, lesson, slots, train, watching
from benchmarks.sessions import Session
from cgcnn.runs.dispatcher import end_all
from cgcnn.runs.records import Run
from cgcnn.runs.store import RunStore

ROOT = Path(__file__).parents[1]
SLOTS = 2
EPOCHS, FEW_EPOCHS = 30, 3  # of the runs of the class, and of the class with a greedy reader
GREEDY = 6  # runs that one reader asks for before the others
BARE = "import streamlit as st\nst.fragment(lambda: st.write('a word'), run_every=0.4)()\n"
Row = tuple[str, str, str]  # what, goal, measured


# What came of it


def passed_over(runs: Sequence[Run]) -> int:
    """How many runs started although somebody who waited had not started any, and their owner had."""
    started: set[str] = set()
    n = 0
    for place, run in enumerate(runs):
        waited = {r.owner for r in runs[place + 1 :] if r.created < (run.started or 0.0)}
        n += run.owner in started and bool(waited - started)
        started.add(run.owner)
    return n


def ages(store: RunStore, reader: Watched) -> Iterator[float]:
    """How old each epoch was, in s, when it first stood on a reader's page."""
    written = {event.step: event.time for event in store.events(reader.run_id, kinds=["epoch"])}
    for (_, before), (when, last) in zip(reader.shown, reader.shown[1:], strict=False):
        yield from (when - written[epoch] for epoch in range(before + 1, last + 1))


def waits(sessions: Sequence[Session], kind: str) -> list[float]:
    """What all requests of one kind took, in s; polls that ended in a new page are not among them."""
    return [a.seconds for s in sessions for a in s.answers if a.kind == kind and not (kind == "poll" and a.full)]


def spread(seconds: Sequence[float]) -> str:
    """The median, the 95th percentile and the largest."""
    if not seconds:
        return "none"
    p50, p95, most = np.percentile(seconds, [50, 95, 100]) * 1000
    return f"{p50:.0f}, {p95:.0f}, {most:.0f} ms of {len(seconds)}"


def class_rows(title: str, store: RunStore, readers: Sequence[Watched], runs: Sequence[Run]) -> list[Row]:
    """What a class waited for, and whether all had their turn."""
    begun, sessions = min(run.created for run in runs), [reader.session for reader in readers]
    first_start = {run.owner: (run.started or 0.0) - run.created for run in reversed(runs)}
    ended = max(run.ended or 0.0 for run in runs)
    states = {state: sum(run.state == state for run in runs) for state in {run.state for run in runs}}
    mistakes = [mistake for session in sessions for mistake in session.mistakes()]
    return [
        (f"{title}: runs", "all finished", f"{states}, {len(mistakes)} exceptions on pages"),
        (f"{title}: from the first Train to the last end", "", f"{ended - begun:.0f} s"),
        (f"{title}: owners, and runs that passed somebody over", "0", f"{len(first_start)}, {passed_over(runs)}"),
        (f"{title}: wait for one's first run", "", spread(list(first_start.values()))),
        (f"{title}: age of an epoch of one's own", "p95 300 ms", spread([a for r in readers for a in ages(store, r)])),
        (f"{title}: a poll", "p50 50, p95 200 ms", spread(waits(sessions, "poll"))),
        (f"{title}: the whole page, after a change", "", spread(waits(sessions, "page"))),
        (f"{title}: opening the page, 30 within 2 s", "", spread(waits(sessions, "open"))),
        (f"{title}: pressing Train, 30 within 2 s", "", spread(waits(sessions, "press"))),
    ]


def watch_rows(store: RunStore, readers: Sequence[Watched], peers: Sequence[Session], cores: float) -> list[Row]:
    """What thirty pages cost while they poll two runs."""
    sessions = [reader.session for reader in readers]
    polls, bare = waits(sessions, "poll"), waits(peers, "poll")
    ratio = np.percentile(polls, [50, 95]) / np.percentile(bare, [50, 95])
    n_bytes = [a.n_bytes for s in sessions for a in s.answers if a.kind == "poll"]
    every = sorted({round(interval, 2) for session in sessions for interval in session.polled.values()})
    return [
        ("two runs, 30 pages: a poll", "p50 50, p95 200 ms", spread(polls)),
        ("the bare page, polled beside it", "", spread(bare)),
        ("a poll against the bare page, p50 and p95", "", f"{ratio[0]:.1f}, {ratio[1]:.1f} times"),
        ("two runs, 30 pages: the whole page", "p50 50, p95 200 ms", spread(waits(sessions, "page"))),
        (
            "age of an epoch when it stands on a page",
            "p95 300 ms",
            spread([a for r in readers for a in ages(store, r)]),
        ),
        ("intervals of the polls in s; size of an answer", "", f"{every}; {np.mean(n_bytes) / 1e3:.1f} kB"),
        ("processor of the server meanwhile", "", f"{cores:.2f} cores"),
    ]


def memory_row(server: psutil.Process, store: RunStore) -> Row:
    """The memory of the server, and of all processes that train."""
    others = [p for p in store.processes() if p.name != "page" and p.is_alive]
    theirs = sum(psutil.Process(p.pid).memory_info().rss for p in others)
    mine = server.memory_info().rss
    return (
        "memory of the server; of dispatcher and workers",
        "",
        f"{mine >> 20} MiB; {theirs >> 20} MiB in {len(others)}",
    )


# The machine


@contextmanager
def served(script: Path, home: Path) -> Iterator[tuple[int, psutil.Process]]:
    """An app on a free port, with a home of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = os.environ | {"CRYSTAL_GRAPH_LAB_HOME": str(home), "CRYSTAL_GRAPH_LAB_SLOTS": str(SLOTS)}
    command = [sys.executable, "-m", "streamlit", "run", str(script), "--server.port", str(port)]
    with (home / "server.log").open("ab") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
    try:
        for _ in range(300):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=1).close()
                break
            except OSError:
                time.sleep(0.1)
        yield port, psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait()


async def spent(server: psutil.Process, session: Session, kind: str, fragment: str = "", n: int = 40) -> float:
    """Processor time of the server for one request, in s: a busy machine disturbs it less than the clock."""
    before = sum(server.cpu_times()[:2])
    for _ in range(n):
        await session.ask(kind, fragment)
    return (sum(server.cpu_times()[:2]) - before) / n


async def costs(server: psutil.Process, session: Session, bare: psutil.Process, peer: Session) -> str:
    """A poll of each fragment of the page, named by its interval, a whole page, and a poll of the bare page."""
    polls = {f"poll (each {every:.2g} s)": ("poll", fragment) for fragment, every in session.polled.items()}
    mine = {name: await spent(server, session, *how) for name, how in (polls | {"page": ("page", "")}).items()}
    theirs = {"bare poll": await spent(bare, peer, "poll", next(iter(peer.polled)))}
    return ", ".join(f"{name} {seconds * 1e3:.1f} ms" for name, seconds in (mine | theirs).items())


async def play(
    port: int, server: psutil.Process, bare: tuple[int, psutil.Process], store: RunStore, epochs: int
) -> AsyncIterator[Row]:
    """The whole lesson, row by row."""
    await come(port, ["early"], "")  # starts the dispatcher
    while store.load().workers < SLOTS + store.limits.spares:
        await asyncio.sleep(0.1)
    await asyncio.sleep(5)  # the server imports torch after its first page
    alone = [await train((await come(port, [f"alone-{n}"], "train_epochs=5"))[0]) for n in range(5)]
    yield "Train to the first point, warm worker, nobody else", "1 s", spread(alone)
    for title, first, length in (("class", 1, epochs), ("one asks for six first", GREEDY, FEW_EPOCHS)):
        for row in class_rows(title, store, *await lesson(port, store, first, length)):
            yield row
    before, begun = sum(server.cpu_times()[:2]), time.monotonic()
    readers, peers = await watching(port, bare[0])
    cores = (sum(server.cpu_times()[:2]) - before) / (time.monotonic() - begun)
    for row in watch_rows(store, readers, peers, cores):
        yield row
    yield "processor time of the server for one request", "", await costs(server, readers[0].session, bare[1], peers[0])
    yield memory_row(server, store)
    yield "Stop to the start of the next run", "1 s", spread(await slots(port, store, readers[:SLOTS]))


async def print_rows(rows: AsyncIterator[Row]) -> None:
    """The table in Markdown, each row as soon as it is known."""
    print("| what | goal | measured: median, 95th percentile, largest |\n|---|---|---|")
    async for what, goal, measured in rows:
        print(f"| {what} | {goal} | {measured} |", flush=True)


def main() -> None:
    """Print the table, and how busy the machine was; a number on the command line sets the epochs of the class."""
    before, epochs = os.getloadavg()[0], int(sys.argv[1]) if sys.argv[1:] else EPOCHS
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that what was started ends too
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        home, script = Path(folder), Path(folder) / "bare.py"
        script.write_text(BARE)
        (home / "bare").mkdir()
        store = RunStore(home)
        try:
            with served(ROOT / "app.py", home) as (port, server), served(script, home / "bare") as bare:
                asyncio.run(print_rows(play(port, server, bare, store, epochs)))
        finally:
            end_all(store)
            store.close()
            if "Traceback" in (log := (home / "server.log").read_text()):
                print(log, file=sys.stderr)
    print(f"\nLoad of the machine before and after: {before:.1f}, {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores.")


if __name__ == "__main__":
    main()
