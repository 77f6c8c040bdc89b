"""Names of declared fields and of keys of statements that resemble personal data and that nobody has reviewed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import ModuleType
from typing import Any, NamedTuple

import msgspec

from edx2lrs.transforms.families.declared_fields import field_key, own_fields, structs_of
from edx2lrs.transforms.families.examples import examples_of, name_of, read_example
from edx2lrs.transforms.families.mappings import PROTOCOLS
from edx2lrs.transforms.families.packages import module_of, packages
from edx2lrs.transforms.families.source_events import SOURCE_EVENTS
from edx2lrs.transforms.families.tables import constant_values
from edx2lrs.transforms.fields import Context, SubmittedText
from edx2lrs.transforms.mapping.rows import Constant, Rows
from edx2lrs.transforms.privacy import personal_fields
from edx2lrs.transforms.privacy.field_destinations import EVERY, of_event
from edx2lrs.transforms.privacy.name_likeness import resemblance
from edx2lrs.transforms.records.parse import Envelope


class Finding(NamedTuple):
    """``resembles``: the kind of personal data that the name resembles; ``key``: the name's key in a reviewed list."""

    where: str
    name: str
    resembles: str
    key: str

    def text(self) -> str:
        """One line for a person."""
        return (
            f"{self.where}: {self.name} resembles {self.resembles}; leave it out, or give {self.key!r} with a reason to "
            "PERSONAL or NOT_PERSONAL (transforms/privacy/personal_fields.py, or events.py of the package that it belongs to)"
        )


def findings(reviewed: Iterable[str]) -> list[Finding]:
    """The findings in everything that is declared and mapped, packages of own events included."""
    known = frozenset(reviewed)
    return [found for found in (*_of_fields(), *_of_keys()) if found.key not in known]


def without_example() -> list[str]:
    """The events without an example: what functions of their rows make is not looked at."""
    there = {name_of(path) for package in packages() for path in examples_of(package)}
    return [name for name in SOURCE_EVENTS if name not in there]


def reviewed() -> dict[str, str]:
    """The reviewed names with their reasons: edx2lrs's own, and those of every package of own events. Raises OwnEventsError."""
    modules: list[ModuleType | None] = [personal_fields]
    modules += [module_of(package, "events") for package in packages()]
    found: dict[str, str] = {}
    for module in modules:
        for name in ("PERSONAL", "NOT_PERSONAL"):
            found.update(getattr(module, name, {}))
    return found


def of_statements(protocol: str, family: str, statements: Iterable[Mapping[str, Any]]) -> list[Finding]:
    """The findings in the keys of finished statements, also in keys that the function of a row makes."""
    keys = dict.fromkeys(key for statement in statements for path, _ in constant_values(statement) for key in path)
    return list(_judged(f"{protocol} statements of family {family}", f"{protocol}.{family}: ", keys))


def _of_fields() -> Iterator[Finding]:
    seen: set[str] = set()
    for struct in _structs():
        for owner, name in own_fields(struct):
            key = field_key(owner, name)
            kind = resemblance(name)
            if kind is not None and key not in seen:
                seen.add(key)
                yield Finding(f"{owner.__module__}.{owner.__name__}", name, kind, key)


def _structs() -> Iterator[type[msgspec.Struct]]:
    yield from (Envelope, Context, SubmittedText)
    for source in SOURCE_EVENTS.values():
        yield from structs_of(source.data)
        if source.context is not None:
            yield from structs_of(source.context)


def _of_keys() -> Iterator[Finding]:
    for protocol in PROTOCOLS:
        yield from _judged(f"{protocol} statements of all events", f"{protocol}: ", keys_of(EVERY[protocol]))
        seen: set[str] = set()
        for name, source in SOURCE_EVENTS.items():
            where = f"{protocol} mapping of {name}"
            for table in of_event(protocol, name):
                for found in _judged(where, f"{protocol}.{source.family}: ", keys_of(table.rows)):
                    if found.key not in seen:
                        seen.add(found.key)
                        yield found
    for example in (read_example(path) for package in packages() for path in examples_of(package)):
        for protocol in PROTOCOLS:
            statements = [each for of_dialect in example.statements.values() for each in of_dialect[protocol]]
            yield from of_statements(protocol, SOURCE_EVENTS[example.name].family, statements)


def _judged(where: str, prefix: str, keys: Iterable[str]) -> Iterator[Finding]:
    for key in keys:
        kind = resemblance(key)
        if kind is not None:
            yield Finding(where, key, kind, prefix + key)


def keys_of(rows: Rows) -> list[str]:
    """The keys of the rows' destinations and constants."""
    keys: dict[str, None] = {}
    for row in rows:
        keys.update(dict.fromkeys(row.destination))
        if isinstance(row, Constant):
            keys.update(dict.fromkeys(key for path, _ in constant_values(row.value) for key in path))
    return list(keys)
