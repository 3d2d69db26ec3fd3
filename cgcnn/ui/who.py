"""Who is here: signed in, named by a trusted proxy, or by a nickname that proves nothing."""

import hashlib
import os
import secrets
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import streamlit as st

from cgcnn.ui.link import linked, set_link
from cgcnn.ui.prose import plain

HEADER = "CRYSTAL_GRAPH_LAB_USER_HEADER"  # the environment variable that names the header of a trusted proxy
COOKIE = "_streamlit_xsrf"  # what every browser gets from the server; gone when the browser is closed
LONGEST = 24  # characters of a nickname
LONGEST_PROVEN = 120  # of a name that somebody vouches for: cutting it could make two persons one


@dataclass(frozen=True)
class Who:
    """A reader: `name` is "" for none, `owner` is the key under which the queue is shared out fairly."""

    name: str
    owner: str
    signed_in: bool = False  # somebody vouches for the name


def clean_name(text: str, longest: int = LONGEST) -> str:
    """A name that fits on one line: printable, single spaces, no two ways to write the same letters."""
    words = " ".join(unicodedata.normalize("NFKC", text).split())
    return "".join(letter for letter in words if letter.isprintable())[:longest].strip()


def decided(
    session: str, nickname: str = "", *, signed_in: Mapping[str, Any] | None = None, header: str | None = None
) -> Who:
    """Who somebody is. `signed_in` and `header` are None where the server knows no such thing.

    Where it does, a nickname counts for nothing: nobody can take the name of a person who signs in.
    """
    if signed_in is None and header is None:
        name = clean_name(nickname)
        return Who(name, name or session)
    name = clean_name(_vouched(signed_in or {}) or header or "", LONGEST_PROVEN)
    return Who(name, name or session, bool(name))


def browser_key(cookie: str) -> str:
    """A key that tabs of one browser share and that a refresh keeps; "" without a cookie that can be read.

    Streamlit's cookie against forged requests is `2|mask|token|time`, and each answer has another mask (4 bytes,
    over and over): the token alone stays the same. Only its hash is kept.
    """
    try:
        version, mask, masked, _ = cookie.split("|")
        key, hidden = bytes.fromhex(mask), bytes.fromhex(masked)
        if version != "2" or len(hidden) < 16:
            return ""
        token = bytes(byte ^ key[i % 4] for i, byte in enumerate(hidden))
    except (ValueError, IndexError):
        return ""
    return f"browser {hashlib.sha256(token).hexdigest()[:16]}"


def may(name: str, run_user: str) -> bool:
    """Whether somebody of this name may steer a run: one without a name is everybody's."""
    return run_user in ("", name)


def who() -> Who:
    """Who looks at this page."""
    user = dict(st.user) if _providers() is not None else None
    browser = browser_key(st.context.cookies.get(COOKIE, ""))
    session = st.session_state.setdefault("owner_key", f"session {secrets.token_hex(8)}")
    return decided(browser or session, linked("who", ""), signed_in=user, header=_header())


def may_control(run_user: str) -> bool:
    """Whether this reader may pause, stop or delete a run of `run_user`."""
    return may(who().name, run_user)


def who_panel() -> None:
    """The reader's name at the foot of the sidebar, and the way to change it."""
    me, providers = who(), _providers()
    if providers is None and _header() is None:
        _nickname(me.name)
        return
    words = f"You are **{plain(me.name)}**." if me.name else "You are not signed in."
    st.markdown(f":material/person: {words}")
    if providers is not None:
        _sign_buttons(providers)


def _vouched(user: Mapping[str, Any]) -> str:
    """What identifies a person at the provider: two people may share a display name, not an address."""
    if not user.get("is_logged_in"):
        return ""
    return str(next((user[key] for key in ("email", "preferred_username", "sub") if user.get(key)), ""))


def _header() -> str | None:
    """The name in the trusted proxy's header, "" for none; None where no such header is trusted."""
    name = os.environ.get(HEADER, "").strip()
    return (st.context.headers.get(name) or "") if name else None


def _providers() -> list[str] | None:
    """The names of the sign-in providers in secrets.toml, [] for the one without a name; None without sign-in."""
    if not st.secrets.load_if_toml_exists() or "auth" not in st.secrets:
        return None
    return [name for name, value in st.secrets["auth"].items() if isinstance(value, Mapping)]


def _sign_buttons(providers: list[str]) -> None:
    if st.user.get("is_logged_in"):
        st.button("Sign out", icon=":material/logout:", on_click=st.logout, width="stretch")
    elif find_spec("authlib") is None:
        st.markdown("Signing in needs the package Authlib on the server.")
    else:
        for name in providers or [""]:
            words = f"Sign in with {name}" if name else "Sign in"
            st.button(words, icon=":material/login:", on_click=st.login, args=(name,) if name else (), width="stretch")


def _nickname(name: str) -> None:
    st.session_state["nickname"] = name
    st.text_input(
        "Nickname (no password: anyone can take any name)",
        key="nickname",
        max_chars=LONGEST,
        placeholder="for your runs in the queue",
        on_change=lambda: set_link("who", clean_name(st.session_state.nickname)),
    )
