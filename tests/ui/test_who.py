"""Who is here: nicknames, proxies and providers."""

import pytest
from streamlit.testing.v1 import AppTest

from cgcnn.ui.who import HEADER, LONGEST, Who, browser_key, clean_name, decided, may

ANN = {"is_logged_in": True, "email": "ann@example.org", "name": "Ann"}


@pytest.mark.parametrize(
    ("typed", "kept"),
    [("  Ann  B ", "Ann B"), ("a\u200bn\x00n", "ann"), ("\uff21nn", "Ann"), ("\n\t", ""), ("x" * 99, "x" * LONGEST)],
)
def test_a_nickname_is_one_short_printable_line(typed: str, kept: str) -> None:
    assert clean_name(typed) == kept


def test_a_nickname_is_the_key_of_fairness_and_proves_nothing() -> None:
    assert decided("s1", "Ann") == Who("Ann", "Ann", signed_in=False)


def test_without_a_name_each_session_waits_for_itself() -> None:
    assert decided("s1") == Who("", "s1") and decided("s2").owner != decided("s1").owner


def test_a_browser_is_known_by_the_token_under_the_mask() -> None:
    token = bytes(range(16))
    cookies = [
        "|".join(["2", mask.hex(), bytes(b ^ mask[i % 4] for i, b in enumerate(token)).hex(), "1795285705"])
        for mask in (b"abcd", b"wxyz")
    ]
    assert browser_key(cookies[0]) == browser_key(cookies[1]) != browser_key(cookies[0].replace("2|61", "2|62"))
    assert token.hex() not in browser_key(cookies[0])


@pytest.mark.parametrize("cookie", ["", "2|", "2|zz|00|1", "2||0011|1", "1|61626364|" + "0" * 32 + "|1", "2|61|61|1"])
def test_without_a_cookie_that_can_be_read_there_is_no_key_of_the_browser(cookie: str) -> None:
    assert browser_key(cookie) == ""


def test_where_people_sign_in_nobody_takes_a_name_by_typing_it() -> None:
    assert decided("s1", "ann@example.org", signed_in={"is_logged_in": False}) == Who("", "s1")
    assert decided("s1", "Bob", signed_in=ANN) == Who("ann@example.org", "ann@example.org", signed_in=True)


def test_two_people_with_one_display_name_are_two() -> None:
    other = ANN | {"email": "", "sub": "4711"}
    assert decided("s1", signed_in=other).name == "4711"


def test_a_proxy_s_header_is_the_name_and_without_it_there_is_none() -> None:
    assert decided("s1", "Bob", header="ann") == Who("ann", "ann", signed_in=True)
    assert decided("s1", "Bob", header="") == Who("", "s1")


@pytest.mark.parametrize(("name", "user", "allowed"), [("", "", True), ("Ann", "", True), ("Ann", "Ann", True)])
def test_a_run_without_a_name_is_everybody_s(name: str, user: str, allowed: bool) -> None:
    assert may(name, user) is allowed


@pytest.mark.parametrize("name", ["", "Bob", "ann"])
def test_a_named_run_obeys_only_that_name(name: str) -> None:
    assert not may(name, "Ann")


def test_a_nickname_follows_the_reader_and_stands_in_the_url(app: AppTest) -> None:
    app.run()
    app.sidebar.text_input(key="nickname").set_value(" Ann\u200b ").run()
    assert app.query_params["who"] == "Ann"
    app.query_params.clear()
    app.switch_page("pages/graph.py").run()
    assert app.sidebar.text_input(key="nickname").value == "Ann" and app.query_params["who"] == "Ann"


def test_a_header_counts_only_where_the_server_says_so(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    app.run()
    assert app.sidebar.text_input(key="nickname").value == ""
    monkeypatch.setenv(HEADER, "X-Remote-User")
    app.run()
    assert not app.sidebar.text_input and any("not signed in" in m.value for m in app.sidebar.markdown)


def test_the_button_to_sign_in_is_there_when_a_provider_is(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cgcnn.ui.who.find_spec", lambda name: True)
    app.secrets["auth"] = {"cookie_secret": "x", "school": {"client_id": "y"}}
    app.run()
    assert [b.label for b in app.sidebar.button if b.label.startswith("Sign")] == ["Sign in with school"]
    assert not [field for field in app.sidebar.text_input if field.key == "nickname"]


def test_signing_in_without_its_package_is_a_sentence(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cgcnn.ui.who.find_spec", lambda name: None)
    app.secrets["auth"] = {"cookie_secret": "x", "client_id": "y"}
    app.run()
    assert not app.exception and any("Authlib" in m.value for m in app.sidebar.markdown)
