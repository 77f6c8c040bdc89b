"""Rows as fast functions: a table becomes the Python function that a programmer would write by hand to print the statement's JSON.

The function is generated as source text and compiled once, as ``dataclasses`` does. The function makes no dicts: parts that are the
same in every statement are text already, and values of the record are put between these parts. ``source_of`` shows the generated
function.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from keyword import iskeyword
from string import Formatter
from typing import Any, NamedTuple, cast

import orjson

from edx2lrs.transforms.config_types import TranslationOptions
from edx2lrs.transforms.event import Event
from edx2lrs.transforms.formats.json_text import Json, json_text
from edx2lrs.transforms.mapping.guard import Check, Invalid
from edx2lrs.transforms.mapping.rows import (
    Constant,
    Course,
    Derived,
    Path,
    Row,
    Rows,
    Scope,
    Unmappable,
    VariantMapping,
    of_dialect,
    value_at,
)
from edx2lrs.transforms.mapping.statement import Statement
from edx2lrs.transforms.people.actor import Actor


class Identity(NamedTuple):
    """How a statement gets its id: ``identify`` makes the UUID's text of a name, which is ``name`` with the value of each source in
    its place (``"{actor.hash_text}-{time}"``); ``object.id`` there is the statement's own. ``prefix`` stands before the id in the
    statement. ``by_key``: ``identify`` first gets the part's key, and gives what makes the ids of such parts. ``time``: makes the text
    of the time in the name; None: the canonical text."""

    identify: Callable[[str], Any]
    name: str
    prefix: str = ""
    by_key: bool = False
    time: Callable[[str], str] | None = None


class Options(NamedTuple):
    """Options that all mappings of a translator share. ``site``: the values of ``site.*`` sources. ``checks``: the checks of a
    statement's values (``transforms.mapping.guard``). Rows of ``translation.redact`` are left out; ``translation.override_args``
    replaces properties at the top of the statement."""

    site: Mapping[str, Any]
    checks: Mapping[Path, Check]
    translation: TranslationOptions = TranslationOptions()
    shared: dict[str, Any] | None = None
    """What the generated functions name, where all of a translator are to share it: a processor's caches hold one such table, not
    one for each event."""


Make = Callable[[Event, Actor, Course], tuple[Statement, ...]]
"""Gives the statements of an event: all of them. Raises Unmappable and guard.Invalid."""
Build = Callable[..., tuple[Statement, ...]]
"""Takes the fields of ``Scope``, in their order; gives one statement."""
BuildWhole = Callable[..., tuple[Statement, str, Json]]
"""As ``Build``; gives the statement, its object's id and that object's JSON."""
_SCOPE_FIELDS = frozenset(Scope.__struct_fields__)
_SITE = "site."
_OBJECT_ID: Path = ("object", "id")
OBJECT_ID = "object.id"
"""The source that is the id of the statement's own object."""
_ALWAYS_THERE = frozenset({"actor.xapi", "actor.person", "time", "whole.id", "whole.activities"})
_JSON_SOURCES = frozenset({"course.activities", "whole.object", "whole.activities"})
_ACTOR = {
    "actor.hash_text": ("form.hash_before", "actor.name", "form.hash_after"),
    "actor.xapi": ("form.xapi_before", "actor.name", "form.xapi_after"),
    "actor.person": ("form.person_before", "actor.name", "form.person_after"),
    "actor.iri": ("form.iri", "actor.name"),
    "actor.id_text": ("form.iri", "actor.name", "form.hidden"),
}
"""Properties of an actor as the texts that they are put together of, so that none of them is made twice."""
_LOCAL_NAMES = (
    "build", "left_out", "fault", "data", "form", "value", "problem", "id_", "object_id", "object_", *Scope.__struct_fields__
)


def compile_rows(rows: Rows, identity: Identity, options: Options) -> Build:
    """The function that prints a statement by ``rows``. The function raises ``Unmappable`` and ``guard.Invalid``. If two rows have
    the same destination, the later row wins. Raises KeyError for a ``site`` source that ``site`` lacks."""
    return cast("Build", _compiled(rows, identity, options, False))


