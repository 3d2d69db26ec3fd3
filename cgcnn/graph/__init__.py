"""Crystals as graphs: who is whose neighbor, in one frozen type that batches into itself."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from cgcnn.graph.config import GraphConfig
from cgcnn.graph.neighbors import NEIGHBOR_RULES

if TYPE_CHECKING:
    from cgcnn.graph.build import Built, build_graph, build_graphs
    from cgcnn.graph.crystal_graph import CrystalGraph, batch
    from cgcnn.graph.many import build_all
    from cgcnn.graph.neighbor_shells import CutShell, Shell, cut_shells, shells

__all__ = [
    "NEIGHBOR_RULES",
    "Built",
    "CrystalGraph",
    "CutShell",
    "GraphConfig",
    "Shell",
    "batch",
    "build_all",
    "build_graph",
    "build_graphs",
    "cut_shells",
    "shells",
]
HOME = {
    "CrystalGraph": "crystal_graph",
    "batch": "crystal_graph",
    "build_all": "many",
    "Built": "build",
    "build_graph": "build",
    "build_graphs": "build",
    "CutShell": "neighbor_shells",
    "Shell": "neighbor_shells",
    "cut_shells": "neighbor_shells",
    "shells": "neighbor_shells",
}


def __getattr__(name: str) -> Any:
    """Import on first use what needs torch: that takes a second, and a page that shows no graph can do without."""
    if name not in HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{HOME[name]}"), name)
