"""The tab "Combined or single": several properties at once against one, from equally many crystals."""

from typing import Any

import streamlit as st

from cgcnn.data.targets import TARGETS
from cgcnn.runs.store import RunStore
from cgcnn.training.transfer_study import COMBINED, CUT, ENERGY, SINGLE, Table, column_words
from cgcnn.ui.prose import explained
from cgcnn.ui.transfer_seen import StudySeen, looked_again, pace
from cgcnn.ui.transfer_static import their_table
from cgcnn.ui.transfer_table import findings_shown, head, in_view
from cgcnn.ui.transfer_words import THERE, cell_text, here_words

THEIR_ROWS = (COMBINED, CUT, ENERGY)


def combined_tab(runs: RunStore) -> None:
    """The published comparison, and that of the study in view."""
    st.markdown(
        "Is it better to learn several properties first than one? Fair is only a comparison with **equally many "
        "crystals**: a published study cut formation energy "
        "from 28,046 to the 7,042 crystals that its combined source had."
    )
    explained("transfer", "Equal in crystals or in values?")
    left, right = st.columns([8, 5], gap="medium")
    with right:
        st.markdown(THERE)
        their_table(THEIR_ROWS, "their_combined", sizes=False)
    with left:
        seen = in_view(runs)
        if seen is None or not seen.members:
            st.info("Here stands the same from a study of your own: begin one on the **Table** tab.")
            return
        head(seen)
        every = pace(seen)
        st.fragment(_live, run_every=every)(runs, seen, every)


def _live(runs: RunStore, seen: StudySeen, every: float | None) -> None:
    seen = looked_again(runs, seen, every)
    st.markdown(here_words(seen.study))
    st.dataframe(_rows(seen, seen.table), hide_index=True, key="combined_table", column_config=_columns(seen))
    findings_shown(seen, "combined")


def _rows(seen: StudySeen, table: Table) -> list[dict[str, str]]:
    """Combined, the single properties of equal size, and formation energy with all its crystals."""
    found = []
    for name in (COMBINED, *SINGLE, ENERGY):
        row, learned = table.row(name), seen.crystals.sources.get(name)
        if row is None or learned is None:
            continue
        values = " + ".join(f"{n:,} {TARGETS[target].label.lower()}" for target, n in learned.labels.items())
        cells = zip(table.study.columns, row.cells, strict=True)
        errors = {column_words(column): cell_text(cell) for column, cell in cells}
        found.append({"learned first": name, "crystals": f"{learned.n_train:,}"} | errors | {"values": values})
    return found


def _columns(seen: StudySeen) -> dict[str, Any]:
    text = st.column_config.TextColumn
    return {
        "learned first": text("Learned first", pinned=True),
        "crystals": text("Crystals", help="How many the source learned from."),
        **{column_words(column): text(column_words(column)) for column in seen.study.columns},
        "values": text("Values", help="How many labels these crystals have; a crystal may have several."),
    }
