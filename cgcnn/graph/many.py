"""The graphs of a large set: shard by shard, from the disk where they are known, by several processes where it pays."""

import contextlib
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Sequence
from queue import SimpleQueue
from types import TracebackType

import numpy as np
import psutil
from pymatgen.core import Structure

from cgcnn.graph.build import Built, build_graphs, finished, read, refusals
from cgcnn.graph.config import GraphConfig
from cgcnn.graph.crystal_graph import CrystalGraph, batch
from cgcnn.graph.graph_files import GraphFiles, Shard, code_version, key_of
from cgcnn.graph.graph_process import GraphProcess
from cgcnn.graph.sites import Sites

MOST_CRYSTALS = 256  # of a shard: a fortieth of a second, which no one waits for
MOST_ATOMS = 20_000  # of a shard, unless one crystal has more
WORTH = 5.0  # s of work left from which processes pay: each spends 2 s on its imports before its first graph
MOST_PROCESSES = 8  # whoever builds a shard, a fifth of that time is spent here to read and keep it: more would wait

Make = Callable[[Sites], tuple[CrystalGraph, np.ndarray]]


def build_all(
    structures: Sequence[Structure],
    config: GraphConfig,
    *,
    light: bool = False,
    processes: int = 1,
    cache: GraphFiles | None = None,
) -> Generator[int, None, Built]:
    """What `build_graphs` gives; says on the way how many crystals are done.

    With `light`, the graphs of a shard are merged where that is worth it (see `cgcnn.graph.merge.lightest`), and none
    of them holds where its atoms lie.

    `processes` counts this one; more are started only for work that outlasts their start, and never more than there
    are shards left, or MOST_PROCESSES. `cache` keeps what is built, unless the set is larger than its limit: then as
    much as it holds. Stop by closing the generator: its processes end with it, and what is done stays in the cache.
    """
    done: dict[int, Shard] = {}
    with contextlib.closing(Work(structures, config, light, cache)) as work, Crew(work, done) as crew:
        while (number := crew.next()) is not None:
            start = time.perf_counter()
            done[number] = work.shard(number, lambda sites: finished(sites, config, light))
            left = (time.perf_counter() - start) * (len(work.spans) - len(done))
            if processes > 1 and left > WORTH:
                crew.start(processes - 1)
            crew.collect()
            yield sum(len(work.spans[n]) for n in done)
    return _side_by_side(work, done)


def idle_cores() -> int:
    """How many processes may work without taking a core from anybody: this one, and one for each core that is idle.

    Of the cores that this process may use, where the system tells; the load is that of the whole machine.
    """
    n_cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, n_cores - round(psutil.getloadavg()[0]))


def _side_by_side(work: "Work", done: dict[int, Shard]) -> Built:
    if not done:
        return build_graphs([], work.config)
    dropped = {work.spans[n][at]: why for n in sorted(done) for at, why in done[n].dropped.items()}
    kept = tuple(n for n in range(len(work.structures)) if n not in dropped)
    return Built(batch([done[n].graph for n in sorted(done)]), kept, dropped)


class Work:
    """A set of crystals cut into shards, each a span of positions."""

    def __init__(
        self, structures: Sequence[Structure], config: GraphConfig, light: bool, files: GraphFiles | None
    ) -> None:
        self.structures, self.config, self.light, self.files = structures, config, light, files
        self.spans = spans([len(structure) for structure in structures])
        self._version = code_version() if files else ""
        self._lock, self._room, self._saved = threading.Lock(), files.limit if files else 0, False

    def shard(self, number: int, make: Make) -> Shard:
        """A shard from the disk, or made and kept there."""
        structures = [self.structures[n] for n in self.spans[number]]
        reading = read(structures, self.config)
        key = key_of(reading, self.config, self.light, self._version) if self.files else ""
        if self.files and (known := self.files.load(key)):
            self._take_room(self.files.size(key))
            return known
        graph, isolated = make(reading.sites)
        shard = Shard(graph, refusals(structures, reading, isolated, self.config))
        if self.files:
            # Beyond the limit, a shard of this very set would have to go, and be missed the next time.
            self.files.save(key, shard, self._room)
            self._saved = True
            self._take_room(self.files.size(key))
        return shard

    def close(self) -> None:
        """Let what was kept here push out what was used longest ago."""
        if self.files and self._saved:
            self.files.make_room()

    def _take_room(self, size: int) -> None:
        with self._lock:
            self._room -= size


def spans(sizes: Sequence[int]) -> list[range]:
    """Runs of crystals, given their numbers of atoms, that are shards: at most MOST_CRYSTALS and MOST_ATOMS."""
    found, start, total = [], 0, 0
    for n, size in enumerate(sizes):
        if n > start and (n - start == MOST_CRYSTALS or total + size > MOST_ATOMS):
            found.append(range(start, n))
            start, total = n, 0
        total += size
    return [*found, range(start, len(sizes))] if sizes else []


class Crew:
    """Threads that each speak with a process; what they leave undone is done here, so nobody ever waits for one."""

    def __init__(self, work: Work, done: dict[int, Shard]) -> None:
        self._work, self._done = work, done
        self._waiting = deque(range(len(work.spans)))
        self._results: SimpleQueue[tuple[int, Shard]] = SimpleQueue()
        self._lock, self._closed = threading.Lock(), False
        self._threads: list[threading.Thread] = []
        self.processes: list[GraphProcess] = []

    def __enter__(self) -> "Crew":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, reason: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            self._closed = True
        self._waiting.clear()
        for process in self.processes:
            process.kill()
        for thread in self._threads:
            thread.join()

    def next(self) -> int | None:
        """A shard that nobody has begun, or else one that is not back yet; None when all are there."""
        with contextlib.suppress(IndexError):
            return self._waiting.popleft()
        self.collect()
        return next((n for n in range(len(self._work.spans)) if n not in self._done), None)

    def collect(self) -> None:
        """Take what the processes have finished."""
        while not self._results.empty():
            number, shard = self._results.get()
            self._done[number] = shard

    def start(self, n_processes: int) -> None:
        """Start processes, the first time that it is asked; no more than have a shard to begin."""
        if self._threads:
            return
        with contextlib.suppress(RuntimeError):  # no more threads: those that there are, and this one, do the work
            for _ in range(min(n_processes, len(self._waiting), MOST_PROCESSES - 1)):
                thread = threading.Thread(target=self._serve, name="graphs", daemon=True)
                thread.start()
                self._threads.append(thread)

    def _serve(self) -> None:
        # No more shards, or no process to be had, or it is gone, or a fault that the main thread is to meet itself.
        with contextlib.suppress(Exception), contextlib.ExitStack() as stack:
            with self._lock:
                if self._closed:
                    return
                process = GraphProcess(self._work.config, self._work.light)
                stack.callback(process.end)
                self.processes.append(process)
            while True:
                number = self._waiting.popleft()
                self._results.put((number, self._work.shard(number, process.ask)))
