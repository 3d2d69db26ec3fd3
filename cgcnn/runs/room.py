"""Room on the disk: how to notice that it is gone, and a reserve with which the store can still say so."""

import errno
import shutil
import sqlite3
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

from cgcnn.errors import RunError

RESERVE = 1 << 20  # bytes; enough to write how a run ended
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class Ballast:
    """A file that takes up room, to be thrown off when there is none left."""

    def __init__(self, folder: Path, min_free_mib: int) -> None:
        self.file, self.min_free = folder / "ballast", min_free_mib << 20

    def take_on(self) -> bool:
        """Fill the reserve if it is gone; False when there is no room for it."""
        try:
            if not self.file.exists() or self.file.stat().st_size < RESERVE:
                self.file.write_bytes(b"\x01" * RESERVE)
            return True
        except OSError:
            self.throw_off()
            return False

    def throw_off(self) -> None:
        """Give the reserve back to the disk."""
        self.file.unlink(missing_ok=True)

    def why_not(self) -> str:
        """Why no run may start now, as a sentence; "" when there is room."""
        free = shutil.disk_usage(self.file.parent).free
        if free >= self.min_free and self.take_on():
            return ""
        return (
            f"The disk of {self.file.parent} has {free >> 20:,} MiB left, and runs need {self.min_free >> 20:,}; "
            "make room there (old runs can be deleted on the Train page), then try again."
        )


Act = TypeVar("Act", bound=Callable[..., Any])


def despite_full_disk(act: Act) -> Act:
    """Let a method of a store use the reserve when the disk is full; a RunError when even that does not help."""

    @wraps(act)
    def once_more(store: Any, *arguments: Any, **named: Any) -> Any:
        try:
            return act(store, *arguments, **named)
        except (sqlite3.OperationalError, OSError) as reason:
            if not is_full(reason):
                raise
        store.ballast.throw_off()
        try:
            return act(store, *arguments, **named)
        except (sqlite3.OperationalError, OSError) as reason:
            raise RunError(f"The disk of {store.folder} is full; make room there, then try again.") from reason

    return once_more  # type: ignore[return-value]


def is_full(reason: BaseException) -> bool:
    """True when a write failed for want of room."""
    if isinstance(reason, sqlite3.OperationalError):
        return "full" in str(reason) or "disk I/O" in str(reason)
    return isinstance(reason, OSError) and reason.errno in FULL
