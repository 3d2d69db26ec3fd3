"""Workers on a Ray cluster: the loop of a local worker, with the store reached through an actor beside its file.

Ray's driver is the dispatcher's main thread and never the web server: Ray's processes end with the thread that began
them, and a driver that loses its cluster is ended by Ray. Tasks end with the driver; the next dispatcher queues their
runs again. This package is sent to every machine; Python and the packages it needs must be there and the same.
"""

import contextlib
import os
import secrets
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from operator import attrgetter
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import psutil
import ray
from ray.exceptions import ActorDiedError, ActorUnavailableError, RayError, RayTaskError
from ray.util import get_node_ip_address
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from cgcnn.runs.engines import ROOT, interface_of
from cgcnn.runs.limits import Limits

if TYPE_CHECKING:
    from cgcnn.runs.desk import Desk
    from cgcnn.runs.engines import WorkerHandle
    from cgcnn.runs.records import Lease, Process
    from cgcnn.runs.store import RunStore

OBJECT_STORE = 100 << 20  # bytes; networks are small and go through the recorder
CALLERS = 32  # that the recorder answers at once; the store itself writes one after the other
WORKER_CPU, RANK_CPU = 0.75, 0.25  # of a core: a worker whose run is shared waits, and its processes fit beside it
GUARD_EVERY = 0.05  # s between looks at the memory of this process
ASK_AGAIN = 0.5  # s
PATIENCE = timedelta(minutes=10)  # that the processes of a shared run wait for each other
TRIES = 20  # of a call while the recorder is started again

# What may be asked a second time when the answer was lost; the others end the worker, and its run goes to another.
REPEATABLE = {
    "record", "save_checkpoint", "save_state", "save_snapshot", "state",
    "beat", "gone", "processes", "abandon", "end", "finish", "ballast.throw_off",
}  # fmt: skip


class Recorder:
    """The store, for workers of other machines; an actor pinned to the machine of the file."""

    def __init__(self, folder: str, limits: Limits) -> None:
        from cgcnn.runs.store import RunStore

        self.store = RunStore(folder, limits)

    def call(self, name: str, *arguments: Any) -> Any:
        """What the method of the store gives; several callers at once."""
        return attrgetter(name)(self.store)(*arguments)


class RemoteDesk:
    """The desk of a store on another machine: each call is made there, and raises here what it raised there."""

    def __init__(self, recorder: Any, limits: Limits) -> None:
        self.recorder, self.limits = recorder, limits
        self.ballast = SimpleNamespace(throw_off=partial(self.ask, "ballast.throw_off"))
        self.graph_folder: Path | None = None  # the store's folder is on another machine
        self.seen: tuple[float, list[Process]] = (-1.0, [])

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return partial(self.ask, name)

    def beat(self, name: str, doing: str = "") -> None:
        """A sign of life, and where to look for the process: its number says nothing on the store's machine."""
        where = "" if doing == "starting" else f" on {get_node_ip_address()}, process {os.getpid()}"
        self.ask("beat", name, doing + where, True)

    def processes(self) -> "list[Process]":
        """Who is alive, as it was within the last second."""
        if time.monotonic() - self.seen[0] > 1.0:
            self.seen = time.monotonic(), self.ask("processes")
        return self.seen[1]

    def ask(self, name: str, *arguments: Any) -> Any:
        """Call a method of the store; ConnectionError when the recorder stays away."""
        for _ in range(TRIES if name in REPEATABLE else 1):
            try:
                return ray.get(self.recorder.call.remote(name, *arguments))
            except RayTaskError as reason:
                raise reason.cause from None
            except (ActorDiedError, ActorUnavailableError) as reason:
                away = reason
                time.sleep(ASK_AGAIN)
        raise ConnectionError(f"The recorder of the run store does not answer ({type(away).__name__}).")


class RayWorker:
    """A worker as a task of the cluster."""

    def __init__(self, task: "ray.ObjectRef[Any]") -> None:
        self.task, self.code = task, cast("int | None", None)

    def poll(self) -> int | None:
        """None while it runs or waits for a free core, 0 when it ended by itself, 1 when it or its machine died."""
        if self.code is None and ray.wait([self.task], timeout=0)[0]:
            try:
                ray.get(self.task)
                self.code = 0
            except RayError:
                self.code = 1
        return self.code

    def kill(self) -> None:
        """End its process at once."""
        ray.cancel(self.task, force=True)


