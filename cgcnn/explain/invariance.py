"""Does the answer depend on how a crystal is described? It must not; with a cut shell it does."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pymatgen.core import Element, Structure

from cgcnn.data.targets import Target
from cgcnn.explain.descriptions import Descriptions, descriptions
from cgcnn.graph import CrystalGraph, GraphConfig, build_graph
from cgcnn.training.predictor import Predictor

RULES = ("k nearest", "whole shells")
SAME = 1e-4  # of the target's unit, or of a larger value: well above the rounding of single precision
MOVED = 1e-4  # Å; a description that changes a distance by more tells of another crystal


@dataclass(frozen=True)
class Reading:
    """What one description gives: its edges, how they differ from those of the crystal as given, the prediction."""

    kind: str
    edges_per_atom: float
    moved: float  # edges per atom that lead to another element than in the crystal as given
    stretch: float  # Å, largest change of an atom's sorted neighbor distances
    pairs: dict[tuple[str, str], float]  # (center, neighbor) element -> edges per atom
    value: float  # in the target's unit; of an extensive target, per atom


@dataclass(frozen=True)
class Summary:
    """All readings of one kind in one row: the largest of each change, and the spread of the predictions."""

    kind: str
    tries: int
    edges_per_atom: float
    moved: float
    stretch: float
    change: float  # of the prediction from the crystal as given; the largest, with its sign
    spread: float  # largest minus smallest prediction, the crystal as given included


@dataclass(frozen=True)
class Invariance:
    """The readings of one neighbor rule: as given, exactly the same crystal otherwise told, and the control."""

    rule: str
    given: Reading
    exact: list[Reading]
    control: Reading
    note: str = ""

    @property
    def spread(self) -> float:
        """Largest minus smallest prediction of one and the same crystal, in the target's unit."""
        values = [reading.value for reading in (self.given, *self.exact)]
        return max(values) - min(values)

    @property
    def limit(self) -> float:
        """The spread, in the target's unit, below which a prediction counts as unmoved."""
        return SAME * max(1.0, abs(self.given.value))

    @property
    def holds(self) -> bool:
        """True when the prediction does not depend on the description."""
        return self.spread < self.limit

    def change(self, reading: Reading) -> float:
        """How far a prediction lies from that of the crystal as given."""
        return reading.value - self.given.value

    def summaries(self) -> list[Summary]:
        """One row for each kind of description, the control last."""
        kinds = list(dict.fromkeys(reading.kind for reading in self.exact))
        groups = [[r for r in self.exact if r.kind == kind] for kind in kinds]
        return [self._summary(group) for group in [*groups, [self.control]]]

    def pair_rows(self) -> list[tuple[str, float, float, float]]:
        """For each pair of elements (`O–Sr`): edges per atom as given, and the least and most of all descriptions."""
        every = [self.given, *self.exact]
        pairs = sorted({pair for reading in every for pair in reading.pairs})
        counts = [(pair, [reading.pairs.get(pair, 0.0) for reading in every]) for pair in pairs]
        return [("–".join(pair), n[0], min(n), max(n)) for pair, n in counts]

    def _summary(self, group: Sequence[Reading]) -> Summary:
        values = [self.given.value, *(reading.value for reading in group)]
        return Summary(
            kind=group[0].kind,
            tries=len(group),
            edges_per_atom=max((r.edges_per_atom for r in group), key=lambda n: abs(n - self.given.edges_per_atom)),
            moved=max(reading.moved for reading in group),
            stretch=max(reading.stretch for reading in group),
            change=max((self.change(reading) for reading in group), key=abs),
            spread=max(values) - min(values),
        )


