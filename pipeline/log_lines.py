"""Log lines, the same in every process of a job."""

from __future__ import annotations

import logging
import sys

from edx2lrs.transforms.formats.printable import printable, printable_lines


class _Printable(logging.Formatter):
    """Lines of which a terminal or a log obeys nothing, but what ``before`` says: it may end a line that is written over."""

    def __init__(self, form: str, before: str) -> None:
        super().__init__(form, "%H:%M:%S")
        self._before = before

    def format(self, record: logging.LogRecord) -> str:
        return self._before + printable_lines(super().format(record))

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        record.message = printable(record.message)
        return super().formatMessage(record)


def set_up_logging() -> None:
    """Lines of edx2lrs on standard error, with the time; of libraries, only errors. To be called before Beam is imported, since
    Beam warns during its import."""
    over_the_progress_line = "\r\x1b[K" if sys.stderr.isatty() else ""
    handler = logging.StreamHandler()
    handler.setFormatter(_Printable("%(asctime)s %(levelname)s %(message)s", over_the_progress_line))
    logging.basicConfig(level=logging.ERROR, handlers=[handler])
    logging.getLogger("edx2lrs").setLevel(logging.INFO)
    alerts = logging.getLogger("edx2lrs.alert")  # whole lines of JSON, for programs
    if not alerts.handlers:
        bare = logging.StreamHandler()
        bare.setFormatter(_Printable("%(message)s", over_the_progress_line))
        alerts.addHandler(bare)
        alerts.propagate = False
