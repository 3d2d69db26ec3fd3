"""The hash of loaded code follows what runs, not how it is written down."""

from types import ModuleType

import pytest

from cgcnn.graph.loaded_code import hash_of

PLAIN = """
from functools import cache, cached_property
import math
import numpy as np
TIE, ARRAY, SETTINGS = 1e-5, np.array([1.0, 2.0]), {"k": (1, None, "a")}
def outer(x, y=1, *, z=2):
    return [inner(v) for v in (x, y, z) if v in {"p", "q", "r", "s"}]
def inner(v):
    return (lambda w: w + 1)(v)
def held(n):
    return lambda: n
@cache
def kept():
    return 3
RULES = {"one": outer, "other": held(7)}
class Sites:
    first: int = 4
    @property
    def size(self):
        return 5
    @cached_property
    def crystal(self):
        return 6
    @classmethod
    def of(cls):
        return cls(), 8
    def part(self):
        return super().__repr__()
"""
EDITS = {
    "constant": ("1e-5", "1e-4"),
    "array": ("2.0]", "3.0]"),
    "inside a dict": ('"a"', '"b"'),
    "default": ("y=1", "y=2"),
    "keyword default": ("z=2", "z=3"),
    "order of arguments": ("(x, y, z)", "(x, z, y)"),
    "set": ('"q"', '"t"'),
    "lambda": ("w + 1", "w - 1"),
    "closure": ("held(7)", "held(8)"),
    "behind a cache": ("return 3", "return 33"),
    "rule": ('"one": outer', '"one": inner'),
    "value of a class": ("= 4", "= 44"),
    "property": ("return 5", "return 55"),
    "cached property": ("return 6", "return 66"),
    "class method": ("cls(), 8", "cls(), 88"),
    "method": ("__repr__", "__str__"),
    "called function": ("[inner(v)", "[held(v)"),
}


def loaded(source: str) -> str:
    module = ModuleType("rules")
    vars(module)["__name__"] = "cgcnn.rules"
    exec(compile(source, "rules.py", "exec"), vars(module))
    return hash_of([module])


@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_of_what_runs_is_another_hash(edit: str) -> None:
    before, after = EDITS[edit]
    assert PLAIN.count(before) == 1
    assert loaded(PLAIN.replace(before, after)) != loaded(PLAIN)


def test_comments_and_lines_do_not_count() -> None:
    assert loaded("# moved\n\n" + PLAIN.replace("    return 5", "    # five\n        return 5")) == loaded(PLAIN)


def test_what_shows_only_an_address_fits_nothing_else() -> None:
    assert loaded("it = object()") != loaded("it = object(), object()")
    assert loaded("class A: pass\nit = A()") != loaded("class A: pass\nit = A(), A()")
