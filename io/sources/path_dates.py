"""Which files can hold events of a time, by the dates in their paths: ``tracking.log-20240311.gz``, ``2024/03/11/…``,
``year=2024/month=03/day=11/…``.

A date in a path is the day of a rotation or of a day's folder, in the site's zone: the file may hold this day, the day before and
the day after. A rotated file holds everything since the previous rotation, perhaps a week. So the file is assumed to begin on the
day before the date of the previous file of the same name. The first file of a name may hold any earlier day."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple

from edx2lrs.io.sources.files import FoundFile, InputError
from edx2lrs.transforms.matching.time_window import TimeWindow

_DATE = re.compile(
    r"(?<!\d)(?:year=)?(20\d\d)(?P<mark>[-_/.]?)(?:month=)?(0[1-9]|1[0-2])(?P=mark)(?:day=)?(0[1-9]|[12]\d|3[01])"
    r"(?=(?:\d{4}(?:\d\d)?)?(?!\d))"  # hours, minutes and seconds may follow without a sign between
)
_COUNTER = re.compile(r"(?<![0-9A-Za-z])\d{6,}(?![0-9A-Za-z])")  # a time of day or seconds since 1970; the number of a host is shorter
_DAY = timedelta(days=1)


class _Dated(NamedTuple):
    """The first and the last date in a path; the path without them; whether a date is in the file's own name."""

    first: date
    last: date
    series: str
    rotated: bool


def within(files: Sequence[FoundFile], window: TimeWindow) -> list[FoundFile]:
    """The ``files`` that can hold events of ``window``; a file without a date always can. Raises ``InputError`` when no file can."""
    dated = {file.path: _dated(file.path) for file in files}
    series: dict[str, set[date]] = defaultdict(set)
    for each in dated.values():
        if each is not None:
            series[each.series].add(each.first)
    before = {name: _previous(sorted(days)) for name, days in series.items()}
    last = _last_day(window)

    def can_hold(file: FoundFile) -> bool:
        found = dated[file.path]
        if found is None:
            return True
        if window.since is not None and found.last + _DAY < date.fromisoformat(window.since[:10]):
            return False
        previous = before[found.series][found.first]
        if previous is None and (found.rotated or len(series[found.series]) > 1):
            return True
        begins = min(found.first, previous or found.first) - _DAY
        return last is None or begins <= last

    kept = [file for file in files if can_hold(file)]
    if not kept:
        number = f"none of the {len(files)} files can hold events of the time asked for, by the dates in their paths"
        raise InputError(f"--since, --until: {number}; give another time, or another --input")
    return kept


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
