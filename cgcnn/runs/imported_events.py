"""What a run brought from elsewhere says of itself, checked event by event: pages show it as they show any other."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, fields
from functools import cache
from math import isfinite
from typing import TYPE_CHECKING, Any

from cgcnn.data.checks import shown
from cgcnn.data.targets import TARGETS
from cgcnn.errors import RunError

if TYPE_CHECKING:
    from cgcnn.training.experiment import RunConfig

MAX_EVENTS = 200_000  # 2,000 epochs, and ten events a second for five hours
MAX_TESTED = 100_000  # crystals
MOST_LETTERS = 1000  # of a sentence
LARGEST = 2**53  # whole numbers beyond it are no counts
Events = list[tuple[str, int, dict[str, Any]]]  # kind, step, data
WHERE = "events.jsonl"


def parsed(data: bytes, name: str) -> Any:
    """JSON of finite numbers, or a RunError that names the file."""

    def refuse(word: str) -> None:
        raise ValueError(f"{word} is no finite number")

    try:
        return json.loads(data, parse_constant=refuse, parse_float=_finite)
    except (ValueError, RecursionError) as reason:
        raise RunError(f"{name} cannot be read ({shown(str(reason))}); export the run again.") from reason


def _finite(text: str) -> float:
    value = float(text)
    if not isfinite(value):
        raise ValueError(f"{text} is no finite number")
    return value


def events_of(data: bytes, config: "RunConfig") -> Events:
    """The events in their order; each has the fields of its kind and speaks of the run's targets, none comes twice."""
    lines = data.splitlines()
    if len(lines) > MAX_EVENTS:
        raise RunError(f"{WHERE} has {len(lines):,} lines, more than the limit of {MAX_EVENTS:,}; this is no such run.")
    found: Events = []
    known: set[tuple[str, int]] = set()
    for number, line in enumerate(lines, 1):
        kind, step, values = _event(parsed(line, f"Line {number} of {WHERE}"), number, config.dataset.targets)
        if (kind, step) in known:
            raise RunError(f"Line {number} of {WHERE} repeats {kind} {step}; export the run again.")
        known.add((kind, step))
        found.append((kind, step, values))
    _one_after_another([values for kind, _, values in found if kind == "epoch"], config)
    return found


def _event(record: Any, number: int, targets: Sequence[str]) -> tuple[str, int, dict[str, Any]]:
    if not isinstance(record, dict) or record.keys() != {"kind", "step", "data"} or record["kind"] not in _kinds():
        raise RunError(f"Line {number} of {WHERE} is no event of a run; export the run again.")
    kind, step, values = record["kind"], record["step"], record["data"]
    fields = _kinds()[kind]
    if not _whole(step) or not isinstance(values, dict) or not values.keys() <= fields.keys():
        raise RunError(f"Line {number} of {WHERE} is no event “{kind}”; export the run again.")
    for name, (fits, required) in fields.items():
        if (name in values or required) and not fits(values.get(name)):
            raise RunError(f"Line {number} of {WHERE}: {name} of “{kind}” is missing or wrong; export the run again.")
    if kind == "test":
        _check_test(values, targets[0], number)
        for name, other in values.get("others", {}).items():
            _check_test(other, name, number)
    _refuse_other_targets(kind, values, number, targets)
    return kind, step, values


def _refuse_other_targets(kind: str, values: Mapping[str, Any], number: int, targets: Sequence[str]) -> None:
    """What is said of each target must be said of the targets of the run, and of all or none."""
    lists = [values[name] for name in ("train_maes", "val_maes", "val_mean_maes") if values.get(name)]
    named = {*values.get("labels", {}), *values.get("others", {})}
    if any(len(found) != len(targets) for found in lists) or not named <= set(targets):
        raise RunError(
            f"Line {number} of {WHERE}: “{kind}” speaks of other targets than config.json; export the run again."
        )


