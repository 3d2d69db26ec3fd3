"""Crystals from files that people bring, and back to files: bytes to a pymatgen Structure or one clear sentence."""

import re
from collections.abc import Callable

import numpy as np
from pymatgen.core import Structure
from pymatgen.io.cif import CifWriter

from cgcnn.data.checks import MAX_BYTES, MAX_LINES, Draft, checked, short_name
from cgcnn.data.cif import read_cif
from cgcnn.data.cif_symmetry import quiet_spglib
from cgcnn.data.crystal import no_electronegativity_needed
from cgcnn.data.formats import read_json, read_poscar, read_xsf, read_xyz
from cgcnn.errors import CrystalError

READERS: dict[str, Callable[[str], Draft]] = {
    "CIF": read_cif,
    "POSCAR": read_poscar,
    "XSF": read_xsf,
    "extended XYZ": read_xyz,
    "pymatgen JSON": read_json,
}
NAMES = {  # what a file name says; tried in this order
    r".*\.(cif|mcif|mmcif)": "CIF",
    r".*\.json": "pymatgen JSON",
    r".*\.a?xsf": "XSF",
    r".*\.(xyz|extxyz)": "extended XYZ",
    r"(poscar|contcar)([._-].*)?|.*\.(vasp|poscar|contcar)": "POSCAR",
}
_REAL = r"[-+]?[\d.]+(?:[eEdD][-+]?\d+)?"
CONTENT = {  # what a text without a telling name looks like; tried in this order
    r"\s*[\[{]": "pymatgen JSON",
    r"(?:.*\n){0,4000}?[ \t]*PRIMVEC\b": "XSF",
    r"\s*\d+[ \t]*\n.*\n[ \t]*[A-Z][a-z]?[ \t]+\S+[ \t]+\S+|\s*\d+[ \t]*\n.*Lattice=": "extended XYZ",
    rf".*\n[ \t]*{_REAL}.*\n(?:[ \t]*{_REAL}[ \t]+{_REAL}[ \t]+{_REAL}.*\n){{3}}": "POSCAR",
    r"(?:.*\n){0,4000}?[ \t]*(?:data_|_cell_length_a|_atom_site_fract_x)": "CIF",
}
PACKED = {b"\x1f\x8b": "gzip", b"PK\x03\x04": "zip", b"BZh": "bzip2", b"\xfd7zXZ": "xz", b"7z\xbc\xaf": "7z"}
MARKS = {  # byte order marks; UTF-32 first, since its mark begins like that of UTF-16
    b"\xff\xfe\x00\x00": "utf-32",
    b"\x00\x00\xfe\xff": "utf-32",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
    b"\xef\xbb\xbf": "utf-8-sig",
}
KNOWN = "bring a CIF, POSCAR, XSF, extended XYZ or pymatgen JSON file"
SYMPREC = 0.01  # Å; how far atoms may lie from their symmetric places, the value of the Materials Project


def read_structure(data: bytes, filename: str) -> Structure:
    """The ordered crystal in a file's bytes, or a CrystalError of one sentence that names the file.

    Format by file name, else by content (pasted text has the name ""). Of several structures the first one
    counts. Oxidation states, spins and all other site properties are dropped; deuterium becomes
    hydrogen. Atoms keep the file's order and are wrapped into the cell; a CIF's symmetry is unfolded.
    """
    name = short_name(filename)
    called = name or "The pasted text"
    try:
        text = _decoded(data)
        kind = _format(name, text)
    except CrystalError as error:
        raise CrystalError(_sentence(called, error)) from None
    try:
        return checked(READERS[kind](text))
    except CrystalError as error:
        raise CrystalError(_sentence(called, error)) from None
    except MemoryError:  # where uploads are read, memory has a limit
        raise CrystalError(f"{called}: reading it takes more memory than is allowed; bring a smaller cell.") from None
    except Exception as error:  # a reader's own fault must not show a traceback in class
        raise CrystalError(_unexpected(called, kind, error)) from error


def write_structure(structure: Structure, format: str) -> str:
    """The crystal as text: "cif" (conventional cell with its symmetry, plain P1 where that fails) or "poscar"."""
    if format not in WRITERS:
        raise CrystalError(f"Crystals cannot be written as {format!r}; choose one of {', '.join(WRITERS)}.")
    with no_electronegativity_needed():
        return WRITERS[format](structure)


