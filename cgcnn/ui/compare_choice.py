"""Which runs are compared: chosen from a list, and kept in the URL by their ids."""

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from cgcnn.data.targets import TARGETS
from cgcnn.errors import ConfigError, CrystalError, RunError
from cgcnn.runs.records import Run
from cgcnn.runs.store import RunStore
from cgcnn.ui.compare_differences import LETTERS, Compared, settings_of
from cgcnn.ui.link import linked, set_link, write_links
from cgcnn.ui.prose import show_mistake
from cgcnn.ui.run_start import source_words
from cgcnn.ui.run_view import seen, title_of

LISTED = 100
DEFAULT = 3  # runs, when the link names none
EVERYONE = "everyone"
NOBODY = "none"  # in the URL, when the reader took every run away


def chosen_runs(runs: RunStore) -> list[Compared]:
    """The runs that the reader chose, in the order of the list's chips; ids that are not here are told."""
    listed = runs.runs(LISTED)
    known = {run.id: run for run in listed}
    ids = _here(runs, _linked_ids(listed), known)
    left, right = st.columns([1, 4], vertical_alignment="bottom")
    named = any(run.user for run in listed)
    with left if named else st.container():
        offered = [*_offered(listed), *ids]
    st.session_state["compare_choice"] = ids[: len(LETTERS)]
    (right if named else st).multiselect(
        "Runs",
        list(dict.fromkeys(offered)),
        format_func=lambda i: title_of(known[i]),
        key="compare_choice",
        max_selections=len(LETTERS),
        placeholder="Choose two or more",
        on_change=lambda: set_link("runs", ",".join(st.session_state.compare_choice) or NOBODY),
    )
    write_links()
    found = _readable(runs, [known[i] for i in st.session_state["compare_choice"]])
    of = _compared_target(found)
    return [replace(one, of=of) for one in found]


def _compared_target(chosen: Sequence[Compared]) -> str:
    """By which target the runs are compared; the reader chooses where one of them learns several."""
    names = list(dict.fromkeys(name for one in chosen for name in one.config.dataset.targets))
    if all(not one.config.dataset.also for one in chosen):
        return ""
    labels = [TARGETS[name].label for name in names]
    if st.session_state.get("compare_of") not in (None, *labels):
        del st.session_state["compare_of"]
    label = st.segmented_control(
        "Compared by",
        labels,
        default=labels[0],
        required=True,
        key="compare_of",
        bind="query-params",
        help=BY_ONE,
        wrap=True,
    )
    return names[labels.index(label) if label in labels else 0]


BY_ONE = "Errors of different targets cannot be ranked. A run that does not learn this one shows its own main target."


def refreshed(runs: RunStore, compared: Sequence[Compared]) -> list[Compared]:
    """The same runs with all that they have said by now."""
    found = []
    for one in compared:
        mine = seen(runs, one.run.id)
        run = runs.run(one.run.id) if one.run.is_live else one.run
        data, test = mine.latest.get("data", {}), mine.latest.get("test", {})
        # The store keeps them as they came; after a worker was lost, an epoch may have come late.
        epochs = one.shown.epochs(sorted(mine.epochs, key=lambda e: e["epoch"]))
        found.append(replace(one, run=run, epochs=epochs, data=data, test=one.shown.test(test) or {}))
    return found


def _linked_ids(listed: Sequence[Run]) -> list[str]:
    text = linked("runs", "")
    if text == NOBODY:
        return []
    ids = list(dict.fromkeys(i.strip() for i in text.split(",") if i.strip()))
    return ids[: 2 * len(LETTERS)] if ids else _latest(listed)


def _here(runs: RunStore, ids: Sequence[str], known: dict[str, Run]) -> list[str]:
    """Those of the link's ids that exist, added to `known`; the link goes on without the others, after one sentence."""
    missing = []
    for run_id in [i for i in ids if i not in known]:
        try:
            known[run_id] = runs.run(run_id)
        except RunError:
            missing.append(run_id)
    found = [i for i in ids if i in known]
    if missing:
        shown = [f"{i[:12]}…" if len(i) > 12 else i for i in missing]
        words = " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)
        are = "There are no runs" if len(shown) > 1 else "There is no run"
        show_mistake(f"{are} {words} here, so the link goes on without; choose from the list below.")
        set_link("runs", ",".join(found) or NOBODY)
    return found


def _latest(listed: Sequence[Run]) -> list[str]:
    """The last few finished runs that learned the same target as the last one."""
    finished = [run for run in listed if run.state == "finished"]
    target = finished[0].settings["dataset"]["target"] if finished else ""
    return [run.id for run in finished if run.settings["dataset"]["target"] == target][:DEFAULT]


def _offered(listed: Sequence[Run]) -> list[str]:
    """All runs of the list, or one person's, where runs carry names."""
    names = sorted({run.user for run in listed if run.user})
    if not names:
        return [run.id for run in listed]
    whose = st.selectbox("Whose runs", [EVERYONE, *names], key="whose", bind="query-params")
    return [run.id for run in listed if whose in (EVERYONE, run.user)]


def _readable(runs: RunStore, chosen: Sequence[Run]) -> list[Compared]:
    """The runs, but for those whose settings this version of the lab cannot read."""
    found: list[Compared] = []
    for run in chosen:
        try:
            config = run.config
        except (ConfigError, CrystalError) as mistake:
            show_mistake(f"Run {run.id} was made by another version of the lab: {mistake}")
            continue
        settings = settings_of(config, source_words(config.transfer.source, runs, short=True))
        found.append(Compared(run, config, len(found), settings))
    return found
