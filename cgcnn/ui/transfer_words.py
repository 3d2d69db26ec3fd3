"""A transfer study in the cells of a table and in sentences."""

from collections.abc import Iterable, Mapping
from math import isfinite
from typing import Any

import streamlit as st

from cgcnn.data.targets import TARGETS
from cgcnn.training.transfer_study import (
    OWN,
    SCRATCH,
    SOURCES,
    THEIR_SCRATCH,
    THEIRS,
    Cell,
    Row,
    Step,
    Study,
    Table,
    cell_words,
    column_words,
    steps,
)

NONE = "–"  # no result yet
DIGITS = 3  # decimals of all errors of a table, so that its numbers can be compared by eye
# Of one core, for a network of this shape and small cells; measured with single runs.
PER_CRYSTAL = 0.45e-3  # s for each training crystal and epoch
PER_RUN = 0.6  # s, whatever it learns from
PUBLISHED = "published"
THERE = "**The published study**, on other data: test MAE in eV"


def table_rows(table: Table) -> list[dict[str, str]]:
    """The live table as text: a row for each source, a column for each frozen count.

    Training from scratch freezes nothing: its one number stands in every column, to be compared with.
    """
    scratch = {column_words(column): study_cell(table.scratch, table.study) for column in table.study.columns}
    rows = [{"learned first": SCRATCH} | scratch | {"its own error": ""}]
    return rows + [_row(row, table.study) for row in table.rows]


def table_columns(study: Study) -> dict[str, Any]:
    """The headings of the live table."""
    text, unit = st.column_config.TextColumn, f" ({study.unit})" if study.unit else ""
    help = f"Test {study.error}{unit}: {_repeats(study)}."
    return {
        "learned first": text("Learned first", pinned=True),
        **{column_words(column): text(column_words(column), help=help) for column in study.columns},
        "its own error": text("Its own error", help="The test error of the source itself, on its own (main) property."),
    }


def here_words(study: Study) -> str:
    """What stands above the live table."""
    unit = f" in {study.unit}" if study.unit else ""
    return f"**Here**: test {study.error}{unit}, {_repeats(study)}"


def _repeats(study: Study) -> str:
    return "one run each: no spread is known" if study.seeds == 1 else "mean ± standard deviation over the seeds"


def cell_text(cell: Cell, unit: str = "") -> str:
    """`0.720 ± 0.031`, with `(1 of 3)` while runs are to come or without a result; a share as `12.5 ± 0.8 %`."""
    total = len(cell.by_seed) + cell.n_live + cell.n_lost
    if not cell.by_seed:
        return "no result" if not cell.n_live else NONE
    digits = 1 if unit == "%" else DIGITS
    spread = f" ± {cell.arm.std:.{digits}f}" if isfinite(cell.arm.std) else ""
    words = f"{cell.arm.mean:.{digits}f}{spread} {unit}".rstrip()
    return words if len(cell.by_seed) == total else f"{words} ({len(cell.by_seed)} of {total})"


def study_cell(cell: Cell, study: Study) -> str:
    """A cell of the new property; its unit stands above the table, but for a percent sign."""
    return cell_text(cell, study.unit if study.meaning.is_class else "")


def guess_words(study: Study, guess: float) -> str:
    """What knowing nothing would give, in the study's unit: the bar that every number has to beat."""
    if study.meaning.is_class:
        return f"Always naming the commoner class of these test crystals is wrong for {guess:.1f} % of them."
    number = f"{guess:.{DIGITS}f} {study.unit}".rstrip()
    return f"Always predicting the mean of these test crystals errs by {number}."


def table_csv(table: Table) -> list[dict[str, Any]]:
    """One row for each run that has a result: source, column, seed, error."""
    unit = f" ({table.study.unit})" if table.study.unit else ""
    cells = {cell.words: cell for cell in table.cells}
    found = []
    for step in steps(table.study):
        is_source = step.column == OWN and step.source != SCRATCH
        cell = None if is_source else cells.get(cell_words(step.source, step.column))
        if cell is not None and step.planned.seed in cell.by_seed:
            mae = cell.by_seed[step.planned.seed]
            place = {"learned first": step.source, "column": step.column, "seed": step.planned.seed}
            found.append(place | {f"test {table.study.error}{unit}": mae})
    return found


def their_rows(names: Iterable[str] = THEIRS) -> list[dict[str, str]]:
    """The published table as it stands."""
    rows = [{"learned first": SCRATCH, "crystals": ""} | {f"{k} frozen": f"{THEIR_SCRATCH:.3f}" for k in (1, 2, 3)}]
    for name in names:
        n, maes = THEIRS[name]
        columns = {f"{k} frozen": f"{mae:.3f}" for k, mae in enumerate(maes, 1)}
        rows.append({"learned first": name, "crystals": f"{n:,}"} | columns)
    return rows


def their_columns() -> dict[str, Any]:
    """The headings of the published table."""
    text = st.column_config.TextColumn
    return {
        "learned first": text("Learned first", pinned=True),
        "crystals": text("Crystals", help="How many the source learned from."),
        **{f"{k} frozen": text(f"{k} frozen", help="Test MAE of one run, in eV.") for k in (1, 2, 3)},
    }


def core_seconds(study: Study, n_train: Mapping[str, int]) -> float:
    """About how long all runs of a study take one core; `n_train` are the crystals of each live source."""
    return sum(run_seconds(step, study, n_train) for step in steps(study))


def run_seconds(step: Step, study: Study, n_train: Mapping[str, int]) -> float:
    """About how long one run takes one core."""
    is_source = step.column == OWN and step.source != SCRATCH
    return PER_RUN + PER_CRYSTAL * study.epochs * (n_train[step.source] if is_source else study.train_crystals)


def _row(row: Row, study: Study) -> dict[str, str]:
    targets = SOURCES[row.source].targets
    own = cell_text(row.own, TARGETS[targets[0]].unit) if row.own else PUBLISHED
    cells = zip(study.columns, row.cells, strict=True)
    found = {column_words(column): study_cell(cell, study) for column, cell in cells}
    return {"learned first": row.source} | found | {"its own error": own}
