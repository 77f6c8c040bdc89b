"""From an event to its statements: the mapping of the event's name prints each statement and checks the values. No I/O, no Beam."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.metadata import version
from typing import Literal, TypeVar

import msgspec

from edx2lrs.transforms.config_types import PostedEvents, StatementIds, TranslationOptions
from edx2lrs.transforms.event import Event
from edx2lrs.transforms.failure import Refusal
from edx2lrs.transforms.families.mappings import mappings
from edx2lrs.transforms.formats.remembered import remembered
from edx2lrs.transforms.keys.course_key import normal_course_key
from edx2lrs.transforms.mapping import caliper_event, xapi_statement
from edx2lrs.transforms.mapping.guard import CALIPER_CHECKS, XAPI_CHECKS, Invalid
from edx2lrs.transforms.mapping.row_compiler import Make, Options
from edx2lrs.transforms.mapping.rows import Course, Unmappable
from edx2lrs.transforms.mapping.statement import Statement
from edx2lrs.transforms.people.actor import ActorOf, CourseName

Outcome = tuple[Statement, ...] | Refusal | None
"""The statements of one event, why there are none, or None where no mapping knows it."""
_MappingT = TypeVar("_MappingT")


class Translator:
    """Translates events into one protocol, for one way to name people."""

    def __init__(
        self,
        protocol: Literal["xapi", "caliper"],
        lms_root: str,
        actor_of: ActorOf,
        course_name: CourseName,
        options: TranslationOptions = TranslationOptions(),  # noqa: B008 -- immutable
        *,
        statement_ids: StatementIds = "erb",
        transformer_version: str | None = None,
        session_of: Callable[[str], str | None] | None = None,
        posted_events: PostedEvents = "checked",
    ):
        """``lms_root`` has no slash at its end. ``transformer_version`` is the text in each statement's extension; by default
        ``edx2lrs@<version>``. ``statement_ids`` is for xAPI (``transforms.mapping.statement_id``). ``session_of``: what stands for a
        session, where it is not to be told. ``options.override_args`` replaces values after a statement's id was made."""
        site = {
            "root": lms_root,
            "transformer_version": transformer_version or f"edx2lrs@{version('edx2lrs')}",
            "plain_links": "url" in options.redact,
        }
        self._actor_of = actor_of
        self._session_of = session_of
        self.believed = posted_events == "erb"
        """How events for this translator are to be parsed (``parse``)."""
        self._makers: dict[str, Make]
        checks = XAPI_CHECKS if protocol == "xapi" else CALIPER_CHECKS
        compiling = Options(site, checks, options, shared={})
        if protocol == "xapi":
            self._makers = _compiled(
                mappings("xapi", options.response_format),
                lambda mapping: xapi_statement.compile_mapping(mapping, compiling, statement_ids),
            )
            course_as_seen = xapi_statement.course_as_seen
        else:
            self._makers = _compiled(mappings("caliper"), lambda mapping: caliper_event.compile_mapping(mapping, compiling))
            course_as_seen = caliper_event.course_as_seen

        @remembered(4096)
        def course(key: str | None) -> Course:
            if key is None:
                return Course(None, None, None)
            normal = normal_course_key(key)
            if normal is None:
                raise Unmappable("course_id: expected a course key such as course-v1:ORG+COURSE+RUN", "bad_course_key")
            return course_as_seen(lms_root, normal, course_name(normal))

        self._course = course

    def translate(self, event: Event) -> Outcome:
        """The statements of ``event``: one, or a group's whole and parts, in this order; all or none. None when the protocol has
        no mapping for the event's name. Never raises; the event is not changed."""
        make = self._makers.get(event.name)
        if make is None or event.data is None:
            return None
        actor = self._actor_of(event)
        if isinstance(actor, Refusal):
            return actor
        if self._session_of is not None:
            event = msgspec.structs.replace(event, session=self._session_of(str(event.session)) if event.session else None)
        try:
            return make(event, actor, self._course(event.course_id))
        except Unmappable as problem:
            return Refusal("translate", problem.cause, problem.message)
        except Invalid as invalid:
            return invalid.refusal
        except Exception as error:  # a fault of a mapping; the exception's text may hold data
            found = f"unexpected {type(error).__name__} in the mapping of this event"
            message = f"{found}; please report it (with a made-up record)"
            return Refusal("translate", "crash", message)


def _compiled(found: Mapping[str, _MappingT], compile_mapping: Callable[[_MappingT], Make]) -> dict[str, Make]:
    """The compiled functions of all names. Names with the same mapping share a function."""
    distinct: list[tuple[_MappingT, Make]] = []
    makers: dict[str, Make] = {}
    for name, mapping in found.items():
        make = next((made for known, made in distinct if known == mapping), None)
        if make is None:
            make = compile_mapping(mapping)
            distinct.append((mapping, make))
        makers[name] = make
    return makers
