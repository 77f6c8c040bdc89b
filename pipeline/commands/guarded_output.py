"""Standard output and standard error of a command: whatever is printed, the terminal obeys nothing of it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import Any, TextIO, cast

from edx2lrs.transforms.formats.printable import printable_lines


class _Guarded:
    """A stream whose text is made printable; all else is the stream's own. ``plain``: the stream itself."""

    def __init__(self, stream: TextIO) -> None:
        self.plain = stream

    def write(self, text: str) -> int:
        self.plain.write(printable_lines(text))
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.plain, name)


@contextmanager
def guarded_output() -> Iterator[None]:
    """Inside, what is printed is made printable."""
    with redirect_stdout(cast(TextIO, _Guarded(sys.stdout))), redirect_stderr(cast(TextIO, _Guarded(sys.stderr))):
        yield


def plain(stream: TextIO) -> TextIO:
    """The stream itself, for the few control characters that a command writes on purpose."""
    return stream.plain if isinstance(stream, _Guarded) else stream
