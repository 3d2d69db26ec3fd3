"""The lab's side of the sandbox: one warm reader for any number of threads, and a new one when it is lost."""

import atexit
import contextlib
import io
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cgcnn.data.checks import short_name
from cgcnn.data.sandbox_wire import Stream, receive, send
from cgcnn.errors import CrystalError

ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-B", "-W", "ignore", "-m", "cgcnn.data.sandbox_host")
FORKS = hasattr(os, "fork") and hasattr(socket, "send_fds")  # neither exists on Windows
SEATS = max(4, os.cpu_count() or 1)  # files read at once; with fewer, a slow one would hold up a class
TRIES = 3
START = 30.0  # s; a reader starts in one, on a machine that is busy with training in more
PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "SYSTEMROOT", "LD_LIBRARY_PATH", "VIRTUAL_ENV", "PYTHONHOME")
Tell = Callable[[str, int, int], None]
Heard = tuple[dict[str, Any], str]


@dataclass(frozen=True)
class Limits:
    """What reading may take."""

    cpu: int  # s of computing
    wall: float  # s in all
    memory: int  # MiB of address space


@dataclass(frozen=True)
class Usage:
    """What reading took, as the system accounted for it."""

    cpu: float = 0.0  # s
    memory: float = 0.0  # MiB resident at most
    seconds: float = 0.0
    signal: int = 0  # what ended the child before it answered


@dataclass(frozen=True)
class Answer:
    """What the child said, which file of a set it spoke of last, and what it used."""

    said: dict[str, Any] = field(default_factory=dict)  # "value", "mistake" and "type", "out of", "fault", or nothing
    at: str = ""
    usage: Usage = Usage()


class Sandbox:
    """One reader and those who wait for it; `ask` may be called from many threads at once."""

    def __init__(self, command: Sequence[str] = COMMAND) -> None:
        self.command = tuple(command)
        self._lock = threading.Lock()  # for the two below; never held while a file is read
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._seats = threading.BoundedSemaphore(SEATS)

    def warm(self) -> None:
        """Start the reader if there is none, and do not wait for it."""
        if FORKS:
            with self._lock:
                self._alive()

    def ask(self, kind: str, name: str, data: bytes, limits: Limits, tell: Tell | None = None) -> Answer:
        """Have `data` read as one of the host's KINDS; whatever happens to the child, there is an answer."""
        request = {"kind": kind, "name": name, "cpu": limits.cpu, "wall": limits.wall, "memory": limits.memory}
        ask_once = self._forked if FORKS else self._alone
        with self._seats:
            for _ in range(TRIES):  # a reader that was lost between two files is no fault of this one
                if answer := ask_once(request, data, tell):
                    return answer
        raise CrystalError(f"{short_name(name) or 'The text'} cannot be read now, since its reader is lost; try again.")

    def close(self) -> None:
        """End the reader; the next `ask` starts another."""
        with self._lock:
            self._end()

    def _forked(self, request: dict[str, Any], data: bytes, tell: Tell | None) -> Answer | None:
        """One try with the warm reader; None when it was lost."""
        ours, theirs = socket.socketpair()
        account, theirs_too = os.pipe()
        with ours, open(account, "rb") as account_file:
            control = self._hand_over(theirs, theirs_too)
            ours.settimeout(request["wall"] + START)
            try:
                said, at = _conversation(ours, request, data, tell)
                used = account_file.read()
            except TimeoutError:  # the reader is alive and does nothing
                used = b""
        if used:
            return Answer(said, at, Usage(**json.loads(used)))
        with self._lock:
            if control is self._control:  # another thread may have been faster
                self._end()
        return None

    def _hand_over(self, theirs: socket.socket, account: int) -> socket.socket:
        """Give the reader its ends of a request, and close ours of them; a dead reader shows in the silence."""
        with theirs, self._lock:
            control = self._alive()
            with contextlib.suppress(OSError):
                socket.send_fds(control, [b"?"], [theirs.fileno(), account])
        os.close(account)
        return control

    def _alive(self) -> socket.socket:
        if self._control is None or self._process is None or self._process.poll() is not None:
            self._end()
            self._control, theirs = socket.socketpair()
            with theirs:
                self._process = subprocess.Popen(
                    self.command,
                    cwd=ROOT,
                    env=_environment(),
                    stdin=theirs.fileno(),
                    stdout=subprocess.DEVNULL,
                    start_new_session=True,  # Ctrl+C in the terminal is for the lab, which then ends the reader
                )
            atexit.register(self.close)
        return self._control

    def _end(self) -> None:
        if self._control:
            self._control.close()  # the reader sees this and ends
        if self._process:
            try:
                self._process.wait(1)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._control = self._process = None
        atexit.unregister(self.close)

    def _alone(self, request: dict[str, Any], data: bytes, tell: Tell | None) -> Answer | None:
        """One try with a process of its own, where nothing can fork; None when it did not start."""
        started, question = time.monotonic(), io.BytesIO()
        send(question, request, data)
        try:
            ended = subprocess.run(
                [*self.command, "once"],
                cwd=ROOT,
                env=_environment(),
                input=question.getvalue(),
                stdout=subprocess.PIPE,
                timeout=request["wall"] + START,
            )
        except subprocess.TimeoutExpired:
            return Answer(usage=Usage(seconds=request["wall"], signal=9))
        said, at = _heard(io.BytesIO(ended.stdout), tell)
        return Answer(said, at, Usage(seconds=time.monotonic() - started, signal=max(-ended.returncode, 0)))


def _conversation(ours: socket.socket, request: dict[str, Any], data: bytes, tell: Tell | None) -> Heard:
    """Ask and listen; a child that ends before it heard all leaves an empty answer."""
    try:
        with ours.makefile("rwb") as stream:
            send(stream, request, data)
            return _heard(stream, tell)
    except (BrokenPipeError, ConnectionResetError):
        return {}, ""


def _heard(stream: Stream, tell: Tell | None) -> Heard:
    """The answer, and the file that the child named last before it."""
    at = ""
    while frame := receive(stream):
        message = frame[0]
        if "at" not in message:
            return message, at
        at, done, total = message["at"]
        if tell:
            tell(at, done, total)
    return {}, at


def _environment() -> dict[str, str]:
    """Little of the lab's own: no keys or tokens, and one thread, without which the reader must not fork."""
    kept = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    paths = [str(ROOT), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    threads = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL", "VECLIB", "NUMEXPR")}
    return kept | threads | {"PYTHONPATH": os.pathsep.join(paths), "PYTHONUTF8": "1"}
