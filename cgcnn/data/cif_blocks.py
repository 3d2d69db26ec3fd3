"""The grammar of CIF 1.1: text to blocks of named columns, in time linear in its length.

Hall, Allen and Brown, Acta Cryst. A47, 655 (1991).
"""

import re
from collections.abc import Iterator

from cgcnn.errors import CrystalError

Block = dict[str, list[str]]  # a data name in small letters, with "_" for "." -> its values
TABLES = ("_atom_site_fract", "_symmetry_equiv", "_space_group_symop")  # whose rows must be complete

_SPACE = re.compile(r"\s")
_CLOSING = {quote: re.compile(rf"{quote}(?=\s|$)") for quote in "'\""}  # a quote closes before white space only


class _Quoted(str):
    """A value in quotes or a text field: never a data name or a key word."""


def _lines(text: str) -> Iterator[tuple[list[str], bool]]:
    """The words of each line, and whether all are plain values; a text field between semicolons is one word."""
    field: list[str] | None = None
    for line in text.split("\n"):
        if line.startswith(";"):
            if field is None:
                field = [line[1:]]
                continue
            yield [_Quoted("\n".join(field))], True
            field, line = None, line[1:]
        if field is not None:
            field.append(line)
        elif "'" in line or '"' in line or "#" in line:
            yield list(_careful(line)), False
        else:
            yield line.split(), "_" not in line  # every data name and key word has one
    if field is not None:
        raise CrystalError("a text field that opens with ';' never closes, so the file is cut off; download it again")


def _careful(line: str) -> Iterator[str]:
    """The words of a line with quotes or a comment; a quote closes only before white space."""
    at = 0
    while at < len(line):
        char = line[at]
        if char.isspace():
            at += 1
        elif char == "#":
            return
        elif char in "'\"":
            end = _CLOSING[char].search(line, at + 1)
            stop = end.start() if end else len(line)
            yield _Quoted(line[at + 1 : stop])
            at = stop + 1
        else:
            end = _SPACE.search(line, at)
            stop = end.start() if end else len(line)
            yield line[at:stop]
            at = stop


def blocks(text: str) -> Iterator[Block]:
    """Each data block; loops become columns, single values columns of one."""
    block: Block | None = None
    names: list[str] = []  # of the loop, or the one data name, that takes the values
    values: list[str] = []
    looping = False
    for words, plain in _lines(text):
        if plain:
            values += words
            continue
        for word in words:
            start = "" if isinstance(word, _Quoted) else word[:7].lower()
            if start.startswith("_"):
                if not looping or values:
                    block, names, values, looping = _close(block, names, values), [], [], False
                names.append(word.lower().replace(".", "_"))
            elif start.startswith(("data_", "loop_", "save_", "stop_", "global_")):
                block, names, values = _close(block, names, values), [], []
                looping = start == "loop_"
                if start.startswith("data_"):
                    if block is not None:
                        yield block
                    block = {}
            else:
                values.append(word)
    block = _close(block, names, values)
    if block is not None:
        yield block


def _close(block: Block | None, names: list[str], values: list[str]) -> Block | None:
    """Add a finished loop or value to its block; what stands before the first data_ belongs to none."""
    if block is None or not names:
        return block
    if len(values) % len(names) and any(name.startswith(TABLES) for name in names):
        raise CrystalError(
            f"its table of {names[0]} has {len(values)} values in {len(names)} columns, so a row is incomplete or "
            "the file is cut off; complete the row or download the file again"
        )
    for i, name in enumerate(names):
        block.setdefault(name, values[i :: len(names)])
    return block
