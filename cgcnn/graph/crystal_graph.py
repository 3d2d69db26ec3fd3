"""A crystal as the network sees it: atoms, and an edge to each neighbor image. One type for one crystal or many."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from cgcnn.errors import CrystalError


@dataclass(frozen=True)
class CrystalGraph:
    """One crystal, or several side by side; edges are sorted by center, then by distance.

    It holds physics, not features: the 92-bit vectors and the Gaussians are made by the model. In a merged graph
    (`cgcnn.graph.merge`) an atom stands for all atoms that no network can tell from it, and an edge for all edges of
    its center that carry the same message; their multiplicities say for how many.

    No network on the graph reads places or cells; they are for the density grid of `cgcnn.nn.voxels` alone.
    """

    atomic_numbers: Int[Tensor, " atoms"]
    crystal: Int[Tensor, " atoms"]  # which crystal an atom belongs to
    center: Int[Tensor, " edges"]
    neighbor: Int[Tensor, " edges"]
    image: Int[Tensor, "edges 3"]  # lattice vectors added to the neighbor
    displacement: Float[Tensor, "edges 3"]  # Å, from center to neighbor image
    n_crystals: int = 1
    multiplicity: Float[Tensor, " atoms"] | None = None  # how many equal atoms each one stands for; None: itself
    edge_multiplicity: Float[Tensor, " edges"] | None = None  # how many equal edges of its center; None: itself
    fractional: Float[Tensor, "atoms 3"] | None = None  # places in the cell; None in merged and light graphs
    lattice: Float[Tensor, "crystals 3 3"] | None = None  # Å, rows a, b, c; None where `fractional` is

    @property
    def n_atoms(self) -> int:
        """The number of rows that stand for atoms, of all crystals together."""
        return len(self.atomic_numbers)

    @property
    def n_edges(self) -> int:
        """The number of directed edges; i to j and j to i are two."""
        return len(self.center)

    @property
    def distance(self) -> Float[Tensor, " edges"]:
        """The length of each edge in Å."""
        return torch.linalg.vector_norm(self.displacement, dim=1)

    @property
    def degree(self) -> Int[Tensor, " atoms"]:
        """The number of neighbors of each atom."""
        return _counted(self.center, self.edge_multiplicity, self.n_atoms)

    @property
    def atoms_per_crystal(self) -> Int[Tensor, " crystals"]:
        """The number of atoms in the cell of each crystal."""
        return _counted(self.crystal, self.multiplicity, self.n_crystals)

    @cached_property
    def ends(self) -> tuple[Int[Tensor, " crystals+1"], Int[Tensor, " crystals+1"]]:
        """Where the atoms, and where the edges, of each crystal begin; the last entry is where all end."""
        atoms = _starts(torch.bincount(self.crystal, minlength=self.n_crystals))
        return atoms, torch.searchsorted(self.center, atoms)

    @cached_property
    def copies_of_edges(self) -> Float[Tensor, " edges"] | None:
        """How many edges of the plain graph each one stands for, over all equal centers; None in a plain graph."""
        if self.edge_multiplicity is None or self.multiplicity is None:
            return None
        return self.edge_multiplicity * self.multiplicity[self.center]

    def take(self, chosen: Int[Tensor, " chosen"]) -> "CrystalGraph":
        """The chosen crystals side by side, in their order: what `batch` gives of single graphs, without a loop."""
        (first_atom, first_edge), n, chosen = self.ends, len(chosen), chosen.to(self.crystal.device)
        n_atoms, n_edges = first_atom.diff()[chosen], first_edge.diff()[chosen]
        atoms, edges = _ranges(first_atom[chosen], n_atoms), _ranges(first_edge[chosen], n_edges)
        moved = (_starts(n_atoms)[:-1] - first_atom[chosen]).repeat_interleave(n_edges, output_size=len(edges))
        return CrystalGraph(
            atomic_numbers=self.atomic_numbers[atoms],
            crystal=torch.arange(n, device=chosen.device).repeat_interleave(n_atoms, output_size=len(atoms)),
            center=self.center[edges] + moved,
            neighbor=self.neighbor[edges] + moved,
            image=self.image[edges],
            displacement=self.displacement[edges],
            n_crystals=n,
            multiplicity=None if self.multiplicity is None else self.multiplicity[atoms],
            edge_multiplicity=None if self.edge_multiplicity is None else self.edge_multiplicity[edges],
            fractional=None if self.fractional is None else self.fractional[atoms],
            lattice=None if self.lattice is None else self.lattice[chosen],
        )

    def to(self, device: torch.device | str) -> "CrystalGraph":
        """The same graph on another device; itself where it is there already."""
        if self.crystal.device == torch.device(device):
            return self
        tensors: dict[str, Any] = {f.name: t for f in fields(self) if isinstance(t := getattr(self, f.name), Tensor)}
        return replace(self, **{name: tensor.to(device) for name, tensor in tensors.items()})

    def __repr__(self) -> str:
        """One line: how much of everything there is."""
        return f"CrystalGraph({self.n_crystals} crystals, {self.n_atoms} atoms, {self.n_edges} edges)"


def batch(graphs: Sequence[CrystalGraph]) -> CrystalGraph:
    """Put graphs side by side in one: atoms and crystals are renumbered, no edge joins two crystals."""
    if not graphs:
        raise CrystalError("There is no crystal to put into a batch; give at least one graph.")
    atoms_before = np.cumsum([0, *(g.n_atoms for g in graphs)]).tolist()
    crystals_before = np.cumsum([0, *(g.n_crystals for g in graphs)]).tolist()
    return CrystalGraph(
        atomic_numbers=torch.cat([g.atomic_numbers for g in graphs]),
        crystal=torch.cat([g.crystal + n for g, n in zip(graphs, crystals_before, strict=False)]),
        center=torch.cat([g.center + n for g, n in zip(graphs, atoms_before, strict=False)]),
        neighbor=torch.cat([g.neighbor + n for g, n in zip(graphs, atoms_before, strict=False)]),
        image=torch.cat([g.image for g in graphs]),
        displacement=torch.cat([g.displacement for g in graphs]),
        n_crystals=crystals_before[-1],
        multiplicity=_side_by_side([g.multiplicity for g in graphs], [g.n_atoms for g in graphs]),
        edge_multiplicity=_side_by_side([g.edge_multiplicity for g in graphs], [g.n_edges for g in graphs]),
        fractional=_all_or_none([g.fractional for g in graphs]),
        lattice=_all_or_none([g.lattice for g in graphs]),
    )


def _side_by_side(parts: Sequence[Tensor | None], lengths: Sequence[int]) -> Tensor | None:
    """Multiplicities in one row, 1 where a graph has none; None when no graph has any."""
    if all(part is None for part in parts):
        return None
    device = next(part.device for part in parts if part is not None)
    ones = [torch.ones(n, device=device) if part is None else part for part, n in zip(parts, lengths, strict=True)]
    return torch.cat(ones)


def _all_or_none(parts: Sequence[Tensor | None]) -> Tensor | None:
    """All parts below each other; None when a graph has none."""
    known = [part for part in parts if part is not None]
    return torch.cat(known) if len(known) == len(parts) else None


def _counted(index: Tensor, multiplicity: Tensor | None, n: int) -> Int[Tensor, " n"]:
    """How often each of 0 … n−1 occurs, rows counting as often as they stand for."""
    if multiplicity is None:
        return torch.bincount(index, minlength=n)
    return multiplicity.new_zeros(n).index_add(0, index, multiplicity).long()


def _starts(lengths: Int[Tensor, " n"]) -> Int[Tensor, " n+1"]:
    return torch.cat([lengths.new_zeros(1), lengths.cumsum(0)])


def _ranges(starts: Int[Tensor, " n"], lengths: Int[Tensor, " n"]) -> Int[Tensor, " total"]:
    """start, start + 1, …, start + length − 1 of each, one after another."""
    total = int(lengths.sum())
    shift = (starts - _starts(lengths)[:-1]).repeat_interleave(lengths, output_size=total)
    return torch.arange(total, device=starts.device) + shift
