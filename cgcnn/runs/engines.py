"""Where workers run. A plain `python -m` process by default: pools of multiprocessing would run app.py again."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import psutil

from cgcnn.errors import RunError

if TYPE_CHECKING:
    from cgcnn.runs.store import RunStore

ROOT = Path(__file__).parents[2]


class WorkerHandle(Protocol):
    """A worker as the dispatcher holds it; subprocess.Popen is one."""

    def poll(self) -> int | None:
        """None while it runs, then its exit code; negative for the signal that ended it."""

    def kill(self) -> None:
        """End it at once."""


class Engine(Protocol):
    """Starts workers somewhere; made once by a dispatcher, in its main thread."""

    def start(self, name: str) -> WorkerHandle:
        """A new worker of this name, which will take runs from the dispatcher's store."""

    def close(self) -> None:
        """The dispatcher ends; workers that can go on without it do."""


class LocalEngine:
    """Workers as processes of this machine, which outlive the dispatcher."""

    def __init__(self, store: "RunStore") -> None:
        self.folder = store.folder

    def start(self, name: str) -> WorkerHandle:
        """A process in a session of its own."""
        return start_module("cgcnn.runs.worker", str(self.folder), name, log=self.folder / "worker.log")

    def close(self) -> None:
        """Nothing to do: idle workers notice by themselves."""


def start_module(module: str, *arguments: str, log: Path) -> subprocess.Popen[bytes]:
    """Start `python -m module` in a session of its own: it outlives its starter, and writes to `log`."""
    environment = os.environ | {
        "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1"),
        "PYTHONUNBUFFERED": "1",
    }
    with log.open("ab") as out:
        return subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )


def interface_of(address: str) -> str:
    """The network interface with this address: gloo would ask for the host's name, which may lead elsewhere."""
    for name, addresses in psutil.net_if_addrs().items():
        if any(a.family == socket.AF_INET and a.address == address for a in addresses):
            return name
    return ""


def ray_engine(store: "RunStore") -> Engine:
    """Workers on a Ray cluster; see docs/cluster.md."""
    try:
        from cgcnn.runs.ray_engine import RayEngine
    except ImportError as reason:
        raise RunError("Ray is not installed here; run `pip install -r requirements-cluster.txt`.") from reason
    return RayEngine(store)


ENGINES: dict[str, Callable[["RunStore"], Engine]] = {"local": LocalEngine, "ray": ray_engine}