class RayEngine:
    """Workers on the cluster at RAY_ADDRESS, or on a Ray of their own on this machine."""

    def __init__(self, store: "RunStore") -> None:
        self.limits = store.limits
        address = os.environ.get("RAY_ADDRESS")
        own: dict[str, Any] = {} if address else {
            "num_cpus": self.limits.n_slots + self.limits.spares,
            "object_store_memory": OBJECT_STORE,
            "include_dashboard": False,
        }  # fmt: skip
        if not address:
            private_token()
        ray.init(address or "local", runtime_env={"py_modules": [str(ROOT / "cgcnn")]}, **own)
        here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
        self.recorder = (
            ray.remote(Recorder)
            .options(num_cpus=0, max_restarts=-1, max_concurrency=CALLERS, scheduling_strategy=here)
            .remote(str(store.folder.resolve()), self.limits)
        )
        self.task = ray.remote(num_cpus=WORKER_CPU, max_retries=0, max_calls=1)(work_there)

    def start(self, name: str) -> "WorkerHandle":
        """A task on any machine that has a core to spare."""
        return RayWorker(self.task.remote(self.recorder, self.limits, name))

    def close(self) -> None:
        """Leave the cluster; the workers end, and the next dispatcher queues their runs again."""
        ray.shutdown()


def private_token() -> None:
    """Make the secret of a new cluster, unless there is one: Ray would let every user of the machine read it."""
    file = Path(os.environ.get("RAY_AUTH_TOKEN_PATH") or Path.home() / ".ray" / "auth_token")
    file.parent.mkdir(parents=True, exist_ok=True)
    if not file.exists():
        file.touch(0o600)
        file.write_text(secrets.token_hex(32))


def work_there(recorder: Any, limits: Limits, name: str) -> None:
    """What a worker does on the machine where Ray has put it."""
    from cgcnn.runs.worker import serve, warm_up

    store = cast("Desk", RemoteDesk(recorder, limits))
    store.beat(name, "starting")
    guarded(store, name)
    warm_up()
    serve(store, name, share=on_cluster)
    store.gone(name)


def on_cluster(store: "Desk", lease: "Lease", name: str) -> None:
    """A run that several processes share: this worker is the first of them, tasks on any machine are the others."""
    from cgcnn.runs.parallel import group, take_part

    meeting = _meeting()
    task = ray.remote(num_cpus=RANK_CPU, max_retries=0, max_calls=1)(share_of_run).options(scheduling_strategy="SPREAD")
    where = (get_node_ip_address(), meeting.port)
    recorder = cast(RemoteDesk, store).recorder
    others = [task.remote(recorder, store.limits, lease, name, where, rank) for rank in range(1, lease.width)]
    threading.Thread(target=_end_with, args=(others,), daemon=True).start()
    with group("gloo", store=meeting, rank=0, world_size=lease.width, timeout=PATIENCE):
        take_part(store, lease)


def share_of_run(recorder: Any, limits: Limits, lease: "Lease", name: str, where: tuple[str, int], rank: int) -> None:
    """What each of the other processes of a shared run does."""
    from cgcnn.runs.parallel import group, take_part

    store = cast("Desk", RemoteDesk(recorder, limits))
    guarded(store, name)
    with group("gloo", store=_meeting(where), rank=rank, world_size=lease.width, timeout=PATIENCE):
        take_part(store, lease)


def _meeting(where: tuple[str, int] | None = None) -> Any:
    """The place where the processes of a run find each other, at (address, port); a new one on this machine if None."""
    from torch.distributed import TCPStore

    here = get_node_ip_address()
    os.environ["GLOO_SOCKET_IFNAME"] = interface_of(here)
    host, port = where or (here, 0)
    return TCPStore(host, port, is_master=where is None, wait_for_workers=False)


def _end_with(others: "list[ray.ObjectRef[Any]]") -> None:
    """End this process as soon as one of the others fails, also while it still waits for them to come."""
    while others:
        done, others = ray.wait(others)
        try:
            ray.get(done)
        except RayError:
            os._exit(1)


def guarded(store: "Desk", name: str) -> None:
    """From now on, end the run and this process when it takes more memory than a run may."""
    threading.Thread(target=_guard, args=(store, name), daemon=True).start()


def _guard(store: "Desk", name: str) -> None:
    process = psutil.Process()
    while not (why := store.limits.too_large(process.memory_info().rss >> 20)):
        time.sleep(GUARD_EVERY)
    with contextlib.suppress(ConnectionError):
        store.end(name, why)
    os._exit(1)
