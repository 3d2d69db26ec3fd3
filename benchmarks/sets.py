"""Real crystals to measure with: the built-in set always, files of other sets where they lie beside the repository."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pymatgen.core import Structure

from cgcnn.data import DatasetConfig, load_crystals
from cgcnn.data.samples import load_sample
from cgcnn.errors import CrystalError
from cgcnn.graph import build_graph

BESIDE = Path(__file__).parents[2] / "shared" / "data"
# Name -> file; "" is the set that comes with the lab. Phonons: Matbench. Carbon: 4,062 cells without symmetry.
SETS: dict[str, Path | None] = {
    "built-in": None,
    "phonons": BESIDE / "matbench_phonons.parquet",
    "carbon24": BESIDE / "carbon24.parquet",
}
K = 12  # neighbors of an atom; the peers' tensors have room for neither more nor fewer
SEED = 0  # of the choice of crystals


@dataclass(frozen=True)
class Crystals:
    """Structures with one value each, and how many were left out since an atom has fewer than K neighbors in 8 Å."""

    name: str
    structures: list[Structure]
    target: str
    values: list[float]
    n_left_out: int = 0

    def __len__(self) -> int:
        """The number of crystals."""
        return len(self.structures)

    @property
    def n_atoms(self) -> int:
        """The number of atoms of all cells."""
        return sum(len(structure) for structure in self.structures)

    @property
    def normalized(self) -> torch.Tensor:
        """The values as a z-score: (crystals, 1)."""
        values = torch.tensor(self.values, dtype=torch.float64)[:, None]
        return ((values - values.mean()) / values.std().clamp(min=1e-12)).float()

    def __str__(self) -> str:
        """One line about the set."""
        left_out = f"; {self.n_left_out} left out: fewer than {K} neighbors within 8 Å" if self.n_left_out else ""
        return f"{self.name}: {len(self)} crystals, {self.n_atoms / len(self):.1f} atoms each{left_out}"


def chosen_sets(names: Sequence[str], n: int) -> Iterator[Crystals]:
    """At most `n` crystals of each set; a line is printed for a set that is not there."""
    for name in names:
        file = SETS.get(name, Path(name))
        if file is not None and not file.is_file():
            print(f"\n{name}: skipped, there is no file {file}")
            continue
        crystals = load_set(name, n)
        print(f"\n{crystals}", flush=True)
        yield crystals


def load_set(name: str, n: int) -> Crystals:
    """At most `n` crystals of a set, drawn at random but always the same; FileNotFoundError when it is not there."""
    file = SETS.get(name, Path(name))
    structures, target, values = _built_in() if file is None else _of_parquet(file)
    drawn = random.Random(SEED).sample(range(len(structures)), min(n, len(structures)))
    kept = [i for i in drawn if has_enough_neighbors(structures[i])]
    return Crystals(name, [structures[i] for i in kept], target, [values[i] for i in kept], len(drawn) - len(kept))


def has_enough_neighbors(structure: Structure) -> bool:
    """True when every atom has K neighbors within 8 Å; where one has fewer, builders differ in what they do."""
    try:
        return bool((build_graph(structure).degree == K).all())
    except CrystalError:  # an atom without any
        return False


def perovskite(n_cells: int, noise: float = 0.0) -> Structure:
    """SrTiO₃, n × n × n cells of 5 atoms; `noise` is the standard deviation in Å by which atoms are moved at random."""
    structure = load_sample("SrTiO3").structure * (n_cells, n_cells, n_cells)
    moved = structure.cart_coords + np.random.default_rng(SEED).normal(scale=noise, size=(len(structure), 3))
    return Structure(structure.lattice, structure.species, moved, coords_are_cartesian=True)


def _built_in() -> tuple[list[Structure], str, list[float]]:
    config = DatasetConfig()
    crystals = load_crystals(config).crystals
    return [c.structure for c in crystals], config.target, [c.targets[config.target] for c in crystals]


def _of_parquet(file: Path) -> tuple[list[Structure], str, list[float]]:
    """Columns lattice (9), numbers, frac_coords; the first column of floats is the target."""
    import pyarrow.parquet

    rows = pyarrow.parquet.read_table(file).to_pylist()
    target = next(name for name, value in rows[0].items() if isinstance(value, float))
    return [_structure(row) for row in rows], target, [row[target] for row in rows]


def _structure(row: dict[str, Any]) -> Structure:
    lattice, coords = np.reshape(row["lattice"], (3, 3)), np.reshape(row["frac_coords"], (-1, 3))
    return Structure(lattice, row["numbers"], coords)
