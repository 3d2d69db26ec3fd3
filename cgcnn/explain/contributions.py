"""What each atom does to a network's answer. What that can mean depends on how the network pools its atoms.

The energy of a single atom in a crystal cannot be measured; these are numbers of the network, not of nature.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import floor, log10

import torch
from jaxtyping import Float
from pymatgen.core import Structure
from torch import Tensor

from cgcnn.data.cells import Symmetry
from cgcnn.errors import CrystalError
from cgcnn.explain.record import Recording
from cgcnn.nn.segment import segment_max, segment_mean, segment_sum
from cgcnn.training.predictor import Predictor

ROUNDING = 1e-6  # of the largest number that an answer is made of; float32 keeps 1e-7 of it
DIGITS = 3  # after the point, for a target that is spread over 0.1 or more
TIE = 1e-4  # of a feature's maximum over the atoms; atoms equal by symmetry differ by rounding alone


@dataclass(frozen=True)
class Contributions:
    """One number for each atom of a crystal, what it means, and what all of them together give."""

    values: tuple[float, ...]  # of each atom, in `unit`
    unit: str
    label: str  # what one number is called
    meaning: str  # one sentence: how it is made
    together: str  # how all numbers are combined
    combined: float
    answer: float | None  # of the network for the whole crystal, in `unit`; None where the two cannot be compared
    scale: float = 0.0  # in `unit`: answers come from numbers as large as this, and carry their rounding
    digits: int = DIGITS  # after the point, that an answer deserves
    on_scale: bool = False  # one atom's number and the answer are of one kind, so they fit on one axis

    @property
    def gap(self) -> float | None:
        """How far the answer lies from what the atoms give together; rounding is no gap."""
        if self.answer is None:
            return None
        gap = self.answer - self.combined
        return 0.0 if abs(gap) < ROUNDING * max(abs(self.answer), self.scale, *map(abs, self.values)) else gap


@dataclass(frozen=True)
class Group:
    """Atoms that belong together, and their numbers."""

    label: str
    atoms: tuple[int, ...]
    mean: float
    low: float
    high: float


def digits(predictor: Predictor) -> int:
    """How many digits after the point an answer deserves: 3, and more for a target of small spread."""
    spread = predictor.normalizer.std[predictor.index]
    return DIGITS if spread >= 0.1 else min(DIGITS - 1 - floor(log10(spread)), 12)


@torch.no_grad()
def contributions(predictor: Predictor, seen: Recording) -> Contributions:
    """What each atom of the one recorded crystal does to the answer, by the pooling of the network."""
    if predictor.model.on_grid:
        raise CrystalError(
            "This network reads a grid of voxels, on which no atom has a vector of its own, so it says nothing of "
            "single atoms; choose a network that reads a graph."
        )
    gather = getattr(predictor.model.pool, "gather", None)
    if gather not in DEFINITIONS:
        raise CrystalError(
            f"The pooling of this network ({predictor.model.pool}) does not say what one atom does; "
            f"choose a network with {', '.join(g.__name__.removeprefix('segment_') for g in DEFINITIONS)} pooling."
        )
    found = DEFINITIONS[gather](predictor, seen.call("pool").inputs[0])
    return found if found.answer is None else replace(found, digits=digits(predictor))


def grouped(values: Sequence[float], labels: Sequence[str]) -> list[Group]:
    """The atoms by label, in the order in which the labels first appear."""
    atoms: dict[str, list[int]] = {}
    for atom, label in enumerate(labels):
        atoms.setdefault(label, []).append(atom)
    groups = []
    for label, mine in atoms.items():
        own = [values[atom] for atom in mine]
        groups.append(Group(label, tuple(mine), sum(own) / len(own), min(own), max(own)))
    return groups


def orbit_labels(structure: Structure, found: Symmetry) -> list[str]:
    """Element and Wyckoff site of each atom, `O 4f`; orbits that share both are numbered: `O 4f (2)`."""
    names: dict[int, str] = {}
    sites = found.sites  # counted anew at each look
    taken: dict[str, int] = {}
    for atom, orbit in enumerate(found.orbits):
        if orbit not in names:
            name = f"{structure[atom].specie.symbol} {sites[atom]}"
            taken[name] = taken.get(name, 0) + 1
            names[orbit] = name if taken[name] == 1 else f"{name} ({taken[name]})"
    return [names[orbit] for orbit in found.orbits]


def _answers(predictor: Predictor, vectors: Float[Tensor, "rows d"], n_atoms: float) -> Float[Tensor, " rows"]:
    """What the head says of each crystal vector, as of a crystal with `n_atoms` atoms, in the target's unit."""
    counts = torch.full((len(vectors),), float(n_atoms))
    return predictor.in_unit(predictor.model.get_submodule("head")(vectors), counts).double()


