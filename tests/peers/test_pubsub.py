"""The job over a real Pub/Sub server, killed again and again. EDX2LRS_PEERS names a folder with a script that starts one:
``pubsub_up.sh auto PORT FOLDER``, which prints ``pid=...``."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

PEERS = os.environ.get("EDX2LRS_PEERS")
pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(not PEERS, reason="EDX2LRS_PEERS does not name a folder with pubsub_up.sh"),
]
PROJECT, NAME = "edx2lrs-test", "events"
EVENTS, RATE, LIST_OF = 4_000, 100, 5
CONFIG = """\
lms: {root_url: "https://lms.example.com", id_key: "env:EDX2LRS_ID_KEY"}
consumers:
  - name: campus
    protocol: xapi
    url: ADDRESS/campus/xAPI
    auth: {scheme: basic, username: "env:LRS_USER", password: "env:LRS_USER"}
    access: all
    batch: {interval: 0.2s}
    retry: {max_delay: 1s}
  - name: warehouse
    protocol: caliper
    url: ADDRESS/warehouse/caliper
    auth: {scheme: bearer, token: "env:LRS_USER"}
    access: all
    retry: {max_delay: 1s}
"""
ENVIRONMENT = {"LRS_USER": "sandbox", "EDX2LRS_ID_KEY": "a key of the tests"}


def free_port() -> int:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port: int = unused.getsockname()[1]
        return port


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A server with a topic and a subscription, as the environment tells."""
    port = free_port()
    command = [Path(str(PEERS)) / "pubsub_up.sh", "auto", str(port), tmp_path / "pubsub"]
    output = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300).stdout
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", f"127.0.0.1:{port}")
    from google.cloud.pubsub_v1 import PublisherClient, SubscriberClient

    topic = PublisherClient.topic_path(PROJECT, NAME)
    PublisherClient().create_topic(name=topic)
    subscription = SubscriberClient.subscription_path(PROJECT, NAME)
    SubscriberClient().create_subscription(name=subscription, topic=topic, ack_deadline_seconds=10)
    yield topic
    found = re.search(r"pid=(\d+)", output)
    assert found
    os.kill(int(found[1]), signal.SIGTERM)


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[str]:
    """A sandbox LRS with faults."""
    command = [sys.executable, "-m", "edx2lrs.pipeline", "sandbox", "--port", "0", "--db", tmp_path / "lrs.db", "--seed", "5"]
    faults = ["--fault", "503:0.05", "--fault", "429:0.03", "--fault", "reset:0.05"]
    process = subprocess.Popen([*command, *faults], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    yield process.stdout.readline().split()[-1].rstrip("/")
    process.terminate()
    process.wait(20)


def counts(address: str) -> dict[str, dict[str, int]]:
    with urllib.request.urlopen(f"{address}/counts", timeout=20) as answer:
        found: dict[str, dict[str, int]] = json.load(answer)
        return found


def event(number: int) -> dict[str, object]:
    return {
        "name": "play_video",
        "event_source": "browser",
        "time": f"2026-03-01T10:00:00.{number:06d}+00:00",
        "username": "bob",
        "context": {"course_id": "course-v1:NorthX+CS101+2024_T1", "user_id": 5},
        "event": {"id": "b42", "currentTime": 1.5},
    }


def publish(topic: str) -> None:
    """Events at a rate, some in lists, and three messages that are none."""
    from google.cloud.pubsub_v1 import PublisherClient

    publisher = PublisherClient()
    for poison in (b"no JSON", b"", b"[]"):
        publisher.publish(topic, poison, tenant="north")
    began = time.monotonic()
    for number in range(0, EVENTS, LIST_OF):
        time.sleep(max(0.0, began + number / RATE - time.monotonic()))
        events = [event(number + place) for place in range(LIST_OF)]
        bodies = [events] if number % (10 * LIST_OF) == 0 else events
        for body in bodies:
            publisher.publish(topic, json.dumps(body).encode(), tenant="north")
    publisher.stop()


@pytest.mark.parametrize("workers", ["1", "2"])
def test_killed_every_few_seconds_nothing_is_lost_and_nothing_doubled(
    server: str, sandbox: str, tmp_path: Path, workers: str
) -> None:
    (tmp_path / "c.yaml").write_text(CONFIG.replace("ADDRESS", sandbox), encoding="utf-8")
    command = [sys.executable, "-m", "edx2lrs.pipeline", "run", "--config", "c.yaml", "--state", "state", "--workers", workers]
    command += ["--input", f"pubsub://{PROJECT}/{NAME}", "--report", "report.json"]
    errors = open(tmp_path / "errors.log", "w+", encoding="utf-8")  # noqa: SIM115
    environment = {**os.environ, **ENVIRONMENT}

    def start() -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            command, cwd=tmp_path, env=environment, stdout=subprocess.DEVNULL, stderr=errors, start_new_session=True
        )

    publishing = threading.Thread(target=publish, args=(server,))
    publishing.start()
    chance = random.Random(int(workers))
    while publishing.is_alive():
        job = start()
        before = sum(each["requests"] for each in counts(sandbox).values())
        while publishing.is_alive() and sum(each["requests"] for each in counts(sandbox).values()) == before:
            time.sleep(0.1)
        publishing.join(chance.uniform(0.0, 4.0))
        os.killpg(job.pid, signal.SIGKILL)
        job.wait()
    job = start()
    end = time.monotonic() + 120
    while any(counts(sandbox)[name]["stored"] < EVENTS for name in ("campus", "warehouse")) and time.monotonic() < end:
        time.sleep(0.2)
    time.sleep(12)  # leases of killed processes end: what they held comes again, and is known
    job.send_signal(signal.SIGTERM)
    assert job.wait(30) == 0
    errors.seek(0)
    said = errors.read()
    errors.close()
    assert "Traceback" not in said

    total = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))["all_runs"]
    records = total["records"]
    assert {name: counts(sandbox)[name]["stored"] for name in ("campus", "warehouse")} == {"campus": EVENTS, "warehouse": EVENTS}
    assert records["read"] == EVENTS + 3 == records["matched"] + sum(records["dead"].values())
    for consumer in total["consumers"].values():
        settled = sum(consumer[key] for key in ("delivered", "already_stored", "conflicts", "duplicates", "waiting"))
        assert consumer["statements"] == settled == EVENTS
        assert consumer["duplicates"] == 0
    command = [sys.executable, "-m", "edx2lrs.pipeline", "dead-letters", "show", "state/dead-letters"]
    shown = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "not_json" in shown.stdout