def _decoded(data: bytes) -> str:
    """Text with \\n line ends from UTF-8, UTF-16 with a byte order mark, or Latin-1; anything else is refused."""
    if len(data) > MAX_BYTES:
        size, limit = len(data) / 1e6, MAX_BYTES / 1e6
        raise CrystalError(
            f"it has {size:.2f} MB, more than the {limit:g} MB allowed; bring the crystal without other data"
        )
    if data.count(b"\n") + data.count(b"\r") > 2 * MAX_LINES:  # an end of line may be two bytes
        raise CrystalError(f"it has more than {MAX_LINES:,} lines; bring the crystal without other data")
    if packed := next((kind for magic, kind in PACKED.items() if data.startswith(magic)), None):
        raise CrystalError(f"it is packed ({packed}); unpack it and bring the crystal files themselves")
    text = _text(data).replace("\r\n", "\n").replace("\r", "\n").rstrip("\x1a\x00")
    control = sum(text.count(chr(code)) for code in range(32) if chr(code) not in "\n\t\f\v\x1a")
    if "\x00" in text or control * 100 > len(text):
        raise CrystalError(f"it is no text but binary data; {KNOWN}")
    if not text.strip():
        raise CrystalError(f"it is empty; {KNOWN}")
    if re.match(r"\s*(<!doctype html|<html|<head|<\?xml)", text, re.IGNORECASE):
        raise CrystalError("it is a web page and not the crystal; use the page's download link and bring that file")
    return text


def _text(data: bytes) -> str:
    mark = next((code for magic, code in MARKS.items() if data.startswith(magic)), None)
    try:
        return data.decode(mark or "utf-8")
    except UnicodeDecodeError:
        if mark:
            raise CrystalError(f"it claims to be {mark.upper()} text but is damaged; save it as UTF-8") from None
        return data.decode("latin-1")  # names of authors in older CIFs


def _format(name: str, text: str) -> str:
    for pattern, kind in NAMES.items():
        if re.fullmatch(pattern, name, re.IGNORECASE):
            return kind
    head = text[:200_000]
    for pattern, kind in CONTENT.items():
        if re.match(pattern, head) or re.match(pattern, head.lstrip()):  # blank lines slip into what people paste
            return kind
    raise CrystalError(f"neither its name nor its content shows a format known here; {KNOWN}")


def _sentence(name: str, error: CrystalError) -> str:
    """What a reader refused, on one line; of a very long one the beginning and the advice at its end."""
    text = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in str(error))
    return f"{name}: {text if len(text) <= 320 else f'{text[:200]}…{text[-110:]}'}."


def _unexpected(name: str, kind: str, error: Exception) -> str:
    reason = " ".join("".join(c for c in (str(error).split("\n") or [""])[0] if c.isprintable()).split())[:120]
    reason = re.sub(r"\b\w*(Error|Exception)\b:? ?", "", reason).rstrip(". ") or "its content is not understood"
    return f"{name} could not be read as {kind}: {reason}; check the file, or save it again with another program."


def _cif(structure: Structure) -> str:
    """With symmetry if what can be read back is the same crystal, else all atoms in P1."""
    plain = bare(structure)
    with quiet_spglib():
        try:
            text = str(CifWriter(plain, symprec=SYMPREC))
            if _same_density(read_structure(text.encode(), "symmetric.cif"), plain):
                return text
        except Exception:  # spglib finds no symmetry in some cells; P1 always holds
            pass
        return str(CifWriter(plain))


def _same_density(one: Structure, other: Structure) -> bool:
    same_formula = one.composition.reduced_formula == other.composition.reduced_formula
    return same_formula and bool(np.isclose(one.volume / len(one), other.volume / len(other), rtol=1e-3))


def bare(structure: Structure) -> Structure:
    """Elements in a lattice and nothing else: no oxidation states, labels or other properties."""
    return Structure(structure.lattice, [site.specie.Z for site in structure], structure.frac_coords)


def _poscar(structure: Structure) -> str:
    """VASP 5 with 12 decimals; atoms of one element stand together, in the order of first appearance."""
    symbols = [site.specie.symbol for site in structure]
    kinds = list(dict.fromkeys(symbols))
    lines = [structure.composition.reduced_formula, "1.0", *map(_row, structure.lattice.matrix), " ".join(kinds)]
    lines += [" ".join(str(symbols.count(kind)) for kind in kinds), "Direct"]
    lines += [_row(site.frac_coords) for kind in kinds for site in structure if site.specie.symbol == kind]
    return "\n".join(lines) + "\n"


def _row(values: np.ndarray) -> str:
    return " ".join(f"{value:18.12f}" for value in values)


WRITERS: dict[str, Callable[[Structure], str]] = {"cif": _cif, "poscar": _poscar}
