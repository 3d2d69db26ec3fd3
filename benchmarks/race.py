"""A race: entries take turns round by round, so that whatever else the machine does slows them all alike.

One line of a table is an Entry before the race and a Row after it. Only ratios of paired rounds are worth quoting:
times of a shared machine are not.
"""

import argparse
import gc
import json
import math
import os
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

from benchmarks.sets import SETS

CLOCKS = ("processor", "wall")


@dataclass(frozen=True)
class Entry:
    """What one line of a table does in a round, or why it cannot take part."""

    name: str
    work: Callable[[], object] | None
    why: str = ""  # instead of numbers, where there is no work: "not installed"


@dataclass(frozen=True)
class Row:
    """What each round of an entry took, in s."""

    name: str
    processor: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)
    why: str = ""

    def median(self, clock: str) -> float:
        """The median over the rounds in s; NaN for an entry that did not take part."""
        seconds: list[float] = getattr(self, clock)
        return statistics.median(seconds) if seconds else math.nan


@dataclass(frozen=True)
class Ratio:
    """How many times as fast as another: the median of paired rounds, and the rounds at both ends."""

    median: float
    lowest: float
    highest: float

    def __str__(self) -> str:
        """As it stands in a sentence: `6.5x (6.1..6.9)`."""
        return f"{self.median:5.2f}x ({self.lowest:.2f}..{self.highest:.2f})"


@dataclass(frozen=True)
class Device:
    """Where the networks run, and by which clock."""

    name: str = "cpu"
    threads: int = 1

    @property
    def clock(self) -> str:
        """Processor time, which a busy machine disturbs less, where one thread does all of the work."""
        return "processor" if self.name == "cpu" and self.threads == 1 else "wall"

    def settle(self) -> None:
        """Wait until a GPU has done what it was asked for."""
        if self.name != "cpu":
            torch.cuda.synchronize()

    def now(self) -> float:
        """The clock in s, once all is done."""
        self.settle()
        return time.process_time() if self.clock == "processor" else time.perf_counter()

    def seconds(self, work: Callable[[], object], tries: int) -> list[float]:
        """What some work takes, each time, after one time to warm up."""
        work()
        spent = []
        for _ in range(tries):
            begun = self.now()
            work()
            spent.append(self.now() - begun)
        return spent


CPU = Device()


def race(entries: Sequence[Entry], rounds: int, device: Device = CPU) -> list[Row]:
    """All entries once to warm up, then `rounds` times in turn, every second round backwards."""
    rows = [Row(entry.name, why=entry.why) for entry in entries]
    turns = [(entry.work, row) for entry, row in zip(entries, rows, strict=True) if entry.work]
    for work, _ in turns:
        work()
    for n in range(rounds):
        for work, row in turns[:: -1 if n % 2 else 1]:
            gc.collect()  # what the one before left behind
            device.settle()
            wall, processor = time.perf_counter(), time.process_time()
            work()
            device.settle()
            row.processor.append(time.process_time() - processor)
            row.wall.append(time.perf_counter() - wall)
    return rows


def ratio(row: Row, base: Row, clock: str) -> Ratio | None:
    """How many times as fast as `base` a row is; None where one of them did not take part."""
    paired = [b / r for r, b in zip(getattr(row, clock), getattr(base, clock), strict=False)]
    return Ratio(statistics.median(paired), min(paired), max(paired)) if paired else None


def named(rows: Sequence[Row], beginning: str) -> Row:
    """The row whose name begins so; an empty one where there is none."""
    return next((row for row in rows if row.name.startswith(beginning)), Row(beginning, why="no such row"))


def table(rows: Sequence[Row], n: int, clock: str = "processor", each: str = "crystal") -> str:
    """Medians in µs for each of `n` things and ratios to the first row, as lines of text."""
    width = max(len(row.name) for row in rows)
    head = f"{f'µs per {each}':{width}}  processor       wall  times as fast as the first (lowest..highest round)"
    return "\n".join([head, *(_line(row, rows[0], n, clock, width) for row in rows)])


def _line(row: Row, base: Row, n: int, clock: str, width: int) -> str:
    if row.why:
        return f"{row.name:{width}}  {row.why}"
    times = "  ".join(f"{row.median(c) / n * 1e6:9.1f}" for c in CLOCKS)
    return f"{row.name:{width}}  {times}  {ratio(row, base, clock) or 'no base'}"


def as_json(rows: Sequence[Row], n: int, clock: str = "processor") -> list[dict[str, Any]]:
    """The table as plain values: medians and all rounds in µs for each of `n` things, and ratios to the first row."""
    found = []
    for row in rows:
        values: dict[str, Any] = {"name": row.name}
        if row.why:
            values["why"] = row.why
        for c in CLOCKS if row.wall else ():
            values[f"{c}_us"] = row.median(c) / n * 1e6
            values[f"{c}_us_of_each_round"] = [s / n * 1e6 for s in getattr(row, c)]
        times = ratio(row, rows[0], clock)
        found.append(values | {"times_as_fast": asdict(times) if times else None})
    return found


def options(
    about: str,
    crystals: int,
    rounds: int,
    sets: Sequence[str] = tuple(SETS),
    switches: Sequence[str] = (),
    arguments: Sequence[str] | None = None,
) -> argparse.Namespace:
    """The one command line of all races; `switches` are what a single benchmark adds: `--device`, or yes or no."""
    parser = argparse.ArgumentParser(description=about.partition("\n")[0])
    parser.add_argument(
        "--set", nargs="+", default=list(sets), metavar="SET", help=", ".join((*sets, "a .parquet file"))
    )
    parser.add_argument("--crystals", type=int, default=crystals, help=f"at most so many of each set ({crystals})")
    parser.add_argument("--rounds", type=int, default=rounds, help=f"rounds of the race ({rounds})")
    parser.add_argument("--threads", type=int, default=1, help="threads of torch (1)")
    parser.add_argument("--json", type=Path, help="write what is printed as JSON, too")
    for switch in switches:
        if switch == "--device":
            parser.add_argument(switch, default=CPU.name, help="cpu or cuda")
        else:
            parser.add_argument(switch, action="store_true")
    chosen = parser.parse_args(arguments)
    torch.set_num_threads(chosen.threads)
    return chosen


def opened(about: str, chosen: argparse.Namespace, versions: dict[str, str]) -> dict[str, Any]:
    """Print what is measured, where and with which packages; the beginning of the JSON."""
    device = getattr(chosen, "device", CPU.name)
    report = {
        "what": about.partition("\n")[0],
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "device": torch.cuda.get_device_name() if device != CPU.name else _processor(),
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "threads": chosen.threads,
        "rounds": chosen.rounds,
        "versions": versions,
        "sets": [],
    }
    print(report["what"])
    print("{date}, {device}, {cores} cores with load {load} before, {threads} thread(s)".format(**report))
    print(", ".join(f"{name} {version}" for name, version in versions.items()))
    return report


def closed(report: dict[str, Any], file: Path | None) -> None:
    """Print how busy the machine was at the end, and write the report where a file is asked for."""
    report["load_after"] = round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None
    print(f"\nload after: {report['load_after']}")
    if file:
        file.write_text(json.dumps(report, indent=2, ensure_ascii=False))


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine())
