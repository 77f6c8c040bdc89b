"""Rows as fast functions: a table becomes the Python function that one would write by hand for it.

The function is generated as source and compiled once, as ``dataclasses`` does it: looping over a table for each of millions of
events takes three times as long. ``source_of(rows)`` shows what is generated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from operator import attrgetter
from typing import Any

import orjson

from edx2lrs.transforms.mapping import Constant, Row, Rows, Scope, Unmappable

Build = Callable[..., dict[str, Any]]
"""Takes the fields of ``Scope``, in their order."""
_SCOPE_FIELDS = frozenset(Scope.__struct_fields__)
_SITE = "site."
_LOCAL_NAMES = ("build", "blamed", "data", "value", "problem", *Scope.__struct_fields__)  # of the generated function
_ALWAYS_THERE = frozenset({"actor.xapi", "time"})


def compile_rows(rows: Rows, site: Mapping[str, Any]) -> Build:
    """The function that builds a new dict by ``rows``, for orjson: constants within it are serialised once (``orjson.Fragment``).

    ``site`` has the values of ``site.*`` sources. The function raises ``Unmappable``. Of two rows with one destination the later
    wins. Raises KeyError for a ``site`` source that is not there.
    """
    generator = _Generator(site)
    source = generator.function(_tree(rows))
    namespace: dict[str, Any] = {**generator.values, "blamed": partial(_blamed, rows, site)}
    exec(compile(source, "<mapping>", "exec"), namespace)  # noqa: S102 -- made of our tables, of nothing that a record holds
    build: Build = namespace["build"]
    return build


def source_of(rows: Rows, site: Mapping[str, Any]) -> str:
    """The generated function, for people."""
    return _Generator(site).function(_tree(rows))


def sources(row: Row | Constant) -> tuple[str, ...]:
    """The paths that a row reads."""
    if isinstance(row, Constant):
        return ()
    return (row.source,) if isinstance(row.source, str) else row.source


def _tree(rows: Iterable[Row | Constant]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for row in rows:
        node = tree
        for key in row.destination[:-1]:
            node = node.setdefault(key, {})
        node[row.destination[-1]] = row
    return tree


class _Generator:
    """Writes the function; ``values`` collects the constants and functions that it names."""

    def __init__(self, site: Mapping[str, Any]):
        self.values: dict[str, Any] = {**dict.fromkeys(_LOCAL_NAMES), "Unmappable": Unmappable, "Scope": Scope}
        self._site = site
        self._lines: list[str] = []
        self._dicts = 0

    def function(self, tree: dict[str, Any]) -> str:
        result = self._dict(tree, below_top=False)
        body = ["data = event.data", *self._lines, f"return {result}"]
        lines = [
            "def build(event, actor, course, part_key='', part=None, whole=None):",
            "    try:",
            *(f"        {line}" for line in body),
            "    except Unmappable as problem:",
            "        scope = Scope(event, actor, course, part_key, part, whole)",
            "        raise blamed(scope) or problem from None",
        ]
        return "\n".join([*lines, ""])

    def _dict(self, tree: dict[str, Any], below_top: bool = True) -> str:
        """Writes the lines that make one dict; gives the name that it then has. A dict within it that stays empty is left out."""
        entries: list[str] = []
        later: list[tuple[str, Row]] = []
        perhaps_empty: list[tuple[str, str]] = []
        for key, node in tree.items():
            if isinstance(node, dict):
                if below_top and _is_constant(node):  # the guard reads what is at the top
                    entries.append(f"{key!r}: {self._named(orjson.Fragment(orjson.dumps(_constant(node))))}")
                elif any(_is_there(inner) for inner in node.values()):
                    entries.append(f"{key!r}: {self._dict(node)}")
                else:
                    perhaps_empty.append((key, self._dict(node)))
            elif _is_there(node):
                entries.append(f"{key!r}: {self._always(node)}")
            else:
                later.append((key, node))
        self._dicts += 1
        name = f"made_{self._dicts}"
        self._lines.append(f"{name} = {{{', '.join(entries)}}}")
        for key, row in later:
            self._row(name, key, row)
        for key, made in perhaps_empty:
            self._lines += [f"if {made}:", f"    {name}[{key!r}] = {made}"]
        return name

    def _always(self, node: Row | Constant) -> str:
        if isinstance(node, Constant):
            return self._named(orjson.Fragment(orjson.dumps(node.value)) if isinstance(node.value, dict) else node.value)
        value = self._read(str(node.source))
        return value if node.function is None else f"{self._named(node.function)}({value})"

    def _row(self, target: str, key: str, row: Row) -> None:
        paths = sources(row)
        function = None if row.function is None else self._named(row.function)
        write = self._lines.append
        indent = ""
        if isinstance(row.source, tuple):
            write(f"value = {function}({', '.join(map(self._read, paths))})")
            write("if value is not None:")
        else:
            write(f"value = {self._read(paths[0])}")
            write("if value or value not in (None, ''):")  # the second look is for 0 and false, which are values
            if function is not None:
                write(f"    value = {function}(value)")
                write("    if value is not None:")
                indent = "    "
        write(f"{indent}    {target}[{key!r}] = value")
        if row.required:
            write(f"if {key!r} not in {target}:")
            write(f"    raise Unmappable({_missing(row)!r}, 'missing')")

    def _read(self, path: str) -> str:
        if path.startswith(_SITE):
            return self._named(self._site[path.removeprefix(_SITE)])
        if path.startswith("data."):
            return path
        return path if path.split(".")[0] in _SCOPE_FIELDS else f"event.{path}"

    def _named(self, value: Any) -> str:
        if isinstance(value, (str, bool)):
            return repr(value)
        name = getattr(value, "__name__", "constant")
        while name in self.values and self.values[name] is not value:
            name += "_"
        self.values[name] = value
        return name


def _is_there(node: Any) -> bool:
    """Whether a key has a value in every result."""
    if isinstance(node, dict):
        return any(_is_there(inner) for inner in node.values())
    if isinstance(node, Constant):
        return True
    return isinstance(node.source, str) and (node.source in _ALWAYS_THERE or node.source.startswith(_SITE))


def _is_constant(tree: dict[str, Any]) -> bool:
    return all(isinstance(node, Constant) or (isinstance(node, dict) and _is_constant(node)) for node in tree.values())


def _constant(tree: dict[str, Any]) -> dict[str, Any]:
    return {key: _constant(node) if isinstance(node, dict) else node.value for key, node in tree.items()}


def _missing(row: Row) -> str:
    paths = " or ".join(path for path in sources(row) if not path.startswith(_SITE))
    return f"{paths} is missing; {'.'.join(row.destination)} needs it"


def _blamed(rows: Rows, site: Mapping[str, Any], scope: Scope) -> Unmappable | None:
    """The same complaint with the fields that it is about: the rows again, one by one."""
    for row in rows:
        if isinstance(row, Constant) or row.function is None:
            continue
        values = [_value(path, site, scope) for path in sources(row)]
        if isinstance(row.source, str) and (values[0] is None or values[0] == ""):
            continue
        try:
            row.function(*values)
        except Unmappable as problem:
            paths = ", ".join(path for path in sources(row) if not path.startswith(_SITE))
            return Unmappable(f"{paths}: {problem.message}", problem.cause)
    return None


def _value(path: str, site: Mapping[str, Any], scope: Scope) -> Any:
    if path.startswith(_SITE):
        return site[path.removeprefix(_SITE)]
    return attrgetter(path if path.split(".")[0] in _SCOPE_FIELDS else f"event.{path}")(scope)
