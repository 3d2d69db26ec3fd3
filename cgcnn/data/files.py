"""Where the lab keeps what users made, and how a file appears there whole or not at all."""

import os
import secrets
from pathlib import Path


def home() -> Path:
    """The folder of runs, uploads and networks: CRYSTAL_GRAPH_LAB_HOME, or `.crystal-graph-lab` in the user's home."""
    chosen = os.environ.get("CRYSTAL_GRAPH_LAB_HOME")
    folder = Path(chosen) if chosen else Path.home() / ".crystal-graph-lab"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def write_whole(file: Path, data: bytes) -> None:
    """Write a file so that a reader finds the old one or the new one, never half of it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f".{file.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        with draft.open("wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)
