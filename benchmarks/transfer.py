"""What a network takes along, measured: `python -m benchmarks.transfer [--seeds 3] [--sources NAME …] > table.md`.

The same runs as the Transfer page begins, one after the other in this process and without a store. Printed is Markdown
for docs/transfer.md; how far it is goes to the other stream. Names of sources are those of the page, among them the
published networks: --sources "formation energy" "published: bulk modulus".
"""

import argparse
import sys
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from cgcnn.data.targets import TARGETS
from cgcnn.training.arms import Outcome
from cgcnn.training.experiment import Experiment, RunConfig
from cgcnn.training.transfer_answers import findings
from cgcnn.training.transfer_crystals import errors_without, material, material_words
from cgcnn.training.transfer_study import SOURCES, THEIRS, Cell, Study, Table, column_words, read, steps

Checkpoint = tuple[dict[str, Tensor], dict[str, Any]]


@dataclass(frozen=True)
class Done:
    """A run of the study: its settings, what it said of the test crystals, and how long it took."""

    config: RunConfig
    test: Mapping[str, Any]
    seconds: float


def trained(study: Study) -> dict[str, Done]:
    """All runs of the study by name, each source before what starts from it."""
    networks: dict[str, Checkpoint] = {}
    done: dict[str, Done] = {}
    planned = [step.planned for step in steps(study)]
    for number, plan in enumerate(planned):
        begun = time.perf_counter()
        experiment = Experiment(plan.config, checkpoint_of=networks.get)
        for _ in experiment.events():
            pass
        networks[f"#{number}"] = experiment.checkpoint()
        done[plan.name] = Done(plan.config, vars(experiment.result()), time.perf_counter() - begun)
        print(f"\r{number + 1} of {len(planned)} runs ", end="", file=sys.stderr, flush=True)
    return done


def table_of(study: Study, done: Mapping[str, Done], without: Collection[str]) -> Table:
    """The table of errors on the test crystals but for some; a source's own error is on all of its own."""
    return read(study, {name: _outcome(study, one, without) for name, one in done.items()})


def _outcome(study: Study, one: Done, without: Collection[str]) -> Outcome:
    target = one.config.dataset.target
    found = errors_without(one.test, target, without if target == study.target else ())
    return Outcome(one.config, *(found[:1] if found else (None,)))


def markdown(table: Table, title: str) -> str:
    """The table with a row for each source, and beside ours what the study has that it repeats."""
    study = table.study
    unit = f" ({study.unit})" if study.unit else ""
    columns = [column_words(column) for column in study.columns]
    lines = [
        f"**{title}**: test {study.error}{unit}, mean ± standard deviation over {study.seeds} seeds\n",
        f"| learned first | its own test MAE | {' | '.join(columns)} |",
        f"|---|---|{'---|' * len(columns)}",
        f"| nothing: from scratch | – | {_text(table.scratch)} |{' |' * (len(columns) - 1)}",
    ]
    for row in table.rows:
        own = TARGETS[SOURCES[row.source].targets[0]].unit if row.own else ""
        cells = " | ".join(_text(cell) for cell in row.cells)
        lines.append(f"| {row.source} | {_text(row.own, own) if row.own else 'published'} | {cells} |")
    return "\n".join(lines)


def theirs() -> str:
    """The published table as it stands: one seed, other data."""
    lines = ["| source (crystals) | 1 frozen | 2 frozen | 3 frozen |", "|---|---|---|---|"]
    for name, (n, maes) in THEIRS.items():
        lines.append(f"| {name} ({n:,}) | {' | '.join(f'{mae:.3f}' for mae in maes)} |")
    return "\n".join(lines)


def _text(cell: Cell, unit: str = "") -> str:
    return cell.arm.text(unit) if cell.by_seed else "no result"


def chosen() -> Study:
    """The study that the command line asks for."""
    usual = Study()
    reader = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    reader.add_argument("--target", default=usual.target)
    reader.add_argument("--sources", nargs="+", default=list(usual.sources))
    reader.add_argument("--frozen", nargs="*", default=list(usual.frozen))
    reader.add_argument("--fine-tune", action="store_true")
    for name in ("seeds", "train_crystals", "equal_crystals", "epochs"):
        reader.add_argument(f"--{name.replace('_', '-')}", type=int, default=getattr(usual, name))
    asked = vars(reader.parse_args())
    tuned = asked.pop("fine_tune")
    return Study(**{name: tuple(v) if isinstance(v, list) else v for name, v in asked.items()}, tuned=tuned)


def main() -> None:
    """Train everything, then print both tables and what they show."""
    study = chosen()
    begun = time.perf_counter()
    done, crystals = trained(study), material(study)
    seconds = time.perf_counter() - begun
    print(f"\n{seconds:.0f} s", file=sys.stderr)
    strict = table_of(study, done, crystals.kin)
    print(f"{len(done)} runs of {study.epochs} epochs, {seconds:.0f} s one after the other.\n")
    print("\n".join(f"- {words}" for words in material_words(study, crystals)))
    print(f"\n{markdown(strict, f'On the {crystals.n_apart} test crystals that no source trained here has met')}")
    print(f"\n{markdown(table_of(study, done, ()), f'On all {crystals.n_test} test crystals')}\n")
    for finding in findings(strict):
        print(f"- *{finding.question}* {finding.sentence}")
    print(f"\nThe study that this repeats (one seed, other data):\n\n{theirs()}")


if __name__ == "__main__":
    main()
