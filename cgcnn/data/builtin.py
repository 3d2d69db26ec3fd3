"""The built-in set: 6,317 crystals of the Materials Project, what theory says of them, and which are metals.

builtin_build.py made it; builtin.json says where every number comes from. It needs no network.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pymatgen.core import Composition, Element, Lattice, Structure

from cgcnn.data.crystal import Crystal, CrystalSet
from cgcnn.data.selection import why_left_out
from cgcnn.data.targets import TARGETS
from cgcnn.errors import CrystalError

if TYPE_CHECKING:
    from cgcnn.data import DatasetConfig

FOLDER = Path(__file__).parent
ON_HULL = 1e-6  # eV/atom, the last digit that the table keeps; 2,279 crystals have 0, the next 1e-6, then come 6e-6
Array = np.ndarray


@dataclass(frozen=True)
class Derived:
    """A target made from a column of the table: from its values, and from the number of atoms in each cell."""

    column: str
    make: Callable[[Array, Array], Array]
    words: str = ""  # how, where the name of the target does not say it


def _log10(values: Array, n_atoms: Array) -> Array:
    return np.log10(values)


def _per_cell(values: Array, n_atoms: Array) -> Array:
    return values * n_atoms


def _on_hull(values: Array, n_atoms: Array) -> Array:
    return np.where(np.isnan(values), np.nan, values <= ON_HULL)


DERIVED: dict[str, Derived] = {
    "formation_energy_per_cell": Derived("formation_energy_per_atom", _per_cell),
    "log10_bulk_modulus": Derived("bulk_modulus", _log10),
    "log10_shear_modulus": Derived("shear_modulus", _log10),
    "log10_refractive_index": Derived("refractive_index", _log10),
    "on_hull": Derived(
        "e_above_hull",
        _on_hull,
        f"“On the hull” of the phases known in 2015 where the energy above it is at most {ON_HULL:.6f} eV/atom.",
    ),
}


@dataclass(frozen=True)
class TargetCard:
    """What the set knows of one target."""

    target: str
    unit: str
    n_crystals: int
    n_up_to_8: int  # of them with at most 8 atoms in the cell
    source: str
    method: str
    citation: str
    licence: str
    limits: tuple[str, ...] = ()  # of this target alone


@dataclass(frozen=True)
class SourceCard:
    """What a reader must know of a set before believing a network that learned from it."""

    title: str
    n_crystals: int
    n_elements: int
    licence: str
    targets: tuple[TargetCard, ...]
    citations: tuple[str, ...]
    limits: tuple[str, ...]


@dataclass(frozen=True)
class _Table:
    """The columns of builtin.parquet as arrays; atoms of all cells one after another, cell i from start[i]."""

    ids: list[str]
    formulas: list[str]
    start: Array  # (crystals + 1)
    n_atoms: Array  # (crystals)
    lattice: Array  # (crystals, 3, 3) Å, rows a, b, c
    numbers: list[int]  # (atoms)
    frac_coords: Array  # (atoms, 3)
    targets: dict[str, Array]  # name -> (crystals), NaN where unknown
    labels: list[dict[str, float]]  # the same by crystal, without the unknown ones

    def crystal(self, row: int) -> Crystal:
        atoms = slice(self.start[row], self.start[row + 1])
        # Ready compositions spare pymatgen from making one for each atom: 0.4 s for the whole set instead of 0.8
        species = [_pure(z) for z in self.numbers[atoms]]
        structure = Structure(Lattice(self.lattice[row]), species, self.frac_coords[atoms])
        return Crystal(self.ids[row], structure, self.labels[row])


@cache
def _pure(z: int) -> Composition:
    return Composition({Element.from_Z(z): 1})


@cache
def _table() -> _Table:
    import pyarrow.parquet as pq  # here, since only this set needs it and it takes 0.1 s

    columns = pq.read_table(FOLDER / "builtin.parquet", use_threads=False).combine_chunks()
    n_atoms = columns["n_sites"].to_numpy().astype(int)
    targets = _targets({name: columns[name].to_numpy() for name in _sidecar()["columns"]}, n_atoms)
    return _Table(
        ids=columns["id"].to_pylist(),
        formulas=columns["formula"].to_pylist(),
        start=np.concatenate([[0], n_atoms.cumsum()]),
        n_atoms=n_atoms,
        lattice=_flat(columns["lattice"]).astype(float).reshape(-1, 3, 3),
        numbers=_flat(columns["numbers"]).tolist(),
        frac_coords=_flat(columns["frac_coords"]).astype(float).reshape(-1, 3),
        targets=targets,
        labels=_by_crystal(targets, len(n_atoms)),
    )


def _flat(column: Any) -> Array:
    return column.combine_chunks().flatten().to_numpy()


def _targets(columns: dict[str, Array], n_atoms: Array) -> dict[str, Array]:
    made = {name: rule.make(columns[rule.column], n_atoms) for name, rule in DERIVED.items()}
    return {name: (columns | made)[name] for name in TARGETS if name in columns | made}


def _by_crystal(targets: dict[str, Array], n_crystals: int) -> list[dict[str, float]]:
    labels: list[dict[str, float]] = [{} for _ in range(n_crystals)]
    for name, values in targets.items():
        for label, value in zip(labels, values.tolist(), strict=True):
            if value == value:  # not NaN: the value is known
                label[name] = value
    return labels


def load(config: "DatasetConfig") -> CrystalSet:
    """The crystals with the target and size that the config asks for, and why each other one is left out."""
    table = _table()
    kept, dropped = [], {}
    for row, n_atoms in enumerate(table.n_atoms.tolist()):
        if why := why_left_out(table.labels[row], n_atoms, config.targets, config.max_sites):
            dropped[table.ids[row]] = why
        else:
            kept.append(table.crystal(row))
    return CrystalSet(kept, dropped)


def find(id: str) -> Crystal:
    """One crystal by its Materials Project id, with all that is known of it."""
    table = _table()
    if id not in table.ids:
        raise CrystalError(f"{id} is not among the {len(table.ids):,} crystals of the built-in set; check the id.")
    return table.crystal(table.ids.index(id))


def element_counts(target: str, max_sites: int = 0) -> dict[str, int]:
    """How many crystals with a value of the target hold each element; of all sizes if max_sites is 0."""
    table = _table()
    used = ~np.isnan(table.targets[target]) & ((table.n_atoms <= max_sites) | (max_sites == 0))
    rows = np.flatnonzero(used)
    return _counted(set(table.numbers[table.start[row] : table.start[row + 1]]) for row in rows)


def _counted(cells: Iterable[set[int]]) -> dict[str, int]:
    counts = np.zeros(119, dtype=int)  # by atomic number
    for cell in cells:
        counts[list(cell)] += 1
    return {Element.from_Z(z).symbol: int(counts[z]) for z in np.flatnonzero(counts).tolist()}


def values(target: str, max_sites: int = 0) -> Array:
    """All known values of a target in its unit, for a histogram; of all sizes if max_sites is 0."""
    table = _table()
    used = (table.n_atoms <= max_sites) | (max_sites == 0)
    found = table.targets[target][used]
    return found[~np.isnan(found)]


def rows(target: str) -> list[dict[str, Any]]:
    """The crystals that have a value of the target, as rows of a table: id, formula, atoms, value."""
    table = _table()
    found = np.flatnonzero(~np.isnan(table.targets[target])).tolist()
    values = table.targets[target].tolist()
    return [
        {"id": table.ids[i], "formula": table.formulas[i], "atoms": int(table.n_atoms[i]), "value": values[i]}
        for i in found
    ]


@cache
def _sidecar() -> dict[str, Any]:
    return json.loads((FOLDER / "builtin.json").read_text(encoding="utf-8"))


@cache
def card() -> SourceCard:
    """Counts, units, sources, licence and limits of the set, for the Data page."""
    about = _sidecar()
    of_sources = (limit for source in about["sources"].values() for limit in source["limits"])
    return SourceCard(
        title=about["title"],
        n_crystals=about["crystals"],
        n_elements=about["elements"],
        licence=about["licence"],
        targets=tuple(_target_card(name) for name in TARGETS if _column(name) in about["columns"]),
        citations=tuple(about["citations"].values()),
        limits=(*about["limits"], *of_sources),
    )


def _column(target: str) -> str:
    return DERIVED[target].column if target in DERIVED else target


@cache
def _target_card(name: str) -> TargetCard:
    about = _sidecar()
    column = about["columns"][_column(name)]
    structures = {"title": "the structures", "method": "Computed from the structure.", "citation_key": "jain2013"}
    source = about["sources"].get(column["source"], structures)
    return TargetCard(
        name,
        TARGETS[name].unit,
        column["crystals"],
        column["up_to_8_sites"],
        source["title"],
        f"{source['method']} {DERIVED[name].words if name in DERIVED else ''}".rstrip(),
        about["citations"][source["citation_key"]],
        source.get("licence", about["licence"]),
        tuple(source.get("limits", ())),
    )
