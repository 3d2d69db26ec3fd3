"""An experiment of one's own: one or two settings, their values as text, some seeds, a question and a guess."""

from math import prod
from typing import Any

import streamlit as st

from cgcnn.config import Option
from cgcnn.data import DatasetConfig
from cgcnn.data.targets import TARGETS
from cgcnn.errors import ConfigError, CrystalError, RunError
from cgcnn.runs.records import Sweep
from cgcnn.runs.store import RunStore
from cgcnn.training.experiment import RunConfig
from cgcnn.training.experiments import SMALL
from cgcnn.training.sweep import Planned, axis_options, field_words, grid, parse_values, values_of
from cgcnn.training.train import TrainConfig
from cgcnn.ui.data_sets import builtin_targets
from cgcnn.ui.experiment_begin import CUSTOM, begin, run_button, show_experiment
from cgcnn.ui.experiment_card import back
from cgcnn.ui.experiment_words import held_words, size_words, time_words, value_text
from cgcnn.ui.link import linked, set_link, write_links
from cgcnn.ui.prose import explained, plain, show_mistake
from cgcnn.ui.run_change import PARTS
from cgcnn.ui.run_view import title_of

NOTHING_ELSE = "nothing else"
FIRST = "graph.max_neighbors"
LISTED = 50
SEEDS, MOST_SEEDS = 3, 10
LONGEST = 300  # characters of a list of values

SEEDS_HELP = "Each setting is trained this many times, from other random beginnings: so one sees how far chance goes."

Axes = dict[str, list[Any]]


def custom_view(runs: RunStore) -> None:
    """The form, what it would run, and the button."""
    back()
    st.subheader("Your own question", anchor=False)
    question = st.text_input(
        "Question", key="grid_question", bind="query-params", max_chars=200, placeholder="What do you want to know?"
    )
    base = _base(runs)
    axes, mistake = _axes(base)
    n_seeds = st.slider("Seeds", 1, MOST_SEEDS, SEEDS, key="grid_seeds", bind="query-params", help=SEEDS_HELP)
    guess = st.text_input("What do you expect?", key="grid_guess", max_chars=200, placeholder="Guess first").strip()
    planned: list[Planned] = []
    try:
        planned = [] if mistake else planned_runs(base, axes, list(range(n_seeds)), runs.limits.sweep_size)
    except CrystalError as wrong:
        mistake = str(wrong)
    title = question.strip() or " and ".join(field_words(field) for field in axes)
    with st.container(horizontal=True):
        if run_button(guess, mistake):
            begin(runs, planned, experiment=CUSTOM, title=title, guess=guess, axes=axes)
        explained("compare", "What makes a good experiment?")
    if mistake:  # below all that the reader typed: nothing of it moves
        show_mistake(mistake)
    else:
        _summary(runs, base, axes, range(n_seeds))


def _summary(runs: RunStore, base: RunConfig, axes: Axes, seeds: range) -> None:
    """What would run."""
    n_runs = prod(len(values) for values in axes.values()) * len(seeds)
    st.markdown(
        f"- {plain(size_words(axes, len(seeds)))}.\n"
        f"- {plain(held_words(base, axes, seeds))}\n"
        f"- {plain(time_words(n_runs, 0, runs.load()))} How long it takes is known after the first epochs."
    )


def planned_runs(base: RunConfig, axes: Axes, seeds: list[int], most: int) -> list[Planned]:
    """The runs of a grid; refused before they are made when there are too many, or nothing to compare."""
    n_settings = prod(len(values) for values in axes.values())
    if n_settings < 2:
        raise ConfigError("There is one setting only, so there is nothing to compare; give two or more values.")
    if n_settings * len(seeds) > most:
        raise RunError(
            f"{n_settings} settings with {len(seeds)} seeds are {n_settings * len(seeds)} runs, and at most {most} "
            "are allowed; take fewer values or fewer seeds."
        )
    return grid(base, axes, seeds)


def suggestion(field: str, base: RunConfig) -> str:
    """Values to begin with: all choices, or half and double of what the base has."""
    meaning, value = axis_options(base)[field], values_of(base, [field])[field]
    if meaning.choices:
        return ", ".join(meaning.choices)
    if isinstance(value, bool):
        return "yes, no"
    kind = type(value)
    near = [kind(factor * value) for factor in (0.5, 1, 2)]
    allowed = [v for v in dict.fromkeys(near) if (meaning.minimum or 0) <= v <= (meaning.maximum or v)]
    return ", ".join(f"{v:g}" for v in allowed)


def allowed_words(meaning: Option) -> str:
    """What a list of values may hold."""
    if meaning.choices:
        return f"Any of: {', '.join(meaning.choices)}."
    if meaning.minimum is None or meaning.maximum is None:
        return "Commas between the values."
    return f"From {meaning.minimum:g} to {meaning.maximum:g}{f' {meaning.unit}' if meaning.unit else ''}."


