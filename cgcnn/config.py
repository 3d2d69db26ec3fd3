"""Settings that check themselves: one field is one widget, one check, one help text, one sweep axis, one URL key."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Self

from cgcnn.errors import ConfigError


@dataclass(frozen=True)
class Option:
    """What a field of a Config means to a person: its words, its unit and the values it may take."""

    label: str
    help: str
    unit: str = ""
    minimum: float | None = None
    maximum: float | None = None
    step: float | None = None
    choices: tuple[str, ...] = ()


def option(
    default: Any,
    label: str,
    help: str,
    *,
    unit: str = "",
    minimum: float | None = None,
    maximum: float | None = None,
    step: float | None = None,
    choices: Iterable[str] = (),
) -> Any:
    """Declare a field of a Config; `choices` may be any of the house's dicts of alternatives.

    A default that is a tuple makes an option of several choices, each at most once; in JSON it is a list.
    """
    meaning = Option(label, help, unit, minimum, maximum, step, tuple(choices))
    return field(default=default, metadata={"option": meaning})


def part(default: Any, variants: Mapping[str, type] | None = None) -> Any:
    """Declare a field that is itself a Config; with `variants`, one of several classes, named in its JSON."""
    return field(default_factory=default, metadata={"variants": variants or {}})


@dataclass(frozen=True)
class Config:
    """A frozen set of options that refuses wrong values by name, and goes to JSON and back."""

    def __post_init__(self) -> None:
        for name, meaning in self.options().items():
            object.__setattr__(self, name, _checked(type(self), name, meaning, getattr(self, name)))
        for f in fields(self):
            if "variants" in f.metadata and not isinstance(getattr(self, f.name), Config):
                raise ConfigError(f"{f.name} is {getattr(self, f.name)!r}; it must be a group of settings.")

    @classmethod
    def options(cls) -> dict[str, Option]:
        """The options of this Config by field name, in the order in which they are shown."""
        return {f.name: f.metadata["option"] for f in fields(cls) if "option" in f.metadata}

    def with_(self, **changes: Any) -> Self:
        """The same settings with some fields changed; a dotted name reaches into a part."""
        flat = {name: value for name, value in changes.items() if "." not in name}
        for name in changes.keys() - flat.keys():
            head, rest = name.split(".", 1)
            flat[head] = flat.get(head, getattr(self, _known(type(self), head))).with_(**{rest: changes[name]})
        return replace(self, **{_known(type(self), name): value for name, value in flat.items()})

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for json.dumps; a part with variants carries its `name`."""
        return {f.name: _plain(getattr(self, f.name), f.metadata.get("variants")) for f in fields(self)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """The inverse of to_dict; a missing field takes its default, an unknown one is refused."""
        declared = {f.name: f for f in fields(cls)}
        return cls(**{name: _revived(declared[_known(cls, name)], value) for name, value in data.items()})


def default_of(config: type[Config], name: str) -> Any:
    """The default of one option, for a form or a page that leaves it out of the URL."""
    return next(f.default for f in fields(config) if f.name == name)


def _known(config: type[Config], name: str) -> str:
    names = [f.name for f in fields(config)]
    if name not in names:
        raise ConfigError(f"There is no setting {name!r}; the settings here are {', '.join(names)}.")
    return name


def _plain(value: Any, variants: Mapping[str, type] | None) -> Any:
    if isinstance(value, tuple):
        return list(value)
    if not isinstance(value, Config):
        return value
    names = [name for name, kind in (variants or {}).items() if kind is type(value)]
    return {"name": names[0], **value.to_dict()} if names else value.to_dict()


def _revived(declared: Any, value: Any) -> Any:
    if "variants" not in declared.metadata or not isinstance(value, Mapping):
        return value
    variants = declared.metadata["variants"]
    if not variants:
        return declared.default_factory.from_dict(value)
    rest = dict(value)
    name = rest.pop("name", next(iter(variants)))
    if name not in variants:
        raise ConfigError(f"{declared.name} is {name!r}; choose one of {', '.join(variants)}.")
    return variants[name].from_dict(rest)


def _checked(config: type[Config], name: str, meaning: Option, value: Any) -> Any:
    kind = type(default_of(config, name))
    where = f"{meaning.label} is {value!r}"
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if kind is tuple:
        return _several(meaning, value)
    if type(value) is not kind:
        raise ConfigError(f"{where}; it must be of type {kind.__name__}.")
    if meaning.choices and value not in meaning.choices:
        raise ConfigError(f"{where}; choose one of {', '.join(meaning.choices)}.")
    if kind in (int, float):
        low, high = meaning.minimum, meaning.maximum
        unit = f" {meaning.unit}" if meaning.unit else ""
        if value != value or (low is not None and value < low) or (high is not None and value > high):
            raise ConfigError(f"{where}{unit}; it must lie between {low} and {high}{unit}.")
    return value


def _several(meaning: Option, value: Any) -> tuple[str, ...]:
    """Some of the choices, as a tuple, each at most once."""
    if not isinstance(value, (tuple, list)):
        raise ConfigError(f"{meaning.label} is {value!r}; it must be a list of choices.")
    for one in value:
        if one not in meaning.choices:
            raise ConfigError(f"{meaning.label} holds {one!r}; choose from {', '.join(meaning.choices)}.")
    if twice := next((one for one in value if value.count(one) > 1), None):
        raise ConfigError(f"{meaning.label} holds {twice!r} twice; give each only once.")
    return tuple(value)
