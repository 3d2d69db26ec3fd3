"""A crystal as a picture: its atoms as soft balls on a cubic grid of voxels, one channel for each property of elements.

What crystal graphs replaced. The grid lies still while the crystal may be turned or moved, so the same crystal has
many pictures; `cgcnn.explain.voxels` measures how different they are.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from cgcnn.data.elements import BANDS, N_ELEMENTS, SYMBOLS, describe_bits
from cgcnn.errors import CrystalError
from cgcnn.graph import CrystalGraph

CHANNELS = (  # those of the nine properties that are numbers, and known for nearly every element
    "Period",
    "Electronegativity",
    "Covalent radius",
    "Valence electrons",
    "First ionization energy",
    "Atomic volume",
)
REACH = 4.0  # σ; an atom farther from every voxel center adds less than e⁻⁸ = 0.0003 of its height to any
AT_ONCE = 1 << 23  # numbers of one step on the way to a grid: 32 MB, however many images reach into the cubes
FAINT = 25.0  # of an exponent: e⁻²⁵ is nothing, and products of smaller numbers are denormal and slow


class Images(NamedTuple):
    """All periodic images of the atoms that reach into the cube."""

    atom: Int[Tensor, " images"]  # which atom of the graph each one is an image of
    place: Float[Tensor, "images 3"]  # Å, Cartesian


class DensityGrid(nn.Module):
    """ρ_c(x) = Σ_i Σ_n w_c(Z_i) exp(−|x − r_i − n·A|² / 2σ²) at the center x of each voxel, for each channel c.

    The cube begins at the origin of the cell and runs along the Cartesian axes x, y, z, whatever the cell; images
    n·A = n₁a + n₂b + n₃c of every atom i fill it. The weight w_c(Z) is the property of the element, divided by the
    largest of all elements; an element whose value is unknown weighs nothing in that channel.
    """

    weights: Tensor
    centers: Tensor

    def __init__(self, cube: float = 8.0, pitch: float = 1.0, sigma: float = 0.6) -> None:
        """Edge of the cube (to a whole number of voxels), edge of a voxel and width σ of an atom, in Å."""
        super().__init__()
        self.pitch, self.sigma, self.n = pitch, sigma, n_voxels(cube, pitch)
        self.register_buffer("weights", channel_weights(), persistent=False)
        self.register_buffer("centers", (torch.arange(self.n) + 0.5) * pitch, persistent=False)

    @torch.no_grad()  # there is nothing to learn here
    def forward(self, graph: CrystalGraph) -> Float[Tensor, "crystals channels n n n"]:
        """The grids of all crystals, axes in the order x, y, z; CrystalError for a graph without places."""
        images = self.images(graph)
        place, weight = self._side_by_side(graph, images)  # (crystals, most images, 3) and (…, channels)
        some = max(1, AT_ONCE // max(1, place.shape[1] * self.n**2))
        grids = [self._filled(*part) for part in zip(place.split(some), weight.split(some), strict=True)]
        # In memory the channels of a voxel stand together, with which the convolutions are twice as fast.
        return torch.cat(grids).movedim(-1, 1)

    def _filled(
        self, place: Float[Tensor, "crystals most 3"], weight: Float[Tensor, "crystals most channels"]
    ) -> Float[Tensor, "crystals n n n channels"]:
        gx, gy, gz = self.along_axis(place).unbind(dim=2)  # (crystals, most images, n) each
        plane = (gx[..., :, None] * gy[..., None, :]).flatten(2)  # (…, n²): a Gaussian is a product over the axes
        line = (gz[..., :, None] * weight[..., None, :]).flatten(2)  # (…, n·channels)
        grid = torch.bmm(plane.transpose(1, 2), line)  # the sum over all images
        return grid.view(len(place), self.n, self.n, self.n, weight.shape[2])

    def along_axis(self, place: Float[Tensor, "*rows"]) -> Float[Tensor, "*rows n"]:
        """exp(−(x − r)² / 2σ²) at the n voxel centers of one axis."""
        steps = (place[..., None] - self.centers) / self.sigma
        return torch.exp(-(steps * steps / 2).clamp(max=FAINT))

    def images(self, graph: CrystalGraph) -> Images:
        """The images nearer than REACH·σ, along each axis, to a voxel center; those of a crystal stand together."""
        if graph.fractional is None or graph.lattice is None:
            raise CrystalError(
                "This graph does not hold where its atoms are, which a density grid needs; "
                "build it plain, with light=False."
            )
        margin = self.pitch / 2 - REACH * self.sigma  # the outermost centers lie half a voxel inside the cube
        low, high = margin, self.n * self.pitch - margin
        first, count = _cells_reaching(graph.lattice, low, high)  # (crystals, 3) each
        n_cells = count.prod(dim=1)[graph.crystal]
        atom = torch.arange(graph.n_atoms, device=n_cells.device).repeat_interleave(n_cells)
        cell = torch.arange(len(atom), device=atom.device) - (n_cells.cumsum(0) - n_cells)[atom]
        crystal = graph.crystal[atom]
        _, nb, nc = count[crystal].unbind(dim=1)
        steps = torch.stack([cell // (nb * nc), cell // nc % nb, cell % nc], dim=1) + first[crystal]
        inside = graph.fractional - graph.fractional.floor()  # the same atoms, in the cell at the origin
        place = torch.einsum("ij,ijk->ik", inside[atom] + steps, graph.lattice[crystal])
        near = ((place > low) & (place < high)).all(dim=1)
        return Images(atom[near], place[near])

    def _side_by_side(
        self, graph: CrystalGraph, images: Images
    ) -> tuple[Float[Tensor, "crystals most 3"], Float[Tensor, "crystals most channels"]]:
        """Places and weights with a row for each crystal, filled up with images of weight zero."""
        crystal = graph.crystal[images.atom]
        n_images = torch.bincount(crystal, minlength=graph.n_crystals)
        rank = torch.arange(len(crystal), device=crystal.device) - (n_images.cumsum(0) - n_images)[crystal]
        shape = (graph.n_crystals, int(n_images.max()) if len(crystal) else 0)
        place, weight = images.place.new_zeros(*shape, 3), images.place.new_zeros(*shape, len(CHANNELS))
        place[crystal, rank] = images.place
        weight[crystal, rank] = self.weights[graph.atomic_numbers[images.atom] - 1].to(weight.dtype)
        return place, weight

    def extra_repr(self) -> str:
        """How many numbers a crystal becomes."""
        return f"{len(CHANNELS)} channels of {self.n}³ voxels, pitch {self.pitch:g} Å, σ = {self.sigma:g} Å"


class VoxelConv(nn.Module):
    """x ← pool( g( N( W ∗ x + b ) ) ): a convolution over 3 × 3 × 3 voxels, a norm, the activation; then half the grid.

    The norm takes the voxels of all crystals of a batch as rows, as a graph layer takes atoms. Beyond the faces of
    the cube there is nothing (zeros).
    """

    def __init__(
        self, n_in: int, n_out: int, activation: Callable[[], nn.Module], norm: Callable[[int], nn.Module]
    ) -> None:
        """`n_in` channels become `n_out`."""
        super().__init__()
        self.conv = nn.Conv3d(n_in, n_out, kernel_size=3, padding=1)
        self.norm = norm(n_out)
        self.activation = activation()
        self.halve = nn.AvgPool3d(2, ceil_mode=True)

    def forward(self, x: Float[Tensor, "crystals channels n n n"]) -> Float[Tensor, "crystals filters m m m"]:
        """n voxels along an edge become m = n / 2, rounded up; a single one stays."""
        x = self.conv(x).movedim(1, -1)
        rows = self.norm(x.reshape(-1, x.shape[-1])).view(x.shape)  # (crystals · n³, filters) and back
        x = self.activation(rows).movedim(-1, 1)
        return self.halve(x) if x.shape[-1] > 1 else x


class GlobalMean(nn.Module):
    """The mean over all voxels: one number for each filter, so that no weight is tied to a place in the cube."""

    def forward(self, x: Float[Tensor, "crystals filters m m m"]) -> Float[Tensor, "crystals filters"]:
        """One vector for each crystal."""
        return x.mean(dim=(2, 3, 4))


def n_voxels(cube: float, pitch: float) -> int:
    """How many voxels of edge `pitch` stand along a cube of edge `cube` (Å): the nearest whole number, 1 at least."""
    return max(1, round(cube / pitch))


def channel_weights() -> Float[Tensor, "elements channels"]:
    """w_c(Z) in row Z − 1: each property over its largest value, between 0 and 1; 0 where the value is unknown."""
    bands = [band.name for band in BANDS]
    columns = [bands.index(name) for name in CHANNELS]
    values = [[describe_bits(z)[n].value for n in columns] for z in range(1, N_ELEMENTS + 1)]
    table = torch.tensor([[float(text or 0) for text in row] for row in values])
    return table / table.max(dim=0).values


def unknown_weights() -> dict[str, list[str]]:
    """For each channel the symbols of the elements that it does not see, since their value is unknown."""
    table = channel_weights()
    return {
        name: [SYMBOLS[row] for row in (column == 0).nonzero()[:, 0].tolist()]
        for name, column in zip(CHANNELS, table.T, strict=True)
    }


def _cells_reaching(
    lattice: Float[Tensor, "crystals 3 3"], low: float, high: float
) -> tuple[Int[Tensor, "crystals 3"], Int[Tensor, "crystals 3"]]:
    """Along a, b and c the first cell that reaches into the box from `low` to `high` Å on every axis, and how many.

    A corner x of the box has fractional coordinates x A⁻¹; the least and the greatest of all corners bound the box.
    """
    inverse = torch.linalg.inv(lattice)
    ends = torch.stack([inverse * low, inverse * high])
    least, greatest = ends.amin(dim=0).sum(dim=1), ends.amax(dim=0).sum(dim=1)
    first = least.floor().long()
    return first, greatest.floor().long() - first + 1
