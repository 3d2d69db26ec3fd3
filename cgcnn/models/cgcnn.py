"""CGCNN: Xie and Grossman, Phys. Rev. Lett. 120, 145301 (2018), as the code published with the paper has it."""

from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from cgcnn import config as settings
from cgcnn.config import option
from cgcnn.data.elements import ATOM_VECTORS
from cgcnn.graph import CrystalGraph
from cgcnn.nn import ACTIVATIONS, CONVS, NORMS, POOLINGS, GaussianExpansion, head_of
from cgcnn.nn.basis import check_gaussians


class CGCNN(nn.Module):
    """Atoms and distances → R convolutions → one vector for the crystal → the target."""

    @dataclass(frozen=True)
    class Config(settings.Config):
        """The shape of the network; the defaults are the published 80,833 parameters."""

        conv: str = option(
            "gated",
            "Convolution",
            "gated: as published. weight-shared: every neighbor counts alike. no convolution: composition only.",
            choices=CONVS,
        )
        n_convs: int = option(
            3,
            "Convolutions",
            "How many edges far an atom can see; 0 sees the atoms alone.",
            minimum=0,
            maximum=8,
        )
        atom_dim: int = option(64, "Atom vector", "How many numbers describe an atom.", minimum=4, maximum=256)
        hidden_dim: int = option(128, "Hidden width", "Width of the layers after pooling.", minimum=4, maximum=512)
        n_hidden: int = option(1, "Hidden layers", "How many layers follow the pooling.", minimum=1, maximum=4)
        activation: str = option(
            "softplus",
            "Activation g",
            "The nonlinearity in the convolution and after it.",
            choices=ACTIVATIONS,
        )
        norm: str = option(
            "batch norm",
            "Normalization",
            "Keeps the numbers in range; the paper's equation has none.",
            choices=NORMS,
        )
        pooling: str = option(
            "mean",
            "Pooling",
            "How the atoms of a crystal become one vector; sum grows with the cell.",
            choices=POOLINGS,
        )
        gaussian_max: float = option(
            8.0, "Last Gaussian", "Center of the last Gaussian, to a whole step.", unit="Å", minimum=1.0, maximum=20.0
        )
        gaussian_step: float = option(
            0.2, "Gaussian step", "Spacing and width of the Gaussians.", unit="Å", minimum=0.05, maximum=2.0
        )

        def __post_init__(self) -> None:
            super().__post_init__()
            check_gaussians(self.gaussian_max, self.gaussian_step)

    on_grid: ClassVar[bool] = False  # it reads edges, and knows nothing of where atoms stand in the cell
    atom_vectors: Tensor

    def __init__(self, config: Config | None = None, n_targets: int = 1) -> None:
        super().__init__()
        config = config or self.Config()
        conv, activation, norm = CONVS[config.conv], ACTIVATIONS[config.activation], NORMS[config.norm]
        self.register_buffer("atom_vectors", torch.tensor(ATOM_VECTORS, dtype=torch.float32), persistent=False)
        self.embed = nn.Linear(self.atom_vectors.shape[1], config.atom_dim)
        self.embed_edge = GaussianExpansion(config.gaussian_max, config.gaussian_step)
        layers = [conv(config.atom_dim, len(self.embed_edge), activation, norm) for _ in range(config.n_convs)]
        self.convs = nn.ModuleList(layers)
        self.pool = POOLINGS[config.pooling]()
        self.head = head_of(config.atom_dim, config.hidden_dim, config.n_hidden, n_targets, activation)

    def forward(self, graph: CrystalGraph) -> Float[Tensor, "crystals targets"]:
        """One row of normalized targets for each crystal of the graph."""
        v = F.embedding(graph.atomic_numbers - 1, self.embed(self.atom_vectors))  # (atoms, d)
        u = self.embed_edge(graph.distance)  # (edges, k)
        for conv in self.convs:
            v = conv(v, u, graph)
        return self.head(self.pool(v, graph.crystal, graph.n_crystals, graph.multiplicity))
