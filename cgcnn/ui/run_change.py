"""Change one thing: the run in view once more, with a single setting changed, and the link that compares the two."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import streamlit as st

from cgcnn.config import Config, Option
from cgcnn.data.targets import TARGETS
from cgcnn.errors import CrystalError, RunError
from cgcnn.models import MODELS
from cgcnn.models.published import PUBLISHED
from cgcnn.runs.records import Run
from cgcnn.runs.store import RunStore
from cgcnn.training.experiment import RunConfig
from cgcnn.training.transfer import PUBLISHED_PREFIX
from cgcnn.ui.compare_differences import NONE, settings_of
from cgcnn.ui.data_sets import builtin_targets, own_targets
from cgcnn.ui.prose import plain, show_mistake
from cgcnn.ui.run_controls import copied
from cgcnn.ui.run_form import run_name
from cgcnn.ui.run_link import show_run
from cgcnn.ui.run_start import misfit, source_words, sources
from cgcnn.ui.teacher import is_fixed
from cgcnn.ui.who import who

PARTS = {
    "dataset": ("Data", "data_"),
    "graph": ("Graph", ""),
    "model": ("Network", "net_"),
    "train": ("Training", "train_"),
    "transfer": ("Start", "start_"),
}
IN_LINK = {"max_neighbors": "neighbors"}
NOT_HERE = ("dataset.source", "dataset.path", "train.snapshots")  # another set is another question
MODEL = "model"


@dataclass(frozen=True)
class Knob:
    """A setting that can be changed: where it belongs, what it means, and its value now."""

    name: str  # dotted
    label: str
    option: Option
    value: Any
    words: Mapping[str, str]  # of its choices


def knobs(config: RunConfig, offered: Mapping[str, str] | None = None) -> dict[str, Knob]:
    """Every setting of a run that may be changed, by its dotted name, in the order of the form.

    `offered` are the sources that it could start from, with their words.
    """
    found = {}
    if len(MODELS) > 1:
        kind = config.to_dict()[MODEL]["name"]
        found[MODEL] = Knob(MODEL, "Network: Model", Option("Model", "", choices=tuple(MODELS)), kind, {})
    for part, (group, _) in PARTS.items():
        settings: Config = getattr(config, part)
        for field, option in settings.options().items():
            name, value = f"{part}.{field}", getattr(settings, field)
            unit = f" ({option.unit})" if option.unit else ""
            found[name] = Knob(name, f"{group}: {option.label}{unit}", option, value, {})
    left_out = [*NOT_HERE, *(["dataset.max_sites"] if config.dataset.source == "folder" else [])]
    targets = _targets(config)
    found["dataset.target"] = Knob(
        "dataset.target",
        "Data: Target",
        Option("Target", "", choices=tuple(targets)),
        config.dataset.target,
        {target: TARGETS[target].axis for target in targets},
    )
    found["dataset.also"] = Knob(
        "dataset.also",
        "Data: Learn also",
        Option("Learn also", "", choices=tuple(target for target in targets if target != config.dataset.target)),
        config.dataset.also,
        {target: TARGETS[target].axis for target in targets},
    )
    if offered is None:
        offered = {"": source_words("")} | {source: source for source in map(PUBLISHED_PREFIX.__add__, PUBLISHED)}
    now = config.transfer.source
    words = {now: source_words(now)} | dict(offered)
    found["transfer.source"] = Knob(
        "transfer.source", "Start: Start from", Option("Start from", "", choices=tuple(words)), now, words
    )
    left_out += _without_meaning(config)
    return {name: knob for name, knob in found.items() if name not in left_out}


def _without_meaning(config: RunConfig) -> list[str]:
    """Settings that change no number of this run."""
    found = [] if config.dataset.also else ["train.weights"]
    if not config.transfer.source:
        return found + [f"transfer.{name}" for name in ("taken", "frozen", "norm_learns", "rate")]
    return [*found, "transfer.rate" if config.transfer.frozen else "transfer.norm_learns"]


def changed(config: RunConfig, name: str, value: Any) -> RunConfig:
    """The same settings with one of them changed; another kind of network keeps what it shares with this one.

    Another set of targets makes their weights alike again, and the main target is none of the further ones.
    """
    if name in ("dataset.target", "dataset.also"):
        now = config.dataset.also
        also = tuple(value) if name == "dataset.also" else tuple(target for target in now if target != value)
        weights = config.train.weights if len(also) == len(now) else ""
        alone = config.with_(**{"train.weights": "", "dataset.also": ()})
        several = alone.with_(**{name: value, "dataset.also": also})
        return several.with_(**{"train.weights": weights})
    if name != MODEL:
        return config.with_(**{name: value})
    kind = MODELS[value].Config
    shared = {n: v for n, v in config.model.to_dict().items() if n in kind.options()}
    return config.with_(model=kind(**shared))


def change_words(before: RunConfig, after: RunConfig) -> str:
    """What differs, in words: `pooling sum instead of mean`; "" for nothing that a reader would see."""
    old, new = settings_of(before), settings_of(after)
    told = [
        f"{_lowered(new[name].heading)} {new[name].value} instead of {old[name].value if name in old else NONE}"
        for name in new
        if name not in old or new[name].value != old[name].value
    ]
    return ", ".join(told[:3]) + (f" and {len(told) - 3} more" if len(told) > 3 else "")


def change_one_thing(runs: RunStore, run: Run) -> None:
    """The small button that opens the form."""
    words = "Change one thing"
    with st.popover(words, icon=":material/tune:", key=f"change_{run.id}", on_change="rerun") as panel:
        if panel.open:
            st.fragment(_form)(runs, run)


def _form(runs: RunStore, run: Run) -> None:
    st.markdown("The same run once more, with one setting changed: same crystals, same split, same seed.")
    config = run.config
    found = knobs(config, sources(runs))
    offered = {name: knob for name, knob in found.items() if not is_fixed(_link_name(name))}
    labels = {name: knob.label for name, knob in offered.items()}
    first = list(offered).index("model.pooling") if "model.pooling" in offered else 0
    name = st.selectbox("Setting", list(offered), first, format_func=lambda n: labels[n], key="change_setting")
    if name is None:
        return
    try:
        after = changed(config, name, _new_value(offered[name], f"change_to_{name}_{run.id}"))
    except CrystalError as mistake:
        show_mistake(str(mistake))
        return
    words = change_words(config, after)
    st.markdown(f"This run, but with **{plain(words)}**." if words else "Choose another value than now.")
    if why := misfit(after.transfer, after.model):
        st.warning(plain(why), icon=":material/warning:")
    if st.button("Train with this change", type="primary", disabled=not words or bool(why), key="change_train"):
        _submit(runs, run, after)


def _submit(runs: RunStore, run: Run, after: RunConfig) -> None:
    me, name = who(), run_name(after)
    if name in [known.name for known in runs.runs(50)]:
        name = copied(name, "again")
    try:
        child = runs.submit(after, user=me.name, name=name, owner=me.owner, parent=run.id)
    except RunError as mistake:
        show_mistake(str(mistake))
        return
    show_run(child)
    st.rerun()


def _new_value(knob: Knob, key: str) -> Any:
    option, value = knob.option, knob.value
    help = option.help or None
    if isinstance(value, bool):
        return not value
    if isinstance(value, tuple):
        shown = partial(_words_of, knob)
        others = [name for name in value if name in option.choices]
        return tuple(st.multiselect(knob.label, option.choices, others, format_func=shown, key=key, help=help))
    if isinstance(value, str) and not option.choices:
        return st.text_input(f"Instead of {value or 'none'}", value, key=key, help=help)
    if option.choices:
        others = [choice for choice in option.choices if choice != value]
        shown = partial(_words_of, knob)
        return st.selectbox(f"Instead of {shown(value)}", others, format_func=shown, key=key, help=help)
    kind = type(value)
    low, high = (None if bound is None else kind(bound) for bound in (option.minimum, option.maximum))
    step = kind(option.step) if option.step else 1 if kind is int else value / 2 or 0.001
    format = None if kind is int else "%g"
    return st.number_input(f"Instead of {value:g}", low, high, value, step=step, format=format, key=key, help=help)


def _words_of(knob: Knob, choice: str) -> str:
    return knob.words.get(choice, choice)


def lineage(runs: RunStore, run: Run) -> None:
    """What run this one repeats, and with what changed."""
    if not run.parent:
        return
    try:
        words = change_words(runs.run(run.parent).config, run.config)
    except CrystalError:  # deleted since, or of another version
        st.markdown(f":material/content_copy: Repeats run {plain(run.parent)}, which is not here any more.")
        return
    said = f"with **{plain(words)}**" if words else "from the beginning, with the same settings"
    st.markdown(f":material/content_copy: Repeats run {run.parent} {said}.")


def compare_link(run: Run) -> None:
    """To the page that puts a run beside the one that it repeats."""
    if run.parent:
        st.page_link(
            "pages/compare.py",
            label="Compare the two",
            icon=":material/compare_arrows:",
            query_params={"runs": f"{run.parent},{run.id}"},
        )


def _targets(config: RunConfig) -> list[str]:
    if config.dataset.source != "folder":
        return builtin_targets()
    try:
        return own_targets(config.dataset.path)
    except CrystalError:  # the set is gone; the run says so when it starts
        return [config.dataset.target]


def _link_name(name: str) -> str:
    """How the control of a setting is called in a link, where a lesson may have locked it."""
    part, _, field = name.partition(".")
    return PARTS[part][1] + IN_LINK.get(field, field) if field else part


def _lowered(words: str) -> str:
    return words[:1].lower() + words[1:] if words[1:2].islower() else words
