"""POSCAR, XSF, extended XYZ and pymatgen's JSON: from text to a draft of the crystal.

Own readers, for two reasons: a message can name the line that is wrong, and nothing in a file that a stranger
brings is ever imported or executed, as it could be by a general loader of pymatgen's JSON.
VASP wiki, "POSCAR"; xcrysden.org/doc/XSF.html; the extended XYZ specification of libAtoms.
"""

import json
import re
from typing import Any

import numpy as np

from cgcnn.data.checks import SYMBOLS, Draft, atom_count, fractional, full_occupancy, number, shown
from cgcnn.errors import CrystalError

MOLECULE = "it is a molecule without a cell, and a crystal graph needs a lattice; bring the crystal, for example as CIF"


def read_poscar(text: str) -> Draft:
    """VASP's POSCAR or CONTCAR; VASP 4 files name the elements in the comment or behind the coordinates."""
    lines = text.rstrip().split("\n")
    blank = next(i for i, line in enumerate(lines) if line.strip())  # lines above; the comment may be one of them
    lines = lines[max(blank - 1, 0) if re.match(r"\s*[-+]?[\d.]+\s*$", lines[blank]) else blank :]
    lattice, scale = _poscar_lattice(lines)
    at = 5
    while at < min(len(lines), 25) and not re.match(r"\s*\d+(\s|$)", lines[at]):
        at += 1  # many elements go over several lines, and their counts as well
    n_rows = at - 5
    symbols = " ".join(lines[5:at]).split()
    counts = _poscar_counts(" ".join(lines[at : at + max(n_rows, 1)]), len(symbols))
    rows = lines[at + max(n_rows, 1) :]
    if rows and rows[0].strip()[:1] in ("s", "S"):  # selective dynamics
        rows = rows[1:]
    if not rows or rows[0].strip()[:1].lower() not in ("d", "c", "k"):
        raise CrystalError("no line 'Direct' or 'Cartesian' follows the counts of atoms; complete the POSCAR")
    coords = _poscar_positions(rows[1:], sum(counts))
    if rows[0].strip()[:1].lower() != "d":
        coords = fractional(lattice, coords * scale)
    species = _poscar_species(symbols or lines[0].split(), counts, rows[1:])
    return Draft(lattice, species, coords, _labels(len(species)))


