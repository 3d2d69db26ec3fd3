"""id_prop.csv: which crystals a folder holds, and what is known of each."""

import csv
import io
import math

from cgcnn.data.checks import shown
from cgcnn.data.targets import TARGETS
from cgcnn.errors import DatasetError

TABLE = "id_prop.csv"
LONGEST_ID = 100  # characters; an id is shown in tables and messages
Labels = dict[str, dict[str, float]]  # id -> target -> value
Lines = list[tuple[int, list[str]]]  # number in the file, cells


def read_id_prop(data: bytes) -> tuple[Labels, dict[str, str]]:
    """The values of every crystal by id, and why any line was left out."""
    lines = _lines(data)
    columns, lines = _columns(lines)
    labels: Labels = {}
    dropped: dict[str, str] = {}
    for number, cells in lines:
        id = cells[0]
        where = f"Line {number} of {TABLE}"
        if not id:
            dropped[f"line {number}"] = f"{where} names no crystal; write its id before the comma."
        elif len(id) > LONGEST_ID or not id.isprintable():
            dropped[f"line {number}"] = (
                f"{where} begins with {shown(id)}; an id is one line of at most {LONGEST_ID} characters, so shorten it."
            )
        elif id in labels or id in dropped:
            dropped[f"{id} (line {number})"] = f"{where} repeats {shown(id)}; the first line is used."
        else:
            _read_line(cells, columns, where, labels, dropped)
    return labels, dropped


def _lines(data: bytes) -> Lines:
    try:
        text = data.decode("utf-8-sig")  # spreadsheets put a byte order mark first
    except UnicodeDecodeError as reason:
        raise DatasetError(f"{TABLE} is not text in UTF-8; save it as CSV (UTF-8).") from reason
    if "\0" in text:
        raise DatasetError(f"{TABLE} is no text file; save it as CSV (UTF-8).")
    try:
        rows = [[cell.strip() for cell in row] for row in csv.reader(io.StringIO(text))]
    except csv.Error as reason:
        raise DatasetError(f"{TABLE} cannot be read as CSV ({reason}); write one `id,value` per line.") from reason
    lines = [(number, row) for number, row in enumerate(rows, 1) if any(row)]
    if not lines:
        raise DatasetError(f"{TABLE} is empty; write one line `id,value` for each crystal.")
    return lines


def _columns(lines: Lines) -> tuple[list[str], Lines]:
    """The targets of the columns after the first, and the lines that hold crystals."""
    first = lines[0][1]
    if len(first) < 2:
        raise DatasetError(
            f"Line {lines[0][0]} of {TABLE} is {shown(','.join(first))}, with no comma; "
            "write one line `id,value` for each crystal."
        )
    names = first[1:]
    if first[0].lower() != "id" and not any(name in TARGETS for name in names):
        if len(first) > 2:
            raise DatasetError(
                f"Line {lines[0][0]} of {TABLE} has {len(first)} cells and there is no header; "
                "keep `id,value`, or name the columns in a first line such as `id,band_gap`."
            )
        return ["id_prop"], lines
    if unknown := [name for name in names if name not in TARGETS]:
        raise DatasetError(
            f"{TABLE} has a column {shown(unknown[0])}, which is no target; use one of {', '.join(TARGETS)}."
        )
    if len(set(names)) < len(names):
        raise DatasetError(f"{TABLE} has two columns of the same name; remove one.")
    return names, lines[1:]


def _read_line(cells: list[str], columns: list[str], where: str, labels: Labels, dropped: dict[str, str]) -> None:
    id = cells[0]
    if len(cells) != len(columns) + 1:
        dropped[id] = f"{where} has {len(cells)} cells but {len(columns) + 1} are expected; correct the line."
        return
    values = {name: _value(cell) for name, cell in zip(columns, cells[1:], strict=True) if cell}
    wrong = [cell for cell in cells[1:] if cell and _value(cell) is None]
    if wrong:
        dropped[id] = f"{where} gives {shown(wrong[0])}, which is no finite number; correct or remove it."
    elif not values:
        dropped[id] = f"{where} gives no value; write a number after the comma."
    else:
        labels[id] = {name: value for name, value in values.items() if value is not None}


def _value(cell: str) -> float | None:
    try:
        value = float(cell)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
