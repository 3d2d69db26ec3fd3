"""What a network takes along to a new property, as a study: which runs it has, and where each stands in its table.

Rows are properties that networks learned first (the sources), columns how many of their convolutions stay frozen while
the rest learns the new property anew, beside networks from scratch. It repeats, on the built-in set and with several
seeds, what "Transfer Learning and Representations for Material Properties" did once on larger sets.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite

from cgcnn.config import Config, option
from cgcnn.data import DatasetConfig
from cgcnn.data.targets import TARGETS, Target
from cgcnn.errors import ConfigError
from cgcnn.models.cgcnn import CGCNN
from cgcnn.models.published import PUBLISHED
from cgcnn.training.arms import Arm, Outcome
from cgcnn.training.experiment import RunConfig
from cgcnn.training.sweep import Planned
from cgcnn.training.train import TrainConfig
from cgcnn.training.transfer import PUBLISHED_PREFIX, TransferConfig

EXPERIMENT = "transfer"  # what the store calls a study among its experiments
SCRATCH, OWN, TUNED = "from scratch", "own", "tuned"  # the row without a source; columns that are no frozen count
N_CONVS = 4  # of the published networks, 96,641 parameters
COMBINED, CUT, ENERGY = "combined", "formation energy (cut)", "formation energy"


@dataclass(frozen=True)
class Source:
    """What a network learned first: live, with its targets (the first is the main one), or published."""

    targets: tuple[str, ...] = ()
    equal: bool = False  # learns from the study's equal number of crystals; else from all it can
    published: str = ""  # a name of PUBLISHED


_ENERGY, _BULK, _SHEAR = "formation_energy_per_atom", "log10_bulk_modulus", "log10_shear_modulus"

SOURCES: dict[str, Source] = {
    ENERGY: Source((_ENERGY,)),
    CUT: Source((_ENERGY,), equal=True),
    "bulk modulus": Source((_BULK,), equal=True),
    "shear modulus": Source((_SHEAR,), equal=True),
    COMBINED: Source((_ENERGY, _BULK, _SHEAR), equal=True),
    **{f"{PUBLISHED_PREFIX}{name}": Source(published=name) for name in PUBLISHED},
}
PUBLISHED_ENERGY = f"{PUBLISHED_PREFIX}{ENERGY}"
LIVE = tuple(name for name, source in SOURCES.items() if not source.published)
SINGLE = tuple(name for name in LIVE if SOURCES[name].equal and name != COMBINED)  # what combined is held against


def known_by(name: str) -> tuple[str, ...]:
    """The targets that a source learned; "metal or not" is one property, whoever says so."""
    source = SOURCES[name]
    if not source.published:
        return source.targets
    meaning = PUBLISHED[source.published].target
    return ("metal",) if meaning.is_class else tuple(name for name, target in TARGETS.items() if target == meaning)


@dataclass(frozen=True)
class Study(Config):
    """A table to fill: its rows, its columns, its repeats, and how much the networks learn from."""

    target: str = option("band_gap", "New property", "What all networks learn in the end.", choices=TARGETS)
    sources: tuple[str, ...] = option(
        LIVE,
        "Learned first",
        "The rows: what the networks learned before; each is compared with none.",
        choices=SOURCES,
    )
    frozen: tuple[str, ...] = option(
        ("1", "2", "3"),
        "Frozen convolutions",
        "The columns: the embedding and so many first convolutions stay as the source has them.",
        choices=tuple(str(n) for n in range(N_CONVS + 1)),
    )
    tuned: bool = option(
        False,
        "Fine-tune as well",
        "One more column: the embedding and all convolutions are taken over and learn on, at a tenth of the rate.",
    )
    seeds: int = option(
        3, "Seeds", "How often all of it is repeated, from other random beginnings.", minimum=1, maximum=10
    )
    train_crystals: int = option(
        200, "Crystals to learn from", "Of the new property: few, since that is when help counts.", minimum=20,
        maximum=5000,
    )  # fmt: skip
    equal_crystals: int = option(
        600,
        "Crystals of a source",
        "From so many crystals each source learns, but for “formation energy”, which takes all that it has.",
        minimum=20,
        maximum=5000,
    )
    epochs: int = option(30, "Epochs", "Of every network, sources and others.", minimum=1, maximum=500)

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "frozen", tuple(sorted(self.frozen)))
        if not self.sources or not (self.frozen or self.tuned):
            missing = "something that is learned first" if not self.sources else "a number of frozen convolutions"
            raise ConfigError(f"The table has no {'column' if self.sources else 'row'}; choose {missing}.")
        if same := [name for name in self.sources if self.target in known_by(name)]:
            raise ConfigError(f"“{same[0]}” learns the new property itself; take it out, or choose another property.")

    @property
    def columns(self) -> tuple[str, ...]:
        """The frozen counts, and TUNED where it is asked for."""
        return (*self.frozen, TUNED) if self.tuned else self.frozen

    @property
    def meaning(self) -> Target:
        """What the networks learn in the end."""
        return TARGETS[self.target]

    @property
    def unit(self) -> str:
        """The unit of the errors: that of the new property; the share wrong of a class is told in percent."""
        return "%" if self.meaning.is_class else self.meaning.unit

    @property
    def error(self) -> str:
        """What the error is called within a sentence: `MAE`, or `share wrong`."""
        return self.meaning.error.lower() if self.meaning.is_class else self.meaning.error

    @property
    def scale(self) -> float:
        """The factor from an error as runs tell it to `unit`."""
        return 100.0 if self.meaning.is_class else 1.0

    @property
    def live(self) -> tuple[str, ...]:
        """The sources that are trained here."""
        return tuple(name for name in self.sources if not SOURCES[name].published)


@dataclass(frozen=True)
class Step:
    """One run of a study: its place in the table, and what the store must know of it."""

    source: str  # a name of SOURCES, or SCRATCH
    column: str  # a frozen count, TUNED, or OWN for the source's own learning and for the row SCRATCH
    planned: Planned

    @property
    def names(self) -> tuple[str, str]:
        """What the store calls the run, and what it called it when names did not begin with the property learned."""
        return self.planned.name, f"{cell_words(self.source, self.column)}, seed {self.planned.seed}"


@dataclass(frozen=True)
class Cell:
    """What came of the runs of one place of the table: the test error by seed, in the unit of the table."""

    words: str
    by_seed: Mapping[int, float]
    n_live: int = 0
    n_lost: int = 0  # failed, stopped, or without a number

    @property
    def arm(self) -> Arm:
        """The same as an arm of an experiment, with mean and standard deviation."""
        return Arm(self.words, {}, tuple(self.by_seed.values()), self.n_live, self.n_lost)


@dataclass(frozen=True)
class Row:
    """A source with its cells in the order of the columns; `own`, its own property's error, is None if published."""

    source: str
    own: Cell | None
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Table:
    """What came of a study so far."""

    study: Study
    scratch: Cell
    rows: tuple[Row, ...]

    @property
    def cells(self) -> tuple[Cell, ...]:
        """Every cell that learned the new property, that from scratch first."""
        return (self.scratch, *(cell for row in self.rows for cell in row.cells))

    @property
    def is_over(self) -> bool:
        """True when no number will come any more."""
        return not any(cell.n_live for cell in (*self.cells, *(row.own for row in self.rows if row.own)))

    def row(self, source: str) -> Row | None:
        """The row of a source; None when the study has none."""
        return next((row for row in self.rows if row.source == source), None)


