"""Memory and disk of a stream over an hour: ``PUBSUB_EMULATOR_HOST=... python benchmarks/stream_memory.py [--minutes 60]``.

200 events a second (``--rate``), the sample's of 1,000 learners, each with a time of its own, through a Pub/Sub emulator to two
consumers of a receiver that only answers: ``fast``, xAPI with an interval of 0.2 s, ``rare``, Caliper with one of 60 s. Every 30 s the
memory of the job's processes and the disk of its state directory go to ``--samples``. Prints what they were at the end over what
they were after 5 minutes; disk also over what it was after 35, when the bounds of ids (500,000 here) and of messages (30 minutes)
are reached.
"""

import argparse
import asyncio
import contextlib
import itertools
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import NamedTuple, TextIO

from google.cloud.pubsub_v1 import PublisherClient, SubscriberClient
from google.cloud.pubsub_v1.types import BatchSettings
from job import GENERATE
from null_lrs import listen
from stream import PROJECT, processor_seconds

EVERY = 30.0  # seconds between samples
SETTLED, BOUNDED = 5.0, 35.0  # minutes
CONFIG = """\
lms: {{root_url: https://lms.example.com, id_key: "env:EDX2LRS_BENCHMARK_KEY"}}
dedup: {{ids: 500000}}
consumers:
  - {{name: fast, protocol: xapi, url: "{url}/xAPI", access: all, batch: {{interval: 0.2s}}}}
  - {{name: rare, protocol: caliper, url: "{url}/caliper", access: all, batch: {{interval: 60s}}}}
"""


class Sample(NamedTuple):
    """``memory``: resident bytes of each process, parent first; ``disk``: bytes of each part of the state."""

    minute: float
    memory: list[int]
    disk: dict[str, int]


def memory_of_tree(pid: int) -> Iterator[int]:
    with contextlib.suppress(OSError, StopIteration):
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
        yield next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Rss:")) * 1024
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text(encoding="ascii").split():
                yield from memory_of_tree(int(child))


def disk_of(state: Path) -> dict[str, int]:
    found: dict[str, int] = {}
    for path in state.rglob("*"):
        part = path.relative_to(state).parts[0]
        with contextlib.suppress(FileNotFoundError):
            found[part] = found.get(part, 0) + (path.stat().st_size if path.is_file() else 0)
    return found


def receiver() -> tuple[str, dict[str, int]]:
    """Its address, and what has come there."""
    counts = {"requests": 0, "bytes": 0}
    ready: list[str] = []
    listening = threading.Event()

    def take(body: bytes) -> None:
        counts["requests"] += 1
        counts["bytes"] += len(body)

    async def serve() -> None:
        server = await listen(0, take)
        ready.append(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        listening.set()
        await server.serve_forever()

    threading.Thread(target=lambda: asyncio.run(serve()), daemon=True).start()
    listening.wait()
    return ready[0], counts


def sample_events() -> Iterator[bytes]:
    """The sample's events over and over, each at another time: nothing is known already."""
    with tempfile.TemporaryDirectory() as folder:
        sample = Path(folder) / "sample.log"
        command = [sys.executable, GENERATE, "--events", "20000", "--mix", "dense", "--learners", "1000", "--out", sample]
        subprocess.run(command, check=True)
        records = [json.loads(line) for line in sample.read_text(encoding="utf-8").splitlines()]
    for record in itertools.cycle(records):
        yield json.dumps({**record, "time": datetime.now(timezone.utc).isoformat()}).encode()


def publish(topic: str, rate: float, seconds: float, published: list[int]) -> None:
    """In requests of a fifth of a second each, so that publishing costs little."""
    events = sample_events()
    publisher = PublisherClient(BatchSettings(max_latency=0.2))
    began = time.monotonic()
    while time.monotonic() < began + seconds:
        due = int((time.monotonic() - began) * rate)
        for _ in range(published[0], due):
            publisher.publish(topic, next(events))
        published[0] = due
        time.sleep(0.2)
    publisher.stop()


def watch(pid: int, state: Path, seconds: float, out: TextIO) -> list[Sample]:
    samples: list[Sample] = []
    began = time.monotonic()
    while time.monotonic() < began + seconds:
        time.sleep(min(EVERY, max(0.0, began + seconds - time.monotonic())))
        samples.append(Sample((time.monotonic() - began) / 60, list(memory_of_tree(pid)), disk_of(state)))
        minute, memory, disk = samples[-1]
        parts = " ".join(f"{name}={size / 1e6:.1f}" for name, size in sorted(disk.items()))
        each = "+".join(f"{size / 1e6:.0f}" for size in memory)
        out.write(f"{minute:.1f} min\tmemory {sum(memory) / 1e6:.0f} MB = {each}\tdisk {sum(disk.values()) / 1e6:.1f} MB: {parts}\n")
        out.flush()
    return samples


def at(samples: list[Sample], minute: float) -> Sample:
    return next((sample for sample in samples if sample.minute >= minute - 0.1), samples[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--rate", type=float, default=200.0)
    parser.add_argument("--samples", type=argparse.FileType("w"), default=os.devnull)
    arguments = parser.parse_args()
    name = f"memory-{uuid.uuid4().hex[:8]}"
    topic, subscription = PublisherClient.topic_path(PROJECT, name), SubscriberClient.subscription_path(PROJECT, name)
    PublisherClient().create_topic(name=topic)
    SubscriberClient().create_subscription(name=subscription, topic=topic, ack_deadline_seconds=10)
    url, counts = receiver()
    published = [0]
    with tempfile.TemporaryDirectory() as folder:
        config, state = Path(folder) / "c.yaml", Path(folder) / "state"
        config.write_text(CONFIG.format(url=url), encoding="utf-8")
        command = [sys.executable, "-m", "edx2lrs.pipeline", "run", "--config", config, "--state", state]
        command += ["--input", f"pubsub://{PROJECT}/{name}"]
        environment = {**os.environ, "EDX2LRS_BENCHMARK_KEY": "benchmark"}
        job = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True)
        try:
            publishing = threading.Thread(target=publish, args=(topic, arguments.rate, arguments.minutes * 60, published))
            publishing.start()
            samples = watch(job.pid, state, arguments.minutes * 60, arguments.samples)
            processor = processor_seconds(job.pid) / (arguments.minutes * 60)
            publishing.join()
            time.sleep(2)  # the last wave
        finally:
            job.send_signal(signal.SIGTERM)
            summary = job.communicate()[0]
    settled, bounded, last = at(samples, SETTLED), at(samples, BOUNDED), samples[-1]
    most = max(sum(sample.memory) for sample in samples)
    print(summary)
    print(f"{published[0]} events published; {counts['requests']} requests, {counts['bytes'] / 1e6:.0f} MB received")
    print(f"memory at the end over that after {settled.minute:.0f} minutes: {sum(last.memory) / sum(settled.memory):.3f}", end="")
    print(f" (the most: {most / sum(settled.memory):.3f}); {sum(last.memory) / 1e6:.0f} MB in {len(last.memory)} processes")
    disk = sum(last.disk.values())
    print(f"disk at the end over that after {settled.minute:.0f} minutes: {disk / sum(settled.disk.values()):.2f}", end="")
    print(f", after {bounded.minute:.0f} minutes: {disk / sum(bounded.disk.values()):.2f}; {disk / 1e6:.0f} MB: {last.disk}")
    print(f"processor: {processor:.2f} of a core; stopped with {job.returncode}")


if __name__ == "__main__":
    main()
