"""Links that open a lesson: controls that are locked or left out, a title, and the link to what is in view."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from typing import Any
from urllib.parse import quote, urlencode

import streamlit as st

from cgcnn.ui.link import is_news, linked, linked_values, note_mistake, set_link
from cgcnn.ui.prose import plain

SIDEBAR = {"crystal": "Crystal", "cell": "Cell", "atom": "Selected atom", "upload": "Add your crystal"}
HELD = ("crystal", "cell", "atom")  # what buttons and clicks elsewhere would change too
OWN = ("lock", "hide", "lesson", "who")  # no link takes these over from the link that is open
LONGEST_TITLE = 120
LOCKED = "Locked by this link."


@dataclass(frozen=True)
class Lesson:
    """What a link fixes: names of controls as they stand in a link; `train_*` means all that begin so."""

    title: str = ""
    lock: tuple[str, ...] = ()
    hide: tuple[str, ...] = ()


def names_of(text: str) -> tuple[str, ...]:
    """The names in `a,b,c*`, each once."""
    return tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))


def matches(name: str, wanted: Iterable[str]) -> bool:
    """Whether one of `wanted` is this name, or ends in * and is how it begins."""
    return any(name.startswith(w[:-1]) if w.endswith("*") else name == w for w in wanted)


def clean_title(text: str) -> str:
    """A lesson's title on one line."""
    line = " ".join(text.split())
    return "".join(letter for letter in line if letter.isprintable())[:LONGEST_TITLE].strip()


def fixed_names(lesson: Lesson, known: Iterable[str]) -> list[str]:
    """The known controls that a lesson locks or hides."""
    return [name for name in known if matches(name, lesson.lock + lesson.hide)]


def unknown_sentences(lesson: Lesson, known: Iterable[str]) -> list[str]:
    """One sentence for each name in a link that no control has."""
    known, found = sorted(known), []
    for name in dict.fromkeys(lesson.lock + lesson.hide):
        if not fixed_names(Lesson(lock=(name,)), known):
            close = get_close_matches(name, known, 1, 0.7)
            advice = f"perhaps {close[0]} is meant." if close else "use the names that “A link to this view” writes."
            found.append(f"The link locks or hides {name[:40]!r}, but no control has that name; {advice}")
    return found


def link_to(base: str, values: Mapping[str, str], lesson: Lesson) -> str:
    """A link that opens `values` as this lesson."""
    query = {name: value for name, value in values.items() if name not in OWN}
    query |= {"lock": ",".join(lesson.lock), "hide": ",".join(lesson.hide), "lesson": lesson.title}
    written = urlencode({name: value for name, value in query.items() if value}, safe=",*", quote_via=quote)
    return f"{base}?{written}" if written else base


def link_text(value: Any) -> str:
    """A setting as it stands in a link."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


@cache
def known_names() -> frozenset[str]:
    """The names of all controls that a link can lock or hide, on pages that nobody has opened yet too."""
    from cgcnn.figures.bonds import Gaussians
    from cgcnn.models import MODELS
    from cgcnn.training.train import TrainConfig
    from cgcnn.training.transfer import TransferConfig
    from cgcnn.training.transfer_study import Study
    from cgcnn.ui.layer_choice import FRESH
    from cgcnn.ui.run_form import DATA_KNOBS  # all here: torch is slow to load, and few links ask for it

    forms: list[tuple[str, Iterable[str]]] = [
        ("train_", TrainConfig.options()),
        ("data_", [*DATA_KNOBS, "set", "target", "also"]),
        ("start_", TransferConfig.options()),
        ("one_", ["from", "target", "taken", "frozen", "crystals", "epochs", "seed"]),
        ("study_", [*Study.options(), "strict"]),
        ("", ["own_target", "model"]),
        *(("net_", model.Config.options()) for model in MODELS.values()),
        ("fresh_", [*FRESH, "seed"]),
        ("gaussian_", Gaussians.options()),
    ]
    return frozenset([*near_names(), *(prefix + name for prefix, names in forms for name in names)])


def near_names() -> list[str]:
    """The names of the controls in the sidebar, which stand on every page."""
    return [*SIDEBAR, "rule", "neighbors", "cutoff", "isolated"]


def lesson() -> Lesson:
    """The lesson of the link that this reader opened."""
    lock, hide = names_of(linked("lock", "")), names_of(linked("hide", ""))
    return Lesson(clean_title(linked("lesson", "")), lock, hide)


def _now() -> Lesson:
    """The lesson as this run of the page found it: every control asks, and the link is read once."""
    return st.session_state.get("lesson_now") or lesson()


def is_hidden(name: str) -> bool:
    """Whether the lesson leaves this control out."""
    return matches(name, _now().hide)


def is_locked(name: str) -> bool:
    """Whether the lesson shows this control and lets nobody change it."""
    return matches(name, _now().lock)


def is_fixed(name: str) -> bool:
    """Whether the lesson locks or hides this control."""
    return is_hidden(name) or is_locked(name)


def drawn(name: str, label: str, default: Any = None) -> None:
    """Note a control of this page, so that a teacher can lock it; with a `default`, also that its value counts."""
    st.session_state.setdefault("controls_drawn", {})[name] = label
    _ever_drawn().add(name)
    if default is not None:
        st.session_state.setdefault("control_defaults", {})[name] = default


def lesson_begins(page: str) -> None:
    """At the top of every run: the lesson's title, what its link gets wrong, and what it holds still."""
    st.session_state["lesson_now"] = lesson()
    opened = st.session_state.setdefault("link_opened", st.query_params.to_dict())
    for name in opened:
        if is_hidden(name) and name not in SIDEBAR:
            linked(name, "")  # its widget is never drawn: every page carries it on
    before = st.session_state.pop("controls_drawn", {}) if st.session_state.get("controls_page") == page else {}
    st.session_state.update(controls_shown=before, controls_drawn={}, controls_page=page)
    for name, value in st.session_state.setdefault("held", {}).items():
        set_link(name, value)
    ours = lesson()
    if ours.title:
        st.markdown(f":material/school: **Lesson:** {plain(ours.title)}")
    for name, text in (("lock", ours.lock), ("hide", ours.hide)):
        if text and is_news(name, ",".join(text)):
            for sentence in unknown_sentences(ours, _known_to(ours)):
                note_mistake(sentence)


