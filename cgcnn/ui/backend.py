"""The run store of this machine, and the process that serves it."""

import sqlite3
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import streamlit as st

from cgcnn.data.files import home
from cgcnn.errors import RunError
from cgcnn.runs.dispatcher import ensure_running
from cgcnn.runs.room import is_full
from cgcnn.runs.store import RunStore

LOOK_AFTER = 2.0  # s between looks at the dispatcher


@st.cache_resource(show_spinner=False)
def _opened(folder: str) -> RunStore:
    return RunStore(folder)


def store() -> RunStore:
    """The store, with workers at hand; shared by all readers of the server."""
    try:
        opened = _opened(str(home()))
    except (sqlite3.OperationalError, OSError) as reason:
        raise RunError(_not_kept(home(), reason)) from reason
    keep_served(opened)
    return opened


def keep_served(opened: RunStore) -> None:
    """Start the dispatcher again if it is gone; asked often, it looks every two seconds.

    On a full disk pages must open, since old runs are deleted there; that nothing starts `Ballast.why_not` says.
    """
    care = _care(str(opened.folder))
    with care.lock:  # one reader looks for all: a look costs some milliseconds, and writes
        if time.monotonic() - care.last >= LOOK_AFTER:
            care.mistake = _served(opened)
            care.last = time.monotonic()
        mistake = care.mistake
    if mistake:
        raise RunError(mistake)


@dataclass
class Care:
    """When this server last looked after the dispatcher of a store, and what was wrong."""

    last: float = -LOOK_AFTER
    mistake: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock)


@st.cache_resource(show_spinner=False)
def _care(folder: str) -> Care:
    return Care()


def _served(opened: RunStore) -> str:
    try:
        ensure_running(opened)
    except (sqlite3.OperationalError, OSError) as reason:
        return "" if is_full(reason) else _not_kept(opened.folder, reason)
    return ""


def _not_kept(folder: Path, reason: Exception) -> str:
    return f"Runs cannot be kept in {folder} ({reason}); see that the disk has room and the server may write there."
