"""Values that live in the URL and follow the user from page to page."""

import streamlit as st


def linked(name: str, default: str) -> str:
    """The value of a URL parameter: from the link that was opened, else as last set in this session.

    Links in the menu drop the query, so the value is kept in the session and written back on every page.
    """
    kept = f"link_{name}"
    in_url = st.query_params.get(name)
    if in_url is not None and in_url != st.session_state.get(f"{kept}_written"):
        st.session_state[kept] = in_url
    value = st.session_state.setdefault(kept, default)
    write(name, value, default)
    return value


def set_link(name: str, value: str) -> None:
    """Change a linked value; to be called from a callback, or before `st.rerun`."""
    st.session_state[f"link_{name}"] = value
    st.session_state[f"link_{name}_written"] = value
    st.query_params[name] = value


def write(name: str, value: str, default: str) -> None:
    """Put the value into the URL, or take it out where it is the default."""
    st.session_state[f"link_{name}_written"] = value
    if value == default:
        st.query_params.pop(name, None)
    elif st.query_params.get(name) != value:
        st.query_params[name] = value
