"""Whom a crystal resembles in the eyes of a network: distances between the vectors that pooling gives."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from cgcnn.data.crystal import Crystal
from cgcnn.data.targets import TARGETS, Target
from cgcnn.errors import DatasetError
from cgcnn.explain.record import record
from cgcnn.graph import build_graphs
from cgcnn.graph.merge import lightest
from cgcnn.training.predictor import Predictor

STEP = 64  # crystals in one pass; 6,317 crystals of 10 atoms took 5 s on two cores, whatever the step
ROWS = 512  # of the matrix of distances at once: 26 MB for 6,317 crystals
SAME = 1e-3  # of a vector's length unit; rounding moves a vector by 1e-5
MOST_TWINS = 5  # entries of one and the same crystal that a set may hold
FAR = 0.99  # quantile of the reference's own nearest distances


@dataclass(frozen=True)
class Reference:
    """Crystals that a network is at home with: their vectors, and how far each lies from its nearest other one."""

    ids: list[str]
    formulas: list[str]
    n_atoms: list[int]
    truth: list[float | None]  # in the target's unit, where it is known
    predicted: list[float]  # the network's own answers
    vectors: Float[Tensor, "crystals d"]
    own: Float[Tensor, " crystals"]  # leave-one-out distances

    @property
    def far(self) -> float:
        """The distance that all but one in a hundred of these crystals keep to their nearest other one."""
        return float(torch.quantile(self.own, FAR))


@dataclass(frozen=True)
class Alike:
    """A crystal of the reference, and how far it lies."""

    id: str
    formula: str
    n_atoms: int
    truth: float | None
    predicted: float
    distance: float


def vectors_of(
    predictor: Predictor, crystals: Sequence[Crystal], step: int = STEP
) -> Iterator[tuple[list[Crystal], Float[Tensor, "crystals d"]]]:
    """The crystal vectors, `step` crystals at a time; a crystal without a graph is left out, as in training."""
    for start in range(0, len(crystals), step):
        some = crystals[start : start + step]
        built = build_graphs([crystal.structure for crystal in some], predictor.graph)
        kept = [some[n] for n in built.kept]
        graph = built.graph if predictor.model.on_grid else lightest(built.graph)
        vectors = record(predictor.model, graph).crystal_vectors if kept else torch.zeros(0, 0)
        yield kept, vectors


@torch.no_grad()
def reference(predictor: Predictor, parts: Iterable[tuple[list[Crystal], Tensor]]) -> Reference:
    """All that `vectors_of` gave, put together; two crystals at least."""
    found = [(crystals, vectors) for crystals, vectors in parts if crystals]
    crystals = [crystal for some, _ in found for crystal in some]
    if len(crystals) < 2:
        raise DatasetError(f"Only {len(crystals)} crystals have a graph; two are needed to compare with.")
    vectors = torch.cat([vectors for _, vectors in found])
    head = predictor.model.get_submodule("head")
    name, n_atoms = target_name(predictor.target), [len(crystal.structure) for crystal in crystals]
    return Reference(
        ids=[crystal.id for crystal in crystals],
        formulas=[crystal.formula for crystal in crystals],
        n_atoms=n_atoms,
        truth=[crystal.targets.get(name) for crystal in crystals],
        predicted=predictor.in_unit(head(vectors), torch.tensor(n_atoms)).tolist(),
        vectors=vectors,
        own=nearest_others(vectors),
    )


def target_name(target: Target) -> str:
    """The name of a target in TARGETS; empty for one that no set of crystals knows."""
    return next((name for name, known in TARGETS.items() if known == target), "")


def nearest_others(vectors: Float[Tensor, "crystals d"]) -> Float[Tensor, " crystals"]:
    """The Euclidean distance of each row to the nearest other row."""
    wide = vectors.double()  # the fast way to distances subtracts squares, and float32 would leave 1e-2 of them
    nearest = []
    for start in range(0, len(wide), ROWS):
        distances = torch.cdist(wide[start : start + ROWS], wide)
        itself = torch.arange(len(distances))
        distances[itself, itself + start] = float("inf")
        nearest.append(distances.min(dim=1).values)
    return torch.cat(nearest).float()


def most_alike(known: Reference, vector: Float[Tensor, " d"], count: int = 3) -> list[Alike]:
    """The nearest crystals of the reference, nearest first."""
    distances = torch.linalg.vector_norm(known.vectors.double() - vector.double(), dim=1)
    found = distances.topk(min(count, len(distances)), largest=False)
    return [
        Alike(known.ids[i], known.formulas[i], known.n_atoms[i], known.truth[i], known.predicted[i], d)
        for d, i in zip(found.values.tolist(), found.indices.tolist(), strict=True)
    ]


def others_alike(
    known: Reference, vector: Float[Tensor, " d"], formula: str, count: int = 3
) -> tuple[list[Alike], list[Alike]]:
    """The crystal itself, as often as the reference holds it, and the nearest others.

    Itself is whatever has its formula and its vector, but for rounding; a distance to it says nothing.
    """
    found = most_alike(known, vector, count + MOST_TWINS)
    itself = [alike for alike in found if alike.formula == formula and alike.distance < SAME]
    return itself, [alike for alike in found if alike not in itself][:count]
