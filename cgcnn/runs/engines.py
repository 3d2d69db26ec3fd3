"""How a worker is started. A plain `python -m` process: pools of multiprocessing would run app.py again."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[2]


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


def local_process(folder: Path, name: str) -> subprocess.Popen[bytes]:
    """A worker on this machine."""
    return start_module("cgcnn.runs.worker", str(folder), name, log=folder / "worker.log")


ENGINES: dict[str, Callable[[Path, str], subprocess.Popen[bytes]]] = {"local": local_process}
