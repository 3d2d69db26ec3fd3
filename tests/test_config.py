import json
from dataclasses import dataclass

import pytest

from cgcnn.config import Config, option, part
from cgcnn.errors import ConfigError


@dataclass(frozen=True)
class Inner(Config):
    width: int = option(3, "Width", "How wide.", unit="Å", minimum=1, maximum=9)


@dataclass(frozen=True)
class Other(Config):
    rate: float = option(0.5, "Rate", "How fast.", minimum=0.0, maximum=1.0)


@dataclass(frozen=True)
class Outer(Config):
    kind: str = option("a", "Kind", "Which.", choices=("a", "b"))
    inner: Inner = part(Inner)
    either: Config = part(Inner, variants={"inner": Inner, "other": Other})


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: Inner(width=12), ["Width is 12 Å", "between 1 and 9"]),
        (lambda: Inner(width=2.5), ["must be of type int"]),
        (lambda: Inner(width=True), ["must be of type int"]),
        (lambda: Other(rate=float("nan")), ["Rate is nan"]),
        (lambda: Outer(kind="c"), ["choose one of a, b"]),
        (lambda: Outer.from_dict({"knid": "a"}), ["'knid'", "kind, inner, either"]),
        (lambda: Outer.from_dict({"either": {"name": "x"}}), ["choose one of inner, other"]),
        (lambda: Outer.from_dict({"inner": 5}), ["inner is 5", "group of settings"]),
    ],
)
def test_a_wrong_setting_is_named_with_what_to_do(build, words: list[str]) -> None:
    with pytest.raises(ConfigError) as refusal:
        build()
    assert all(word in str(refusal.value) for word in words)


def test_a_config_survives_json() -> None:
    config = Outer(kind="b", inner=Inner(width=7), either=Other(rate=0.25))
    assert Outer.from_dict(json.loads(json.dumps(config.to_dict()))) == config


def test_a_missing_setting_takes_its_default() -> None:
    assert Outer.from_dict({"kind": "b"}) == Outer(kind="b")


def test_a_dotted_name_changes_a_part() -> None:
    assert Outer().with_(**{"inner.width": 5, "kind": "b"}) == Outer(kind="b", inner=Inner(width=5))


def test_an_int_is_welcome_where_a_float_is_meant() -> None:
    assert Other(rate=1).rate == 1.0 and isinstance(Other(rate=1).rate, float)
