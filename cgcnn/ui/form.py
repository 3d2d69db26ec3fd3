"""A Config as widgets: one option, one widget, one help text, one key in the URL."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import streamlit as st

from cgcnn.config import Config, Option, default_of

C = TypeVar("C", bound=Config)
FEW_STEPS = 200  # a slider with more positions than this is a number field


def form(
    config: type[C],
    *,
    prefix: str = "",
    keys: Mapping[str, str] | None = None,
    only: Sequence[str] | None = None,
    fixed: Mapping[str, Any] | None = None,
) -> C:
    """Show the options of a Config and return it as set; each value lives in the URL under `prefix` + its key.

    `keys` renames options in the URL, `only` chooses which are shown and in which order, `fixed` sets others.
    """
    shown = only if only is not None else list(config.options())
    values = dict(fixed or {})
    for name in shown:
        key = prefix + (keys or {}).get(name, name)
        values[name] = _widget(key, config.options()[name], default_of(config, name))
    return config(**values)


def _widget(key: str, option: Option, default: Any) -> Any:
    label = f"{option.label} ({option.unit})" if option.unit else option.label
    common: dict[str, Any] = {"key": key, "bind": "query-params", "help": option.help}
    if isinstance(default, bool):
        return st.toggle(label, value=default, **common)
    if option.choices:
        return st.selectbox(label, option.choices, index=option.choices.index(default), **common)
    if isinstance(default, str):
        return st.text_input(label, value=default, **common)
    return _number(label, option, default, common)


def _number(label: str, option: Option, default: float, common: dict[str, Any]) -> float:
    kind = type(default)
    low, high = (None if bound is None else kind(bound) for bound in (option.minimum, option.maximum))
    step = kind(option.step) if option.step else (1 if kind is int else None)
    if low is not None and high is not None and step and (high - low) / step <= FEW_STEPS:
        return st.slider(label, low, high, default, step, **common)
    show = None if kind is int else "%g"
    return st.number_input(label, low, high, default, step=step or default / 2 or 0.001, format=show, **common)