def _check_test(values: Mapping[str, Any], target: str, number: int) -> None:
    columns = [values[name] for name in ("ids", "formulas", "truth", "predicted")]
    if len({len(column) for column in columns}) != 1 or not 1 <= len(columns[0]) <= MAX_TESTED:
        raise RunError(f"Line {number} of {WHERE}: the columns of the test differ in length; export the run again.")
    if target in TARGETS and TARGETS[target].is_class:
        _check_classes(values, number)
    from pymatgen.core import Composition, Element

    for formula in dict.fromkeys(values["formulas"]):
        try:
            if len(formula) > 100 or not all(isinstance(e, Element) for e in Composition(formula).elements):
                raise ValueError(formula)
        except (ValueError, KeyError, RecursionError) as reason:
            raise RunError(
                f"Line {number} of {WHERE}: {shown(formula)} is no formula; export the run again."
            ) from reason


def _check_classes(values: Mapping[str, Any], number: int) -> None:
    if not set(values["truth"]) <= {0, 1} or not all(0 <= p <= 1 for p in values["predicted"]):
        raise RunError(
            f"Line {number} of {WHERE}: a class is 0 or 1 and its probability lies between; export the run again."
        )


def _one_after_another(epochs: list[dict[str, Any]], config: "RunConfig") -> None:
    numbers = sorted(values["epoch"] for values in epochs)  # after a worker was lost, some may have come late
    if numbers != list(range(1, len(numbers) + 1)) or len(numbers) > config.train.epochs:
        raise RunError(
            f"{WHERE} does not hold the epochs 1, 2, 3 … of at most {config.train.epochs}; export the run again."
        )


def _whole(value: Any) -> bool:
    return type(value) is int and 0 <= value < LARGEST


def _number(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) < 1e300


def _words(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= MOST_LETTERS


def _word_list(value: Any) -> bool:
    return isinstance(value, list) and all(map(_words, value))


def _number_list(value: Any) -> bool:
    return isinstance(value, list) and all(map(_number, value))


def _maybe(value: Any) -> bool:
    return value is None or _number(value)


def _maybe_list(value: Any) -> bool:
    return isinstance(value, list) and all(map(_maybe, value))


def _counts(value: Any) -> bool:
    sides = value.values() if isinstance(value, dict) else [None]
    return all(isinstance(n, list) and len(n) == 3 and all(map(_whole, n)) for n in sides)


def _tests(value: Any) -> bool:
    """Further targets of a test: each has the fields of the main one."""
    fields = _target_test()
    return isinstance(value, dict) and all(
        isinstance(test, dict) and test.keys() == fields.keys() and all(fits(test[n]) for n, fits in fields.items())
        for test in value.values()
    )


def _word_map(value: Any) -> bool:
    return isinstance(value, dict) and len(value) <= 100 and all(map(_words, value.values()))


@cache
def _target_test() -> dict[str, Callable[[Any], bool]]:
    from cgcnn.training.experiment import TargetTest

    return {f.name: FITS[f.type] for f in fields(TargetTest)}


FITS: dict[Any, Callable[[Any], bool]] = {  # by the type that the event's class declares
    int: _whole,
    float: _number,
    str: _words,
    list[str]: _word_list,
    list[float]: _number_list,
    Mapping[str, str]: _word_map,
    float | None: _maybe,
    list[float | None]: _maybe_list,
    Mapping[str, list[int]]: _counts,
}


@cache
def _kinds() -> dict[str, dict[str, tuple[Callable[[Any], bool], bool]]]:
    """Of each kind of event its fields: what a value must be, and whether it must be there."""
    from cgcnn.training.experiment import BatchMetrics, DataReady, EpochMetrics, Progress, TargetTest, TestMetrics

    kinds = FITS | {Mapping[str, TargetTest]: _tests}
    classes: dict[str, type] = {"progress": Progress, "data": DataReady, "batch": BatchMetrics}
    classes |= {"epoch": EpochMetrics, "test": TestMetrics}
    found = {
        kind: {f.name: (kinds[f.type], f.default is MISSING and f.default_factory is MISSING) for f in fields(event)}
        for kind, event in classes.items()
    }
    found["epoch"]["score"] = (_maybe, False)  # of an epoch without a number there is none
    where = {"epoch": (_whole, False), "batch": (_whole, False)}  # earlier versions did not say it
    return found | {"resumed": {"attempt": (_whole, True), **where}}