def hold_still() -> None:
    """Keep what is in view now and is fixed by the lesson, whatever a button elsewhere asks for later."""
    values = linked_values()
    for name in HELD:
        if is_fixed(name) and name in values:
            st.session_state["held"].setdefault(name, values[name])


def lesson_notice() -> None:
    """One line that says how much the link fixes, and leads to the same view without that."""
    ours = lesson()
    n_fixed = len(fixed_names(ours, _known_to(ours)))
    if n_fixed:
        free = link_to(st.context.url or "", view_values(), Lesson())
        words = f"{n_fixed} control{'s' * (n_fixed > 1)}"
        st.markdown(f":material/lock: This lesson's link fixes {words}. [Open without it]({free})")


def link_button() -> None:
    """Opens the link of exactly what is in view, with controls to lock or leave out."""
    if st.button("A link to this view", icon=":material/link:", width="stretch"):
        _link_maker()


def view_values() -> dict[str, str]:
    """What a link must carry to open this view: the URL as it is, and each setting that is not at its default."""
    values = st.query_params.to_dict()
    defaults = st.session_state.get("link_defaults", {})
    for name, value in linked_values().items():
        values[name] = "" if value == defaults.get(name) else value
    for name, default in st.session_state.get("control_defaults", {}).items():
        if name in st.session_state:
            value = st.session_state[name]
            values[name] = "" if value == default else link_text(value)
    return values


@st.dialog("A link to this view", icon=":material/link:", width="medium")
def _link_maker() -> None:
    """A dialog is a fragment: what is chosen here does not draw the page again."""
    st.markdown("Who opens it sees this page, this crystal and these settings.")
    shown = st.container()
    with st.expander("Make it a lesson", icon=":material/school:", expanded=lesson() != Lesson()):
        ours = _lesson_form()
    with shown:
        st.code(link_to(st.context.url or "", view_values(), ours), language=None, wrap_lines=True)


def _lesson_form() -> Lesson:
    """A title, and controls of this page to lock or leave out; at first those of the link that is open."""
    ours = lesson()
    labels = st.session_state.get("controls_shown", {}) | st.session_state.get("controls_drawn", {})
    title = st.text_input("Title, shown above the page", ours.title, max_chars=LONGEST_TITLE, key="lesson_title")
    lock = _control_list("Lock: shown, but nobody can change it", "lesson_lock", labels, ours.lock)
    hide = _control_list("Leave out: not shown, its value still counts", "lesson_hide", labels, ours.hide)
    st.markdown("This keeps a class on its subject. It is no protection: anybody can edit a link.")
    return Lesson(clean_title(title), tuple(lock), tuple(hide))


def _control_list(label: str, key: str, labels: Mapping[str, str], before: tuple[str, ...]) -> list[str]:
    """The controls of this page by their labels; `before` are those of the link that is open."""
    options = list(dict.fromkeys([*labels, *before]))
    twice = {words for words in labels.values() if list(labels.values()).count(words) > 1}

    def words(name: str) -> str:
        shown = labels.get(name, name)
        return f"{shown} ({name})" if shown in twice else shown

    return st.multiselect(label, options, list(before) or None, format_func=words, key=key, placeholder="none")


def _known_to(ours: Lesson) -> Iterable[str]:
    """Names enough to judge a lesson by: those of the sidebar where they do, else all, which loads torch."""
    near = near_names()
    if all(name in near for name in ours.lock + ours.hide):
        return near
    return known_names() | _ever_drawn()


@st.cache_resource(show_spinner=False)
def _ever_drawn() -> set[str]:
    """The names of all controls that any reader of this server has seen or been spared."""
    return set()
