"""Your own crystals: a folder or zip of structure files with id_prop.csv, as CGCNN's authors laid it out.

Without a header each line of id_prop.csv is `id,value`; with one, its first column holds the ids and each other
column is named like a target: `id,band_gap,poisson_ratio`. The file of crystal `quartz` is `quartz.cif`, or has
another ending that the lab reads.
"""

import hashlib
import re
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from cgcnn.data.archive import MAX_ZIP, Files, folder_files, zip_files
from cgcnn.data.checks import shown
from cgcnn.data.crystal import Crystal, CrystalSet
from cgcnn.data.files import write_whole
from cgcnn.data.id_prop import TABLE, read_id_prop
from cgcnn.data.structures import read_structure
from cgcnn.errors import CrystalError, DatasetError

if TYPE_CHECKING:
    from cgcnn.data import DatasetConfig

ENDINGS = (".cif", ".mcif", ".vasp", ".poscar", ".contcar", ".xsf", ".xyz", ".extxyz", ".json")
NOT_CRYSTALS = {TABLE, "atom_init.json"}  # the second comes with CGCNN's own sets; the lab makes that table itself


def load(config: "DatasetConfig") -> CrystalSet:
    """The crystals of the folder or zip that the config names."""
    if not config.path:
        raise DatasetError(f"No folder is named; give the path of a folder or zip with crystals and {TABLE}.")
    return read_folder(Path(config.path))


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


def save_zip(data: bytes, name: str, home: Path) -> Path:
    """Check an uploaded zip and keep it in the lab's home; the same content always has the same file name."""
    _read(name, *zip_files(data, name))  # raises what the user can mend
    words = re.sub(r"[^A-Za-z0-9]+", "-", PurePath(name).stem).strip("-")[:40] or "set"
    file = _sets(home) / f"{words}-{hashlib.sha256(data).hexdigest()[:10]}.zip"
    write_whole(file, data)
    return file


def stored_sets(home: Path) -> list[Path]:
    """The zips that save_zip keeps in the lab's home, by name."""
    return sorted(_sets(home).glob("*.zip"))


def _sets(home: Path) -> Path:
    return home / "sets"


def _read(name: str, files: Files, dropped: dict[str, str]) -> CrystalSet:
    labels, bad_lines = read_id_prop(_table(name, files))
    dropped = {**dropped, **bad_lines}
    by_id, second = _files_by_id(files)
    dropped |= second
    crystals = []
    for id, targets in labels.items():
        try:
            name = _file_of(id, by_id)
            crystals.append(Crystal(id, read_structure(files[name](), name), targets))
        except CrystalError as reason:
            dropped[id] = str(reason)
    for id in sorted(by_id.keys() - {_stem(id) for id in (*labels, *bad_lines)}):
        dropped[id] = f"{TABLE} has no line for {by_id[id]}; add `{id},value`."
    if not crystals:
        first = next(iter(dropped.items()), ("no line", "it has none"))
        raise DatasetError(
            f"{name} gives no crystal with a value (first: {first[0]}: {first[1].rstrip('.')}); mend that."
        )
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
