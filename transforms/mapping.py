"""Mappings as tables, and how they become fast functions.

A mapping is an ordered tuple of rows: where a value goes, what it is made of, by which named function, and whether a statement
makes sense without it. The tables are data for people; they are compiled once when a job starts.

Sources are dotted paths. They begin with a field of the event's normal form (``data.id``, ``context.module``, ``session``;
``transforms.parse.Event``), with another field of ``Scope`` (``actor``, ``course``, ``part``, ...), or with ``site`` (values that are the same for the
whole job and come first). A missing value, null and "" are the same thing: the destination's key is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from operator import attrgetter
from typing import Any, NamedTuple

import msgspec

from edx2lrs.transforms.actor import Actor
from edx2lrs.transforms.parse import Event

Path = tuple[str, ...]
"""The keys from the top of the result to a value; a tuple, because IRIs contain dots."""


class Row(NamedTuple):
    """``destination`` gets what ``function`` makes of the value at ``source``, or that value itself.

    Several sources are given to the function in their order, also when they are missing; a single one only when it is there.
    A function gives None for "leave it out" and raises ``Unmappable`` for a value that it can do nothing with.
    ``required``: without a value there is no statement, but a refusal.
    """

    destination: Path
    source: str | tuple[str, ...]
    function: Callable[..., Any] | None = None
    required: bool = False


class Constant(NamedTuple):
    """``destination`` always gets ``value``."""

    destination: Path
    value: Any


Rows = tuple["Row | Constant", ...]


class Course(NamedTuple):
    """The course of an event, as its statements see it. All None when the event has none.

    ``id`` is its IRI; ``context_activities`` the xAPI ``contextActivities`` that name it as the parent."""

    id: str | None
    name: str | None
    context_activities: dict[str, Any] | None


class Scope(msgspec.Struct):
    """Everything that a row may read. Where parts of an event get a statement each: the part's key, its value and the finished
    statement about the whole."""

    event: Event
    actor: Actor
    course: Course
    part_key: str = ""
    part: Any = None
    whole: Any = None


class Unmappable(ValueError):  # noqa: N818 -- reads as what it says of the value
    """A value that a mapping cannot use. ``message`` names types, never the value."""

    def __init__(self, message: str, cause: str = "wrong_type"):
        super().__init__(message)
        self.message = message
        self.cause = cause

    def at(self, source: str) -> Unmappable:
        return Unmappable(f"{source}: {self.message}", self.cause)


Build = Callable[[Scope], dict[str, Any]]
_ValueOf = Callable[[Scope], Any]


def compile_rows(rows: Iterable[Row | Constant], site: Mapping[str, Any]) -> Build:
    """The function that builds a new dict by ``rows``; parts of it that hold constants only are shared by all results.

    ``site`` has the values of ``site.*`` sources. The function raises ``Unmappable``. Of two rows with one destination the later
    wins. Raises KeyError for a ``site`` source that is not there.
    """
    tree: dict[str, Any] = {}
    for row in rows:
        node = tree
        for key in row.destination[:-1]:
            node = node.setdefault(key, {})
        node[row.destination[-1]] = row if isinstance(row, Constant) else _value_of(row, site)
    build = _builder(tree)
    return build if callable(build) else build.copy


def _builder(tree: dict[str, Any]) -> Any:
    """A dict where everything below is constant, else a function."""
    constants: dict[str, Any] = {}
    computed: list[tuple[str, _ValueOf]] = []
    for key, node in tree.items():
        made = _builder(node) if isinstance(node, dict) else node
        if isinstance(made, Constant):
            constants[key] = made.value
        elif isinstance(made, dict):
            constants[key] = made
        else:
            computed.append((key, made))
    if not computed:
        return constants
    values = tuple(computed)

    def build(scope: Scope) -> dict[str, Any]:
        built = constants.copy()
        for key, value_of in values:
            value = value_of(scope)
            if value is not None:
                built[key] = value
        return built

    return build


def _value_of(row: Row, site: Mapping[str, Any]) -> _ValueOf:
    value_of = _single(row) if isinstance(row.source, str) else _several(row, site)
    return _required(row, value_of) if row.required else value_of


def _single(row: Row) -> _ValueOf:
    source, function = str(row.source), row.function
    get = _getter(source)
    if function is None:

        def copied(scope: Scope) -> Any:
            value = get(scope)
            return None if value == "" else value

        return copied

    def made(scope: Scope) -> Any:
        value = get(scope)
        if value is None or value == "":
            return None
        try:
            return function(value)
        except Unmappable as problem:
            raise problem.at(source) from None

    return made


def _several(row: Row, site: Mapping[str, Any]) -> _ValueOf:
    function = row.function
    if function is None:
        raise TypeError(f"{row.destination}: several sources need a function")
    fixed = tuple(site[s.removeprefix("site.")] for s in row.source if s.startswith("site."))
    sources = tuple(s for s in row.source if not s.startswith("site."))
    if tuple(row.source[: len(fixed)]) + sources != tuple(row.source):
        raise TypeError(f"{row.destination}: site sources come first")
    path = ", ".join(sources)
    if len(sources) == 1:
        get_one = _getter(sources[0])

        def made_of_one(scope: Scope) -> Any:
            try:
                return function(*fixed, get_one(scope))
            except Unmappable as problem:
                raise problem.at(path) from None

        return made_of_one
    get = attrgetter(*map(_attribute, sources))

    def made(scope: Scope) -> Any:
        try:
            return function(*fixed, *get(scope))
        except Unmappable as problem:
            raise problem.at(path) from None

    return made


def _required(row: Row, value_of: _ValueOf) -> _ValueOf:
    sources = row.source if isinstance(row.source, str) else " or ".join(s for s in row.source if not s.startswith("site."))
    missing = f"{sources} is missing; {'.'.join(row.destination)} needs it"

    def required(scope: Scope) -> Any:
        value = value_of(scope)
        if value is None:
            raise Unmappable(missing, "missing")
        return value

    return required


def _getter(source: str) -> Callable[[Scope], Any]:
    return attrgetter(_attribute(source))


def _attribute(source: str) -> str:
    return source if source.split(".")[0] in Scope.__struct_fields__ else f"event.{source}"
