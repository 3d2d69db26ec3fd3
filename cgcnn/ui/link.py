"""Values that live in the URL and follow the reader from page to page."""

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

EMPTY_IS_NONE = ("run",)  # left out of an address of the history, these are none: there was no run yet


def linked(name: str, default: str) -> str:
    """The value of a URL parameter: from the link that was opened, else as last set by this reader.

    Links in the menu drop the query, so the value is kept and `write_links` puts it back on every page.
    """
    written: dict[str, str] = st.session_state.setdefault("links_written", {})
    values: dict[str, str] = st.session_state.setdefault("links", {})
    in_url = st.query_params.get(name)
    if in_url is not None and in_url != written.get(name):
        values[name] = written[name] = in_url
    st.session_state.setdefault("link_defaults", {})[name] = default
    return values.setdefault(name, default)


def linked_values() -> dict[str, str]:
    """All linked values as they are now."""
    return dict(st.session_state.get("links", {}))


def set_link(name: str, value: str) -> None:
    """Change a linked value; the URL follows at the end of this run or the next."""
    st.session_state.setdefault("links", {})[name] = value


def goes_back() -> bool:
    """Whether the browser's Back or Forward brought the reader here: then the URL is what was asked for."""
    context = get_script_run_ctx()
    return context is not None and context.is_history_navigation


def write_links() -> None:
    """Bring the URL up to date in one step, so that one press of Back undoes one action."""
    if goes_back():
        _take_url()
    values, defaults = st.session_state.get("links", {}), st.session_state.get("link_defaults", {})
    shown = {name: st.query_params.get(name) for name in values}
    news = {n: v for n, v in values.items() if v != (shown[n] if shown[n] is not None else defaults.get(n))}
    if news:
        st.session_state["links_written"].update(news)
        st.query_params.update({name: value for name, value in news.items() if value})
        for name in [name for name, value in news.items() if not value and name in st.query_params]:
            del st.query_params[name]  # forgotten: leave no empty word in the link


def _take_url() -> None:
    """Read every linked value that the URL has, also those that this page has not asked for yet."""
    values, defaults = linked_values(), st.session_state.get("link_defaults", {})
    for name in values:
        linked(name, defaults.get(name, ""))
        if name in EMPTY_IS_NONE and name not in st.query_params:
            st.session_state["links"][name] = st.session_state["links_written"][name] = ""


def carried(name: str) -> str | None:
    """A value that the opened link has for a widget of another page than its own, once; None without one."""
    if name in st.session_state or name in st.query_params:
        return None
    return st.session_state.get("link_opened", {}).pop(name, None)


def is_news(name: str, text: str) -> bool:
    """Whether a parameter's text is another one than when this was last asked."""
    seen: dict[str, str] = st.session_state.setdefault("links_seen", {})
    before, seen[name] = seen.get(name), text
    return before != text


def note_mistake(sentence: str) -> None:
    """Keep a mistake in a link for the top of the page; the frame shows it until the reader turns the page."""
    mistakes: list[str] = st.session_state.setdefault("mistakes", [])
    if sentence not in mistakes:
        mistakes.append(sentence)
