"""``python source_worker.py URL WORKER LOG``: reads a stream for ever. Each id is in LOG, on disk, before it is committed."""

from __future__ import annotations

import os
import sys

from edx2lrs.io.sources.kafka import kafka_source
from edx2lrs.io.sources.redis_streams import redis_source
from edx2lrs.io.sources.source_urls import parse

url = parse(sys.argv[1])
source = (kafka_source if url.scheme == "kafka" else redis_source)(url, sys.argv[2])
with open(sys.argv[3], "a") as log:
    while True:
        polled = source.poll(200, 0.2)
        log.write("".join(f"{message.id}\n" for message in polled.messages))
        log.flush()
        os.fsync(log.fileno())
        source.commit(polled.cursor)