# How the study that this one repeats was made: one seed, 1,000 crystals of the Materials Project to learn from,
# sources published with CGCNN or trained on OQMD and Materials Project data; 30 epochs, MSE, test MAE in eV.
THEIR_TITLE = "Transfer Learning and Representations for Material Properties"
THEIR_SCRATCH = 0.812  # eV
THEIRS: dict[str, tuple[int, tuple[float, float, float]]] = {  # source -> its crystals, test MAE with 1, 2, 3 frozen
    ENERGY: (28_046, (0.797, 0.765, 0.865)),
    CUT: (7_042, (1.022, 1.142, 1.437)),
    "bulk modulus": (2_041, (0.776, 0.897, 0.956)),
    "shear modulus": (2_041, (0.846, 0.993, 0.988)),
    COMBINED: (7_042, (0.820, 0.850, 0.870)),
}


def network() -> CGCNN.Config:
    """The shape of all networks of a study: that of the published ones."""
    return CGCNN.Config(n_convs=N_CONVS, hidden_dim=32)


def target_run(study: Study, seed: int) -> RunConfig:
    """A network that learns the new property from scratch; the split is the same for every seed."""
    # Three in ten crystals judge: with 73 instead of 220, chance among them would hide more than the seeds do.
    dataset = DatasetConfig(target=study.target, test_fraction=0.3, train_crystals=study.train_crystals)
    return RunConfig(dataset=dataset, model=network(), train=_training(study, seed))


