"""A stream through Pub/Sub, publishing to acceptance: ``PUBSUB_EMULATOR_HOST=... python benchmarks/stream.py [--seconds 60]``.

200 events a second (``--rate``) to three consumers: ``fast`` with an interval of 0.2 s, ``rare`` with one of 60 s, ``slow`` whose
LRS answers after 5 s. Prints how long an event takes to ``fast`` as ratios to the bounds (p50 350 ms, p99 1 s), the requests to
``rare``, and the processor time and memory of the job.
"""

import argparse
import asyncio
import contextlib
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from pathlib import Path

from google.cloud.pubsub_v1 import PublisherClient, SubscriberClient
from job import tree_memory
from null_lrs import listen

PROJECT = "edx2lrs-benchmark"
P50, P99 = 0.35, 1.0
WARM_UP = 5.0  # seconds
CONFIG = """\
lms: {{root_url: https://lms.example.com, id_key: "env:EDX2LRS_BENCHMARK_KEY"}}
consumers:
  - {{name: fast, protocol: xapi, url: {fast}, access: all, batch: {{interval: 0.2s}}}}
  - {{name: rare, protocol: xapi, url: {rare}, access: all, batch: {{size: 10000, interval: 60s}}}}
  - {{name: slow, protocol: xapi, url: {slow}, access: all, batch: {{interval: 0.2s}}, timeout: 20s}}
"""
_TIMESTAMP = re.compile(rb'"timestamp": ?"2026-03-01T(\d\d):(\d\d):(\d\d)(?:\.(\d{6}))?\+00:00"')


def event(number: int) -> bytes:
    """An event whose time is its number, so that its statement tells which it is."""
    seconds, micros = divmod(number, 1_000_000)
    time_of_it = f"2026-03-01T00:{seconds // 60:02d}:{seconds % 60:02d}.{micros:06d}+00:00"
    made = {
        "name": "play_video",
        "event_source": "browser",
        "time": time_of_it,
        "username": f"user{number % 500}",
        "context": {"course_id": "course-v1:NorthX+CS101+2024_T1", "user_id": 5 + number % 500},
        "event": {"id": "b42", "currentTime": 1.5},
    }
    return json.dumps(made).encode()


def number_of(found: tuple[bytes, ...]) -> int:
    hours, minutes, seconds, micros = (int(part or 0) for part in found)
    return ((hours * 60 + minutes) * 60 + seconds) * 1_000_000 + micros


class Receivers:
    """The LRSs of the three consumers, in a thread."""

    def __init__(self) -> None:
        self.accepted: dict[int, float] = {}
        self.batches: dict[str, list[int]] = {"fast": [], "rare": [], "slow": []}
        self.urls: dict[str, str] = {}
        self._ready = threading.Event()
        threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True).start()
        self._ready.wait()

    async def _serve(self) -> None:
        servers = []
        for name in self.batches:
            server = await listen(0, lambda body, name=name: self._take(name, body), 5.0 if name == "slow" else 0.0)
            self.urls[name] = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/xAPI"
            servers.append(server)
        self._ready.set()
        await asyncio.gather(*(server.serve_forever() for server in servers))

    def _take(self, name: str, body: bytes) -> None:
        now = time.time()
        numbers = [number_of(found) for found in _TIMESTAMP.findall(body)]
        self.batches[name].append(len(numbers))
        if name == "fast":
            for number in numbers:
                self.accepted.setdefault(number, now)


def processor_seconds(pid: int) -> float:
    """Of the process and all that it started."""
    total, pids = 0.0, [pid]
    while pids:
        current = pids.pop()
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{current}/stat").read_text().rpartition(")")[2].split()
            total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
            for task in Path(f"/proc/{current}/task").iterdir():
                pids += map(int, (task / "children").read_text().split())
    return total


def publish(topic: str, first: int, seconds: float, rate: float) -> dict[int, float]:
    """Publishes events at ``rate``; gives when each was."""
    publisher = PublisherClient()
    published, began = {}, time.time()
    for place in range(int(seconds * rate)):
        wait = began + place / rate - time.time()
        if wait > 0:
            time.sleep(wait)
        published[first + place] = time.time()
        publisher.publish(topic, event(first + place))
    publisher.stop()
    return published


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--rate", type=float, default=200.0)
    parser.add_argument("--workers", default="1")
    arguments = parser.parse_args()
    name = f"stream-{uuid.uuid4().hex[:8]}"
    topic, subscription = PublisherClient.topic_path(PROJECT, name), SubscriberClient.subscription_path(PROJECT, name)
    PublisherClient().create_topic(name=topic)
    SubscriberClient().create_subscription(name=subscription, topic=topic, ack_deadline_seconds=10)
    receivers = Receivers()
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "c.yaml"
        config.write_text(CONFIG.format(**receivers.urls), encoding="utf-8")
        command = [sys.executable, "-m", "edx2lrs.pipeline", "run", "--config", config, "--state", f"{folder}/state"]
        command += ["--input", f"pubsub://{PROJECT}/{name}", "--workers", arguments.workers]
        job = subprocess.Popen(
            command, cwd=folder, env={**os.environ, "EDX2LRS_BENCHMARK_KEY": "benchmark"}, stdout=subprocess.DEVNULL
        )
        try:
            published = publish(topic, 0, WARM_UP, arguments.rate)
            await_all(receivers, published, 60.0)
            idle = processor_seconds(job.pid)
            time.sleep(10)
            idle = (processor_seconds(job.pid) - idle) / 10
            began, cpu = time.time(), processor_seconds(job.pid)
            published = publish(topic, len(published), arguments.seconds, arguments.rate)
            cpu = (processor_seconds(job.pid) - cpu) / (time.time() - began)
            memory = tree_memory(job.pid)
            await_all(receivers, published, 30.0)
        finally:
            job.send_signal(signal.SIGTERM)
            stopping = time.time()
            code = job.wait()
    took = sorted(receivers.accepted[number] - moment for number, moment in published.items() if number in receivers.accepted)
    cuts = statistics.quantiles(took, n=100)
    print(f"events: {len(published)} published, {len(took)} accepted")
    p50, p99, longest = cuts[49] / P50, cuts[98] / P99, took[-1] / P99
    print(f"published to accepted, of the bound: p50 {p50:.2f}, p99 {p99:.2f}, the longest {longest:.2f} of p99's")
    for name, sizes in receivers.batches.items():
        print(f"{name}: {len(sizes)} requests, {statistics.mean(sizes or [0]):.0f} statements each")
    print(f"processor: {cpu:.2f} of a core, {idle:.3f} when idle; memory {memory / 1e6:.0f} MB")
    print(f"stopped with {code}, {(time.time() - stopping) / 30:.2f} of its 30 s")


def await_all(receivers: Receivers, published: dict[int, float], seconds: float) -> None:
    end = time.time() + seconds
    while time.time() < end and not published.keys() <= receivers.accepted.keys():
        time.sleep(0.1)


if __name__ == "__main__":
    main()
