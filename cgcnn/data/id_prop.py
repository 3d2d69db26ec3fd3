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
CLASS_WORDS = {"yes": 1.0, "true": 1.0, "no": 0.0, "false": 0.0}  # what spreadsheets write; in any case of letters


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
    given = {name: cell for name, cell in zip(columns, cells[1:], strict=True) if cell}
    values = {name: value for name, cell in given.items() if (value := _value(cell, name)) is not None}
    if wrong := [name for name in given if name not in values]:
        dropped[id] = f"{where} gives {shown(given[wrong[0]])}, {_what_is_wrong(wrong[0])}"
    elif not values:
        dropped[id] = f"{where} gives no value; write a number after the comma."
    else:
        labels[id] = values


def _what_is_wrong(column: str) -> str:
    if not TARGETS[column].is_class:
        return "which is no finite number; correct or remove it."
    no, yes = TARGETS[column].classes
    return f"but {column} is a class; write 1 for “{yes}” or 0 for “{no}”, or leave the cell empty."


def _value(cell: str, column: str) -> float | None:
    """The number in a cell, of a class 0 or 1; None if it is none."""
    is_class = TARGETS[column].is_class
    if is_class and cell.lower() in CLASS_WORDS:
        return CLASS_WORDS[cell.lower()]
    try:
        value = float(cell)
    except ValueError:
        return None
    return value if value in (0, 1) or (math.isfinite(value) and not is_class) else None
