"""What the Transfer page shows before anything runs: which parts stay, and the table of a study with one seed."""

from collections.abc import Iterable
from typing import Any

import streamlit as st

from cgcnn.figures.transfer import HEAD, PART_HEIGHT, parts_alt, parts_picture, transfer_chart
from cgcnn.training.arms import Arm
from cgcnn.training.sweep import AxisWords
from cgcnn.training.transfer import TransferConfig
from cgcnn.training.transfer_parts import n_learning, parts_of
from cgcnn.training.transfer_study import (
    N_CONVS,
    SCRATCH,
    SOURCES,
    THEIR_SCRATCH,
    THEIR_TITLE,
    THEIRS,
    TUNED,
    cell_words,
    network,
    transfer_of,
)
from cgcnn.ui.prose import explained
from cgcnn.ui.transfer_words import their_columns, their_rows

SHOWN = ("0", "1", "2", "3", TUNED)  # columns of the picture, after the network from scratch
COUNTS = ("1", "2", "3")  # what the published study froze
ONE_SEED = "One seed each, other data: no spread is known"


def parts_shown(key: str) -> None:
    """The network of all studies, part by part, for each way to begin it."""
    parts = parts_of(network())
    ways = {"scratch": TransferConfig(), **{_short(column): transfer_of(column, "#0") for column in SHOWN}}
    columns = [(words, n_learning(parts, way)) for words, way in ways.items()]
    states = [[part.state(way) for part in parts] for way in ways.values()]
    option = parts_picture([(part.name, part.n_parameters) for part in parts], columns, states)
    st.echarts_chart(option, key=key, height=HEAD + PART_HEIGHT * len(parts), alt=parts_alt(columns))
    explained("transfer", "What am I looking at?")


def their_study() -> None:
    """The published chart and table, marked as what they are."""
    option = their_chart()
    lowest = "Lowest: 0.765 eV with formation energy, 2 frozen; from scratch 0.812 eV."
    st.echarts_chart(option, key="their_chart", height=400, alt=f"Test error of a published study. {lowest}")
    their_table()


def their_table(names: tuple[str, ...] = tuple(THEIRS), key: str = "their_table", sizes: bool = True) -> None:
    """The published numbers as they stand; without `sizes` it takes less room."""
    order = None if sizes else ("learned first", *(f"{count} frozen" for count in COUNTS))
    st.dataframe(their_rows(names), hide_index=True, key=key, column_config=their_columns(), column_order=order)
    st.caption(
        f"“{THEIR_TITLE}”: band gaps of the Materials Project, 1,000 crystals to learn from, sources from OQMD and the "
        "Materials Project, **one run each**."
    )


def their_chart() -> dict[str, Any]:
    """The published table as points: one run each, no bars."""
    values = {name: maes for name, (_, maes) in THEIRS.items()}
    found = [
        Arm(cell_words(name, count), {}, (values[name][place],))
        for place, count in enumerate(COUNTS)
        for name in THEIRS
    ]
    return transfer_chart(
        found,
        frozen_axes(COUNTS, tuple(THEIRS), joined=True),
        Arm(SCRATCH, {}, (THEIR_SCRATCH,)),
        title="A published study: test error of the band gap",
        note=ONE_SEED,
        unit="eV",
        numbers=numbers_of(THEIRS),
    )


def frozen_axes(columns: tuple[str, ...], sources: tuple[str, ...], *, joined: bool = False) -> list[AxisWords]:
    """The axes of a chart of errors: the frozen counts, and a series for each source.

    Series stand side by side, with room for their bars; `joined` ones are lines.
    """
    words = tuple("fine-tuned" if column == TUNED else column for column in columns)
    values: tuple[Any, ...] = tuple(int(column) for column in columns) if joined else columns
    return [AxisWords("Frozen convolutions", values, words), AxisWords("Learned first", sources, sources)]


def numbers_of(sources: Iterable[str]) -> list[int]:
    """The place of each source among all: its color and its mark in every picture."""
    return [list(SOURCES).index(name) for name in sources]


def _short(column: str) -> str:
    return f"tuned {N_CONVS}" if column == TUNED else column
