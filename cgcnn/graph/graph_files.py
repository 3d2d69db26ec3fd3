"""Graphs kept on disk, so that a set of crystals that was built once is read the next time.

A convenience and nothing more: a file is believed only when its checksum fits the key that is asked for, and where the
disk is full or the folder cannot be written, the graphs are simply built again.
"""

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
import time
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import pymatgen.core
import torch
from safetensors.torch import load, save

from cgcnn.graph import build, crystal_graph, merge, neighbors, sites
from cgcnn.graph.build import Reading
from cgcnn.graph.config import GraphConfig
from cgcnn.graph.crystal_graph import CrystalGraph
from cgcnn.graph.loaded_code import hash_of

LIMIT = 2 << 30  # bytes of all files together, once a build has ended
SPARE = 1 << 30  # bytes of the disk that are left to things that cannot be built again
CHECKSUM = hashlib.sha256().digest_size
SUFFIX, UNFINISHED = ".graphs", ".part"
FORGOTTEN = 3600.0  # s after which an unfinished file has lost its writer


@dataclass(frozen=True)
class Shard:
    """The graphs of some crystals side by side, and for each other one, by position, why it has none."""

    graph: CrystalGraph
    dropped: dict[int, str]


@dataclass(frozen=True)
class GraphFiles:
    """A folder with a file for each shard; those used longest ago make room when `make_room` is called."""

    folder: Path
    limit: int = LIMIT
    spare: int = SPARE

    @classmethod
    def at(cls, folder: Path | None) -> "GraphFiles | None":
        """The files in a folder; None, which keeps nothing, where there is none."""
        return cls(folder) if folder else None

    def load(self, key: str) -> Shard | None:
        """The shard with this key; None when it is not there, damaged, or another's."""
        path = self.folder / (key + SUFFIX)
        try:
            data = path.read_bytes()
        except OSError:
            return None
        if data[:CHECKSUM] != _checksum(key, data[CHECKSUM:]):
            return None
        with contextlib.suppress(OSError):
            os.utime(path)  # used now; a file system may keep no times of reading
        return from_bytes(data[CHECKSUM:])

    def size(self, key: str) -> int:
        """The bytes of the file with this key; 0 when it is not there."""
        try:
            return (self.folder / (key + SUFFIX)).stat().st_size
        except OSError:
            return 0

    def save(self, key: str, shard: Shard, most: int = LIMIT) -> None:
        """Keep a shard, whole or not at all; silent where it cannot be kept, or would take more than `most` bytes."""
        data = to_bytes(shard)
        if CHECKSUM + len(data) > most:
            return
        with contextlib.suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True)
            if shutil.disk_usage(self.folder).free < self.spare:
                return
            handle, name = tempfile.mkstemp(UNFINISHED, dir=self.folder)
            try:
                with open(handle, "wb") as file:
                    file.write(_checksum(key, data) + data)
                os.replace(name, self.folder / (key + SUFFIX))
            except BaseException:
                Path(name).unlink(missing_ok=True)
                raise

    def make_room(self) -> None:
        """Delete what was used longest ago, until the limit holds; what another process deletes first is no matter.

        It looks at every file, so it is called once after many were saved.
        """
        kept = self._kept()
        size = sum(size for _, size, _ in kept)
        for _, freed, path in sorted(kept):
            if size <= self.limit:
                return
            size -= freed
            with contextlib.suppress(OSError):
                path.unlink()

    def _kept(self) -> list[tuple[float, int, Path]]:
        """When each file was used, its bytes and its path; what a dead writer left is cleared away."""
        kept = []
        with contextlib.suppress(OSError):
            for path in self.folder.iterdir():
                with contextlib.suppress(OSError):
                    about = path.stat()
                    if path.suffix == SUFFIX:
                        kept.append((about.st_mtime, about.st_size, path))
                    elif path.suffix == UNFINISHED and about.st_mtime < time.time() - FORGOTTEN:
                        path.unlink()
        return kept


def key_of(reading: Reading, config: GraphConfig, light: bool, version: str) -> str:
    """A name for all that decides a shard: the crystals to the last bit, the settings and the code."""
    key = hashlib.sha256(repr((version, config, light, reading.asked)).encode())
    key.update(repr([(n, str(why)) for n, why in reading.refused.items()]).encode())
    for field in fields(reading.sites):
        array = np.ascontiguousarray(getattr(reading.sites, field.name))
        key.update(f"{field.name} {array.dtype} {array.shape}".encode())
        key.update(array.data)
    return key.hexdigest()


def code_version() -> str:
    """A hash of the code that decides a graph, as it is loaded, and of the versions of what it calls.

    No number to be raised by hand: who edits a rule for an exercise must not meet old graphs. And not the source: a
    process that runs on after an edit builds by the old rule, and must not keep its graphs under the new one's name;
    a hash taken when this module is imported would still miss an edit after the rule's import.
    """
    code = hash_of((sites, neighbors, build, crystal_graph, merge))
    versions = [pymatgen.core.__version__, np.__version__, torch.__version__]
    return hashlib.sha256(json.dumps([code, *versions, _names()]).encode()).hexdigest()


def to_bytes(shard: Shard) -> bytes:
    """A shard as safetensors; its sentences are a tensor of bytes, as JSON."""
    tensors = {name: t.contiguous() for name in _names() if (t := getattr(shard.graph, name)) is not None}
    sentences = np.frombuffer(json.dumps(shard.dropped).encode(), dtype=np.uint8).copy()
    about = {"n_crystals": torch.tensor(shard.graph.n_crystals), "dropped": torch.from_numpy(sentences)}
    return save(tensors | about)


def from_bytes(data: bytes) -> Shard:
    """What `to_bytes` wrote."""
    tensors = load(data)
    n_crystals, sentences = int(tensors.pop("n_crystals")), tensors.pop("dropped").numpy().tobytes()
    dropped = {int(n): why for n, why in json.loads(sentences).items()}
    return Shard(CrystalGraph(n_crystals=n_crystals, **tensors), dropped)


def _names() -> list[str]:
    """The tensors of a graph; a new one changes the version."""
    return [field.name for field in fields(CrystalGraph) if field.name != "n_crystals"]


def _checksum(key: str, data: bytes) -> bytes:
    return hashlib.sha256(key.encode() + data).digest()
