"""The tab "Combined or single": several properties at once against one, from equally many crystals."""

from typing import Any

import streamlit as st

from cgcnn.data.targets import TARGETS
from cgcnn.runs.store import RunStore
from cgcnn.training.transfer_study import COMBINED, CUT, ENERGY, SINGLE, Study, Table, column_words
from cgcnn.ui.prose import explained
from cgcnn.ui.transfer_seen import StudySeen, looked_again, pace
from cgcnn.ui.transfer_static import their_table
from cgcnn.ui.transfer_table import OTHER_PROPERTY, beside_theirs, findings_shown, head, in_view, is_theirs, judges
from cgcnn.ui.transfer_words import THERE, here_words, study_cell

THEIR_ROWS = (COMBINED, CUT, ENERGY)


def combined_tab(runs: RunStore) -> None:
    """The published comparison, and that of the study in view."""
    st.markdown(
        "Is it better to learn several properties first than one? Fair is only a comparison with **equally many "
        "crystals**: a published study cut formation energy "
        "from 28,046 to the 7,042 crystals that its combined source had."
    )
    explained("transfer", "Equal in crystals or in values?")
    seen = in_view(runs)
    study = seen.study if seen is not None else Study()
    left, right = beside_theirs(study)
    with right:
        if is_theirs(study):
            st.markdown(THERE)
            their_table(THEIR_ROWS, "their_combined", sizes=False)
        else:
            st.caption(OTHER_PROPERTY)
    with left:
        if seen is None or not seen.members:
            st.info("Here stands the same from a study of your own: begin one on the **Table** tab.")
            return
        head(seen)
        judges(seen)
        every = pace(seen)
        st.fragment(_live, run_every=every)(runs, seen, every)


def _live(runs: RunStore, seen: StudySeen, every: float | None) -> None:
    seen = looked_again(runs, seen, every)
    st.markdown(here_words(seen.study))
    st.dataframe(_rows(seen, seen.table), hide_index=True, key="combined_table", column_config=_columns(seen))
    st.caption("  \n".join(words for words in (_values(seen), _judged_by(seen)) if words))
    findings_shown(seen, "combined")


def _rows(seen: StudySeen, table: Table) -> list[dict[str, str]]:
    """Combined, the single properties of equal size, and formation energy with all its crystals."""
    found = []
    for name in (COMBINED, *SINGLE, ENERGY):
        row, learned = table.row(name), seen.crystals.sources.get(name)
        if row is None or learned is None:
            continue
        cells = zip(table.study.columns, row.cells, strict=True)
        errors = {column_words(column): study_cell(cell, table.study) for column, cell in cells}
        found.append({"learned first": name, "crystals": f"{learned.n_train:,}"} | errors)
    return found


def _judged_by(seen: StudySeen) -> str:
    found = seen.crystals
    if seen.strict and found.kin:
        return f"Judged by the {found.n_apart} of {found.n_test} test crystals that no source trained here has met."
    return f"Judged by all {found.n_test} test crystals."


def _values(seen: StudySeen) -> str:
    """How many values the crystals of the combined source have, since some have several."""
    learned = seen.crystals.sources.get(COMBINED)
    if learned is None:
        return ""
    parts = " + ".join(f"{n:,} {TARGETS[target].label.lower()}" for target, n in learned.labels.items())
    total = sum(learned.labels.values())
    return f"Values: “{COMBINED}” has {total:,} ({parts}), every other source one for each crystal."


def _columns(seen: StudySeen) -> dict[str, Any]:
    text = st.column_config.TextColumn
    return {
        "learned first": text("Learned first", pinned=True),
        "crystals": text("Crystals", help="How many the source learned from."),
        **{column_words(column): text(column_words(column)) for column in seen.study.columns},
    }
