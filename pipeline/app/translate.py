"""Translates events, one a line, to statements; nothing is sent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import NamedTuple

from edx2lrs.io.progress import OnProgress, silent
from edx2lrs.io.sources.lines import LONGEST_LINE, Lines, LongLine, cut
from edx2lrs.transforms.config_types import DEFAULT_DIALECT, ActorChoice, ActorOptions, Dialect, Events, Protocol, TranslationOptions
from edx2lrs.transforms.event import Event
from edx2lrs.transforms.failure import Refusal
from edx2lrs.transforms.matching.filter import EventFilter
from edx2lrs.transforms.people.anonymise import Actors
from edx2lrs.transforms.people.course_names import CourseNames
from edx2lrs.transforms.records.line_events import events_of_line
from edx2lrs.transforms.records.parse import parse
from edx2lrs.transforms.site_translator import AnyTranslator, by_site
from edx2lrs.transforms.translate import Translator

EXAMPLE_ROOT = "https://lms.example.com"
EXAMPLE_KEY = b"edx2lrs: a public key, for trying things on"


@dataclass(frozen=True)
class TranslateRequest:
    """``config``: a configuration whose ``lms`` has the site's root, tables and key (None: an example site)."""

    protocol: Protocol
    config: str | None = None
    dialect: Dialect = DEFAULT_DIALECT


class LineOutcome(NamedTuple):
    """What became of one line: the bodies of its statements, or why there are none."""

    name: str | None
    bodies: list[bytes]
    skipped: str | None = None
    failure: Refusal | None = None
    left_out: tuple[str, ...] = ()


class TranslatedBlock(NamedTuple):
    """What a piece of the input became, a statement a line, and how many of its events failed."""

    data: bytes
    failed: int


def translator_of(request: TranslateRequest, on_progress: OnProgress = silent) -> AnyTranslator:
    """``on_progress`` is told how far the compilation of a large table is. Raises ``ConfigError``, ``SecretError``, ``TableError``."""
    if request.config is None:
        return example_translator(request.protocol, request.dialect)
    from edx2lrs.pipeline.config.reading import load_site
    from edx2lrs.pipeline.identities import identities
    from edx2lrs.pipeline.variants import actor_options

    lms = load_site(request.config)
    actors, course_name, _ = identities(lms, [actor_options(request.protocol, ActorChoice(), lms)], on_progress)

    def make(root_url: str) -> Translator:
        options = TranslationOptions(dialect=request.dialect)
        return Translator(
            request.protocol, root_url, actors[0].at(root_url), course_name, options, statement_ids=lms.statement_ids,
            transformer_version=lms.transformer_version, posted_events=lms.posted_events,
        )

    return by_site(lms.root_url, lms.sites, make)


def example_translator(protocol: Protocol, dialect: Dialect = DEFAULT_DIALECT) -> Translator:
    """For a site that is not there: a public key names its people."""
    options = ActorOptions("hmac", "XAPI" if protocol == "xapi" else "CALIPER", "dead_letter")
    actor_of = Actors(options, EXAMPLE_ROOT, None, EXAMPLE_KEY)
    return Translator(protocol, EXAMPLE_ROOT, actor_of, CourseNames({}), TranslationOptions(dialect=dialect))


def translated(pieces: Iterator[bytes], translator: AnyTranslator) -> Iterator[TranslatedBlock]:
    """The statements of the text that comes in ``pieces``, some hundred lines at a time."""
    for lines in cut(pieces, 1):
        yield TranslatedBlock(b"", 1) if isinstance(lines, LongLine) else translated_block(lines.data, translator)


def translated_block(lines: bytes, translator: AnyTranslator) -> TranslatedBlock:
    """The statements of some hundred lines, one a line. One stage after the other, since each keeps the processor's caches warm."""
    translate, believed = translator.translate, translator.believed
    bodies: list[bytes] = []
    failed = 0
    events = [parse(line, believed) for line in BytesIO(lines) if not line.isspace()]  # BytesIO splits faster than split
    if not all(isinstance(event, Event) and event.name for event in events):
        events = [event for line in BytesIO(lines) if not line.isspace() for _, event in events_of_line(line, believed)]
    for event in events:
        made = event if isinstance(event, Refusal) else translate(event)
        if isinstance(made, tuple):
            for statement in made:
                bodies.append(statement.body)  # noqa: PERF401 -- nearly always one
        elif made is not None and not (isinstance(event, Event) and event.is_of_nobody):
            failed += 1
    bodies.append(b"")
    return TranslatedBlock(b"\n".join(bodies), failed)


def traced(pieces: Iterator[bytes], translator: AnyTranslator) -> Iterator[list[tuple[int, LineOutcome]]]:
    """What becomes of each line that is not blank, with its number; some hundred lines at a time."""
    filter_event = EventFilter(Events())
    for lines in cut(pieces, 1):
        yield _traced(lines, translator, filter_event)


def _traced(lines: Lines | LongLine, translator: AnyTranslator, filter_event: EventFilter) -> list[tuple[int, LineOutcome]]:
    if isinstance(lines, LongLine):
        message = f"the line has {lines.length} bytes; an event has {LONGEST_LINE} at most"
        return [(lines.line, LineOutcome(None, [], failure=Refusal("read", "line_too_long", message)))]
    texts = enumerate(lines.data.split(b"\n"), lines.first_line)
    filled = [(n, text) for n, text in texts if text and not text.isspace()]
    return [(n, outcome) for n, text in filled for outcome in translate_line(text, translator, filter_event)]


def translate_line(line: bytes, translator: AnyTranslator, filter_event: EventFilter) -> list[LineOutcome]:
    """Each event of one line, through parse, filter and translate; nearly always one."""
    return [_outcome(event, translator, filter_event) for _, event in events_of_line(line, translator.believed)]


def _outcome(event: Event | Refusal, translator: AnyTranslator, filter_event: EventFilter) -> LineOutcome:
    if isinstance(event, Refusal):
        return LineOutcome(None, [], failure=event)
    reason = filter_event(event)
    if reason is not None:
        return LineOutcome(event.name, [], skipped=reason)
    statements = translator.translate(event)
    if statements is None:
        return LineOutcome(event.name, [], skipped="no_mapping")
    if isinstance(statements, Refusal):
        return LineOutcome(event.name, [], failure=statements)
    left_out = tuple(place for statement in statements for place in statement.left_out)
    return LineOutcome(event.name, [statement.body for statement in statements], left_out=left_out)
