"""Your own crystals: a folder or zip of structure files with id_prop.csv, as CGCNN's authors laid it out.

Without a header each line of id_prop.csv is `id,value`; with one, its first column holds the ids and each other
column is named like a target: `id,band_gap,poisson_ratio`. The file of crystal `quartz` is `quartz.cif`, or has
another ending that the lab reads.
"""

import hashlib
import re
from collections.abc import Callable
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from cgcnn.data.archive import MAX_ZIP, Files, folder_files, zip_files
from cgcnn.data.checks import short_name, shown
from cgcnn.data.crystal import Crystal, CrystalSet
from cgcnn.data.files import write_whole
from cgcnn.data.id_prop import TABLE, read_id_prop
from cgcnn.data.sandbox import read_untrusted_set
from cgcnn.data.structures import read_structure
from cgcnn.errors import CrystalError, DatasetError

if TYPE_CHECKING:
    from cgcnn.data import DatasetConfig

ENDINGS = (".cif", ".mcif", ".vasp", ".poscar", ".contcar", ".xsf", ".xyz", ".extxyz", ".json")
MAX_SET_ATOMS = 400_000  # in an uploaded set, which the web server keeps in memory: 0.5 GB
Tell = Callable[[str, int, int], None]  # hears of a file, how many came before it, and how many come in all
NOT_CRYSTALS = {TABLE, "atom_init.json"}  # the second comes with CGCNN's own sets; the lab makes that table itself


def load(config: "DatasetConfig") -> CrystalSet:
    """The crystals of the folder or zip that the config names."""
    if not config.path:
        raise DatasetError(f"No folder is named; give the path of a folder or zip with crystals and {TABLE}.")
    path = Path(config.path)
    return read_kept(path) if path.is_file() else read_folder(path)


def read_folder(path: Path) -> CrystalSet:
    """All crystals of a folder or zip with the values of its id_prop.csv, and why any other was left out."""
    path = Path(path)
    if path.is_dir():
        return _read(path.name, folder_files(path), {})
    if not path.is_file():
        raise DatasetError(f"There is no folder or zip {shown(path.name)}; check the path or upload it again.")
    if path.stat().st_size > MAX_ZIP:
        raise DatasetError(f"{path.name} has more than {MAX_ZIP:,} bytes; split the set.")
    return _read(path.name, *zip_files(path.read_bytes(), path.name))


def read_zip(data: bytes, name: str, tell: Tell) -> CrystalSet:
    """The crystals of an uploaded zip, at most MAX_SET_ATOMS of atoms; `tell` hears of each file before it is read."""
    return _read(short_name(name) or "The zip", *zip_files(data, name), tell, MAX_SET_ATOMS)


def save_zip(data: bytes, name: str, home: Path, tell: Tell | None = None) -> Path:
    """Check an uploaded zip and keep it in the lab's home; the same content always has the same file name."""
    read_untrusted_set(data, name, tell)  # raises what the user can mend
    words = re.sub(r"[^A-Za-z0-9]+", "-", PurePath(name).stem).strip("-")[:40] or "set"
    file = _sets(home) / f"{words}-{hashlib.sha256(data).hexdigest()[:10]}.zip"
    write_whole(file, data)
    return file


def read_kept(file: Path) -> CrystalSet:
    """The crystals of a zip that save_zip kept, read as carefully as when it came; the page and the worker see it."""
    try:
        return read_untrusted_set(file.read_bytes(), file.name)
    except OSError as reason:
        raise DatasetError(f"The set {shown(file.stem)} is gone; upload its zip again.") from reason


def stored_sets(home: Path) -> list[Path]:
    """The zips that save_zip keeps in the lab's home, by name."""
    return sorted(_sets(home).glob("*.zip"))


def _sets(home: Path) -> Path:
    return home / "sets"


def _read(
    set_name: str,
    files: Files,
    dropped: dict[str, str],
    tell: Tell = lambda *_: None,
    most_atoms: float = float("inf"),
) -> CrystalSet:
    labels, bad_lines = read_id_prop(_table(set_name, files))
    dropped = {**dropped, **bad_lines}
    by_id, second = _files_by_id(files)
    dropped |= second
    crystals = []
    n_atoms = 0
    for done, (id, targets) in enumerate(labels.items()):
        try:
            name = _file_of(id, by_id)
            tell(name, done, len(labels))
            crystals.append(Crystal(id, read_structure(files[name](), name), targets))
        except CrystalError as reason:
            dropped[id] = str(reason)
        else:
            n_atoms += len(crystals[-1].structure)
            if n_atoms > most_atoms:
                raise DatasetError(f"{set_name} holds more than {most_atoms:,} atoms in all; split the set.")
    for id in sorted(by_id.keys() - {_stem(id) for id in (*labels, *bad_lines)}):
        dropped[id] = f"{TABLE} has no line for {by_id[id]}; add `{id},value`."
    if not crystals:
        first = next(iter(dropped.items()), ("no line", "it has none"))
        why = first[1].rstrip(".") if len(first[1]) < 200 else f"{first[1][:199]}…"
        raise DatasetError(f"{set_name} gives no crystal with a value (first: {first[0]}: {why}); mend that.")
    return CrystalSet(crystals, dropped)


def _table(name: str, files: Files) -> bytes:
    if TABLE not in files:
        raise DatasetError(f"{name} holds no {TABLE}; add it, with one line `id,value` for each crystal.")
    try:
        return files[TABLE]()
    except DatasetError as reason:
        raise DatasetError(f"{TABLE}: {reason}") from reason


def _files_by_id(files: Files) -> tuple[dict[str, str], dict[str, str]]:
    """The structure file of each id, and why a second one with the same id is left out."""
    found: dict[str, str] = {}
    second: dict[str, str] = {}
    named = [name for name in files if name not in NOT_CRYSTALS and PurePath(name).suffix.lower() in ENDINGS]
    for name in sorted(named, key=lambda name: (ENDINGS.index(PurePath(name).suffix.lower()), name)):
        id = PurePath(name).stem
        if id in found:
            second[name] = f"{found[id]} is the file of crystal {shown(id)}; remove one of the two."
        found.setdefault(id, name)
    return found, second


def _file_of(id: str, by_id: dict[str, str]) -> str:
    name = by_id.get(id) or by_id.get(_stem(id))
    if name is None:
        raise DatasetError(f"There is no file {id}.cif for the line of {shown(id)} in {TABLE}; add the file.")
    return name


def _stem(id: str) -> str:
    """The id without an ending that some people write: `quartz.cif` is `quartz`, and `v1.2` stays as it is."""
    return PurePath(id).stem if PurePath(id).suffix.lower() in ENDINGS else id
