"""The scenes of a lesson, played by readers without a browser (sessions.py) on a server that runs already."""

import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from benchmarks.sessions import Answer, Session
from cgcnn.runs.records import Run
from cgcnn.runs.store import RunStore

N = 30
TRAIN, STOP = "Train", "Stop"  # the buttons
SMALL = "data_max_crystals=300&data_max_sites=6"  # a run whose epoch takes about 0.1 s
WITHIN = 2.0  # s in which all press Train
TOUCH_EVERY = 10.0  # s between two changes that one reader makes: the whole page runs


@dataclass
class Watched:
    """What a reader's page showed of a run, and when: the epochs that stood there after each answer."""

    session: Session
    shown: list[tuple[float, int]] = field(default_factory=list)  # (time, number of the last epoch)
    first_point: float = 0.0  # when the curve began, be it with a batch

    @property
    def run_id(self) -> str:
        """The run that the link of the page names."""
        return parse_qs(self.session.query).get("run", [""])[0]

    def note(self, answer: Answer) -> None:
        """Keep what stands on the page after an answer."""
        points = [point for chart in self.session.charts() for point in points_of(chart)]
        epochs = [round(x) for name, x in points if name == "Training"]
        self.shown.append((answer.came, max(epochs, default=0)))
        if points and not self.first_point:
            self.first_point = answer.came

    async def follow(self, seconds: float, touch_every: float = 0.0) -> None:
        """Poll as the server wants it, until the run is over or time is up; touch the page now and then."""
        now, due, polled = time.monotonic(), dict[str, float](), self.session.polled
        end, touch = now + seconds, now + (random.uniform(0, touch_every) if touch_every else 2 * seconds)
        while polled and time.monotonic() < end:
            due = {fragment: due.get(fragment, time.monotonic() + every) for fragment, every in polled.items()}
            fragment = min(due, key=lambda name: due[name])
            await asyncio.sleep(max(0.0, min(due[fragment], end) - time.monotonic()))
            if time.monotonic() > touch:
                answer, touch = await self.session.ask(), touch + touch_every
            else:
                answer = await self.session.poll(fragment)
                due[fragment] = max(due[fragment] + polled.get(fragment, 0.0), time.monotonic())
            self.note(answer)
            if answer.full:
                due.clear()  # a new page has new timers


def points_of(chart: dict[str, Any]) -> list[tuple[str, float]]:
    """The points of the learning curves in an ECharts option, as (series, epoch); none of any other picture."""
    if not any(series.get("name") == "Training" for series in chart["series"]):
        return []
    return [(series.get("name", ""), point[0]) for series in chart["series"] for point in series.get("data", [])]


async def come(port: int, names: Sequence[str], query: str) -> list[Watched]:
    """Readers open the Train page within two seconds, each under a nickname."""

    async def one(name: str) -> Watched:
        await asyncio.sleep(random.uniform(0, WITHIN))
        session = Session(port)
        await session.open("train", f"who={name}&{SMALL}&{query}")
        return Watched(session)

    return list(await asyncio.gather(*(one(name) for name in names)))


async def train(reader: Watched, seconds: float = 600.0, touch_every: float = TOUCH_EVERY) -> float:
    """Press Train and wait until the run is over; the answer is the time to the first point of the curve."""
    reader.note(await reader.session.press(TRAIN))
    pressed = reader.session.answers[-1].asked
    await reader.follow(seconds, touch_every)
    return reader.first_point - pressed


async def lesson(port: int, store: RunStore, first: int, epochs: int) -> tuple[list[Watched], list[Run]]:
    """All press Train within two seconds, one of them `first` times before the others; all runs, by their start."""
    begun = time.time()
    readers = await come(port, [f"student-{n}" for n in range(N)], f"train_epochs={epochs}")
    for _ in range(first - 1):
        await readers[0].session.press(TRAIN)

    async def one(reader: Watched) -> None:
        await asyncio.sleep(random.uniform(0, WITHIN) if reader is not readers[0] else 0.0)
        await train(reader)

    await asyncio.gather(*(one(reader) for reader in readers))
    while store.load().running + store.load().queued:
        await asyncio.sleep(0.1)
    await asyncio.gather(*(reader.session.close() for reader in readers))
    runs = [run for run in store.runs(200) if run.created > begun]
    return readers, sorted(runs, key=lambda run: run.started or float("inf"))


async def watching(port: int, bare: int, seconds: float = 20.0) -> tuple[list[Watched], list[Session]]:
    """Two long runs, watched by the whole class; a bare page is polled beside it."""
    readers = await come(port, ["one", "two"], "train_epochs=2000")
    for reader in readers:
        reader.note(await reader.session.press(TRAIN))
    links = [f"train_epochs=2000&run={readers[n % 2].run_id}" for n in range(N - 2)]
    others = await asyncio.gather(*(come(port, [f"guest-{n}"], link) for n, link in enumerate(links)))
    everybody = readers + [reader for (reader,) in others]
    peers = [Watched(Session(bare)) for _ in range(3)]
    await asyncio.gather(*(peer.session.open("") for peer in peers))
    await asyncio.gather(*(r.follow(seconds, TOUCH_EVERY) for r in everybody), *(p.follow(seconds) for p in peers))
    return everybody, [peer.session for peer in peers]


async def slots(port: int, store: RunStore, readers: Sequence[Watched]) -> list[float]:
    """From Stop on the page of a run to the start of the next: in s, one after the other."""
    waiting = await come(port, [f"next-{n}" for n in range(4)], "train_epochs=2000")
    for reader in waiting:
        await reader.session.press(TRAIN)
    took, line = [], [*readers, *waiting]
    for place, following in enumerate(waiting):
        await line[place].follow(2.0)  # it has trained a while
        asked = (await line[place].session.press(STOP)).asked
        while (started := store.run(following.run_id).started) is None:
            await asyncio.sleep(0.01)
        took.append(started - asked)
    for reader in waiting[-2:]:
        store.request(reader.run_id, "stop")
    return took
