"""``python source_worker.py URL WORKER LOG``: reads a stream for ever. Each id is in LOG, on disk, before it is committed."""

from __future__ import annotations

import os
import sys

from edx2lrs.io.sources.opening import open_source, parse

source = open_source(parse(sys.argv[1]), sys.argv[2])
with open(sys.argv[3], "a") as log:
    while True:
        polled = source.poll(200, 0.2)
        log.write("".join(f"{message.id}\n" for message in polled.messages))
        log.flush()
        os.fsync(log.fileno())
        source.commit(polled.cursor)