def compile_whole(rows: Rows, identity: Identity, options: Options) -> BuildWhole:
    """As ``compile_rows``, for the statement about the whole of a group."""
    return cast("BuildWhole", _compiled(rows, identity, options, True))


def source_of(rows: Rows, identity: Identity, options: Options) -> str:
    """The generated function, for people."""
    kept = _kept(rows, options)
    return _Generator(identity, options).function(_tree(kept), False, partial(_blamed, kept, options.site))


def compile_derived(derived: Derived) -> Callable[[Event], Any]:
    """The function that gives what ``derived`` makes of an event."""
    named = {"function": derived.function}
    source = f"def read(event):\n    return function({', '.join(map(_safely, derived.sources))})\n"
    exec(compile(source, "<derived>", "exec"), named)  # noqa: S102 -- made of our tables, of nothing that a record holds
    return named["read"]


def compile_variants(mapping: VariantMapping, compile_variant: Callable[[Any], Make]) -> Make:
    """The function that makes the statements of the variant that an event is."""
    choose = compile_derived(mapping.choose)
    makers = {name: compile_variant(variant) for name, variant in mapping.variants.items()}

    def make(event: Event, actor: Actor, course: Course) -> tuple[Statement, ...]:
        return makers[choose(event)](event, actor, course)

    return make


def _safely(path: str) -> str:
    """The expression for the value at a path of a ``Derived``."""
    above, is_map, below = path.partition(".*.")
    value = "event"
    for step in above.split("."):
        value = f"event.{step}" if value == "event" else f"getattr({value}, '{step}', None)"
    return f"{{key: getattr(entry, '{below}', None) for key, entry in ({value} or {{}}).items()}}" if is_map else value


def _compiled(rows: Rows, identity: Identity, options: Options, with_object: bool) -> Any:
    kept = _kept(rows, options)
    generator = _Generator(identity, options)
    source = generator.function(_tree(kept), with_object, partial(_blamed, kept, options.site))
    exec(compile(source, "<mapping>", "exec"), generator.values)  # noqa: S102 -- made of our tables, of nothing that a record holds
    return generator.values.pop("build")


def and_left_out(left_out: tuple[str, ...], path: str, fault: Unmappable | Invalid) -> tuple[str, ...]:
    """What was left out before, and ``path``. Raises the fault of a value without which the whole statement is of no use."""
    if fault.cause == "unfit_for_aspects":
        raise fault
    return (*left_out, path)


def _kept(rows: Rows, options: Options) -> Rows:
    """The rows of the dialect, without texts that are redacted."""
    of_it = of_dialect(rows, options.translation.dialect)
    return tuple(row for row in of_it if not (isinstance(row, Row) and row.free_text in options.translation.redact))


