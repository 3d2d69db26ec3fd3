"""One crystal through one network in several cells: what each kind of pooling makes of the same atoms."""

from dataclasses import dataclass

import torch
from pymatgen.core import Structure
from torch import Tensor, nn

from cgcnn.data.cells import conventional_cell, primitive_cell, supercell
from cgcnn.explain.record import record
from cgcnn.graph import GraphConfig, build_graph
from cgcnn.nn import POOLINGS
from cgcnn.training.predictor import Predictor

MOST_ATOMS = 600  # of a supercell; enough to make the point


@dataclass(frozen=True)
class PooledCell:
    """A cell of the crystal: the atoms' last vectors, and the crystal vector that each pooling makes of them."""

    name: str
    structure: Structure
    v: Tensor  # (atoms, d) after the last convolution
    pooled: dict[str, Tensor]  # pooling -> (d)
    output: Tensor  # (1, targets) of the network's own pooling and head, before it is turned into a unit

    def value(self, predictor: Predictor) -> float:
        """What a trained network says of this cell, in its target's unit."""
        return float(predictor.in_unit(self.output, torch.tensor([len(self.structure)]))[0])


def cells_of(structure: Structure) -> dict[str, Structure]:
    """The cell as it is, the conventional and the primitive one, and a supercell where that stays small."""
    conventional, primitive = conventional_cell(structure), primitive_cell(structure)
    found = {"cell in view": structure, "conventional cell": conventional, "primitive cell": primitive}
    if 2 * len(conventional) <= MOST_ATOMS:
        found["2 × 1 × 1 supercell"] = supercell(conventional, (2, 1, 1))
    return found


def pooled_cells(model: nn.Module, structure: Structure, config: GraphConfig) -> list[PooledCell]:
    """Each of `cells_of` through the network, pooled in every way of POOLINGS."""
    found = []
    for name, cell in cells_of(structure).items():
        seen = record(model, build_graph(cell, config))
        v, one = seen.atom_vectors[-1], torch.zeros(len(cell), dtype=torch.long)
        pooled = {kind: pool()(v, one, 1)[0] for kind, pool in POOLINGS.items()}
        found.append(PooledCell(name, cell, v, pooled, seen.call("head").output))
    return found
