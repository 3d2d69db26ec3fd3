"""The peers, each asked for what it does best; nothing of them is imported before it is asked.

A peer that is not installed (requirements-benchmarks.txt) is a row that says so.
"""

import io
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from importlib import import_module, metadata
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from pymatgen.core import Structure
from torch import Tensor, nn

from benchmarks.race import Entry
from benchmarks.sets import K
from cgcnn.data.elements import ATOM_VECTORS
from cgcnn.graph import CrystalGraph
from cgcnn.nn import GaussianExpansion

CUTOFF = 8.0  # Å
PEERS = ("cgcnn2", "torch_geometric", "jarvis-tools", "matgl")
Item = tuple[tuple[Tensor, Tensor, Tensor], Tensor, int]  # (atoms, Gaussians, neighbors), target, id
Build = Callable[[Structure], object]


def version(package: str) -> str | None:
    """The version of an installed package, None without it."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def versions() -> dict[str, str]:
    """What ours and the peers stand on, and the peers."""
    packages = ("torch", "pymatgen", "numpy", *PEERS)
    return {package: version(package) or "not installed" for package in packages}


def entry(name: str, package: str, make: Callable[[], Callable[[], object]]) -> Entry:
    """A peer's line of a table: `make` imports what it needs and gives the work of a round."""
    if version(package) is None:
        return Entry(name, None, "not installed")
    try:
        with quiet():
            work = make()
    except ImportError as reason:
        return Entry(name, None, f"cannot be imported: {reason}")
    return Entry(name, lambda: _quietly(work))


@contextmanager
def quiet() -> Iterator[None]:
    """Keep a peer's warnings and prints off the table."""
    with warnings.catch_warnings(), redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        yield


def _quietly(work: Callable[[], object]) -> object:
    with quiet():
        return work()


# Graphs


def original_graph(structure: Structure) -> tuple[np.ndarray, np.ndarray]:
    """What the data loader of the original CGCNN does: all neighbors within 8 Å as objects, sorted, the first 12.

    Gives indices and distances in Å, both (atoms, 12).
    """
    around = structure.get_all_neighbors(CUTOFF, include_index=True)
    nearest = [sorted(found, key=lambda neighbor: neighbor[1])[:K] for found in around]
    index = np.array([[neighbor[2] for neighbor in found] for found in nearest])
    return index, np.array([[neighbor[1] for neighbor in found] for found in nearest])


def original_tensors(structure: Structure) -> tuple[Tensor, Tensor]:
    """The same with 41 Gaussians for each distance, in the numpy of the original, as tensors."""
    index, distance = original_graph(structure)
    centers = np.arange(0, CUTOFF + 0.2, 0.2)
    gaussians = np.exp(-((distance[..., None] - centers) ** 2) / 0.2**2)
    return torch.as_tensor(index), torch.as_tensor(gaussians, dtype=torch.float32)


class FromMemory:
    """Stands for pymatgen's Structure in a data loader of cgcnn2: a path is the number of a crystal in memory."""

    def __init__(self, structures: Sequence[Structure]) -> None:
        self.structures = structures

    def from_file(self, path: str) -> Structure:
        """What would be read from the file: so that no time is spent on reading files."""
        return self.structures[int(Path(path).stem)]


def cgcnn2_items(structures: Sequence[Structure], path: str = "_load_item_fast") -> Callable[[], list[Item]]:
    """All crystals through a data loader of cgcnn2: `_load_item_fast` to train, `_load_item` to predict."""
    loader_of = import_module("cgcnn2.data")
    data = loader_of.CIFData.__new__(loader_of.CIFData)  # without the folder of files that __init__ looks into
    data.root_dir, data.max_num_nbr, data.radius = "", K, CUTOFF
    data.id_prop_data = [(str(i), 0.0) for i in range(len(structures))]
    vectors = Path(str(loader_of.__file__)).parent / "asset" / "atom_init.json"
    data.ari = loader_of.AtomCustomJSONInitializer(vectors)
    data.gdf = loader_of.GaussianDistance(dmin=0, dmax=CUTOFF, step=0.2)
    load = getattr(data, path)

    def items() -> list[Item]:
        with patch.object(loader_of, "Structure", FromMemory(structures)):
            return [load(i) for i in range(len(structures))]

    return items


