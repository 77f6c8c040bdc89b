"""The courses that the statements of an event show: the event's course, and the course of every key in the fields that statements take
(``fields.BlockKey``, ``CourseKey``, ``Link``, ``SourceEvent.further_keys``)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from edx2lrs.transforms.config_types import Lms
from edx2lrs.transforms.families.key_fields import key_fields
from edx2lrs.transforms.families.source_events import SOURCE_EVENTS
from edx2lrs.transforms.formats.remembered import remembered
from edx2lrs.transforms.keys.course_key import is_library_key, normal_course_key, org_of
from edx2lrs.transforms.keys.links import shown_by_course, shown_by_link
from edx2lrs.transforms.keys.usage_key import Shown, shown_by_block

if TYPE_CHECKING:
    from edx2lrs.transforms.event import Event


@dataclass(frozen=True)
class ShownCourses:
    """Gives the courses of an event, each with its organisation. ``hosts``: those of the site, for links; none: every link is one of
    the site. ``libraries``: whether libraries are among the courses."""

    hosts: frozenset[str] = frozenset()
    libraries: bool = True

    def __call__(self, event: Event) -> tuple[Shown, ...]:
        own = _own(event.course_id)
        course = own[0][0]
        others: list[Shown] = []
        blocks, rest, further = _fields(event.name)
        for name in blocks:
            value = getattr(event.data, name, None)
            if value and type(value) is str and (shown := shown_by_block(value, course)):
                others.append(shown)
        for of_context, above, name, kind in rest:
            part: Any = event.context if of_context else event.data
            for step in above:
                part = getattr(part, step, None)
            value = getattr(part, name, None)
            if value and type(value) is str:
                others += self._shown(value, kind, course)
        for key in further(event) if further else ():
            others += self._shown(key, "block", course) if key else ()
        if not others:
            return own
        shown_courses = others if event.course_id is None else [*own, *others]
        return tuple(each for each in dict.fromkeys(shown_courses) if self.libraries or not (each[0] and is_library_key(each[0])))

    def _shown(self, value: str, kind: str, course: str | None) -> list[Shown]:
        if kind == "link":
            return shown_by_link(value, course, self.hosts)
        shown = (shown_by_block if kind == "block" else shown_by_course)(value, course)
        return [shown] if shown else []


def site_hosts(lms: Lms) -> frozenset[str]:
    """The hosts of the site's addresses."""
    return frozenset(host for root in (lms.root_url, *lms.sites.values()) if (host := urlsplit(root).hostname))


@remembered(4096)  # a site has few courses
def _own(course_id: str | None) -> tuple[Shown]:
    course = normal_course_key(course_id) if course_id else None
    return ((course, org_of(course) if course else None),)


class _Fields(NamedTuple):
    """``blocks``: fields of the payload with keys of blocks; ``rest``: other fields with keys (of the context? in which part? its name
    and kind); ``further``: finds further keys."""

    blocks: tuple[str, ...] = ()
    rest: tuple[tuple[bool, tuple[str, ...], str, str], ...] = ()
    further: Callable[[Any], Any] | None = None


@cache
def _fields(name: str) -> _Fields:
    source = SOURCE_EVENTS.get(name)
    if source is None:
        return _Fields()
    fields = key_fields(source)
    blocks = [field for field in fields if field.kind == "block" and len(field.way) == 1 and not field.of_context]
    rest = [(field.of_context, field.way[:-1], field.way[-1], field.kind) for field in fields if field not in blocks]
    return _Fields(tuple(field.way[0] for field in blocks), tuple(rest), source.further_keys)
