"""Log lines, the same in every process of a job."""

from __future__ import annotations

import logging
import sys


def set_up_logging() -> None:
    """Lines of edx2lrs on standard error, with the time; of libraries, only errors. To be called before Beam is imported, since
    Beam warns during its import."""
    over_the_progress_line = "\r\x1b[K" if sys.stderr.isatty() else ""
    form = f"{over_the_progress_line}%(asctime)s %(levelname)s %(message)s"
    logging.basicConfig(level=logging.ERROR, format=form, datefmt="%H:%M:%S")
    logging.getLogger("edx2lrs").setLevel(logging.INFO)
    alerts = logging.getLogger("edx2lrs.alert")  # whole lines of JSON, for programs
    if not alerts.handlers:
        bare = logging.StreamHandler()
        bare.setFormatter(logging.Formatter(f"{over_the_progress_line}%(message)s"))
        alerts.addHandler(bare)
        alerts.propagate = False
