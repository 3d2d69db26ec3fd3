"""A hash of code as it is loaded: what the functions, classes and constants of some modules would do if called now.

A file may change after its module was imported, and a notebook may put another function into a module; both leave
the source of a module saying something else than what runs.
"""

import hashlib
from collections.abc import Iterator, Sequence
from functools import cached_property
from types import CellType, CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np

OURS = __name__.partition(".")[0]


def hash_of(modules: Sequence[ModuleType]) -> str:
    """The same in every process that loaded the same code with the same Python; line numbers do not count.

    What a module imports by name counts too: a function with its own code, but not with what that calls in turn.
    """
    digest, seen = hashlib.sha256(), set[int]()
    for module in modules:
        for name, thing in sorted(vars(module).items()):
            if not name.startswith("__"):
                for word in (name, *_words(thing, seen)):
                    digest.update(word.encode() + b"\0")
    return digest.hexdigest()


def _words(thing: Any, seen: set[int]) -> Iterator[str]:
    """What there is to say about anything that a module, a class or a function holds."""
    yield type(thing).__name__
    if isinstance(thing, dict):
        thing = [*thing.items()]
    if isinstance(thing, tuple | list):
        yield str(len(thing))
        for each in thing:
            yield from _words(each, seen)
    elif isinstance(thing, set | frozenset):
        yield from sorted(map(repr, thing))  # their own order changes from process to process
    elif isinstance(thing, np.ndarray):
        yield f"{thing.dtype} {thing.shape} {thing.tobytes().hex()}"
    elif isinstance(thing, CodeType):
        yield from _words_of_code(thing, seen)
    elif isinstance(thing, FunctionType) or _is_our_class(thing):
        if id(thing) not in seen:  # a method may hold its class
            seen.add(id(thing))
            yield from _words(_parts_of_class(thing) if isinstance(thing, type) else _parts_of_function(thing), seen)
    else:
        yield from _words_of_other(thing, seen)


def _words_of_code(code: CodeType, seen: set[int]) -> Iterator[str]:
    yield code.co_code.hex() + code.co_exceptiontable.hex()
    yield f"{code.co_argcount} {code.co_posonlyargcount} {code.co_kwonlyargcount} {code.co_flags}"
    for each in (code.co_consts, code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars):
        yield from _words(each, seen)


def _words_of_other(thing: Any, seen: set[int]) -> Iterator[str]:
    """Of what belongs to a package its name; anything unknown as it shows itself.

    Where that is an address, no other process says the same: then graphs are built again, and no wrong ones used.
    """
    held = [getattr(thing, name, None) for name in ("fget", "fset", "__func__", "__wrapped__")]
    if isinstance(thing, cached_property):
        held.append(thing.func)
    if isinstance(thing, ModuleType):
        yield thing.__name__
    elif any(held):
        yield from _words(held, seen)
    elif isinstance(name := getattr(thing, "__qualname__", None), str):
        yield f"{getattr(thing, '__module__', '')}.{name}"
    else:
        yield repr(thing)


def _is_our_class(thing: Any) -> bool:
    return isinstance(thing, type) and thing.__module__.partition(".")[0] == OURS


def _parts_of_function(function: FunctionType) -> list[Any]:
    filled = [cell.cell_contents for cell in function.__closure__ or () if cell != CellType()]  # not an empty one
    return [function.__code__, function.__defaults__, function.__kwdefaults__, filled]


def _parts_of_class(ours: type) -> list[Any]:
    """Its bases, methods and values; of the names with underscores that Python adds, the methods only."""
    held = [(n, v) for n, v in sorted(vars(ours).items()) if not n.startswith("__") or isinstance(v, FunctionType)]
    return [ours.__name__, ours.__bases__, held]
