"""The files of a folder or zip by name, read one at a time and never past a limit."""

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path

from cgcnn.data.checks import MAX_BYTES, short_name
from cgcnn.errors import DatasetError

MAX_FILES = 20_000
MAX_ZIP = 100_000_000  # bytes as uploaded; 20,000 crystals of 3 kB take about 20 MB
MAX_UNPACKED = 400_000_000  # bytes in all; a zip that unpacks to more is a mistake or a trap
LONGEST_NAME = 100  # characters; a name is shown in tables and messages
PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
ENTRY = b"PK\x01\x02"  # what each entry in the directory of a zip begins with
UNREADABLE = (zipfile.BadZipFile, zlib.error, struct.error, ValueError, RuntimeError, OSError, EOFError)

Files = dict[str, Callable[[], bytes]]  # file name without folders -> what reads it


def folder_files(path: Path) -> Files:
    """The files that lie directly in a folder."""
    found = {file.name: file for file in sorted(path.iterdir()) if file.is_file() and _wanted(file.name)}
    _few_enough(len(found), path.name)
    return {name: partial(_limited, file) for name, file in found.items()}


def zip_files(data: bytes, name: str) -> tuple[Files, dict[str, str]]:
    """The files of a zip, whatever folders they lie in, and why any was left out."""
    name = short_name(name) or "The zip"
    if len(data) > MAX_ZIP:
        raise DatasetError(f"{name} has {len(data):,} bytes, more than the limit of {MAX_ZIP:,}; split the set.")
    if (n_entries := data.count(ENTRY)) > 3 * MAX_FILES:  # files, folders and twins; each takes time to open
        raise DatasetError(f"{name} has {n_entries:,} entries, and {MAX_FILES:,} files are allowed; split the set.")
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except UNREADABLE as reason:
        raise DatasetError(f"{name} is no zip file that can be opened; pack the folder again.") from reason
    members = [info for info in archive.infolist() if not info.is_dir() and _wanted(info.filename)]
    _few_enough(len(members), name)
    files: Files = {}
    dropped: dict[str, str] = {}
    unpacked = _Unpacked(archive)
    for info in members:
        base = _parts(info.filename)[-1]  # paths are ignored: nothing is ever written where they point
        path = "".join(c for c in info.filename if c.isprintable())[-LONGEST_NAME:]
        if len(base) > LONGEST_NAME or not base.isprintable():
            dropped[path] = f"A file name is one line of at most {LONGEST_NAME} characters; rename the file."
        elif base in files:
            dropped[path] = f"The zip holds a second file named {base}; the first one is used."
        else:
            files[base] = partial(unpacked.read, info)
    return files, dropped


class _Unpacked:
    """Reads members of a zip and counts what really comes out, since the sizes in its directory may lie."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self.archive = archive
        self.total = 0  # bytes

    def read(self, info: zipfile.ZipInfo) -> bytes:
        if self.total > MAX_UNPACKED:
            raise DatasetError(f"The zip unpacks to more than {MAX_UNPACKED:,} bytes; split the set.")
        if info.compress_type not in PACKINGS:  # the other packings are unpacked whole, whatever comes out of them
            raise DatasetError("The file is packed in a way not known here; pack an ordinary zip (deflate).")
        try:
            with self.archive.open(info) as member:
                data = member.read(MAX_BYTES + 1)
        except UNREADABLE as reason:
            raise DatasetError("The file is damaged or encrypted in the zip; pack it again.") from reason
        self.total += len(data)
        return _short_enough(data)


def _limited(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return _short_enough(opened.read(MAX_BYTES + 1))
    except OSError as reason:
        raise DatasetError(f"The file cannot be opened ({reason.strerror}); check who may read it.") from reason


def _short_enough(data: bytes) -> bytes:
    if len(data) > MAX_BYTES:
        raise DatasetError(f"The file has more than the {MAX_BYTES:,} bytes allowed; bring a smaller one.")
    return data


def _few_enough(n: int, name: str) -> None:
    if n > MAX_FILES:
        raise DatasetError(f"{name} holds {n:,} files, more than the limit of {MAX_FILES:,}; split the set.")


def _wanted(name: str) -> bool:
    # hidden files and the twins that macOS puts into its zips are no crystals
    parts = _parts(name)
    return not parts[-1].startswith(".") and "__MACOSX" not in parts


def _parts(name: str) -> list[str]:
    """The folders of a member and its name, whichever system packed it."""
    return re.split(r"[/\\]", name)