def refill(sweep: Sweep, like: str, n_seeds: int) -> None:
    """The form as it was for an experiment, to ask again with more seeds or other values."""
    show_experiment(CUSTOM)
    set_link("like", like)
    st.session_state.update(grid_question=sweep.title, grid_setting_1=NOTHING_ELSE)
    if n_seeds != SEEDS:
        st.session_state["grid_seeds"] = n_seeds
    for number, (field, values) in enumerate(sweep.axes.items()):
        st.session_state[f"grid_setting_{number}"] = _label(field, axis_options()[field])
        st.session_state[f"grid_values_{number}"] = ", ".join(value_text(value) for value in values)


def _base(runs: RunStore) -> RunConfig:
    """The settings that all runs share: those of the ready experiments with some changes, or of an earlier run."""
    listed = {run.id: run for run in runs.runs(LISTED) if not run.sweep}
    like = linked("like", "")
    if like and like not in listed:
        try:
            listed[like] = runs.run(like)
        except RunError as mistake:
            show_mistake(str(mistake))
            set_link("like", "")
    st.session_state["grid_like"] = like if like in listed else None
    chosen = st.selectbox(
        "Take all other settings from",
        list(listed),
        format_func=lambda i: title_of(listed[i]),
        key="grid_like",
        placeholder="the ready experiments",
        on_change=lambda: set_link("like", st.session_state.grid_like or ""),
        help="Every setting that you do not vary below is as in the ready experiments, or as in the run chosen here.",
    )
    write_links()
    if chosen:
        return listed[chosen].config.with_(**{"train.snapshots": 0})
    targets = builtin_targets()
    words = [TARGETS[target].axis for target in targets]
    with st.container(horizontal=True):
        target = st.selectbox("Target", words, key="grid_target", bind="query-params", width=260)
        n_crystals = _number(DatasetConfig.options()["max_crystals"], SMALL.dataset.max_crystals, "grid_crystals")
        n_sites = _number(DatasetConfig.options()["max_sites"], SMALL.dataset.max_sites, "grid_sites")
        epochs = _number(TrainConfig.options()["epochs"], SMALL.train.epochs, "grid_epochs")
    return SMALL.with_(
        **{
            "dataset.target": targets[words.index(target)],
            "dataset.max_crystals": n_crystals,
            "dataset.max_sites": n_sites,
            "train.epochs": epochs,
        }
    )


def _number(meaning: Option, default: int, key: str) -> int:
    low, high = int(meaning.minimum or 0), int(meaning.maximum or 0)
    return st.number_input(
        meaning.label, low, high, default, key=key, bind="query-params", help=meaning.help, width=180
    )


def _axes(base: RunConfig) -> tuple[Axes, str]:
    """One or two settings with the values that the reader typed, and the first mistake in them, if any."""
    axes: Axes = {}
    mistakes: list[str] = []
    fields: list[str] = []
    options = axis_options(base)
    labels = {field: _label(field, options[field]) for field in dict.fromkeys([FIRST, *options])}
    for number, label in enumerate(("Vary", "and")):
        by_name = {labels[field]: field for field in labels if field not in fields}
        names = [NOTHING_ELSE, *by_name] if number else [*by_name]
        setting, values = f"grid_setting_{number}", f"grid_values_{number}"
        with st.container(horizontal=True):
            chosen = st.selectbox(
                label, names, key=setting, bind="query-params", width=320,
                on_change=_suggest, args=(setting, values, by_name, base),
            )  # fmt: skip
            if chosen == NOTHING_ELSE:
                continue
            field = by_name[chosen]
            fields.append(field)
            text = _values(values, options[field], suggestion(field, base))
        try:
            axes[field] = parse_values(field, text, base)
        except CrystalError as mistake:
            mistakes.append(str(mistake))
    return axes, (mistakes or [""])[0]


def _values(key: str, meaning: Option, suggested: str) -> str:
    return st.text_input(
        "Values",
        "" if key in st.session_state else suggested,
        key=key,
        bind="query-params",
        max_chars=LONGEST,
        help=f"{meaning.help} {allowed_words(meaning)}".strip(),
    )


def _label(field: str, meaning: Option) -> str:
    unit = f" ({meaning.unit})" if meaning.unit else ""
    return f"{PARTS[field.split('.')[0]][0]}: {meaning.label}{unit}"


def _suggest(setting: str, values: str, by_name: dict[str, str], base: RunConfig) -> None:
    """Another setting begins with values of its own."""
    if (field := by_name.get(st.session_state[setting])) is not None:
        st.session_state[values] = suggestion(field, base)
