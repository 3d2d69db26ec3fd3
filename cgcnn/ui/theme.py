"""What the reader's theme is, for pictures that cannot find out by themselves."""

import streamlit as st


def is_dark() -> bool:
    """True when the page is dark, by the reader's choice or the system's."""
    return st.context.theme.type == "dark"
