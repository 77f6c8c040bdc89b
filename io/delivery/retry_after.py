"""How long an answer asks to wait: its header ``Retry-After`` (RFC 9110, 10.2.3), a number of seconds or a date of three forms."""

from __future__ import annotations

import email.utils
import re
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone

LONGEST = 86_400.0
"""Seconds; what is longer is cut to a day."""
_LONGEST_TEXT = 1_000
_SECONDS = re.compile(r"[-+]?[0-9]+(?:\.[0-9]*)?(?:e[-+]?[0-9]+)?", re.IGNORECASE | re.ASCII)


def retry_after(values: Sequence[str], dates: Sequence[str], now: float) -> float | None:
    """Seconds from now, by the headers ``Retry-After`` and ``Date`` of an answer that came at ``now`` (POSIX time). A date is counted
    from the answer's own ``Date``, since the clock of the server may show another time than ours. Of several headers the last counts:
    an application adds its own to those of its server. None: there is no such header, or it has none of the forms. Never negative,
    never more than ``LONGEST``."""
    text = values[-1][:_LONGEST_TEXT].strip(' \t"') if values else ""
    number = text.partition(",")[0].strip()  # a proxy may join two headers with a comma; a date begins with letters
    if _SECONDS.fullmatch(number):
        seconds = float(number)
    else:
        until, said = _posix_time(text), _posix_time(dates[-1][:_LONGEST_TEXT]) if dates else None
        if until is None:
            return None
        seconds = until - (now if said is None else said)
    return min(max(seconds, 0.0), LONGEST)


def _posix_time(text: str) -> float | None:
    """Of a date in the form of the Internet, of RFC 850 or of C's asctime (RFC 9110, 5.6.7); one without a zone is UTC."""
    try:
        parsed = email.utils.parsedate_tz(text)
        if parsed is None:
            return None
        year, month, day, hour, minute, second = parsed[:6]
        when = datetime(year, month, day, hour, minute, tzinfo=timezone.utc) + timedelta(seconds=second - (parsed[9] or 0))
    except (ValueError, OverflowError, IndexError, TypeError):  # the parser's own, for odd texts
        return None
    return when.timestamp()
