"""A Config as widgets: one option, one widget, one help text, one key in the URL."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import streamlit as st

from cgcnn.config import Config, Option, default_of
from cgcnn.errors import ConfigError
from cgcnn.ui.link import carried, is_news, linked, note_mistake, set_link
from cgcnn.ui.teacher import LOCKED, drawn, is_hidden, is_locked

C = TypeVar("C", bound=Config)
FEW_STEPS = 200  # a slider with more positions than this is a number field


def form(
    config: type[C],
    *,
    prefix: str = "",
    keys: Mapping[str, str] | None = None,
    only: Sequence[str] | None = None,
    fixed: Mapping[str, Any] | None = None,
    quiet: bool = False,
) -> C:
    """Show the options of a Config and return it as set; each value lives in the URL under `prefix` + its key.

    `keys` renames options in the URL, `only` chooses which are shown and in which order, `fixed` sets others.
    A lesson's link may lock an option or leave it out; its value counts all the same. Where all are left out, a
    sentence says so, unless the form is `quiet`.
    """
    shown = only if only is not None else list(config.options())
    in_link = {name: prefix + (keys or {}).get(name, name) for name in shown}
    _take_link({in_link[name]: (config.options()[name], default_of(config, name)) for name in shown})
    values = dict(fixed or {})
    for name, key in in_link.items():
        values[name] = _value(key, config.options()[name], default_of(config, name))
    if shown and not quiet and all(is_hidden(key) for key in in_link.values()):
        st.markdown("The link of this lesson has set what stands here.")
    return config(**values)


def choice(label: str, options: Sequence[str], key: str, help: str = "", *, tell: bool = False) -> str:
    """A list beside a form, under `key` in the URL, that a lesson's link may lock or leave out like an option.

    With `tell` a value in the link that is no option is a sentence; leave it out where the page says so itself.
    """
    option = Option(label, help, choices=tuple(options))
    _take_link({key: (option, options[0])}, tell=tell)
    return _value(key, option, options[0])


def several(label: str, options: Mapping[str, str], key: str, help: str = "") -> tuple[str, ...]:
    """Some of `options` (name -> words) beside a form, by their names in the URL, `key=a,b`; none at first.

    A lesson's link may lock it or leave it out. What is no option any more, since something else was changed, is gone.
    """
    option = Option(label, help, choices=tuple(options))
    _take_link({key: (option, ())})
    return _value(key, option, (), options)


def put(key: str, value: Any) -> None:
    """Before the next run: set the control of an option, as a press of the reader would."""
    st.session_state[key] = value
    st.session_state.setdefault("values_put", set()).add(key)


def read_value(text: str, option: Option, default: Any) -> Any:
    """A value as it stands in a link; ConfigError, in one sentence, for one that the option does not allow."""
    if isinstance(default, bool):
        return _one_of(text.lower(), ("true", "false"), text, option, "false") == "true"
    if isinstance(default, tuple):
        return _some_of(text, option, default)
    if option.choices:
        return _one_of(text, option.choices, text, option, default)
    if isinstance(default, str):
        return text
    return type(default)(_number_in(text, option, default))


def _number_in(text: str, option: Option, default: float) -> float:
    low = -math.inf if option.minimum is None else option.minimum
    high = math.inf if option.maximum is None else option.maximum
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if math.isfinite(number) and low <= number <= high:
        return number
    unit = f" {option.unit}" if option.unit else ""
    bounds = f"lie between {low:g} and {high:g}{unit}" if math.isfinite(high - low) else f"be at least {low:g}{unit}"
    must = bounds if math.isfinite(low) else "be a number"
    raise ConfigError(f"The link sets {option.label} to {text[:40]!r}; it must {must}, so {default:g}{unit} is used.")


def _some_of(text: str, option: Option, default: tuple[str, ...]) -> tuple[str, ...]:
    """The choices in `a,b`, each once."""
    named = tuple(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))
    wrong = [name for name in named if name not in option.choices]
    if not wrong:
        return named
    used = _kept_of(text, option, default)
    raise ConfigError(
        f"The link sets {option.label} to {text[:40]!r}, where {wrong[0][:40]!r} is none of "
        f"{', '.join(option.choices)}, so {', '.join(used) or 'none'} {'is' if len(used) < 2 else 'are'} used."
    )


def _kept_of(text: str, option: Option, default: tuple[str, ...]) -> tuple[str, ...]:
    """The words of `a,b` that are choices, each once; the default where words are given and none is one."""
    named = dict.fromkeys(word.strip() for word in text.split(",") if word.strip())
    return tuple(name for name in named if name in option.choices) or (default if named else ())


def _one_of(value: str, allowed: Sequence[str], text: str, option: Option, default: str) -> str:
    if value in allowed:
        return value
    choices = ", ".join(allowed)
    raise ConfigError(
        f"The link sets {option.label} to {text[:40]!r}; it must be one of {choices}, so {default} is used."
    )


def _take_link(options: Mapping[str, tuple[Option, Any]], *, tell: bool = True) -> None:
    """Say what the link gets wrong, and take from it what was meant for this page though it opened another.

    A widget takes only what stood in the URL when the run began: hence the second run.
    """
    brought: dict[str, str] = {}
    wrong = False
    for key, (option, default) in options.items():
        if is_hidden(key):
            text = linked(key, "")
        else:
            brought |= {key: late} if (late := carried(key)) else {}
            text = brought.get(key) or st.query_params.get(key, "")
        if tell and text and is_news(key, text):
            try:
                read_value(text, option, default)
            except ConfigError as mistake:
                note_mistake(str(mistake))
                wrong = True
                brought.pop(key, None)
    if brought:
        st.query_params.update(brought)
    if brought or wrong:
        st.rerun()


def _value(key: str, option: Option, default: Any, words: Mapping[str, str] | None = None) -> Any:
    label = f"{option.label} ({option.unit})" if option.unit else option.label
    if not is_hidden(key) and isinstance(default, tuple):
        drawn(key, label)
        return _several(label, key, option, default, words or {})
    if not is_hidden(key):
        drawn(key, label, default)
        return _widget(label, key, option, default)
    drawn(key, label)
    text = linked(key, "")
    try:
        return read_value(text, option, default) if text else default
    except ConfigError:
        if isinstance(default, tuple):
            return _kept_of(text, option, default)
        set_link(key, "")
        return default


def _widget(label: str, key: str, option: Option, default: Any) -> Any:
    locked = is_locked(key)
    help = " ".join([option.help, LOCKED]).strip() if locked else option.help
    common: dict[str, Any] = {"key": key, "bind": "query-params", "help": help, "disabled": locked}
    was_put = _was_put(key)
    if isinstance(default, bool):
        return st.toggle(label, value=default and not was_put, **common)
    if option.choices:
        index = 0 if was_put else option.choices.index(default)
        return st.selectbox(label, option.choices, index=index, **common)
    if isinstance(default, str):
        return st.text_input(label, value="" if was_put else default, **common)
    return _number(label, option, default, common, was_put)


def _was_put(key: str) -> bool:
    """Whether `put` has just set this control, which must have no default then: Streamlit would complain of two.

    In the next run it has one again, by which the URL knows what it may leave out.
    """
    waiting: set[str] = st.session_state.get("values_put", set())
    was_put = key in waiting
    waiting.discard(key)
    return was_put


def _several(label: str, key: str, option: Option, default: tuple[str, ...], words: Mapping[str, str]) -> Any:
    """A list of which several may be chosen, joined in the URL: Streamlit would write each under the same key."""
    known = list(_kept_of(linked(key, ",".join(default)), option, default))
    set_link(key, ",".join(known))
    locked = is_locked(key)
    st.session_state[key] = known
    chosen = st.multiselect(
        label,
        option.choices,
        format_func=lambda name: words.get(name, name),
        key=key,
        help=" ".join([option.help, LOCKED]).strip() if locked else option.help,
        disabled=locked,
        placeholder="none",
        on_change=lambda: set_link(key, ",".join(st.session_state[key])),
    )
    return tuple(chosen)


def _number(label: str, option: Option, default: float, common: dict[str, Any], was_put: bool) -> float:
    kind = type(default)
    low, high = (None if bound is None else kind(bound) for bound in (option.minimum, option.maximum))
    first: Any = default
    if was_put:  # its own first value, which Streamlit does not take for a default of ours
        first = None if low is None else "min"
    step = kind(option.step) if option.step else (1 if kind is int else None)
    if low is not None and high is not None and step and (high - low) / step <= FEW_STEPS:
        return st.slider(label, low, high, None if was_put else default, step, **common)
    show = None if kind is int else "%g"
    return st.number_input(label, low, high, first, step=step or default / 2 or 0.001, format=show, **common)
