"""The same crystal through the same network twice: with every edge, and with every kind of edge once."""

from dataclasses import dataclass

from cgcnn.graph import CrystalGraph
from cgcnn.graph.merge import lightest, merged
from cgcnn.training.predictor import Predictor


@dataclass(frozen=True)
class BothWays:
    """What the plain graph of a crystal and its merged one cost, and what the network says of each."""

    n_atoms: tuple[int, int]  # plain, merged
    n_edges: tuple[int, int]
    answers: tuple[float, float]  # in the target's own unit
    trains_merged: bool  # False where too few edges are equal for training to merge them


def both_ways(graph: CrystalGraph, predictor: Predictor) -> BothWays:
    """Ask for the answer to a plain graph of one crystal and to its quotient, which differ by rounding alone."""
    small = merged(graph)
    answers = predictor.of_graph(graph).item(), predictor.of_graph(small).item()
    sizes = (graph.n_atoms, small.n_atoms), (graph.n_edges, small.n_edges)
    return BothWays(*sizes, answers, lightest(graph) is not graph)
