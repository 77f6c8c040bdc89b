"""Half a line at the end of a file: whether its writer has yet to write the rest."""

from __future__ import annotations

import re

_TEXT = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"?', re.DOTALL)  # a text that nothing ends goes on to the end


def is_unfinished(line: bytes) -> bool:
    """Whether ``line``, which has no line break, is no whole record: an object is open, or none has begun. Nothing is decoded, since
    a record is read by a wave alone. A record as a text of a table (``"{""name"": ...}"``) is whole when its quotes are paired."""
    bare = _TEXT.sub(b"", line)
    if b"{" in bare:
        return bare.count(b"{") > bare.count(b"}")
    return b"{" not in line or line.count(b'"') % 2 == 1
