"""Ready experiments: a question, the guesses that a student can make, and the grid of runs that answers it.

The questions on neighbors, activation and batch norm, pooling, and a convolution that weighs all neighbors alike follow
the CS182 project on CGCNN (github.com/X-Chen97/cs182project). All fit a classroom: minutes on two cores.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cgcnn.data import DatasetConfig
from cgcnn.data.targets import TARGETS, Target
from cgcnn.training.experiment import RunConfig
from cgcnn.training.guesses import NO_EFFECT, Claim, Guess
from cgcnn.training.sweep import Planned, grid
from cgcnn.training.train import TrainConfig

# Small enough for a classroom, and large enough that every network beats the mean guess by far. A fifth of the crystals
# is held out for the test: with fewer, the spread over seeds would hide more.
SMALL = RunConfig(
    dataset=DatasetConfig(max_sites=8, max_crystals=1000, test_fraction=0.2),
    train=TrainConfig(epochs=25, batch_size=32, snapshots=0),
)
CELLS = SMALL.with_(
    **{"dataset.target": "formation_energy_per_cell", "dataset.max_sites": 20, "dataset.max_crystals": 700}
)


@dataclass(frozen=True)
class Card:
    """One experiment as a page shows it."""

    title: str
    question: str
    why: str  # what is known, with its source
    guesses: tuple[Guess, ...]  # the last one: no effect
    axes: Mapping[str, tuple[Any, ...]]  # dotted field of RunConfig -> values
    seeds: tuple[int, ...]
    look: str  # what to look at afterwards
    core_seconds: int  # processor time of all runs, from single runs timed on two shared cores
    base: RunConfig = SMALL

    @property
    def target(self) -> Target:
        """What the networks learn; its unit is that of the errors."""
        return TARGETS[self.base.dataset.target]

    def runs(self) -> list[Planned]:
        """Every run of the experiment, in the order in which they should start."""
        return grid(self.base, self.axes, self.seeds)

    def guess(self, words: str) -> Guess | None:
        """The guess with these words, as a store kept it."""
        return next((guess for guess in self.guesses if guess.words == words), None)


def better(field: str, a: Any, b: Any) -> Claim:
    """The claim that one value of a setting gives a lower error than another."""
    return Claim({field: a}, {field: b})


def not_better(field: str, a: Any, b: Any) -> Claim:
    """The claim that one value of a setting is no better than another: the same or worse."""
    return Claim({field: a}, {field: b}, denied=True)


K, RULE, DEPTH, POOL = "graph.max_neighbors", "graph.rule", "model.n_convs", "model.pooling"
NORM, ACTIVATION, CONV, AMOUNT = "model.norm", "model.activation", "model.conv", "dataset.train_crystals"
PER_ATOM = "train.per_atom"

EXPERIMENTS: dict[str, Card] = {
    "neighbors": Card(
        title="How many neighbors?",
        question="Each atom listens to its k nearest neighbors, or to all atoms of the shells that hold k. "
        "Does a larger k, or the whole shells, make the network better?",
        why="CGCNN was published with k = 12, and homework question 3 varies it. k = 12 cuts the second shell of rock "
        "salt (6 + 12 atoms) at an arbitrary place.",
        guesses=(
            Guess("More neighbors help: 24 beats 6.", (better(K, 24, 6),)),
            Guess("The nearest atoms say it all: 6 beats 24.", (better(K, 6, 24),)),
            Guess("Whole shells beat a fixed k.", (better(RULE, "whole shells", "k nearest"),)),
            NO_EFFECT,
        ),
        axes={K: (6, 12, 18, 24), RULE: ("k nearest", "whole shells")},
        seeds=(0, 1, 2),
        look="Compare the gain with the cost: an epoch takes time in proportion to the edges. Then open the "
        "Invariance tab of the Graph page: whole shells give the same answer however the crystal is turned.",
        core_seconds=120,
    ),
    "activation": Card(
        title="Which activation, with or without batch norm?",
        question="Batch norm keeps the numbers inside the network in range, and the activation bends them. "
        "Which of the two matters, and does one depend on the other?",
        why="Homework question 4. The paper's equation has no batch norm; the code published with it has two in each "
        "convolution, and softplus as the activation.",
        guesses=(
            Guess("Batch norm helps.", (better(NORM, "batch norm", "none"),)),
            Guess(
                "Batch norm harms: so few crystals in a batch are a poor average.",
                (better(NORM, "none", "batch norm"),),
            ),
            Guess("A smooth activation helps: softplus beats ReLU.", (better(ACTIVATION, "softplus", "ReLU"),)),
            NO_EFFECT,
        ),
        axes={ACTIVATION: ("softplus", "ReLU", "SiLU", "tanh"), NORM: ("batch norm", "none")},
        seeds=(0, 1, 2),
        look="Open one run with batch norm and one without: whose curve falls faster in the first epochs? "
        "A learning rate that suits one may be too large for the other.",
        core_seconds=85,
    ),
    "pooling": Card(
        title="Mean, sum or max?",
        question="Pooling makes one vector of all atoms. Which way is best for an energy per atom?",
        why="Homework question 5 replaces the mean by the maximum. An energy per atom does not change when the cell "
        "is doubled; mean and max pooling do not change either, but a sum doubles.",
        guesses=(
            Guess("Mean beats sum: it fits an energy per atom.", (better(POOL, "mean", "sum"),)),
            Guess("Max beats mean: the most striking atom decides.", (better(POOL, "max", "mean"),)),
            Guess("Sum beats mean: it knows how many atoms there are.", (better(POOL, "sum", "mean"),)),
            NO_EFFECT,
        ),
        axes={POOL: ("mean", "sum", "max")},
        seeds=(0, 1, 2, 3, 4, 5, 6, 7),
        look="Open the Pooling tab of the Convolution page with a run of each kind, and double the cell: "
        "which prediction stays?",
        core_seconds=105,
    ),
    "depth": Card(
        title="How deep?",
        question="Each convolution lets an atom see one edge farther; with none, it knows only its own element. "
        "How many are needed?",
        why="CGCNN was published with 3 in its code and 4 in its trained networks. In deep graph networks all atoms "
        "come to look alike (over-smoothing: Li, Han and Wu, AAAI 2018).",
        guesses=(
            Guess("The deeper the better: 5 beats 1.", (better(DEPTH, 5, 1),)),
            Guess("One is enough: it beats none, and 5 are no better.", (better(DEPTH, 1, 0), not_better(DEPTH, 5, 1))),
            Guess("Too many harm: 2 beat 5.", (better(DEPTH, 2, 5),)),
            NO_EFFECT,
        ),
        axes={DEPTH: (0, 1, 2, 3, 4, 5)},
        seeds=(0, 1, 2, 3),
        look="Look at the training error of the deepest runs: does depth fail to fit, or fit by heart? The "
        "Over-smoothing tab of the Convolution page shows how alike the atoms become.",
        core_seconds=80,
    ),
    "data": Card(
        title="How much data?",
        question="A network learns from examples. How much does it gain when there are more of them?",
        why="The published network learned formation energies from 28,046 crystals and errs by 0.039 eV/atom. "
        "On the 636 layered crystals of Matbench, CGCNN errs by 49 meV/atom, and MODNet, on features made by hand, "
        "by 33.",
        guesses=(
            Guess("It keeps paying: 1,000 crystals beat 250.", (better(AMOUNT, 1000, 250),)),
            Guess(
                "It saturates: 250 beat 60, but 1,000 are no better than 250.",
                (better(AMOUNT, 250, 60), not_better(AMOUNT, 1000, 250)),
            ),
            NO_EFFECT,
        ),
        axes={AMOUNT: (60, 125, 250, 500, 1000)},
        seeds=(0, 1, 2, 3, 4),
        base=SMALL.with_(**{"dataset.max_crystals": 0}),
        look="On paper with two logarithmic axes such curves are often straight: what would 10,000 crystals give? "
        "Each run sees its crystals 25 times, so fewer crystals also mean fewer steps. All amounts of one seed are "
        "tested on the same crystals.",
        core_seconds=75,
    ),
    "convolution": Card(
        title="Is the gate worth it?",
        question="The published convolution has a gate that weighs each neighbor. What if all neighbors count alike, "
        "or if an atom listens to none?",
        why="The paper introduces the gate because equal weights ignore that some neighbors act more strongly than "
        "others. The homework has students build a weight-shared convolution and compare the two.",
        guesses=(
            Guess(
                "The gate helps, and any neighbors beat none.",
                (better(CONV, "gated", "weight-shared"), better(CONV, "weight-shared", "no convolution")),
            ),
            Guess(
                "Neighbors help, but the gate does not.",
                (better(CONV, "weight-shared", "no convolution"), not_better(CONV, "gated", "weight-shared")),
            ),
            Guess("Composition is enough: no convolution is no worse.", (not_better(CONV, "gated", "no convolution"),)),
            NO_EFFECT,
        ),
        axes={CONV: ("gated", "weight-shared", "no convolution")},
        seeds=(0, 1, 2, 3, 4, 5, 6, 7),
        look="Which crystals does the network without convolution get wrong? It cannot tell two crystals of one "
        "formula apart, such as the anatase and rutile forms of TiO2.",
        core_seconds=65,
    ),
    "cell": Card(
        title="Energy of the cell, or per atom?",
        question="The energy of a cell grows with its atoms. Which pooling can learn it, and does it help to divide by "
        "the number of atoms before learning?",
        why="The homework's labels are energies of the cell, which mean pooling can hardly learn: it cannot see how "
        "many atoms there are. Sum pooling can, and so can a network that learns the energy per atom.",
        guesses=(
            Guess(
                "Sum pooling is the cure, and learning per atom does not replace it.",
                (
                    Claim({PER_ATOM: False, POOL: "sum"}, {PER_ATOM: False, POOL: "mean"}),
                    Claim({PER_ATOM: False, POOL: "sum"}, {PER_ATOM: True, POOL: "mean"}),
                ),
            ),
            Guess(
                "Either cure helps alone, and both at once are worse than one.",
                (
                    Claim({PER_ATOM: False, POOL: "sum"}, {PER_ATOM: False, POOL: "mean"}),
                    Claim({PER_ATOM: True, POOL: "mean"}, {PER_ATOM: False, POOL: "mean"}),
                    Claim({PER_ATOM: True, POOL: "mean"}, {PER_ATOM: True, POOL: "sum"}),
                ),
            ),
            Guess("Both at once are best.", (Claim({PER_ATOM: True, POOL: "sum"}, {PER_ATOM: True, POOL: "mean"}),)),
            NO_EFFECT,
        ),
        axes={PER_ATOM: (False, True), POOL: ("mean", "sum")},
        seeds=(0, 1, 2, 3),
        look="Compare the parity plots: which network bends over for large cells? Learning per atom divides the "
        "energy by the number of atoms, and the answer is multiplied again: only mean pooling then fits.",
        core_seconds=70,
        base=CELLS,
    ),
}
