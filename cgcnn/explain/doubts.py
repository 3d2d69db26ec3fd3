"""When not to believe a network: what of a crystal lies outside of what it learned from, one sentence each."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from cgcnn.data.elements import SYMBOLS
from cgcnn.explain.record import record
from cgcnn.graph import CrystalGraph, GraphConfig, batch
from cgcnn.training.predictor import Predictor

DEVIATIONS = 6  # from the mean: beyond it lie errors of input, and no crystal of a training set


@dataclass(frozen=True)
class Answer:
    """What a network says of one crystal, with the facts that doubts are made of."""

    value: float  # in the target's unit
    vector: Float[Tensor, " d"]
    symbols: tuple[str, ...]  # its elements, each once
    n_atoms: int
    few: tuple[int, int] | None  # how many atoms have fewer than k neighbors, and the fewest that one has


@dataclass(frozen=True)
class Known:
    """What a network learned from, as far as it is known here."""

    words: str  # "1,203 training crystals"
    elements: frozenset[str]
    span: tuple[float, float] | None = None  # least and greatest training value, in the target's unit
    largest: int | None = None  # atoms of the largest training cell, where the size of the cell counts
    as_published: bool = False  # trained by code that pads missing neighbors; `span` is then mean ± 6 deviations
    graph: GraphConfig | None = None  # how the graphs were made that it learned from


@torch.no_grad()
def answers(predictor: Predictor, graphs: Sequence[CrystalGraph]) -> list[Answer]:
    """One answer for each graph of a single crystal, from one pass through the network."""
    together = batch(graphs)
    seen = record(predictor.model, together)
    values = predictor.in_unit(seen.call("head").output, together.atoms_per_crystal)
    rows = zip(graphs, values.tolist(), seen.crystal_vectors, strict=True)
    return [_answer(predictor, graph, value, vector) for graph, value, vector in rows]


def doubts(answer: Answer, known: Known, predictor: Predictor) -> list[str]:
    """Why the answer may be worth little, one sentence each; none is no promise."""
    found = []
    if unseen := [symbol for symbol in answer.symbols if symbol not in known.elements]:
        found.append(f"None of the {known.words} holds {' or '.join(unseen)}: of that element it can only guess.")
    if answer.few:
        found.append(_few_neighbors(answer, known, predictor))
    if known.graph is not None and predictor.graph.words != known.graph.words:
        found.append(
            f"It is asked with {predictor.graph.words}, but learned with {known.graph.words}: "
            "its sums have other terms, and the value need not mean anything."
        )
    if known.span and not known.span[0] <= answer.value <= known.span[1]:
        found.append(_beyond(answer, known, predictor))
    if known.largest and answer.n_atoms > known.largest:
        found.append(
            f"The cell has {answer.n_atoms} atoms and the largest of the {known.words} has {known.largest}; "
            "this network adds atoms up, so the size of the cell counts."
        )
    return found


def distance_doubt(distance: float, far: float, words: str) -> list[str]:
    """One sentence when a crystal lies farther from its nearest known one than 99 % of those from each other."""
    if distance <= far:
        return []
    return [
        f"It lies far from the {words}: {distance:.2f} to the nearest other one, "
        f"while 99 % of those have another within {far:.2f}."
    ]


def _answer(predictor: Predictor, graph: CrystalGraph, value: float, vector: Tensor) -> Answer:
    numbers = dict.fromkeys(graph.atomic_numbers.tolist())
    few = None
    if predictor.graph.rule != "radius":
        below = graph.degree[graph.degree < predictor.graph.max_neighbors]
        few = (len(below), int(below.min())) if len(below) else None
    return Answer(value, vector, tuple(SYMBOLS[z - 1] for z in numbers), graph.n_atoms, few)


def _beyond(answer: Answer, known: Known, predictor: Predictor) -> str:
    text, (low, high) = predictor.target.text, known.span or (0.0, 0.0)
    if known.as_published:
        return (
            f"The answer, {text(answer.value)}, lies more than {DEVIATIONS} standard deviations from the mean of what "
            f"the network learned from ({low:.3f} to {text(high)})."
        )
    return f"The answer, {text(answer.value)}, lies outside the values of the {known.words}: {low:.3f} to {text(high)}."


def _few_neighbors(answer: Answer, known: Known, predictor: Predictor) -> str:
    (count, fewest), graph = answer.few or (0, 0), predictor.graph
    verb = "has" if count == 1 else "have"
    sentence = (
        f"{count} of {answer.n_atoms} atoms {verb} fewer than {graph.max_neighbors} neighbors within "
        f"{graph.cutoff:g} Å (the fewest: {fewest})"
    )
    if known.as_published:
        return f"{sentence}; the original code would add fake ones at {graph.cutoff + 1:g} Å, which the lab does not."
    return f"{sentence}; what they hear is a sum of fewer terms than usual."
