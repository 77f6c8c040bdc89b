"""What the known events become, as a table made from the families, for `edx2lrs events`, README and docs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from edx2lrs import transforms
from edx2lrs.pipeline import page_parts
from edx2lrs.transforms.families.examples import examples_of, name_of
from edx2lrs.transforms.families.mappings import mappings
from edx2lrs.transforms.families.source_events import MAIN_NAMES, PACKAGES, SOURCE_EVENTS
from edx2lrs.transforms.families.tables import Table, tables
from edx2lrs.transforms.mapping.rows import Constant
from edx2lrs.transforms.mapping.rows import Path as Keys
from edx2lrs.transforms.mapping.xapi_vocabulary import definition

VARIES = "(varies)"
"""In place of a term that a row makes of the event."""
_CHECKOUT = Path(transforms.__file__ or "").parent.parent


class Terms(NamedTuple):
    """What says most of a statement: xAPI's verb and activity type (IRIs; "" for none), Caliper's type and action."""

    first: str
    second: str


class Coverage(NamedTuple):
    """One event name. ``xapi`` and ``caliper``: what it may become. ``since``: a version of edx2lrs, or of ``package`` where it is
    another's. ``example``: a file with the event and what it becomes. ``alias_of``: the main name, where this is another name."""

    name: str
    family: str
    xapi: tuple[Terms, ...]
    caliper: tuple[Terms, ...]
    since: str
    package: str | None
    example: Path | None
    alias_of: str | None


def coverage() -> list[Coverage]:
    """All events, family by family."""
    return [_coverage(name) for name in sorted(SOURCE_EVENTS, key=lambda name: (SOURCE_EVENTS[name].family, name))]


def _coverage(name: str) -> Coverage:
    source, package, main_name = SOURCE_EVENTS[name], PACKAGES[name], MAIN_NAMES[name]
    found_xapi = _terms(mappings("xapi"), name, ("verb",), definition("type"))
    found_caliper = _terms(mappings("caliper"), name, ("type",), ("action",))
    owner = None if package.is_built_in else package.source
    example = next((path for path in examples_of(package) if name_of(path) == name), None)
    alias_of = None if main_name == name else main_name
    return Coverage(name, source.family, found_xapi, found_caliper, source.since, owner, example, alias_of)


def _terms(found: Mapping[str, Any], name: str, first: Keys, second: Keys) -> tuple[Terms, ...]:
    """Those of every statement that the event may become; the parts of a group have their whole's."""
    every = tables(found[name]) if name in found else ()
    terms = [Terms(_constant(table, first), _constant(table, second)) for table in every]
    return tuple(dict.fromkeys(each for each in terms if each.first))


def _constant(table: Table, destination: Keys) -> str:
    row = next((row for row in reversed(table.rows) if row.destination == destination), None)
    if isinstance(row, Constant):
        return str(row.value["id"] if isinstance(row.value, dict) else row.value)
    return "" if row is None else VARIES


def word(term: str) -> str:
    """A term without what is before it in its IRI: ``played``, ``cmi.interaction``, ``MediaEvent``."""
    parts = urlsplit(term)
    return (parts.fragment or parts.path.rstrip("/").rpartition("/")[2]) if parts.scheme in ("http", "https") else term


HEADINGS = ("Event", "Family", "xAPI verb", "activity type", "Caliper type", "action", "Since", "Example")


def as_text(rows: Iterable[Coverage]) -> str:
    """Columns for a terminal."""
    lines = page_parts.columns([HEADINGS, *(_cells(row, word, str, str) for row in rows)])
    return "".join(f"{line}\n" for line in lines)


def as_markdown(rows: Iterable[Coverage]) -> str:
    """A table with links to terms and examples; those to examples start from ``docs/``."""
    cells = (_cells(row, _linked, lambda name: f"`{name}`", lambda path: f"[file](<../{path}>)") for row in rows)
    return page_parts.table(HEADINGS, cells)


def as_json(rows: Iterable[Coverage]) -> list[dict[str, Any]]:
    """One object for each event, with whole IRIs."""
    return [
        {
            "name": row.name,
            "family": row.family,
            "xapi": [{"verb": terms.first, "activity_type": terms.second or None} for terms in row.xapi],
            "caliper": [{"type": terms.first, "action": terms.second} for terms in row.caliper],
            "since": row.since,
            "package": row.package,
            "example": _from_checkout(row.example) if row.example else None,
            "alias_of": row.alias_of,
        }
        for row in rows
    ]


def families_as_markdown(rows: Iterable[Coverage]) -> str:
    """One line for each family: how many events, what they become."""
    families: dict[str, list[Coverage]] = {}
    for row in rows:
        families.setdefault(row.family, []).append(row)
    lines = [
        (
            f"`{family}`",
            str(len(members)),
            _joined(word(terms.first) for row in members for terms in row.xapi),
            _joined(word(terms.second) for row in members for terms in row.xapi),
            _actions_by_type(terms for row in members for terms in row.caliper),
        )
        for family, members in families.items()
    ]
    return page_parts.table(("Family", "Events", "xAPI verbs", "about", "Caliper"), lines)


def _actions_by_type(caliper_terms: Iterable[Terms]) -> str:
    """``MediaEvent: Started, Ended; Event: Viewed``."""
    actions: dict[str, list[str]] = {}
    for terms in caliper_terms:
        actions.setdefault(terms.first, []).append(terms.second)
    return "; ".join(f"{type_}: {_joined(of_type)}" for type_, of_type in actions.items())


def _cells(row: Coverage, term: Callable[[str], str], name: Callable[[str], str], example: Callable[[str], str]) -> tuple[str, ...]:
    return (
        name(row.name) + (f" (= {name(row.alias_of)})" if row.alias_of else ""),
        row.family,
        _joined(term(terms.first) for terms in row.xapi) or "-",
        _joined(term(terms.second) for terms in row.xapi) or "-",
        _joined(terms.first for terms in row.caliper) or "-",
        _joined(terms.second for terms in row.caliper) or "-",
        f"{row.since} ({row.package})" if row.package else row.since,
        example(_from_checkout(row.example)) if row.example else "-",
    )


def _joined(words: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(word for word in words if word))


def _linked(term: str) -> str:
    return f"[{word(term)}]({term})" if term != word(term) else term


def _from_checkout(path: Path) -> str:
    return str(path.relative_to(_CHECKOUT) if path.is_relative_to(_CHECKOUT) else path)


def in_step(page: str) -> str:
    """The page with the tables between its marks written anew. Raises ValueError for a page without such marks."""
    known = coverage()
    parts = {"events": partial(as_markdown, known), "families": partial(families_as_markdown, known)}
    return page_parts.in_step(page, "edx2lrs.pipeline.app.event_coverage", parts)
