"""What the dialects say in different ways, as a table for the page: the rows of mappings that are not of all dialects."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from edx2lrs.pipeline import page_parts
from edx2lrs.pipeline.app.event_coverage import word
from edx2lrs.transforms.config_types import Dialect, Protocol
from edx2lrs.transforms.families.mappings import PROTOCOLS, mappings
from edx2lrs.transforms.families.source_events import SOURCE_EVENTS
from edx2lrs.transforms.families.tables import tables
from edx2lrs.transforms.mapping.rows import ALL_DIALECTS, Constant, Path, Row, dialects_of, of_dialect
from edx2lrs.transforms.privacy.field_destinations import EVERY

_FEW = 3
"""A cell names at most this number of fields; the function's name stands for more fields."""


class _Place(NamedTuple):
    protocol: Protocol
    family: str
    destination: Path


def differences() -> str:
    """A line for each place of a statement that the dialects fill in different ways."""
    said: dict[_Place, dict[Dialect, dict[str, None]]] = {}
    for dialect, protocol, family, row in _rows():
        place = said.setdefault(_Place(protocol, family, row.destination), {})
        place.setdefault(dialect, {})[_taken(row)] = None
    families: dict[tuple[str, ...], list[str]] = {}  # by the line of a place: families that say the same stand in one line
    for at, cells in sorted(said.items()):
        if any(cells.get(dialect) != cells.get("standard") for dialect in dialects_of(at.protocol)):
            line = (at.protocol, _path(at.destination), *(", ".join(cells.get(dialect, ())) for dialect in ALL_DIALECTS))
            families.setdefault(line, []).append(at.family)
    lines = [(", ".join(names), *line) for line, names in families.items()]
    return page_parts.table(("Families", "Protocol", "Place in the statement", *(f"`{each}`" for each in ALL_DIALECTS)), lines)


def _rows() -> Iterator[tuple[Dialect, Protocol, str, Row | Constant]]:
    for protocol in PROTOCOLS:
        for dialect in dialects_of(protocol):
            yield from ((dialect, protocol, "all", row) for row in of_dialect(EVERY[protocol], dialect))
            for name, mapping in sorted(mappings(protocol).items()):
                for table in tables(mapping, dialect):
                    yield from ((dialect, protocol, SOURCE_EVENTS[name].family, row) for row in table.rows)


def _taken(row: Row | Constant) -> str:
    """What a row gives: a constant, or the fields that the row reads."""
    if isinstance(row, Constant):
        value = row.value[0]["id"] if isinstance(row.value, list) and isinstance(row.value[0], dict) else row.value
        return f"`{word(value) if isinstance(value, str) else value}`"
    if row.function is None:
        return f"`{row.source}`"
    fields = [source for source in row.sources if not source.startswith(("site.", "part_key"))]
    few = ", ".join(f"`{field}`" for field in fields if len(fields) <= _FEW)
    return f"{few} ({row.function.__name__})" if few else f"({row.function.__name__})"


def _path(destination: Path) -> str:
    return f"`{'.'.join(map(word, destination))}`"


def in_step(page: str) -> str:
    """The page with the table between its marks written anew. Raises ValueError for a page without such marks."""
    return page_parts.in_step(page, "edx2lrs.pipeline.reference.dialects", {"differences": differences})
