"""Makes a configuration of a site's event-routing-backends (erb): its router rows, and its settings."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from edx2lrs.io.paths import open_bytes
from edx2lrs.pipeline.config.kinds import root_url
from edx2lrs.pipeline.from_erb.routers import Imported, imported
from edx2lrs.pipeline.from_erb.rows import current, read_rows
from edx2lrs.pipeline.from_erb.settings import ErbSettings, read_settings
from edx2lrs.transforms.formats.unfit import UnfitError

_EXAMPLE_ROOT = "https://lms.example.com"
_ID_KEY = "EDX2LRS_ID_KEY"
_WORD = re.compile(r"[A-Za-z/][A-Za-z0-9_./:+@-]*[A-Za-z0-9_/]\Z")
_TAKEN_WORDS = ("true", "false", "null", "yes", "no", "on", "off")
_NOT_BY_DEFAULT = ("edx.grades.problem.submitted", "edx.problem.completed")


@dataclass(frozen=True)
class ImportRequest:
    """``rows``: a file of router rows, JSON of dumpdata or CSV. ``settings``: a file with the settings of the LMS, YAML or JSON.
    ``external_ids``: where the table of external ids lies."""

    rows: str
    settings: str | None = None
    external_ids: str | None = None


@dataclass(frozen=True)
class ImportedConfig:
    """``document``: the lines of the configuration, with comments on what could not be carried over. ``to_know``: what the operator
    has to know, a line each. ``left_out``: how many routers were left out."""

    document: list[str]
    to_know: list[str]
    left_out: int


def import_erb(request: ImportRequest) -> ImportedConfig:
    """Raises ``RowsError``, ``SettingsError``, ``OSError``, ``UnicodeDecodeError``."""
    rows, older = current(read_rows(_text(request.rows)))
    settings = read_settings(_text(request.settings)) if request.settings else ErbSettings()
    consumers: list[Imported] = []
    for row in rows:
        consumers.append(imported(row, [each.name for each in consumers], settings.off))
    notes = [*_site_notes(settings, request), *(f"{row.place}: an older row of its URL, which erb does not use" for row in older)]
    document = list(_document(consumers, settings, request.external_ids, notes))
    return ImportedConfig(document, list(_said(consumers, notes)), sum(bool(each.left_out) for each in consumers))


def _text(path: str) -> str:
    with open_bytes(path) as file:
        return file.read().decode("utf-8-sig")


def _root(settings: ErbSettings) -> str:
    try:
        return root_url(settings.root_url) if settings.root_url else _EXAMPLE_ROOT
    except UnfitError:
        return _EXAMPLE_ROOT


def _site_notes(settings: ErbSettings, request: ImportRequest) -> Iterator[str]:
    if _root(settings) == _EXAMPLE_ROOT:
        yield f"no LMS_ROOT_URL was given: put the site's root in place of {_EXAMPLE_ROOT}, since every id begins with it"
    if not request.external_ids:
        yield (
            "erb names persons by the ids in the LMS's database. Export that table and name it with --external-ids, or as"
            " lms.external_ids: until then everybody gets another id, made with lms.id_key"
        )
    if not request.settings:
        yield "no settings were given (--settings): erb's Caliper is off unless CALIPER_EVENTS_ENABLED is set; look at that"
    yield (
        "erb lets a router see all that its match_params ask for: so access is all. Decide for each consumer what it may see, and"
        " write that instead"
    )
    yield f"erb's stock lists of names lack {' and '.join(_NOT_BY_DEFAULT)}; put them into events.block if nobody is to get them"
    yield from settings.notes


def _said(consumers: Iterable[Imported], notes: Iterable[str]) -> Iterator[str]:
    yield from notes
    for each in consumers:
        where = f"{each.row.place}, {each.name}"
        if each.left_out:
            yield f"{where}: left out: {each.left_out}"
        yield from (f"{where}: {note}" for note in each.notes)
        if not each.left_out:
            yield from (f"{where}: set {variable} to {what}" for variable, what in each.secrets.items())
    yield f"set {_ID_KEY} to a key of the site's own, and keep it"


def _document(consumers: list[Imported], settings: ErbSettings, table: str | None, notes: Iterable[str]) -> Iterator[str]:
    yield "# Made of the routers of event-routing-backends (erb) by `edx2lrs import-erb`. Look through it, then: edx2lrs check"
    for note in notes:
        yield f"# - {note}"
    yield "lms:"
    yield f"  root_url: {_flow(_root(settings))}"
    yield f"  external_ids: {_flow(table)}" if table else "  # external_ids: external_ids.csv"
    yield f"  id_key: env:{_ID_KEY}"
    if settings.events:
        yield "events:"
        yield from (f"  {key}: {_flow(value)}" for key, value in settings.events.items())
    yield "consumers:"
    if all(each.left_out for each in consumers):
        yield "  []  # none could be carried over"
    for each in consumers:
        lines = [*_consumer(each, settings, bool(table))]
        if each.left_out:
            yield f"  # {each.row.place} is left out: {each.left_out}"
            lines = [f"  # {line.removeprefix('  ')}" for line in lines]
        yield from lines


def _consumer(each: Imported, settings: ErbSettings, has_table: bool) -> Iterator[str]:
    if not each.left_out:
        yield f"  # {each.row.place}"
    yield from (f"  # {note}" for note in each.notes)
    yield f"  - name: {_flow(each.name)}"
    for key, value in each.options.items():
        comment = "  # erb: whatever its match_params ask for; decide what it may see" if key == "access" else ""
        yield f"    {key}: {_flow(value)}{comment}"
    if each.options.get("protocol") == "xapi" and settings.actor_id != "external_id":
        actor = {"id": settings.actor_id, **({"sha1_of": "address"} if settings.actor_id == "mbox_sha1sum" else {})}
        yield f"    {'' if has_table else '# '}actor: {_flow(actor)}"
    if settings.batch:
        yield f"    batch: {_flow(settings.batch)}"


def _flow(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_flow(str(key))}: {_flow(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    if not isinstance(value, str):
        return json.dumps(value)
    if _WORD.match(value) and value.lower() not in _TAKEN_WORDS and not value.startswith("//"):
        return value
    if value.isprintable():
        return "'" + value.replace("'", "''") + "'"
    return json.dumps(value)