def _poscar_lattice(lines: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Lattice vectors in Å and the scale (one factor, three, or minus the volume in Å³)."""
    if len(lines) < 7:
        raise CrystalError(f"it has {len(lines)} lines, too few for a POSCAR; bring the complete file")
    scale = np.array(_numbers(lines[1].split()[:3], "the scale in line 2"))
    lattice = np.array([_numbers(lines[i].split()[:3], f"the lattice vector in line {i + 1}", 3) for i in (2, 3, 4)])
    if len(scale) not in (1, 3) or (len(scale) == 3 and scale.min() <= 0) or not scale.all():
        raise CrystalError(f"the scale in line 2 is {shown(lines[1])}; write one factor, such as 1.0")
    volume = abs(np.linalg.det(lattice))
    if scale[0] < 0:
        scale = np.array([(-scale[0] / max(volume, 1e-9)) ** (1 / 3)])
    return lattice * scale, scale


def _poscar_counts(text: str, n_symbols: int) -> list[int]:
    words = text.split()
    if not words or not all(re.fullmatch(r"\d{1,9}", word, re.ASCII) for word in words):
        raise CrystalError(f"the counts of atoms are {shown(text)}; write one whole number per element, such as 4 4")
    if n_symbols and n_symbols != len(words):
        raise CrystalError(f"it names {n_symbols} elements but gives {len(words)} counts; make them equal")
    counts = [int(word) for word in words]
    atom_count(sum(counts))
    return counts


def _poscar_positions(rows: list[str], n_atoms: int) -> np.ndarray:
    """The coordinates of all atoms; as many rows as the counts say, no more and no fewer."""
    given = next((i for i, row in enumerate(rows) if not row.strip()), len(rows))
    after = rows[n_atoms].split()[:1] if given > n_atoms else []
    if given < n_atoms or (after and re.match(r"[+-]?\d*\.?\d", after[0])):
        raise CrystalError(
            f"its counts add up to {n_atoms} atoms but {given} row(s) of coordinates follow; correct either"
        )
    return np.array(
        [_numbers(row.split()[:3], f"the position of atom {i + 1}", 3) for i, row in enumerate(rows[:n_atoms])]
    )


def _poscar_species(symbols: list[str], counts: list[int], rows: list[str]) -> list[str]:
    """One symbol for each atom; Na_pv and Na/5f3a are VASP's names of potentials of Na."""
    names = [re.split(r"[_/]", symbol)[0] for symbol in symbols]
    if len(names) == len(counts) and (set(names) <= SYMBOLS or not _trailing(rows[0])):
        return [name for name, count in zip(names, counts, strict=True) for _ in range(count)]
    trailing = [_trailing(row) for row in rows[: sum(counts)]]
    if not all(trailing):
        raise CrystalError(
            "it does not name its elements (a VASP 4 file); write their symbols on the line above the counts"
        )
    return trailing


def _trailing(row: str) -> str:
    words = row.split()
    return words[-1] if len(words) > 3 and words[-1] in SYMBOLS and words[-1] != "F" else ""


def read_xsf(text: str) -> Draft:
    """XCrySDen's XSF: the first PRIMVEC and PRIMCOORD; grids and forces are left unread."""
    lines = [line.strip() for line in text.split("\n")]
    lines = [line for line in lines if line and not line.startswith("#")]
    heads = [line.split()[0].upper() for line in lines]
    if found := next((word for word in ("MOLECULE", "ATOMS", "SLAB", "POLYMER") if word in heads), None):
        raise CrystalError(f"{MOLECULE} (it says {found})" if found in ("MOLECULE", "ATOMS") else _partly(found))
    if "PRIMVEC" not in heads or "PRIMCOORD" not in heads:
        raise CrystalError("PRIMVEC or PRIMCOORD is missing; bring an XSF of a crystal with both")
    at = heads.index("PRIMVEC")
    lattice = np.array([_vector(lines, at + 1 + i, f"lattice vector {i + 1}") for i in range(3)])
    at = heads.index("PRIMCOORD") + 1
    n_atoms = _whole((lines[at] if at < len(lines) else "").split()[:1], "the count of atoms behind PRIMCOORD")
    rows = [line.split() for line in lines[at + 1 : at + 1 + n_atoms]]
    return _cartesian(lattice, [row[0] for row in rows], [row[1:4] for row in rows], n_atoms)


def _partly(word: str) -> str:
    return f"it repeats in fewer than three directions ({word}); bring the three-dimensional cell, vacuum included"


def read_xyz(text: str) -> Draft:
    """Extended XYZ, first frame: Lattice="..." in the comment line, Properties=... for other columns."""
    lines = text.lstrip().split("\n")
    n_atoms = _whole(lines[0].split(), "the count of atoms in line 1")
    pairs = re.findall(r"([A-Za-z_]\w{0,40})\s{0,9}=\s{0,9}(\"[^\"]*\"|'[^']*'|[^\s\"']+)", "".join(lines[1:2])[:9_999])
    info = {key.lower(): value.strip("\"'") for key, value in pairs}
    if "lattice" not in info:
        raise CrystalError(f'{MOLECULE}, or add Lattice="ax ay az bx by bz cx cy cz" to line 2')
    if any(word not in ("T", "TRUE", "1") for word in info.get("pbc", "T").upper().split()):
        raise CrystalError(_partly(f"pbc={info['pbc']}"[:40]))
    lattice = np.array(_numbers(info["lattice"].split(), "the Lattice in line 2", 9)).reshape(3, 3)
    species, position = _columns(info.get("properties", "species:S:1:pos:R:3"))
    rows = [line.split() for line in lines[2 : 2 + n_atoms]]
    names = [row[species] if len(row) > species else "" for row in rows]
    return _cartesian(lattice, names, [row[position : position + 3] for row in rows], n_atoms)


def _columns(properties: str) -> tuple[int, int]:
    """Where the element and the position stand in a row: `species:S:1:pos:R:3:forces:R:3` -> 0, 1."""
    fields = properties.lower().split(":")
    starts, at = {}, 0
    for name, _, width in zip(fields[::3], fields[1::3], fields[2::3], strict=False):
        starts[name] = at
        at += int(width) if re.fullmatch(r"\d{1,3}", width, re.ASCII) else 1
    species = starts.get("species", starts.get("z"))
    if species is None or "pos" not in starts:
        raise CrystalError(f"Properties={shown(properties)} names no species and pos; write species:S:1:pos:R:3")
    return species, starts["pos"]


def read_json(text: str) -> Draft:
    """pymatgen's Structure.as_dict(), alone, under the key "structure", or as the first of a list."""
    try:
        data = json.loads(text)
    except RecursionError:
        raise CrystalError(
            "its brackets are nested too deep for a crystal; bring Structure.as_dict() as JSON"
        ) from None
    except ValueError as error:
        raise CrystalError(f"it is no valid JSON ({str(error)[:80]}), perhaps cut off; save it again") from None
    data = data[0] if isinstance(data, list) and data else data
    data = data.get("structure", data) if isinstance(data, dict) else data
    if not isinstance(data, dict) or not isinstance(data.get("sites"), list):
        raise CrystalError(
            "this JSON holds no crystal (no list of sites); bring what Structure.as_dict() of pymatgen gives"
        )
    if not isinstance(data.get("lattice"), dict):
        raise CrystalError(MOLECULE)
    atom_count(len(data["sites"]))
    if not all(data["lattice"].get("pbc") or [True]):
        raise CrystalError(_partly("pbc is false"))
    lattice = np.array([_triple(row, "a lattice vector") for row in _triple_of_rows(data["lattice"].get("matrix"))])
    sites = [_json_site(site, f"site {i + 1}") for i, site in enumerate(data["sites"])]
    coords = np.array([abc for _, abc in sites])
    return Draft(lattice, [symbol for symbol, _ in sites], coords, _labels(len(sites)))


def _json_site(site: Any, where: str) -> tuple[str, list[float]]:
    """The element and the fractional coordinates of one site that is filled by one atom."""
    species = site.get("species") if isinstance(site, dict) else None
    if not isinstance(species, list) or not species or not all(isinstance(part, dict) for part in species):
        raise CrystalError(f"{where} names no species; save the crystal with Structure.as_dict()")
    for part in species:
        full_occupancy(number(part.get("occu", 1), f"the occupancy of {where}"), str(part.get("element"))[:40], where)
    if len(species) > 1:
        raise CrystalError(f"{where} mixes {len(species)} species; bring an ordered cell")
    return str(species[0].get("element"))[:40], _triple(site.get("abc"), f"the position (abc) of {where}")


def _triple_of_rows(value: Any) -> list[Any]:
    if not isinstance(value, list) or len(value) != 3:
        raise CrystalError("its lattice has no matrix of three vectors; save the crystal with Structure.as_dict()")
    return value


def _triple(value: Any, what: str) -> list[float]:
    if not isinstance(value, list) or len(value) != 3:
        raise CrystalError(f"{what} is {shown(value)} in place of three numbers; correct the file")
    return [number(x, what) for x in value]


def _cartesian(lattice: np.ndarray, species: list[str], rows: list[list[str]], n_atoms: int) -> Draft:
    if len(rows) < n_atoms or not rows:
        raise CrystalError(
            f"it promises {n_atoms} atoms but {len(rows)} row(s) follow, so it may be cut off; complete it"
        )
    coords = np.array([_numbers(row, f"the position of atom {i + 1}", 3) for i, row in enumerate(rows)])
    return Draft(lattice, species, fractional(lattice, coords), _labels(n_atoms))


def _vector(lines: list[str], at: int, what: str) -> list[float]:
    return _numbers((lines[at] if at < len(lines) else "").split()[:3], what, 3)


def _numbers(words: list[str], what: str, count: int = 0) -> list[float]:
    if count and len(words) != count:
        raise CrystalError(
            f"{what} has {len(words)} numbers in place of {count}, so the file may be cut off; complete it"
        )
    return [number(word, what) for word in words]


def _whole(words: list[str], what: str) -> int:
    """A count of atoms, checked before a single row is read."""
    if len(words) != 1 or not re.fullmatch(r"\d{1,9}", words[0], re.ASCII):
        raise CrystalError(f"{what} is {shown(' '.join(words))}; write one whole number")
    atom_count(int(words[0]))
    return int(words[0])


def _labels(n_atoms: int) -> list[str]:
    return [f"atom {i + 1}" for i in range(n_atoms)]
