"""What a crystal costs as a density grid, and what happens to grid and answer when it is only described otherwise.

The three reasons for which the source of this part ("Transfer Learning and Representations for Material Properties")
left voxels for crystal graphs, each as a number of the crystal in view.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
import torch
from jaxtyping import Float
from pymatgen.core import Element, Lattice, Structure
from torch import Tensor

from cgcnn.data.cells import primitive_cell
from cgcnn.data.elements import N_COLUMNS, describe_bits
from cgcnn.explain.descriptions import Description, descriptions
from cgcnn.graph import CrystalGraph, GraphConfig, batch, build_graph
from cgcnn.graph.sites import Sites
from cgcnn.models.voxel import VoxelCNN
from cgcnn.nn import GaussianExpansion
from cgcnn.nn.voxels import CHANNELS, DensityGrid, n_voxels
from cgcnn.training.predictor import Predictor

BYTES = 4  # of a number in float32
WHOLE = GraphConfig(rule="whole shells", isolated="grow")  # the rule under which a graph network keeps its promises
SAME = 0.01  # of what a strain of 1 % does; an answer that moves by less has not moved
TURN = 30.0  # degrees, about z
MOVE = (1.0, 0.5, 0.0)  # Å
FROM_FILE = "primitive cell from a file"


@dataclass(frozen=True)
class GridSize:
    """What a cube of voxels costs, and how far it puts an atom off its place."""

    pitch: float  # Å
    n: int  # voxels along an edge
    off: float  # Å; the farthest that a place in a voxel lies from its center

    @property
    def numbers(self) -> int:
        """The voxels of one channel."""
        return self.n**3

    @property
    def all_numbers(self) -> int:
        """The numbers of all channels together."""
        return self.numbers * len(CHANNELS)

    @property
    def bytes(self) -> int:
        """The memory of all channels in float32."""
        return self.all_numbers * BYTES


@dataclass(frozen=True)
class Change:
    """What one kind of description does; the largest change of all tries."""

    kind: str
    tries: int
    grid: float  # ‖ρ′ − ρ‖ / ‖ρ‖ over all voxels and channels
    voxel: float  # of the voxel network's answer, in multiples of what a strain of 1 % does to it
    graph: float  # the same of the graph network
    moved: float = 0.0  # the voxel network's answer itself, as it comes out of the network


@dataclass(frozen=True)
class Mark:
    """An atom that a slice passes near to."""

    symbol: str
    x: float  # Å
    y: float
    off: float  # Å from the plane, with its sign


def grid_size(cube: float, pitch: float) -> GridSize:
    """The cost of a cube of edge `cube` at a pitch (Å); half the diagonal of a voxel is Δ√3 / 2."""
    return GridSize(pitch, n_voxels(cube, pitch), pitch * sqrt(3) / 2)


def graph_numbers(graph: CrystalGraph) -> int:
    """The numbers that CGCNN reads of a graph: 92 for each atom, and 41 Gaussians for each edge."""
    return graph.n_atoms * N_COLUMNS + graph.n_edges * len(GaussianExpansion())


def farthest_off(structure: Structure, pitch: float) -> float:
    """How far the worst atom of the cell lies from the center of the voxel that holds it, in Å."""
    place = np.mod(structure.frac_coords, 1.0) @ structure.lattice.matrix
    centers = (np.floor(place / pitch) + 0.5) * pitch
    return float(np.linalg.norm(place - centers, axis=1).max())


def views(structure: Structure) -> dict[str, Structure]:
    """One and the same crystal, put onto the grid in four ways."""
    species, matrix = _species(structure), structure.lattice.matrix
    angle = np.radians(TURN)
    turn = np.array([[np.cos(angle), np.sin(angle), 0], [-np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    moved = structure.frac_coords + np.array(MOVE) @ np.linalg.inv(matrix)
    return {
        "as given": structure,
        "turned": Structure(Lattice(matrix @ turn), species, structure.frac_coords),
        "origin moved": Structure(structure.lattice, species, moved),
        FROM_FILE: from_file(primitive_cell(structure)),
    }


def from_file(structure: Structure) -> Structure:
    """The cell as a CIF gives it back: from lengths and angles alone, a in the plane of x and z, c along z."""
    lattice = Lattice.from_parameters(*structure.lattice.parameters)
    return Structure(lattice, _species(structure), structure.frac_coords)


def placed(*structures: Structure) -> CrystalGraph:
    """Crystals with their atoms and cells and no edge, which is all that a grid needs; elements 1 to 100."""
    sites, none = Sites.of(*structures), torch.zeros(0, dtype=torch.long)
    describe_bits(int(sites.numbers.max()))  # refuses an element that has no weights
    return CrystalGraph(
        atomic_numbers=torch.from_numpy(sites.numbers),
        crystal=torch.from_numpy(sites.crystal),
        center=none,
        neighbor=none,
        image=none.reshape(0, 3),
        displacement=torch.zeros(0, 3),
        n_crystals=sites.n_crystals,
        fractional=torch.from_numpy(sites.fractional.astype(np.float32)),
        lattice=torch.from_numpy(sites.lattice.astype(np.float32)),
    )


def slice_of(structure: Structure, grid: DensityGrid, channel: str, layer: int) -> Float[np.ndarray, "n n"]:
    """The density of one layer of voxels across z, rows y and columns x: what the whole grid holds there."""
    graph = placed(structure)
    images = grid.images(graph)
    gx, gy, gz = grid.along_axis(images.place).unbind(dim=1)
    weight = grid.weights[graph.atomic_numbers[images.atom] - 1, CHANNELS.index(channel)] * gz[:, layer]
    return ((gy * weight[:, None]).T @ gx).numpy()


def marks_near(structure: Structure, grid: DensityGrid, layer: int) -> list[Mark]:
    """The images in the cube whose centers lie within σ of a layer's plane, or in the layer; farthest first."""
    graph = placed(structure)
    images = grid.images(graph)
    off = images.place[:, 2] - grid.centers[layer]
    inside = ((images.place >= 0) & (images.place <= grid.n * grid.pitch)).all(dim=1)
    near = inside & (off.abs() <= max(grid.sigma, grid.pitch / 2))
    rows = torch.cat([images.place[near, :2], off[near, None]], dim=1).tolist()
    numbers = graph.atomic_numbers[images.atom[near]].tolist()
    marks = [Mark(Element.from_Z(z).symbol, *row) for z, row in zip(numbers, rows, strict=True)]
    return sorted(marks, key=lambda mark: -abs(mark.off))