def source_run(study: Study, name: str, seed: int) -> RunConfig:
    """A network that learns what a live source knows."""
    source = SOURCES[name]
    first, *also = source.targets
    amount = study.equal_crystals if source.equal else 0
    dataset = DatasetConfig(target=first, also=tuple(also), train_crystals=amount)
    return RunConfig(dataset=dataset, model=network(), train=_training(study, seed))


def transfer_of(column: str, source: str) -> TransferConfig:
    """What a column takes from a source, given as TransferConfig has it."""
    if column == TUNED:
        return TransferConfig(source=source, taken=N_CONVS, frozen=False)
    return TransferConfig(source=source, taken=int(column))


def steps(study: Study) -> list[Step]:
    """Every run of the study: a round for each seed, in which each source comes before what starts from it.

    `#n` stands for the id of run number n of this list, as RunStore.submit_sweep takes it.
    """
    found: list[Step] = []
    for seed in range(study.seeds):
        begins: dict[str, str] = {}
        for name in study.live:
            begins[name] = f"#{len(found)}"
            found.append(Step(name, OWN, Planned(_source_words(name), seed, source_run(study, name, seed))))
        base, label = target_run(study, seed), study.meaning.label
        found.append(Step(SCRATCH, OWN, Planned(f"{label}, {SCRATCH}", seed, base)))
        for name in study.sources:
            for column in study.columns:
                start = begins.get(name, name)  # a published one is named as TransferConfig names it
                config = base.with_(transfer=transfer_of(column, start))
                found.append(Step(name, column, Planned(f"{label}, from {cell_words(name, column)}", seed, config)))
    return found


def plan(study: Study) -> list[Planned]:
    """The same runs as an experiment submits them."""
    return [step.planned for step in steps(study)]


def read(study: Study, outcomes: Mapping[str, Outcome]) -> Table:
    """The table, from what came of each run by the name that it was planned with; a missing one counts as lost.

    A run that started from a source which was stopped or failed is lost too: that source had learned for less long.
    """
    found: dict[tuple[str, str], list[tuple[int, Outcome]]] = {}
    lost: set[tuple[str, int]] = set()  # sources without a result, by seed
    for step in steps(study):
        outcome = next((outcomes[name] for name in step.names if name in outcomes), Outcome(step.planned.config))
        place = step.source, step.planned.seed
        if step.column == OWN and outcome.mae is None and not outcome.is_live:
            lost.add(place)
        elif place in lost:
            outcome = Outcome(step.planned.config)
        found.setdefault((step.source, step.column), []).append((step.planned.seed, outcome))
    cells = {place: _cell(*place, several, study) for place, several in found.items()}
    rows = [
        Row(name, cells.get((name, OWN)), tuple(cells[name, column] for column in study.columns))
        for name in study.sources
    ]
    return Table(study, cells[SCRATCH, OWN], tuple(rows))


def cell_words(source: str, column: str) -> str:
    """A place of the table as a reader says it: `bulk modulus, 2 frozen`."""
    if source == SCRATCH:
        return SCRATCH
    return f"{source}, {column_words(column)}" if column != OWN else f"{source}, on its own property"


def column_words(column: str) -> str:
    """`2 frozen`, or `fine-tuned`."""
    return "fine-tuned" if column == TUNED else f"{column} frozen"


def _training(study: Study, seed: int) -> TrainConfig:
    return TrainConfig(epochs=study.epochs, batch_size=32, seed=seed, snapshots=0)


def _source_words(name: str) -> str:
    """A source's own learning by what it predicts: `Formation energy, source`."""
    labels = [TARGETS[target].label for target in SOURCES[name].targets]
    return f"{CUT.capitalize() if name == CUT else ' + '.join(labels)}, source"


def _cell(source: str, column: str, found: list[tuple[int, Outcome]], study: Study) -> Cell:
    scale = 1.0 if column == OWN and source != SCRATCH else study.scale  # no source is a class of its own
    maes = {seed: outcome.mae for seed, outcome in found if outcome.mae is not None and isfinite(outcome.mae)}
    n_live = sum(outcome.is_live and outcome.mae is None for _, outcome in found)
    by_seed = {seed: scale * mae for seed, mae in maes.items()}
    return Cell(cell_words(source, column), by_seed, n_live, len(found) - len(by_seed) - n_live)
