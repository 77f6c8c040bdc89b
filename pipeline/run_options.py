"""Options of `run` that cannot work on this machine, reported before anything is read."""

from __future__ import annotations

import os

from edx2lrs.transforms.matching.time_window import TimeWindow

SEND_HELD = "also send what waits, or failed, under other options of its consumer than today's (access, redact, actor ...)"
"""What ``--send-held`` is for."""


class OptionError(Exception):
    """An option that cannot work here. The message names the option, and what to do instead."""


def check_report(path: str | None) -> None:
    """Whether the report can be written, before hours of work. Raises ``OptionError``."""
    folder = os.path.dirname(os.path.abspath(path)) if path else None
    if folder and not os.path.isdir(folder):
        raise OptionError(f"--report {path}: there is no folder {folder}; make it, or name another")
    if folder and (not os.access(folder, os.W_OK) or os.path.isdir(path or "")):
        raise OptionError(f"--report {path}: cannot be written; name another file")


def time_window(since: str | None, until: str | None, of_stream: bool) -> TimeWindow:
    """``--since`` and ``--until``, as canonical times. Raises ``OptionError``."""
    if of_stream and (since or until):
        raise OptionError("--since and --until: for files; a stream is read from where it stands: leave them out")
    if since and until and since >= until:
        raise OptionError(f"--since {since} is not before --until {until}: no event can be between them")
    return TimeWindow(since, until)
