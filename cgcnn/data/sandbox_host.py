"""python -m cgcnn.data.sandbox_host: reads foreign files in children that may use little time, memory and no disk.

A fresh Python with pymatgen takes a second, so this process stays warm and forks for each request. It has one thread,
which is what makes a fork safe. Its stdin is a socket over which each request comes as two open files, one for
question and answer and one for the account of what the child used; it ends when the lab closes that socket.
"""

import array
import contextlib
import gc
import json
import os
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any

from cgcnn.data.folder import read_zip
from cgcnn.data.sandbox_wire import Stream, pack_set, pack_structure, receive, send
from cgcnn.data.structures import read_structure
from cgcnn.errors import CrystalError

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

Tell = Callable[[str, int, int], None]  # file, how many were read before it, how many there are
MOST_OPEN = 64  # files; the libraries open a few of their own while they read


def _crystal(data: bytes, name: str, tell: Tell) -> dict[str, Any]:
    return pack_structure(read_structure(data, name))


def _set(data: bytes, name: str, tell: Tell) -> dict[str, Any]:
    return pack_set(read_zip(data, name, tell))


KINDS: dict[str, Callable[[bytes, str, Tell], dict[str, Any]]] = {"crystal": _crystal, "set": _set}


def main() -> None:
    """Serve until the lab ends; with the argument `once`, one request from stdin (where nothing can fork)."""
    if sys.argv[1:] == ["once"]:
        _answer(sys.stdin.buffer, sys.stdout.buffer)
        return
    gc.collect()
    gc.freeze()  # else the first collection in a child copies every page
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the minders
    with socket.socket(fileno=0) as control:
        while files := _next(control):
            if os.fork() == 0:
                _mind(*files)
            for file in files:
                os.close(file)


def _next(control: socket.socket) -> tuple[int, int] | None:
    """The two files of the next request; None when the lab has ended."""
    files = array.array("i")
    data, messages, _, _ = control.recvmsg(1, socket.CMSG_SPACE(2 * files.itemsize))
    for _, _, sent in messages:
        files.frombytes(sent[: len(sent) - len(sent) % files.itemsize])
    return (files[0], files[1]) if data and len(files) == 2 else None


def _mind(question: int, account: int) -> None:
    """In a fork: have the request read in another fork, wait for its end, and give the system's account of it."""
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        nothing = os.open(os.devnull, os.O_RDWR)
        os.dup2(nothing, 0)  # the socket of the lab is not for children
        os.dup2(nothing, 2)  # nor is its log
        started = time.monotonic()
        child = os.fork()
        if child == 0:
            os.close(account)
            _read(question)
        os.close(question)
        os.write(account, _account(child, started))
    finally:
        os._exit(0)


def _account(child: int, started: float) -> bytes:
    """Wait for the end of a child; what it used, as JSON."""
    _, status, used = os.wait4(child, 0)
    unit = 2**20 if sys.platform == "darwin" else 2**10  # ru_maxrss counts bytes there and kB elsewhere
    said = {
        "signal": os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0,
        "cpu": used.ru_utime + used.ru_stime,
        "memory": used.ru_maxrss / unit,
        "seconds": time.monotonic() - started,
    }
    return json.dumps(said).encode()


def _read(question: int) -> None:
    code = 1
    try:
        with socket.socket(fileno=question) as connection, connection.makefile("rwb") as stream:
            _answer(stream, stream)
        code = 0
    except OSError:  # the lab no longer wants the answer
        pass
    finally:
        os._exit(code)


def _answer(incoming: Stream, outgoing: Stream) -> None:
    """Read one request, work on it within its limits, and answer with what was asked for or with a sentence."""
    asked = receive(incoming)
    if asked is None:
        return
    message, data = asked
    limit(message["cpu"], message["wall"], message["memory"])

    def tell(name: str, done: int, total: int) -> None:
        send(outgoing, {"at": [name, done, total]})

    try:
        answer: dict[str, Any] = {"value": KINDS[message["kind"]](data, message["name"], tell)}
    except CrystalError as mistake:
        answer = {"mistake": str(mistake), "type": type(mistake).__name__}
    except MemoryError:
        answer = {"out of": "memory"}
    except Exception:
        answer = {"fault": traceback.format_exc()[-4_000:]}  # for the log of the lab
    send(outgoing, answer)


def limit(cpu: int, wall: float, memory: int) -> None:
    """From here on: `cpu` s of computing, `wall` s in all, `memory` MiB, and not a byte to any file."""
    if resource is None:
        return
    _at_most("RLIMIT_CPU", cpu, cpu + 1)  # first SIGXCPU, then SIGKILL
    _at_most("RLIMIT_AS", memory * 2**20)
    _at_most("RLIMIT_FSIZE", 0)
    _at_most("RLIMIT_CORE", 0)
    _at_most("RLIMIT_NOFILE", MOST_OPEN)
    _at_most("RLIMIT_NPROC", 0)  # no process and no thread
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # an OSError where it is written
    signal.setitimer(signal.ITIMER_REAL, wall)  # SIGALRM, which ends a process that does not ask for it


def _at_most(name: str, soft: int, hard: int | None = None) -> None:
    with contextlib.suppress(AttributeError, ValueError, OSError):  # not every system has, or allows, each of them
        resource.setrlimit(getattr(resource, name), (soft, soft if hard is None else hard))


if __name__ == "__main__":
    main()
