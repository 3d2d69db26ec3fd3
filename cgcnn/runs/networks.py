"""The files beside the store: best networks, states to go on from, networks of single epochs. All safetensors."""

import contextlib
import json
import re
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safetensors import SafetensorError, safe_open

from cgcnn.errors import RunError

if TYPE_CHECKING:  # the dispatcher opens the store too, and must not wait for torch
    from torch import Tensor

DRAFT_ENDS = 3600.0  # s; a file is written in milliseconds
RUN_ID = re.compile(r"[0-9a-f]{8}")


class Networks:
    """Tensors with plain values about them, by run; a file appears whole or not at all."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("checkpoints", "states", "snapshots"):
            (folder / name).mkdir(parents=True, exist_ok=True)

    def best_file(self, run_id: str) -> Path:
        """Where the network of the best epoch stands, once there is one."""
        return self.folder / "checkpoints" / f"{_safe(run_id)}.safetensors"

    def state_file(self, run_id: str) -> Path:
        """Where the state stands from which an unfinished run goes on."""
        return self.folder / "states" / f"{_safe(run_id)}.safetensors"

    def epochs_folder(self, run_id: str) -> Path:
        """Where the networks of single epochs stand."""
        return self.folder / "snapshots" / _safe(run_id)

    def epochs(self, run_id: str) -> list[int]:
        """The epochs whose network was kept, in order."""
        return sorted(int(file.stem) for file in self.epochs_folder(run_id).glob("[0-9]*.safetensors"))

    def write(self, file: Path, tensors: "Mapping[str, Tensor]", about: Mapping[str, Any]) -> None:
        """Put tensors and what is said about them into one file."""
        from safetensors.torch import save

        _write(file, save(dict(tensors), {"about": json.dumps(about)}))

    def put(self, file: Path, data: bytes) -> None:
        """Keep a whole safetensors file that came from elsewhere."""
        _write(file, data)

    def read(self, file: Path) -> "tuple[dict[str, Tensor], dict[str, Any]]":
        """The inverse of write; RunError when the file is damaged."""
        try:
            with safe_open(file, framework="pt") as saved:
                about = json.loads(saved.metadata()["about"])
                return {name: saved.get_tensor(name) for name in saved.keys()}, about  # noqa: SIM118
        except (SafetensorError, KeyError, TypeError, ValueError, OSError) as reason:
            raise RunError(f"The network of run {_run_of(file)} cannot be read; train it again.") from reason

    def delete(self, run_id: str) -> None:
        """Remove every file of a run."""
        for file in (self.best_file(run_id), self.state_file(run_id)):
            file.unlink(missing_ok=True)
        shutil.rmtree(self.epochs_folder(run_id), ignore_errors=True)

    def sweep_out(self) -> None:
        """Remove what processes left half-written when they were killed."""
        for draft in self.folder.glob("*/**/.*.safetensors.*"):
            with contextlib.suppress(OSError):
                if time.time() - draft.stat().st_mtime > DRAFT_ENDS:
                    draft.unlink()


def _safe(run_id: str) -> str:
    if not RUN_ID.fullmatch(run_id):
        raise RunError(f"{run_id!r} is no id of a run; ids are eight of 0-9 and a-f.")
    return run_id


def _run_of(file: Path) -> str:
    return file.stem if RUN_ID.fullmatch(file.stem) else file.parent.name


def _write(file: Path, data: bytes) -> None:
    from cgcnn.data.files import write_whole  # here, since it brings pymatgen, which the dispatcher does without

    write_whole(file, data)
