"""Which files can hold events of a time, by the dates in their paths: ``tracking.log-20240311.gz``, ``2024/03/11/…``,
``year=2024/month=03/day=11/…``; and, where a date may mislead, by the files' own records.

A date in a path is the day of a rotation or of a day's folder, in the site's zone: the file may hold this day, the day before and
the day after. A rotated file holds everything since the previous rotation, perhaps a week. So the file is assumed to begin on the
day before the date of the previous file of the same name. The first file of a name may hold any earlier day.

But a file may be named by its first day, and a folder by the day of a backup. So a file is left out only after a look at its first and
last records. The last record of a large packed file is not looked at: such a file ends where the next one of its name begins."""

from __future__ import annotations

import logging
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from typing import NamedTuple

from edx2lrs.io.paths import is_remote
from edx2lrs.io.sources.archive_span import Span, span
from edx2lrs.io.sources.files import FoundFile, InputError
from edx2lrs.transforms.formats.number_words import counted
from edx2lrs.transforms.matching.time_window import TimeWindow

_DATE = re.compile(
    r"(?<!\d)(?:year=)?(20\d\d)(?P<mark>[-_/.]?)(?:month=)?(0[1-9]|1[0-2])(?P=mark)(?:day=)?(0[1-9]|[12]\d|3[01])"
    r"(?:[T_/-]?\d\d){0,3}(?!\d)"  # hours, minutes and seconds may follow
)
_COUNTER = re.compile(r"(?<![0-9A-Za-z])\d{6,}(?![0-9A-Za-z])")  # a time of day or seconds since 1970; the number of a host is shorter
_DAY = timedelta(days=1)
_FAR = timedelta(days=40)  # more than a month, which is the longest that a part has
_AT_ONCE = 8
_NAMED = 5  # of the files that are left out
_LOG = logging.getLogger("edx2lrs")


class _Dated(NamedTuple):
    """The first and the last date in a path; the path without them; whether a date is in the file's own name."""

    first: date
    last: date
    series: str
    rotated: bool


def within(files: Sequence[FoundFile], window: TimeWindow) -> list[FoundFile]:
    """The ``files`` that can hold events of ``window``; a file without a date always can. Raises ``InputError`` when no file can."""
    dated = {file.path: _dated(file.path) for file in files}
    series: dict[str, list[tuple[date, FoundFile]]] = defaultdict(list)
    for file in files:
        if (each := dated[file.path]) is not None:
            series[each.series].append((each.first, file))
    days = {name: sorted({day for day, _ in members}) for name, members in series.items()}
    before = {name: _previous(found) for name, found in days.items()}
    last = _last_day(window)

    def is_named_by(file: FoundFile) -> bool:
        """Whether the dates in the path let the file hold events of the window."""
        found = dated[file.path]
        if found is None:
            return True
        if window.since is not None and found.last + _DAY < date.fromisoformat(window.since[:10]):
            return False
        previous = before[found.series][found.first]
        if previous is None and (found.rotated or len(days[found.series]) > 1):
            return True
        begins = min(found.first, previous or found.first) - _DAY
        return last is None or begins <= last

    doubtful = [file for file in files if not is_named_by(file)]
    following = {file.path: after for members in series.values() for file, after in _with_next(members)}
    to_look_at = {file.path: file for file in doubtful if not _is_far(file.path, dated, window)}
    to_look_at.update({after.path: after for path in list(to_look_at) if (after := following[path]) is not None})
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        spans = dict(zip(to_look_at, pool.map(span, to_look_at.values()), strict=True))
    out = {file.path for file in doubtful if _is_outside(spans, file.path, following[file.path], window)}
    kept = [file for file in files if file.path not in out]
    if not kept:
        number = f"none of {counted(len(files), 'file')} can hold events of the time asked for, by the dates in their paths"
        raise InputError(f"--since, --until: {number}; give another time, or another --input")
    if out:
        some = ", ".join(sorted(out)[:_NAMED]) + (", ..." if len(out) > _NAMED else "")
        _LOG.info("%d of %d files are left out, since they hold no events of --since and --until: %s", len(out), len(files), some)
    return kept


def _is_far(path: str, dated: Mapping[str, _Dated | None], window: TimeWindow) -> bool:
    """Whether a path on an object store has dates that no way of naming explains: a look at each of many objects takes long."""
    found = dated[path]
    if found is None or not is_remote(path):
        return False
    since = window.since is None or found.last + _FAR < date.fromisoformat(window.since[:10])
    until = window.until is None or found.first - _FAR > date.fromisoformat(window.until[:10])
    return (since and window.since is not None) or (until and window.until is not None)


def _is_outside(spans: Mapping[str, Span | None], path: str, following: FoundFile | None, window: TimeWindow) -> bool:
    """Whether the file's records leave it outside of the window. A file at which nobody looks, or that cannot be read, is outside by
    its path."""
    own = spans.get(path)
    if own is None:
        return True
    if window.until is not None and own.first and own.first[:10] > str(date.fromisoformat(window.until[:10]) + _DAY):
        return True
    after = spans.get(following.path) if following is not None else None
    last = own.last or (after.latest_first if after is not None and after.first > own.latest_first else "")
    return window.since is not None and bool(last) and last[:10] < str(date.fromisoformat(window.since[:10]) - _DAY)


def _with_next(members: list[tuple[date, FoundFile]]) -> Iterator[tuple[FoundFile, FoundFile | None]]:
    files = [file for _, file in sorted(members)]
    return zip(files, [*files[1:], None], strict=True)


def _last_day(window: TimeWindow) -> date | None:
    if window.until is None:
        return None
    return (datetime.fromisoformat(window.until) - timedelta(microseconds=1)).date()


def _previous(days: list[date]) -> dict[date, date | None]:
    return dict(zip(days, [None, *days[:-1]], strict=True))


def _dated(path: str) -> _Dated | None:
    days, own_name = [], path.rfind("/") + 1
    rotated = False
    for match in _DATE.finditer(path):
        try:
            days.append(date(int(match[1]), int(match[3]), int(match[4])))
        except ValueError:  # the 31st of a shorter month: these digits are no date
            return None
        rotated = rotated or match.end() > own_name
    if not days:
        return None
    return _Dated(min(days), max(days), _COUNTER.sub("#", _DATE.sub("@", path)), rotated)
