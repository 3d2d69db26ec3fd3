"""Which code lies on the disk: after an update, the dispatcher of before and its workers make room for new ones."""

import hashlib
from functools import cache
from pathlib import Path

ROOM = Path(__file__).parents[1]


def code_version() -> str:
    """`SECONDS.HASH`: when the newest source file of the library was written, and a word made from all of them."""
    files = sorted(ROOM.rglob("*.py"))
    stats = [file.stat() for file in files]
    key = tuple((file, s.st_mtime_ns, s.st_size) for file, s in zip(files, stats, strict=True))
    return f"{max(s.st_mtime_ns for s in stats) // 10**9}.{_hash(key)}"


def is_newer(version: str, than: str) -> bool:
    """True when code was written later; two folders of code that share a store then do not end each other for ever."""
    return version.partition(".")[2] != than.partition(".")[2] and _written(version) > _written(than)


def _written(version: str) -> int:
    seconds = version.partition(".")[0]
    return int(seconds) if seconds.isdecimal() else 0


@cache
def _hash(files: tuple[tuple[Path, int, int], ...]) -> str:
    digest = hashlib.sha256()
    for file, _, _ in files:
        digest.update(file.name.encode() + file.read_bytes())
    return digest.hexdigest()[:12]
