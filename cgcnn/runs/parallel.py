"""A run that several processes share: `python -m torch.distributed.run … -m cgcnn.runs.parallel FOLDER` is each.

The worker that holds the lease starts them, hands the lease on, and ends them with the run. All train in step; the
first one alone writes to the store, and what a user wants reaches the others through it.
"""

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import psutil
import torch
import torch.distributed as dist

from cgcnn.errors import CrystalError, RunError
from cgcnn.runs.desk import Desk
from cgcnn.runs.engines import ROOT, interface_of
from cgcnn.runs.records import Lease
from cgcnn.runs.store import RunStore
from cgcnn.runs.worker import experiment_of, work
from cgcnn.training.parallel import Team

LEASE = "CRYSTAL_GRAPH_LAB_LEASE"  # an environment variable: other users of the machine see command lines
LOOK_EVERY = 0.05  # s between looks at the processes
LOOPBACK = "127.0.0.1"


def on_this_machine(store: Desk, lease: Lease, name: str) -> None:
    """Start the processes of a run and wait for them; when one dies, all end and the run goes back to the queue."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--local-addr", LOOPBACK]
    command += ["--nproc-per-node", str(lease.width), "-m", "cgcnn.runs.parallel", str(store.folder)]
    environment = os.environ | {LEASE: json.dumps(asdict(lease)), "GLOO_SOCKET_IFNAME": interface_of(LOOPBACK)}
    child = subprocess.Popen(command, cwd=ROOT, env=environment, stdin=subprocess.PIPE)
    try:
        while child.poll() is None:
            _guard_memory(store, child.pid, name)
            time.sleep(LOOK_EVERY)
    finally:
        _end(child)
    if child.returncode:
        store.abandon(name, f"one of its {lease.width} processes ended")


def take_part(store: Desk, lease: Lease) -> None:
    """What each process does once the group is there: the first one works for the store, the others follow."""
    if Team.here().rank == 0:
        work(store, lease)
    else:
        follow(store, lease)


def follow(store: Desk, lease: Lease) -> None:
    """Train in step with the first process, from the same kept state, and say nothing."""
    with contextlib.suppress(CrystalError):  # the first process meets it too, and says so
        experiment = experiment_of(store, lease)
        with contextlib.suppress(RunError):  # a damaged state: all begin at the beginning
            if (kept := store.state(lease.run_id)) is not None:
                experiment.restore(*kept)
        for _ in experiment.events():
            pass


@contextlib.contextmanager
def group(backend: str, **where: Any) -> Iterator[None]:
    """The process group at a place as torch.distributed wants it; without one, as the environment says."""
    dist.init_process_group(backend, **where)
    try:
        yield
    finally:
        dist.destroy_process_group()


def main(folder: str) -> None:
    """One process of a shared run, as the launcher starts it."""
    threading.Thread(target=_end_with_the_worker, daemon=True).start()
    lease = Lease(**json.loads(os.environ[LEASE]))
    with group(_backend()):
        store = RunStore(folder)
        take_part(store, lease)
        store.close()


def _backend() -> str:
    """How tensors travel: between GPUs only where each process of this machine has one of its own."""
    if torch.cuda.device_count() < int(os.environ["LOCAL_WORLD_SIZE"]):
        return "gloo"
    torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    return "cpu:gloo,cuda:nccl"


def _end_with_the_worker() -> None:
    """The worker holds the other end of this pipe, so its death, however sudden, is seen at once."""
    sys.stdin.buffer.read()
    os._exit(1)


def _end(child: "subprocess.Popen[bytes]") -> None:
    assert child.stdin is not None
    child.stdin.close()
    try:
        child.wait(timeout=10)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def _guard_memory(store: Desk, launcher: int, name: str) -> None:
    """End the run when one of its processes takes more memory than a run may."""
    with contextlib.suppress(psutil.NoSuchProcess):
        for process in psutil.Process(launcher).children():
            if why := store.limits.too_large(process.memory_info().rss >> 20):
                store.end(name, why)
                process.kill()


if __name__ == "__main__":
    main(sys.argv[1])
