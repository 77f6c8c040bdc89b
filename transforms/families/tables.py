"""What the mappings hold, for those who look at them: their tables one by one, and what their functions read and write."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from types import CodeType, FunctionType
from typing import Any, NamedTuple

from edx2lrs.transforms.mapping import caliper_event as caliper
from edx2lrs.transforms.mapping import xapi_statement as xapi
from edx2lrs.transforms.mapping.rows import Constant, Path, Rows


class Table(NamedTuple):
    """The rows of one statement, and the functions that decide whether there is one (``choose``) or what its part is."""

    rows: Rows
    choices: tuple[Callable[..., Any], ...] = ()


def tables(mapping: xapi.XapiMapping | caliper.CaliperMapping) -> Iterator[Table]:
    """Every table of a mapping, without the rows that all statements share."""
    if isinstance(mapping, (xapi.VariantMapping, caliper.VariantMapping)):
        variants: Mapping[str, Any] = mapping.variants
        for variant in variants.values():
            for table in tables(variant):
                yield Table(table.rows, (mapping.choose, *table.choices))
    elif isinstance(mapping, xapi.GroupMapping):
        yield from tables(mapping.whole)
        yield Table(mapping.part_rows, (mapping.parts,))
    elif isinstance(mapping, xapi.StatementMapping):
        yield Table((Constant(("verb",), mapping.verb), *mapping.rows), (mapping.part,) if mapping.part else ())
    else:
        constants = (Constant(("type",), mapping.type), Constant(("action",), mapping.action))
        yield Table((*constants, *mapping.rows))


def constant_values(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """The keys and the single values of a constant."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from constant_values(inner, (*path, key))
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from constant_values(inner, path)
    else:
        yield path, value


class Words(NamedTuple):
    """``read``: names of attributes that a function takes from what it is given, by itself or in functions that it calls.
    ``texts``: the texts without white space in it, among them the keys of the objects that it makes."""

    read: frozenset[str]
    texts: frozenset[str]


@cache
def words(function: Callable[..., Any]) -> Words:
    """Every name and text in the code of ``function`` and of what it calls in packages of mappings. More than it uses on any one
    way through it, never less."""
    read: set[str] = set()
    texts: set[str] = set()
    packages = {"edx2lrs", _package(function)}
    seen: set[int] = set()
    waiting: list[Any] = [function]
    while waiting:
        found = waiting.pop()
        if isinstance(found, partial):
            waiting += [found.func, *found.args, *found.keywords.values()]
        elif isinstance(found, bytes):
            waiting.append(found.decode(errors="replace"))
        elif isinstance(found, (str, dict, list, tuple)):
            for path, value in constant_values(found):
                texts.update(text for text in (*path, value) if isinstance(text, str))
        elif callable(found) and id(found) not in seen and _package(found) in packages:
            seen.add(id(found))
            inner = getattr(found, "__wrapped__", found)
            if isinstance(inner, FunctionType):
                names, constants = _words_of_code(inner.__code__)
                constants = [constant for constant in constants if constant != inner.__doc__]
                read |= names
                waiting += constants
                waiting += [inner.__globals__[name] for name in names if name in inner.__globals__]
                waiting += [cell.cell_contents for cell in inner.__closure__ or ()]
    texts = {text for text in texts if text and not any(c.isspace() for c in text)}
    return Words(frozenset(read | texts), frozenset(texts))


def _package(function: Callable[..., Any]) -> str:
    return str(getattr(function, "__module__", "")).partition(".")[0]


def _words_of_code(code: CodeType) -> tuple[set[str], list[Any]]:
    """The names in ``code`` and in the functions within it, and its constants."""
    names = set(code.co_names)
    constants = list(code.co_consts)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            inner_names, inner_constants = _words_of_code(constant)
            names |= inner_names
            constants += inner_constants
    return names, constants