def jarvis_graphs(structures: Sequence[Structure]) -> Callable[[], object]:
    """The 12 nearest and their ties, each edge both ways, as ALIGNN takes them from jarvis; with displacements."""
    with _stand_in("dgl"):
        graphs, atoms = import_module("jarvis.core.graphs"), import_module("jarvis.core.atoms")
    crystals = [atoms.pmg_to_atoms(structure) for structure in structures]

    def build(crystal: Any) -> object:
        edges = graphs.nearest_neighbor_edges(crystal, cutoff=CUTOFF, max_neighbors=K)
        return graphs.build_undirected_edgedata(crystal, edges)

    return lambda: [build(crystal) for crystal in crystals]


@contextmanager
def _stand_in(name: str) -> Iterator[None]:
    """An empty module in place of one that is missing: jarvis imports dgl, and these two functions do not use it."""
    module = ModuleType(name)
    module.DGLGraph = object  # type: ignore[attr-defined]
    before = set(sys.modules)
    with patch.dict(sys.modules, {} if name in sys.modules else {name: module}):
        yield
        loaded = {key: value for key, value in sys.modules.items() if key not in before and key != name}
    sys.modules.update(loaded)  # patch.dict took them out together with the stand-in


def matgl_graphs(structures: Sequence[Structure]) -> Callable[[], object]:
    """Every pair within 8 Å as matgl's graphs, without a cut to 12 and without distances."""
    convert = import_module("matgl.ext.pymatgen")
    converter = convert.Structure2Graph(convert.get_element_list(list(structures)), CUTOFF)
    return lambda: [converter.get_graph(structure) for structure in structures]


# Networks


def cgcnn2_network(n_convs: int = 3, hidden_dim: int = 128) -> nn.Module:
    """The original's network as cgcnn2 has it, with 64 features and one hidden layer."""
    with quiet():
        return import_module("cgcnn2.model").CrystalGraphConvNet(92, 41, n_conv=n_convs, h_fea_len=hidden_dim)


def cgcnn2_collate() -> Callable[[list[Item]], Any]:
    """The function that puts items of cgcnn2 into one batch."""
    with quiet():
        return import_module("cgcnn2.data").collate_pool


def dense_items(graph: CrystalGraph, dtype: torch.dtype = torch.float32) -> list[Item]:
    """A plain graph of many crystals as the items that cgcnn2 trains on; Gaussians are worked out in float64."""
    vectors = torch.tensor(ATOM_VECTORS, dtype=dtype)[graph.atomic_numbers - 1]
    gaussians = float64_gaussians(graph).to(dtype).view(graph.n_atoms, K, -1)
    neighbor, (first, _) = graph.neighbor.view(graph.n_atoms, K), graph.ends
    items: list[Item] = []
    for i, (a, b) in enumerate(zip(first.tolist(), first[1:].tolist(), strict=False)):
        items.append(((vectors[a:b].clone(), gaussians[a:b].clone(), neighbor[a:b] - a), torch.zeros(1), i))
    return items


def float64_gaussians(graph: CrystalGraph) -> Tensor:
    """The 41 Gaussians of each edge, (edges, 41), from the graph's float32 displacements on in float64."""
    return GaussianExpansion().double()(torch.linalg.vector_norm(graph.displacement.double(), dim=1))


class PyGNetwork(nn.Module):
    """As near to CGCNN as PyTorch Geometric's CGConv allows: no norm of the messages before the gate."""

    def __init__(self) -> None:
        super().__init__()
        geometric = import_module("torch_geometric.nn")
        self.embed = nn.Linear(92, 64)
        self.convs = nn.ModuleList(geometric.CGConv(64, 41, aggr="add", batch_norm=True) for _ in range(3))
        self.pool = geometric.global_mean_pool
        self.head = nn.Sequential(nn.Softplus(), nn.Linear(64, 128), nn.Softplus(), nn.Linear(128, 1))

    def forward(self, data: Any) -> Tensor:
        """One row for each crystal of a Batch."""
        v = self.embed(data.x)
        for conv in self.convs:
            v = nn.functional.softplus(conv(v, data.edge_index, data.edge_attr))
        return self.head(self.pool(v, data.batch, data.num_graphs))


def pyg_data(graph: CrystalGraph) -> list[Any]:
    """The crystals of a plain graph as PyTorch Geometric's Data, Gaussians included."""
    data_of = import_module("torch_geometric.data").Data
    found = []
    for (vectors, gaussians, neighbor), _, _ in dense_items(graph):
        center = torch.arange(len(vectors)).repeat_interleave(K)
        edges = torch.stack([neighbor.reshape(-1), center])  # messages flow from the first row to the second
        found.append(data_of(x=vectors, edge_index=edges, edge_attr=gaussians.reshape(-1, 41)))
    return found


def pyg_batch() -> Callable[[list[Any]], Any]:
    """The function that puts Data into one Batch."""
    return import_module("torch_geometric.data").Batch.from_data_list
