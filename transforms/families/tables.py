"""The content of the mappings, for code that inspects them: the tables one by one, and what each row reads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from edx2lrs.transforms.config_types import Dialect
from edx2lrs.transforms.mapping import caliper_event as caliper
from edx2lrs.transforms.mapping import xapi_statement as xapi
from edx2lrs.transforms.mapping.rows import ALL_DIALECTS, Constant, Dialects, Path, Row, Rows, VariantMapping, of_dialect


class Table(NamedTuple):
    """The rows of one statement, each destination once in each dialect. ``choices``: the paths that decide whether there is the
    statement. ``parts``: the path of the map whose entries ``part`` and ``part_key`` of the rows stand for."""

    rows: Rows
    choices: tuple[str, ...] = ()
    parts: str | None = None


def tables(mapping: xapi.XapiMapping | caliper.CaliperMapping, dialect: Dialect | None = None) -> Iterator[Table]:
    """Every table of a mapping, without the rows that all statements share; ``dialect``: with the rows of this dialect alone."""
    dialects = ALL_DIALECTS if dialect is None else (dialect,)
    if isinstance(mapping, VariantMapping):
        for variant in mapping.variants.values():
            for table in tables(variant, dialect):
                yield table._replace(choices=(*mapping.choose.sources, *table.choices))
    elif isinstance(mapping, xapi.GroupMapping):
        yield from tables(mapping.whole, dialect)
        (parts,) = mapping.parts.sources
        yield Table(_last(mapping.part_rows, dialects), (f"{parts}.*",), parts)
    elif isinstance(mapping, xapi.StatementMapping):
        rows = _last((Constant(("verb",), mapping.verb), *mapping.rows), dialects)
        yield Table(rows, (), mapping.part.sources[0] if mapping.part else None)
    else:
        constants = (Constant(("type",), mapping.type), Constant(("action",), mapping.action))
        yield Table(_last((*constants, *mapping.rows), dialects))


def _last(rows: Rows, dialects: Dialects) -> Rows:
    """The rows of ``dialects``, without rows whose destination a later row has too in each of their dialects."""
    kept = [row for dialect in dialects for row in {row.destination: row for row in of_dialect(rows, dialect)}.values()]
    return tuple({(row.destination, row.dialects): row for row in kept}.values())


def paths_of(row: Row | Constant, table: Table) -> tuple[str, ...]:
    """The paths that a row of ``table`` reads, from the top of the normal form: ``data.submission.*.answer`` for ``part.answer``."""

    def whole(path: str) -> str:
        first, dot, rest = path.partition(".")
        return f"{table.parts}.*{dot}{rest}" if first in ("part", "part_key") else path

    return () if isinstance(row, Constant) else tuple(map(whole, row.sources))


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
