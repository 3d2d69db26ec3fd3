"""Text for students, kept in `pages/<page>.md` by heading, and mistakes shown as sentences."""

import functools
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import streamlit as st

from cgcnn.errors import CrystalError

PARTED = "\u2060"  # word joiner: shown as nothing
PAGES = Path(__file__).parents[2] / "pages"


@functools.cache
def _sections(page: str) -> dict[str, str]:
    parts = re.split(r"^## +(.+)$", (PAGES / f"{page}.md").read_text(), flags=re.M)
    return {heading.strip(): text.strip() for heading, text in zip(parts[1::2], parts[2::2], strict=True)}


def prose(page: str, heading: str) -> str:
    """The text under `## heading` of a page's prose; KeyError when there is none, which a test would find."""
    return _sections(page)[heading]


def explained(page: str, heading: str) -> None:
    """A small button that opens "what am I looking at?" for the figure beside it."""
    with st.popover(heading, icon=":material/help:", type="tertiary"):
        st.markdown(prose(page, heading))


def plain(sentence: str) -> str:
    """A sentence that may quote a user's file, so that Streamlit shows it letter by letter and not as Markdown.

    Addresses become links after the backslashes are read, so a character without a width parts them.
    """
    parted = re.sub(r"(?<=www)(?=\.)|(?=@)|(?<=:)(?=//)", PARTED, sentence, flags=re.I)
    return re.sub(r"([\\`*_{}\[\]()#+!|<>$~:&-])", r"\\\1", parted)


def show_mistake(sentence: str) -> None:
    """A mistake that the user can mend, as one sentence."""
    st.error(plain(sentence), icon=":material/error:")


@contextmanager
def mistakes_shown() -> Iterator[None]:
    """Show a CrystalError as its sentence and end the page there; anything else is a bug."""
    try:
        yield
    except CrystalError as mistake:
        show_mistake(str(mistake))
        st.stop()
