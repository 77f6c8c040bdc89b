"""The tracking backend in a Django process with the real event-tracking, against a Pub/Sub server that is killed and comes back.

EDX2LRS_PEERS names a folder with ``pubsub_up.sh KIND PORT``, which starts one and prints ``pid=...``."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path

import pytest

from testkit.waiting import free_port

PEERS = os.environ.get("EDX2LRS_PEERS")
pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(not PEERS, reason="EDX2LRS_PEERS does not name a folder with pubsub_up.sh"),
]
PROGRAM = Path(__file__).with_name("real_lms.py")


class Server:
    """A Pub/Sub server on one port, whose messages die with it."""

    def __init__(self):
        self.port = free_port()
        self.environment = {**os.environ, "PUBSUB_EMULATOR_HOST": f"127.0.0.1:{self.port}"}
        self.pid = 0

    def start(self):
        script = Path(str(PEERS)) / "pubsub_up.sh"
        said = subprocess.run(
            ["bash", script, "go", str(self.port)], capture_output=True, text=True, check=True, timeout=300
        ).stdout
        self.pid = int(said.partition("pid=")[2].split()[0])

    def kill(self):
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            self.pid = 0

    def run(self, python, what):
        command = [python, PROGRAM, what]
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, check=True, timeout=120).stdout


@pytest.fixture
def server():
    server = Server()
    server.start()
    yield server
    server.kill()


def test_ten_thousand_events_arrive_though_the_server_is_killed_in_between(lms_python, server, tmp_path):
    spool = tmp_path / "spool"
    server.run(lms_python, "make")
    lms = subprocess.Popen(
        [lms_python, PROGRAM, "emit", spool], env=server.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )

    def emit(first, last):
        lms.stdin.write(f"{first} {last}\n")
        lms.stdin.flush()
        return json.loads(lms.stdout.readline())

    arrived = Counter()
    first = emit(0, 2_000)
    arrived.update(server.run(lms_python, "pull").splitlines())
    server.kill()
    away = emit(2_000, 4_000)
    server.start()
    server.run(lms_python, "make")
    back = emit(4_000, 5_000)
    end = time.monotonic() + 60
    while any(spool.glob("[0-9]*.jsonl")) and time.monotonic() < end:
        time.sleep(0.1)
    arrived.update(server.run(lms_python, "pull").splitlines())
    lms.stdin.close()
    assert lms.wait(30) == 0
    assert {part["settled"] for part in (first, away, back)} == {True}
    assert away["spooled"] >= 4_000
    assert max(part["median"] for part in (first, away, back)) < 0.000_1
    assert arrived.keys() == {f"{name} {number}" for name in ("play_video", "pause_video") for number in range(5_000)}
    assert sum(arrived.values()) == 10_000  # each once: no request was under way when the server was killed
    assert not any(spool.glob("[0-9]*.jsonl"))


def test_a_short_lived_process_publishes_before_it_ends(lms_python, server, tmp_path):
    server.run(lms_python, "make")
    script = (
        f"import sys; sys.path.insert(0, {str(PROGRAM.parents[3] / 'templates' / 'lms')!r})\n"
        "from edx2lrs_pubsub_backend import PubSubBackend\n"
        f"backend = PubSubBackend('local-project', 'tracking', {str(tmp_path / 'spool')!r})\n"
        "for number in range(100): backend.send({'name': 'play_video', 'data': {'number': number}})\n"
    )
    subprocess.run([lms_python, "-c", script], env=server.environment, check=True, timeout=60)
    arrived = server.run(lms_python, "pull").splitlines()
    spooled = [line for path in (tmp_path / "spool").glob("*") for line in path.read_bytes().splitlines()]
    assert len(arrived) + len(spooled) == 100
    assert len(arrived) == 100


def test_a_child_of_a_process_that_has_published_publishes_too(lms_python, server, tmp_path):
    server.run(lms_python, "make")
    script = (
        f"import os, sys; sys.path.insert(0, {str(PROGRAM.parents[3] / 'templates' / 'lms')!r})\n"
        "from edx2lrs_pubsub_backend import PubSubBackend\n"
        f"backend = PubSubBackend('local-project', 'tracking', {str(tmp_path / 'spool')!r})\n"
        "backend.send({'name': 'play_video', 'data': {'number': 0}}); backend.flush(20)\n"
        "for child in (1, 2):\n"
        "    if not os.fork():\n"
        "        for number in range(100): backend.send({'name': 'play_video', 'data': {'number': 100 * child + number}})\n"
        "        settled = backend.flush(20); published = backend.counts.get('published')\n"
        "        os._exit(0 if settled and published == 100 else 1)\n"
        "codes = [os.waitstatus_to_exitcode(os.wait()[1]) for child in (1, 2)]\n"
        "backend.send({'name': 'play_video', 'data': {'number': 1}}); backend.flush(20)\n"
        "sys.exit(max(codes))\n"
    )
    subprocess.run([lms_python, "-c", script], env=server.environment, check=True, timeout=90)
    arrived = server.run(lms_python, "pull").splitlines()
    assert sorted(int(line.split()[1]) for line in arrived) == [0, 1, *range(100, 300)]