def _scale(predictor: Predictor, n_atoms: int) -> float:
    """How large the numbers are that undoing the normalization adds up; their sum may be near zero, its error not."""
    scale = predictor.normalizer
    at = predictor.index
    return (abs(scale.mean[at]) + scale.std[at]) * (n_atoms if scale.per_atom[at] else 1)


def _alone(predictor: Predictor, v: Float[Tensor, "atoms d"]) -> Contributions:
    """y_i = head(v_i): what the network would say if every atom had this atom's vector."""
    n_atoms, target, scale = len(v), predictor.target, _scale(predictor, len(v))
    alone = _answers(predictor, v, n_atoms)
    answer = float(_answers(predictor, v.double().mean(dim=0, keepdim=True).to(v.dtype), n_atoms))
    meaning = (
        "The network's answer for a crystal in which every atom had this atom's vector: head(vᵢ), "
        "where the head is the small network at the end that reads the answer from a vector"
    )
    if target.extensive:
        values, together = tuple((alone / n_atoms).tolist()), "Sum over the atoms"
        meaning += ", divided by the number of atoms."
        return Contributions(values, target.unit, "Atom's part", meaning, together, sum(values), answer, scale)
    values, combined = tuple(alone.tolist()), float(alone.mean())
    label, together = "Value of the atom alone", "Mean over the atoms"
    return Contributions(values, target.unit, label, meaning + ".", together, combined, answer, scale, on_scale=True)


def _without(predictor: Predictor, v: Float[Tensor, "atoms d"]) -> Contributions:
    """Δ_i = head(Σ v) − head(Σ v − v_i): what the answer loses when the sum loses this atom's vector."""
    n_atoms, total = len(v), v.double().sum(dim=0, keepdim=True)
    answer = float(_answers(predictor, total.to(v.dtype), n_atoms))
    left = _answers(predictor, (total - v).to(v.dtype), n_atoms - 1)
    empty = float(_answers(predictor, torch.zeros_like(v[:1]), 0))
    values = tuple((answer - left).tolist())
    return Contributions(
        values,
        predictor.target.unit,
        "Change by the atom",
        "The answer minus the answer for the pooled sum without this atom's vector; "
        "what the other atoms learned from it stays.",
        "Answer for an empty sum, plus all changes",
        empty + sum(values),
        answer,
        _scale(predictor, n_atoms),
    )


def _maxima(predictor: Predictor, v: Float[Tensor, "atoms d"]) -> Contributions:
    """For how many features an atom holds the maximum; atoms that tie share the feature."""
    most = v.max(dim=0).values
    holds = v >= most - TIE * (1 + most.abs())
    shares = (holds / holds.sum(dim=0)).sum(dim=1).double()
    return Contributions(
        tuple(shares.tolist()),
        "features",
        "Features held",
        "For how many features of the crystal's vector this atom holds the maximum; atoms that tie share it.",
        "Sum over the atoms",
        float(shares.sum()),
        None,
    )


DEFINITIONS: dict[Callable[..., Tensor], Callable[[Predictor, Tensor], Contributions]] = {
    segment_mean: _alone,
    segment_sum: _without,
    segment_max: _maxima,
}
