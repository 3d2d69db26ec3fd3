"""What the networks of a transfer study learn from, and which test crystals a source has met before.

A crystal that judges the new property may have been among those that a source learned from, with another label: a
source could then have learned by heart what it should have understood. Errors are therefore also known without the
crystals of such chemical systems.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from cgcnn.data import DatasetConfig, load_crystals, share_out
from cgcnn.data.crystal import Split
from cgcnn.data.targets import TARGETS
from cgcnn.training.transfer_study import SOURCES, Study, source_run, target_run


@dataclass(frozen=True)
class Learned:
    """The crystals that a network learns from, counted."""

    n_train: int
    labels: Mapping[str, int]  # target -> training crystals that have it
    ids: frozenset[str]  # of the training crystals
    systems: frozenset[str]  # chemical systems of the training and the validation crystals


@dataclass(frozen=True)
class Material:
    """What a study is made of: its sources by name, the new property, and the test crystals that are met again."""

    sources: Mapping[str, Learned]
    n_train: int
    n_val: int
    n_test: int
    again: frozenset[str]  # test crystals that a live source learned from, with another label
    kin: frozenset[str]  # test crystals of whose chemical system a live source has seen one; `again` is a part of it

    @property
    def n_apart(self) -> int:
        """Test crystals of whose chemical system no live source has seen any."""
        return self.n_test - len(self.kin)


def material(study: Study) -> Material:
    """The crystals of a study; about a second, since every set is loaded and split as its runs do it."""
    shares = _shares(target_run(study, 0).dataset)
    sources = {name: _learned(source_run(study, name, 0).dataset) for name in study.live}
    ids = frozenset().union(*(source.ids for source in sources.values()))
    systems = frozenset().union(*(source.systems for source in sources.values()))
    return Material(
        sources=sources,
        n_train=len(shares.train),
        n_val=len(shares.val),
        n_test=len(shares.test),
        again=frozenset(crystal.id for crystal in shares.test if crystal.id in ids),
        kin=frozenset(crystal.id for crystal in shares.test if crystal.chemical_system in systems),
    )


def errors_without(test: Mapping[str, Any], target: str, without: Collection[str] = ()) -> tuple[float, float] | None:
    """The error on the test crystals but for some, and that of predicting their mean; None when none is left.

    `test` is a test event as the store has it. The mean is that of the crystals that are left, as a bar to beat.
    """
    rows = zip(test["ids"], test["truth"], test["predicted"], strict=True)
    kept = [(truth, predicted) for crystal, truth, predicted in rows if crystal not in without]
    if not kept:
        return None
    if TARGETS[target].is_class:
        kept = [(truth, float(predicted >= 0.5)) for truth, predicted in kept]
    middle = sum(truth for truth, _ in kept) / len(kept)
    guess = float(middle >= 0.5) if TARGETS[target].is_class else middle
    mae = sum(abs(truth - predicted) for truth, predicted in kept) / len(kept)
    return mae, sum(abs(truth - guess) for truth, _ in kept) / len(kept)


def material_words(study: Study, found: Material, strict: bool | None = None) -> list[str]:
    """What is held equal and what is not, in sentences; `strict` says who judges, None where that is still open."""
    return [*_amounts(study, found), *_met_again(study, found, strict)]


def _amounts(study: Study, found: Material) -> list[str]:
    words = [f"The new property, {study.meaning.axis}: {found.n_train:,} crystals to learn from, "
             f"{found.n_val:,} to choose the best epoch, {found.n_test:,} to judge it; the same for all."]  # fmt: skip
    for name, source in found.sources.items():
        labels = " + ".join(f"{n:,} {TARGETS[target].label.lower()}" for target, n in source.labels.items())
        values = f"{sum(source.labels.values()):,} values ({labels})" if len(source.labels) > 1 else "one value each"
        words.append(f"“{name}” learns from {source.n_train:,} crystals with {values}.")
    return words


def _met_again(study: Study, found: Material, strict: bool | None) -> list[str]:
    words = []
    if found.kin:
        judges = {
            None: f"one table is judged by the other {found.n_apart} alone, one by all",
            True: f"with the switch on, only the other {found.n_apart} judge",
            False: f"with the switch off, all {found.n_test} judge",
        }
        words.append(
            f"{len(found.kin)} of the {found.n_test} test crystals share their chemical system with a crystal that a "
            f"source learned from ({len(found.again)} are that very crystal); {judges[strict]}."
        )
    if any(SOURCES[name].published for name in study.sources):
        words.append(
            "The published networks learned from up to 37,394 crystals of the Materials Project, where the test "
            "crystals come from, too: which of them they have met is not known here."
        )
    return words


def _shares(config: DatasetConfig) -> Split:
    return share_out(load_crystals(config).crystals, config)


def _learned(config: DatasetConfig) -> Learned:
    shares = _shares(config)
    return Learned(
        n_train=len(shares.train),
        labels={t: sum(t in crystal.targets for crystal in shares.train) for t in config.targets},
        ids=frozenset(crystal.id for crystal in shares.train),
        systems=frozenset(crystal.chemical_system for crystal in [*shares.train, *shares.val]),
    )
