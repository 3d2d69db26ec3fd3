"""Set up a transfer study: its rows, columns and repeats, what it will take, and the button."""

from datetime import datetime

import streamlit as st

from cgcnn.data.targets import TARGETS
from cgcnn.errors import CrystalError
from cgcnn.runs.records import Sweep
from cgcnn.runs.store import RunStore
from cgcnn.training.transfer_crystals import material_words
from cgcnn.training.transfer_study import EXPERIMENT, SOURCES, Study, plan
from cgcnn.ui.data_sets import builtin_targets
from cgcnn.ui.experiment_words import time_words
from cgcnn.ui.form import choice, form
from cgcnn.ui.link import set_link, write_links
from cgcnn.ui.prose import explained, plain, show_mistake
from cgcnn.ui.teacher import is_fixed
from cgcnn.ui.transfer_seen import STUDY, crystals_of
from cgcnn.ui.transfer_words import core_seconds
from cgcnn.ui.who import who

MINE, ALL = "Mine", "Everyone's"
PREFIX = "study_"
LISTS = ["sources", "frozen"]
NUMBERS = ["seeds", "train_crystals", "equal_crystals", "epochs"]


def study_form(runs: RunStore) -> None:
    """The form, what would run, and the button."""
    button = st.container()  # drawn first, filled last
    try:
        study = _study()
        runs_planned = len(plan(study))
        found = crystals_of(study)
    except CrystalError as mistake:
        with button:
            _run_button(str(mistake))
        show_mistake(str(mistake))
        return
    most = runs.limits.sweep_size
    why_not = ""
    if runs_planned > most:
        why_not = f"This study has {runs_planned} runs and at most {most} are allowed; take fewer rows or seeds."
    with button:
        if _run_button(why_not):
            _begin(runs, study)
    if why_not:
        show_mistake(why_not)
    n_train = {name: source.n_train for name, source in found.sources.items()}
    st.markdown(f"**{plain(time_words(runs_planned, core_seconds(study, n_train), runs.load()))}**")
    st.markdown("\n".join(f"- {plain(words)}" for words in material_words(study, found, found.n_apart > 0)))


def earlier(runs: RunStore) -> None:
    """The latest studies, of all or one's own, to open again."""
    name = who().name
    if not any(sweep.experiment == EXPERIMENT for sweep in runs.sweeps(1000)):
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        whose = ALL
        if name:
            whose = st.segmented_control(
                "Whose studies", [MINE, ALL], default=MINE, required=True, key="whose_studies",
                bind="query-params", width="content",
            )  # fmt: skip
        begun = runs.sweeps(1000, user=name if whose == MINE else None)
        listed = {sweep.id: sweep for sweep in begun if sweep.experiment == EXPERIMENT}
        st.session_state["study_choice"] = None
        st.selectbox(
            "Open a study again",
            list(listed),
            format_func=lambda i: title_of(listed[i]),
            key="study_choice",
            placeholder="Choose a study" if listed else "None of yours yet",
            on_change=lambda: set_link(STUDY, st.session_state.study_choice or ""),
        )


def title_of(sweep: Sweep) -> str:
    """A study in a list."""
    words = [f"{datetime.fromtimestamp(sweep.created):%d %b %H:%M}", sweep.user, sweep.title]
    return " · ".join(word for word in words if word)


def study_title(study: Study) -> str:
    """A study in a few words: `Band gap (non-metals), 5 sources, 3 seeds`."""
    sources, seeds = len(study.sources), study.seeds
    many = f"{sources} source{'' if sources == 1 else 's'}, {seeds} seed{'' if seeds == 1 else 's'}"
    return f"{study.meaning.label}, {many}"


def back_to_form(study: Study) -> None:
    """Leave a study for the form, which stands as this study has it; what a lesson fixes stays."""
    set_link(STUDY, "")
    for name, value in study.to_dict().items():
        key = PREFIX + name
        if is_fixed(key):
            continue
        if name in LISTS:
            set_link(key, ",".join(value))
        else:
            st.session_state[key] = study.meaning.axis if name == "target" else value


def _study() -> Study:
    """The settings as the form has them, without the sources that learn the new property itself."""
    usual = Study().target
    targets = sorted(builtin_targets(), key=lambda target: target != usual)  # the first is what the form begins with
    words = {TARGETS[target].axis: target for target in targets}
    left, right = st.columns([3, 2], gap="medium")
    with right:
        counts = form(Study, prefix=PREFIX, only=NUMBERS)
    with left:
        target = words[choice("New property", list(words), f"{PREFIX}target", "What all networks learn in the end.")]
        shown = form(Study, prefix=PREFIX, only=[*LISTS, "tuned"], fixed={"target": usual})
        sources = tuple(name for name in shown.sources if target not in SOURCES[name].targets)
        if left_out := [f"“{name}”" for name in shown.sources if name not in sources]:
            st.markdown(f"Left out, since there the new property is learned already: {plain(', '.join(left_out))}.")
    write_links()
    numbers = {name: getattr(counts, name) for name in NUMBERS}
    return Study(target=target, sources=sources, frozen=shown.frozen, tuned=shown.tuned, **numbers)


def _run_button(why_not: str) -> bool:
    with st.container(horizontal=True, vertical_alignment="center"):
        pressed = st.button(
            "Run the study", type="primary", icon=":material/play_arrow:", disabled=bool(why_not),
            help=plain(why_not) or None, key="run_study",
        )  # fmt: skip
        explained("transfer", "What is held equal?")
    return pressed


def _begin(runs: RunStore, study: Study) -> None:
    """Submit all runs and show the study; when the queue or the disk is full, say so and change nothing."""
    me, planned = who(), plan(study)
    try:
        sweep_id = runs.submit_sweep(
            [one.config for one in planned],
            experiment=EXPERIMENT,
            title=study_title(study),
            guess="",
            axes={STUDY: [study.to_dict()]},
            names=[one.name for one in planned],
            user=me.name,
            owner=me.owner,
        )
    except CrystalError as mistake:
        show_mistake(str(mistake))
        return
    set_link(STUDY, sweep_id)
    st.rerun()