@torch.no_grad()
def changes(
    structure: Structure, voxel: VoxelCNN, network: Predictor, index: int = 0, draws: int = 3, seed: int = 0
) -> list[Change]:
    """What descriptions of a crystal do to its grid, to the answer `index` of a voxel network and to a graph network.

    The last one is the control: a strain of 1 %, another crystal. CrystalError for a cell of too many atoms.
    """
    told = descriptions(structure, draws, seed)
    filed = Description(FROM_FILE, from_file(primitive_cell(structure)))
    every = [Description("as given", structure), *told.exact, filed, told.control]
    graph = batch([build_graph(each.structure, WHOLE) for each in every])
    grids = voxel.embed(graph).flatten(1)
    of_grid = torch.linalg.vector_norm(grids - grids[0], dim=1) / torch.linalg.vector_norm(grids[0])
    of_voxel, of_graph = _apart(voxel(graph)[:, index]), _apart(network.model(graph)[:, network.index])
    columns = (of_grid, _against_control(of_voxel), _against_control(of_graph), of_voxel)
    return [
        Change(kind, len(rows), *(float(column[rows].max()) for column in columns))
        for kind, rows in _by_kind(every[1:]).items()
    ]


def _apart(answers: Float[Tensor, " told"]) -> Float[Tensor, " told"]:
    """How far each answer lies from the first."""
    return (answers.double() - answers[0].double()).abs()


def _against_control(apart: Float[Tensor, " told"]) -> Float[Tensor, " told"]:
    """The same in multiples of how far the last one, the control, lies."""
    return apart / apart[-1].clamp(min=1e-12)


def _by_kind(told: Sequence[Description]) -> dict[str, list[int]]:
    """The rows of each kind, counted from 1: row 0 is the crystal as given."""
    rows: dict[str, list[int]] = {}
    for row, each in enumerate(told, start=1):
        rows.setdefault(each.kind, []).append(row)
    return rows


def _species(structure: Structure) -> list[Element]:
    return [Element.from_Z(site.specie.Z) for site in structure]
