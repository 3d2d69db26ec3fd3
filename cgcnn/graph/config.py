"""The knobs of a crystal graph; apart from the graph itself, so that a form needs no torch."""

from dataclasses import dataclass

from cgcnn.config import Config, option
from cgcnn.graph.neighbors import NEIGHBOR_RULES


@dataclass(frozen=True)
class GraphConfig(Config):
    """How a crystal becomes a graph."""

    rule: str = option(
        "k nearest",
        "Neighbor rule",
        "k nearest: exactly k, as published. Whole shells: k, and all others as near as the last. "
        "Radius: all within the cutoff.",
        choices=NEIGHBOR_RULES,
    )
    cutoff: float = option(
        8.0,
        "Cutoff r",
        "No neighbor lies beyond this distance.",
        unit="Å",
        minimum=1.0,
        maximum=20.0,
        step=0.5,
    )
    max_neighbors: int = option(
        12,
        "Neighbors k",
        "How many neighbors an atom listens to; not used by the radius rule.",
        minimum=1,
        maximum=48,
    )
    tolerance: float = option(
        1e-3,
        "Shell tolerance",
        "Distances this close belong to one shell.",
        unit="Å",
        minimum=1e-5,
        maximum=0.5,
    )
    isolated: str = option(
        "error",
        "Atom without neighbor",
        "error: say which atom. grow: look beyond the cutoff for that atom alone.",
        choices=("error", "grow"),
    )

    @property
    def words(self) -> str:
        """The rule as a reader says it: `k nearest, k = 12, within 8 Å`."""
        count = "" if self.rule == "radius" else f", k = {self.max_neighbors}"
        return f"{self.rule}{count}, within {self.cutoff:g} Å"