def _tree(rows: Iterable[Row | Constant]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for row in rows:
        node = tree
        for key in row.destination[:-1]:
            node = node.setdefault(key, {})
        node[row.destination[-1]] = row
    return tree


class _Expression(str):
    """A part of the JSON that the generated function computes: the source of an expression that gives bytes."""


class _TextExpression(str):
    """The source of an expression that gives a text without signs that JSON escapes."""


_Text = list[str]
"""JSON in pieces: fixed ones, and expressions."""


class _Generator:
    """Writes the function; ``values`` collects the constants and functions that the function names.

    An object is printed in two parts: first the entries that every statement has, then the entries that may be missing. Each entry
    that may be missing is a local that holds ``,"key":value`` or nothing.
    """

    def __init__(self, identity: Identity, options: Options):
        named = {"Unmappable": Unmappable, "Invalid": Invalid, "Scope": Scope, "Statement": Statement, "dumps": orjson.dumps}
        self.values: dict[str, Any] = {} if options.shared is None else options.shared
        self.values.update(named)
        self._identity = identity
        self._options = options
        self._lines: list[str] = []
        self._locals = 0

    def function(self, tree: dict[str, Any], with_object: bool, blamed: Callable[[Scope], Unmappable | None]) -> str:
        """The source of ``build``."""
        override_args = self._options.translation.override_args
        always: list[_Text] = [] if "id" in override_args else [[f'"id":"{self._identity.prefix}', _TextExpression("id_"), '"']]
        perhaps: _Text = []
        for key, node in tree.items():
            value, local = self._value(node, (key,))
            if key == "object" and with_object:
                self._lines.append(f"object_ = {_printed(value)}")
                value = [_Expression("object_")]
            if key in override_args:
                continue
            if value:
                always.append([_key(key), *value])
            else:
                perhaps.append(local)
        always += [[_key(key) + _fixed(value)] for key, value in override_args.items()]
        made = f"Statement(id_, {_printed(_braced(always, perhaps))}, left_out)"
        body = [
            "left_out = ()",
            "data = event.data",
            "form = actor.form",
            *self._lines,
            f"id_ = {self._identify()}",
            f"return {made}, object_id, object_" if with_object else f"return ({made},)",
        ]
        lines = [
            "def build(event, actor, course, part_key='', part=None, whole=None):",
            "    try:",
            *(f"        {line}" for line in body),
            "    except Unmappable as problem:",
            "        scope = Scope(event, actor, course, part_key, part, whole)",
            f"        raise {self._named(blamed)}(scope) or problem from None",
        ]
        return "\n".join([*lines, ""])

    def _identify(self) -> str:
        identity = self._identity
        name: _Text = []
        for fixed, path, _, _ in Formatter().parse(identity.name):
            name.append(fixed)
            if path == "time" and identity.time is not None:
                name.append(_TextExpression(f"{self._named(identity.time)}(event.time)"))
            elif path is not None:
                name += map(_TextExpression, _ACTOR.get(path, (self._read(path),)))
        by_key = "(part_key)" if identity.by_key else ""
        return f"{self._named(identity.identify)}{by_key}({_f_string(name)})"

    def _value(self, node: Any, path: Path) -> tuple[_Text, _Expression]:
        """The text of a value that is always there; else none, and the local that has ``,"key":value`` or nothing."""
        if isinstance(node, Constant):
            return [_fixed(node.value)], _Expression()
        if isinstance(node, dict):
            alone, keys = _alone(node)
            return self._object(node, path) if alone is None else self._row(alone, path + keys, path[-1:] + keys)
        if _is_there(node):
            return self._constant_place(node), _Expression()
        return self._row(node, path, path[-1:])

    def _object(self, tree: dict[str, Any], path: Path) -> tuple[_Text, _Expression]:
        always: list[_Text] = []
        perhaps: _Text = []
        for key, node in tree.items():
            value, local = self._value(node, (*path, key))
            if value:
                always.append([_key(key), *value])
            else:
                perhaps.append(local)
        if always:
            return _braced(always, perhaps), _Expression()
        made = self._local()
        inner = _Expression(f"{made}[1:]")  # without its first comma
        self._lines += [
            f"{made} = {' + '.join(perhaps)}",
            f"if {made}:",
            f"    {made} = {_printed([',' + _key(path[-1]) + '{', inner, '}'])}",
        ]
        return [], made

    def _constant_place(self, row: Row) -> _Text:
        """A value that every record has, or that is the same for all."""
        path = str(row.source)
        if path.startswith(_SITE):
            value = self._site(path) if row.function is None else row.function(self._site(path))
            return [value.decode() if isinstance(value, bytes) else _fixed(value)]
        if path in _ACTOR and row.function is None:
            return [*map(_TextExpression, _ACTOR[path])]
        value = self._read(path)
        if row.function is not None:
            value = f"{self._named(row.function)}({value})"
            return [_Expression(value if _gives_json(row.function) else f"dumps({value})")]
        return [_Expression(value)] if path in _JSON_SOURCES else ['"', _TextExpression(value), '"']

    def _row(self, row: Row, path: Path, outer: Path) -> tuple[_Text, _Expression]:
        """Writes the lines that find a value. ``outer``: the keys that come and go with it."""
        paths = row.sources
        function = None if row.function is None else self._named(row.function)
        made = self._local()
        found = "object_id" if path == _OBJECT_ID else "value"
        text = self._as_text(row, path, found)
        opened = "," + "{".join(map(_key, outer))
        closed = ["}" * (len(outer) - 1)] if len(outer) > 1 else []
        keep = f"{made} = {text if row.required or path == _OBJECT_ID else _printed([opened, _Expression(text), *closed])}"
        lines: list[str]
        if isinstance(row.source, tuple):
            lines = [f"{found} = {function}({', '.join(map(self._read, paths))})", f"if {found} is not None:", f"    {keep}"]
        else:
            there = f"if {found} or {found} not in (None, ''):"  # the second look is for 0 and false, which are values
            lines = [f"{found} = {self._read(paths[0])}", there]
            if function is not None:
                lines.append(f"    {found} = {function}({found})")
            if row.function is not None and _may_give_none(row.function):
                lines += [f"    if {found} is not None:", f"        {keep}"]
            else:
                lines.append(f"    {keep}")
        if row.required or path == _OBJECT_ID:
            missing = self._named(_missing(row))
            if row.function is not None:
                lines = self._with_stand_in(lines, path, found, keep)
            self._lines += [f"{made} = None", *lines, f"if {made} is None:", f"    raise Unmappable({missing}, 'missing')"]
            return [made], _Expression()
        if row.function is not None or path in self._options.checks:
            lines = self._tried(lines, made, path, opened, closed)
        self._lines += [f"{made} = b''", *lines]
        return [], made

    def _with_stand_in(self, lines: list[str], path: Path, found: str, keep: str) -> list[str]:
        """The lines; in place of a value that cannot be used stands what its function gives instead, if anything."""
        return [
            "try:",
            *(f"    {line}" for line in lines),
            "except Unmappable as fault:",
            "    if fault.instead is None: raise",
            f"    left_out = {self._named(and_left_out)}(left_out, {_place(path)!r}, fault)",
            f"    {found} = fault.instead",
            f"    {keep}",
        ]

    def _tried(self, lines: list[str], made: str, path: Path, opened: str, closed: list[str]) -> list[str]:
        """The lines; a value that they refuse is left out, but for what is left of the value."""
        rest = _printed([opened, _Expression("dumps(fault.instead)"), *closed])
        return [
            "try:",
            *(f"    {line}" for line in lines),
            "except (Unmappable, Invalid) as fault:",
            f"    left_out = {self._named(and_left_out)}(left_out, {_place(path)!r}, fault)",
            *([f"    if fault.instead is not None: {made} = {rest}"] if path in self._options.checks else []),
        ]

    def _as_text(self, row: Row, path: Path, value: str) -> str:
        if row.source in _JSON_SOURCES if row.function is None else _gives_json(row.function):
            return value
        check = self._options.checks.get(path)
        return f"{'dumps' if check is None else self._named(check)}({value})"

    def _read(self, path: str) -> str:
        if path == OBJECT_ID:
            return "object_id"
        if path.startswith(_SITE):
            return self._named(self._site(path))
        first, *below = path.split(".")
        steps = [first if first == "data" or first in _SCOPE_FIELDS else f"event.{first}", *below]
        ways = [".".join(steps[: n + 1]) for n in range(min(1, len(below)), len(steps))]
        return ways[0] if len(ways) == 1 else f"({' and '.join(ways)})"  # a struct within the payload may be null

    def _site(self, path: str) -> Any:
        return self._options.site[path.removeprefix(_SITE)]

    def _local(self) -> _Expression:
        self._locals += 1
        return _Expression(f"made_{self._locals}")

    def _named(self, value: Any) -> str:
        if isinstance(value, (str, bool)):
            return repr(value)
        name = getattr(getattr(value, "func", value), "__name__", "constant")
        number = 1
        plain = name = name if name.isidentifier() and not iskeyword(name) and not name.startswith("made_") else "constant"
        while name in _LOCAL_NAMES or (name in self.values and self.values[name] is not value):
            number += 1
            name = f"{plain}_{number}"
        self.values[name] = value
        return name


def _alone(tree: dict[str, Any]) -> tuple[Row | None, Path]:
    """The only row of an object that holds only a value that may be missing, and the keys that lead to the value."""
    keys: Path = ()
    node: Any = tree
    while isinstance(node, dict) and len(node) == 1:
        ((key, node),) = node.items()
        keys = (*keys, key)
    return (node, keys) if isinstance(node, Row) and not _is_there(node) and not node.required else (None, ())


def _place(path: Path) -> str:
    """The place in the statement, of an IRI its last word: ``result.extensions.time``."""
    return ".".join(key.rpartition("/")[2] if "://" in key else key for key in path)


def _key(key: str) -> str:
    return f"{_fixed(key)}:"


def _fixed(value: Any) -> str:
    return json_text(value).decode()


def _braced(always: list[_Text], perhaps: _Text) -> _Text:
    """An object of entries that are present and of locals that may be empty."""
    entries = [piece for entry in always for piece in (",", *entry)][1:]
    return ["{", *entries, *perhaps, "}"]


def _printed(text: _Text) -> str:
    """The expression that makes ``text``."""
    pieces: list[str] = []
    together: _Text = []  # what makes one text, encoded at once
    for piece in [*text, _Expression()]:
        if not isinstance(piece, _Expression):
            together.append(piece)
            continue
        if any(isinstance(part, _TextExpression) for part in together):
            pieces.append(f"{_f_string(together)}.encode()")
        elif together:
            pieces.append(repr("".join(together).encode()))
        pieces += [piece] if piece else []
        together = []
    return " + ".join(pieces) if len(pieces) < 4 else f"b''.join(({', '.join(pieces)}))"


def _f_string(text: _Text) -> str:
    pieces = [f"{{{piece}}}" if isinstance(piece, _TextExpression) else _escaped(piece) for piece in text]
    return f"f'{''.join(pieces)}'"


def _escaped(text: str) -> str:
    """``text`` within an f-string in single quotes."""
    return text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n").replace("{", "{{").replace("}", "}}")


def _gives_json(function: Callable[..., Any]) -> bool:
    """Whether a function declares finished JSON as its result."""
    return _result(function).removesuffix(" | None") == "Json"


def _may_give_none(function: Callable[..., Any]) -> bool:
    return _result(function) not in ("Json", "str", "bool", "int", "float")


def _result(function: Callable[..., Any]) -> str:
    """The declared type of a function's result, as its module spells it."""
    return str(getattr(function, "__annotations__", {}).get("return"))


def _is_there(row: Row) -> bool:
    """Whether a row has a value in every statement."""
    path = row.source
    of_site = isinstance(path, str) and path.startswith(_SITE) and (row.function is None or not _may_give_none(row.function))
    return of_site or path in _ALWAYS_THERE


def _missing(row: Row) -> str:
    paths = " or ".join(path for path in row.sources if not path.startswith(_SITE))
    return f"{paths} is missing; {'.'.join(row.destination)} needs it"


def _blamed(rows: Rows, site: Mapping[str, Any], scope: Scope) -> Unmappable | None:
    """The same refusal, with the fields that the refusal is about. To find the fields, the rows are read again, one by one."""
    for row in rows:
        if isinstance(row, Constant) or row.function is None:
            continue
        values = [value_at(path, scope, site) for path in row.sources]
        if isinstance(row.source, str) and (values[0] is None or values[0] == ""):
            continue
        try:
            row.function(*values)
        except Unmappable as problem:
            paths = ", ".join(path for path in row.sources if not path.startswith(_SITE))
            return Unmappable(f"{paths}: {problem.message}", problem.cause)
    return None