def invariance(
    structure: Structure, predictor: Predictor, graph: GraphConfig | None = None, draws: int = 5, seed: int = 0
) -> list[Invariance]:
    """Ask a network about one crystal in many descriptions, for each of RULES; `graph` sets the other knobs.

    Which neighbors "k nearest" takes of a cut shell hangs on the last bit of each distance, so one try may by
    chance change nothing: there are `draws` of each random kind, always the same for one `seed`.
    """
    told = descriptions(structure, draws, seed)
    config = graph or predictor.graph
    found = {rule: _readings(structure, predictor, config.with_(rule=rule), told) for rule in RULES}
    # A cell that came back tidied is another crystal, under every rule alike.
    tidied = {n for _, exact, _ in found.values() for n, reading in enumerate(exact) if reading.stretch > MOVED}
    results = []
    for rule, (given, exact, control) in found.items():
        note = " ".join([told.note, *(_left_out(exact[n]) for n in sorted(tidied))]).strip()
        same = [reading for n, reading in enumerate(exact) if n not in tidied]
        results.append(Invariance(rule, given, same, control, note))
    return results


def shown_scale(target: Target) -> tuple[float, str]:
    """Factor and unit in which a small change of a target is told: 1000 and `meV/atom` for an energy."""
    unit = f"{target.unit} per atom".lstrip() if target.extensive else target.unit
    return (1000.0, f"m{unit}") if unit.startswith("eV") else (1.0, unit)


def _readings(
    structure: Structure, predictor: Predictor, config: GraphConfig, told: Descriptions
) -> tuple[Reading, list[Reading], Reading]:
    """The crystal as given, each exact description, and the control."""
    base = build_graph(structure, config)
    given = _reading("as given", base, base, predictor)
    control, *exact = (
        _reading(each.kind, build_graph(each.structure, config), base, predictor)
        for each in (told.control, *told.exact)
    )
    return given, exact, control


def _left_out(reading: Reading) -> str:
    """Other cells come tidied: atoms are put onto the places that symmetry gives them."""
    return (
        f"The {reading.kind} is left out: its atoms were moved onto their symmetric places, which changes distances "
        f"by up to {reading.stretch:.4f} Å."
    )


def _reading(kind: str, graph: CrystalGraph, base: CrystalGraph, predictor: Predictor) -> Reading:
    pairs, before = _pairs(graph), _pairs(base)
    moved = sum(abs(pairs.get(pair, 0.0) - before.get(pair, 0.0)) for pair in pairs.keys() | before.keys()) / 2
    value = float(predictor.of_graph(graph)[0])
    per = graph.n_atoms if predictor.target.extensive else 1
    return Reading(kind, graph.n_edges / graph.n_atoms, moved, _stretch(graph, base), pairs, value / per)


def _pairs(graph: CrystalGraph) -> dict[tuple[str, str], float]:
    ends = (graph.atomic_numbers[graph.center].tolist(), graph.atomic_numbers[graph.neighbor].tolist())
    counts = Counter(zip(*ends, strict=True))
    return {(Element.from_Z(a).symbol, Element.from_Z(b).symbol): n / graph.n_atoms for (a, b), n in counts.items()}


def _stretch(graph: CrystalGraph, base: CrystalGraph) -> float:
    """For each atom the most similar one of its element in `base`; the worst of these largest differences in Å.

    The cells may differ, so atoms are matched by what they see; of unequal lists the common length is compared.
    """
    mine, theirs = _profiles(graph), _profiles(base)
    width = min(mine.shape[1], theirs.shape[1])
    worst = 0.0
    for z in base.atomic_numbers.unique().tolist():
        rows = np.unique(theirs[(base.atomic_numbers == z).numpy(), :width].round(5), axis=0)
        for row in mine[(graph.atomic_numbers == z).numpy(), :width]:
            apart = np.nan_to_num(np.abs(rows - row)).max(axis=1)
            worst = max(worst, float(apart.min()))
    return worst


def _profiles(graph: CrystalGraph) -> np.ndarray:
    """The sorted neighbor distances of each atom, (atoms, largest degree) in Å; NaN where there are fewer."""
    degree = graph.degree.numpy()
    table = np.full((graph.n_atoms, int(degree.max())), np.nan)
    place = np.arange(graph.n_edges) - np.repeat(np.cumsum(degree) - degree, degree)
    table[graph.center.numpy(), place] = graph.distance.numpy()
    return np.sort(table, axis=1)
