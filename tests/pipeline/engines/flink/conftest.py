"""A real Flink session cluster with two TaskManagers, jobs on it, streams that they read and LRSs that they send to.

EDX2LRS_PEERS names a folder with the scripts that start them: flink/ (up.sh, worker_pool.sh, tm.sh, status.py, down.sh), kafka_up.sh,
pubsub_up.sh and redis_up.sh.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from testkit.waiting import free_port

PEERS = os.environ.get("EDX2LRS_PEERS", "")
REST = "127.0.0.1:8081"
SECRETS = {"EDX2LRS_ID_KEY": "a key of the tests", "LRS_USER": "sandbox", "LRS_PASSWORD": "sandbox"}
FLINK = (
    "--runner=FlinkRunner",
    f"--flink_master={REST}",
    "--parallelism=2",
    "--environment_type=EXTERNAL",
    "--environment_config=127.0.0.1:50000",
    "--environment_cache_millis=60000",
)
PROJECT = "edx2lrs-test"


def script(name, *arguments):
    environment = {**os.environ, **SECRETS}
    command = [str(Path(PEERS, name)), *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=400).stdout.strip()


def rest(path):
    with urllib.request.urlopen(f"http://{REST}{path}", timeout=10) as answer:
        return json.load(answer)


@pytest.fixture(scope="module")
def pubsub():
    """A Pub/Sub server, which the environment names."""
    address = f"127.0.0.1:{free_port()}"
    (pid,) = re.findall(r"pid=(\d+)", script("pubsub_up.sh", "auto", address.rpartition(":")[2]))
    os.environ["PUBSUB_EMULATOR_HOST"] = address
    yield address
    del os.environ["PUBSUB_EMULATOR_HOST"]
    os.kill(int(pid), signal.SIGTERM)


class Cluster:
    """Two TaskManagers of two slots each, and a pool of Python workers."""

    def __init__(self, job_server_jar):
        self.job_server_jar = job_server_jar

    def running(self):
        """The id of the one job that runs."""
        (running,) = self.all_running()
        return running

    def all_running(self):
        return [each["id"] for each in rest("/jobs")["jobs"] if each["status"] == "RUNNING"]

    def checkpoints(self, job):
        return rest(f"/jobs/{job}/checkpoints")["counts"]

    def kill_at_work(self):
        """Ends a TaskManager that runs the step that sends, at once, and starts another in its place."""
        job = self.running()
        (vertex,) = [each["id"] for each in rest(f"/jobs/{job}")["vertices"] if "Send" in each["name"]]
        name = rest(f"/jobs/{job}/vertices/{vertex}/taskmanagers")["taskmanagers"][0]["taskmanager-id"]
        number = name.removeprefix("tm").partition("-")[0]
        folder = Path(os.environ.get("PEER_DIR") or f"{os.environ.get('TMPDIR', '/tmp')}/flink-peer") / "run"
        os.kill(int((folder / f"tm{number}.pid").read_text(encoding="utf-8")), signal.SIGKILL)
        script("flink/tm.sh", number)


@pytest.fixture(scope="module")
def cluster(request):
    request.getfixturevalue("pubsub")  # whose address the workers are to know
    jar = script("flink/setup.sh").splitlines()[-1]
    script("flink/up.sh", "2", "2")
    try:
        script("flink/worker_pool.sh", sys.executable, "50000")
        yield Cluster(jar)
    finally:
        script("flink/down.sh")


class JobProcess:
    """`edx2lrs run` on the cluster."""

    def __init__(self, process, log):
        self.process, self._log = process, log

    def said(self):
        return self._log.read_text(encoding="utf-8")[-3000:]


@pytest.fixture
def job(tmp_path, cluster):
    """Starts `edx2lrs run` on the cluster; what is left of a job is ended."""
    started = []

    def start(*arguments):
        run = [sys.executable, "-m", "edx2lrs.pipeline", "run"]
        command = [*run, *FLINK, f"--flink_job_server_jar={cluster.job_server_jar}", *arguments]
        environment = {**os.environ, **SECRETS}
        path = tmp_path / f"job{len(started)}.log"
        with path.open("wb") as log:
            process = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=log, stderr=log, start_new_session=True)
        started.append(process)
        return JobProcess(process, path)

    yield start
    script("flink/status.py", REST, "--cancel")
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


class Stream:
    """What is published, and where a job reads it. ``send`` takes the numbers of events; ``is_settled``: whether the source knows
    that all of them are kept (of Kafka: nobody can ask Pub/Sub)."""

    def __init__(self, url, send, is_settled=None):
        self.url, self._send, self.is_settled = url, send, is_settled
        self.published = 0

    def publish(self, count):
        self._send(range(self.published, self.published + count))
        self.published += count

    def publish_for(self, seconds, rate):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.publish(rate // 5)
            time.sleep(0.2)


@pytest.fixture
def stream(request):
    """Of the kind that the test names (``kafka``, ``pubsub``, ``redis``)."""
    yield from {"kafka": kafka, "pubsub": pubsub_subscription, "redis": redis_stream}[request.param](request)


def kafka(_request):
    library = pytest.importorskip("confluent_kafka", reason="confluent-kafka is missing")
    from confluent_kafka.admin import AdminClient, NewTopic

    said = dict(word.split("=", 1) for word in script("kafka_up.sh", str(free_port())).split())
    try:
        servers = {"bootstrap.servers": said["bootstrap"]}
        admin = AdminClient(servers)  # what it makes is made as long as it is there
        for made in admin.create_topics([NewTopic("events", 2, 1)]).values():
            made.result(30)
        producer = library.Producer(servers)

        def send(numbers):
            for number in numbers:
                producer.produce("events", event(number), key=str(number))
            assert producer.flush(30) == 0

        def is_settled():
            asking = library.Consumer({**servers, "group.id": "edx2lrs"})
            try:
                places = asking.committed([library.TopicPartition("events", number) for number in (0, 1)], timeout=10)
                return all(place.offset == asking.get_watermark_offsets(place, timeout=10)[1] for place in places)
            finally:
                asking.close()

        yield Stream(f"kafka://{said['bootstrap']}/events?group=edx2lrs", send, is_settled)
    finally:
        os.kill(int(said["pid"]), signal.SIGTERM)


def redis_stream(_request):
    library = pytest.importorskip("redis", reason="redis-py is missing")
    port = free_port()
    said = dict(word.split("=", 1) for word in script("redis_up.sh", str(port)).split())
    try:
        with library.Redis(port=port) as client:

            def send(numbers):
                for number in numbers:
                    client.xadd("events", {"event_data": event(number)})

            def is_settled():
                (group,) = client.xinfo_groups("events")
                return group["pending"] == 0 and group["lag"] == 0

            yield Stream(f"redis://127.0.0.1:{port}/events?group=edx2lrs", send, is_settled)
    finally:
        os.kill(int(said["pid"]), signal.SIGTERM)


def pubsub_subscription(request):
    request.getfixturevalue("pubsub")
    from google.cloud.pubsub_v1 import PublisherClient, SubscriberClient

    name = f"events-{time.time_ns():x}"
    publisher, subscriber = PublisherClient(), SubscriberClient()
    topic = publisher.topic_path(PROJECT, name)
    publisher.create_topic(name=topic)
    subscription = subscriber.subscription_path(PROJECT, name)
    subscriber.create_subscription(name=subscription, topic=topic, ack_deadline_seconds=10)

    def send(numbers):
        for sent in [publisher.publish(topic, event(number)) for number in numbers]:
            sent.result(30)

    yield Stream(f"pubsub://{PROJECT}/{name}", send)


def event(number):
    """One learner, a second later than the one before."""
    stamp = f"2026-03-12T{number // 3600 % 24:02d}:{number // 60 % 60:02d}:{number % 60:02d}.{number % 1_000_000:06d}+00:00"
    course = "course-v1:edX+DemoX+1"
    made = {
        "name": "edx.course.enrollment.activated",
        "event_source": "server",
        "time": stamp,
        "username": "ann",
        "context": {"course_id": course, "org_id": "edX", "user_id": 5},
        "event": {"course_id": course, "user_id": 5, "mode": "audit"},
    }
    return json.dumps(made).encode()


class Sandbox:
    """A sandbox LRS on a port that stays, which can be down for a while."""

    def __init__(self, folder):
        self.address = f"127.0.0.1:{free_port()}"
        self._port, self._folder = self.address.rpartition(":")[2], folder
        self._process = None

    def start(self):
        command = [sys.executable, "-m", "edx2lrs.pipeline", "sandbox", "--port", self._port, "--db", str(self._folder / "lrs.db")]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        assert self._process.stdout.readline()

    def stop(self):
        if self._process is not None:
            self._process.terminate()
            self._process.wait(20)
            self._process = None

    def counts(self, consumer):
        with urllib.request.urlopen(f"http://{self.address}/counts", timeout=20) as answer:
            return json.load(answer).get(consumer, {"stored": 0, "repeats": 0})


@pytest.fixture
def sandbox(tmp_path):
    """Makes sandbox LRSs that run."""
    made = []

    def make():
        folder = tmp_path / f"lrs{len(made)}"
        folder.mkdir()
        made.append(Sandbox(folder))
        made[-1].start()
        return made[-1]

    yield make
    for each in made:
        each.stop()
