"""The job on a real Flink session cluster with two TaskManagers: a batch, and a stream whose TaskManager at work is killed.

EDX2LRS_PEERS names a folder with the scripts that start them: flink/ (up.sh, worker_pool.sh, tm.sh, status.py, down.sh) and
kafka_up.sh.
"""

from __future__ import annotations

import gzip
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

PEERS = os.environ.get("EDX2LRS_PEERS", "")
SAMPLE = Path(__file__).parents[2] / "templates" / "sample"
REST = "127.0.0.1:8081"
SECRETS = {"EDX2LRS_ID_KEY": "a key of the tests", "LRS_USER": "sandbox", "LRS_PASSWORD": "sandbox"}
MISSING = [tool for tool in ("java", "mvn") if shutil.which(tool) is None]
pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(not Path(PEERS, "flink", "up.sh").is_file(), reason="EDX2LRS_PEERS names no folder with flink/up.sh"),
    pytest.mark.skipif(bool(MISSING), reason=f"{' and '.join(MISSING)} missing, which Flink needs"),
]
FLINK = (
    "--runner=FlinkRunner",
    f"--flink_master={REST}",
    "--parallelism=2",
    "--environment_type=EXTERNAL",
    "--environment_config=127.0.0.1:50000",
    "--environment_cache_millis=60000",
)
STREAM = ("--checkpointing_interval=1000", "--max_bundle_size=1", "--max_bundle_time_mills=200")


def script(name, *arguments):
    environment = {**os.environ, **SECRETS}
    command = [str(Path(PEERS, name)), *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=400).stdout.strip()


def rest(path):
    with urllib.request.urlopen(f"http://{REST}{path}", timeout=10) as answer:
        return json.load(answer)


def until(condition, seconds, what):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, what() if callable(what) else what
        time.sleep(0.2)


@pytest.fixture(scope="module")
def job_server_jar():
    """Of a cluster with two TaskManagers of two slots each, and a pool of Python workers."""
    jar = script("flink/setup.sh").splitlines()[-1]
    script("flink/up.sh", "2", "2")
    try:
        script("flink/worker_pool.sh", sys.executable, "50000")
        yield jar
    finally:
        script("flink/down.sh")


@pytest.fixture
def job(tmp_path, job_server_jar):
    """Starts `edx2lrs run` on the cluster; what is left of a job is ended."""
    started = []

    def start(*arguments):
        run = [sys.executable, "-m", "edx2lrs.pipeline", "run"]
        command = [*run, *FLINK, f"--flink_job_server_jar={job_server_jar}", *arguments]
        environment = {**os.environ, **SECRETS}
        log = open(tmp_path / "job.log", "wb")  # noqa: SIM115 - the process has it
        process = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=log, stderr=log, start_new_session=True)
        started.append(process)
        return process

    yield start
    script("flink/status.py", REST, "--cancel")
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


def test_a_batch_gives_what_translate_gives(job, tmp_path):
    config = tmp_path / "c.yaml"
    config.write_text(
        f"""
lms: {{root_url: "https://lms.example.com", id_key: env:EDX2LRS_ID_KEY, external_ids: {SAMPLE}/external_ids.csv,
      course_names: {SAMPLE}/course_names.csv}}
consumers:
  - {{name: campus, protocol: xapi, url: "file://{tmp_path}/out/", access: all}}
dead_letters: {{path: {tmp_path}/dead}}
""",
        encoding="utf-8",
    )
    process = job("--config", str(config), "--input", str(SAMPLE / "logs"), "--report", "report.json")
    assert process.wait(300) == 0, (tmp_path / "job.log").read_text(encoding="utf-8")[-3000:]

    read = [path.read_bytes() for path in sorted((SAMPLE / "logs").iterdir())]
    text = b"".join(gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data for data in read)
    command = [sys.executable, "-m", "edx2lrs.pipeline", "translate", "--to", "xapi", "--config", str(config)]
    made = subprocess.run(command, input=text, capture_output=True, check=True, env={**os.environ, **SECRETS}).stdout
    arrived = [json.loads(line) for path in (tmp_path / "out").iterdir() for line in path.read_bytes().splitlines()]
    assert {each["id"]: each for each in arrived} == {each["id"]: each for each in map(json.loads, made.splitlines())}

    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    campus = report["consumers"]["campus"]
    assert report["records"]["read"] == sum(1 for line in text.split(b"\n") if line.strip())
    assert campus["delivered"] == len(arrived)
    assert campus["statements"] == campus["delivered"] + campus["duplicates"]


@pytest.fixture
def topic():
    """Publishes to a topic of a Kafka with two partitions: ``publish(first, last)``."""
    library = pytest.importorskip("confluent_kafka", reason="confluent-kafka is missing")
    from confluent_kafka.admin import AdminClient, NewTopic

    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    said = dict(word.split("=", 1) for word in script("kafka_up.sh", str(port)).split())
    try:
        servers = {"bootstrap.servers": said["bootstrap"]}
        admin = AdminClient(servers)
        for made in admin.create_topics([NewTopic("events", 2, 1)]).values():
            made.result(30)
        producer = library.Producer(servers)

        def publish(first, last):
            for number in range(first, last):
                producer.produce("events", event(number), key=str(number))
            assert producer.flush(30) == 0

        yield f"kafka://{said['bootstrap']}/events?group=edx2lrs", publish
    finally:
        os.kill(int(said["pid"]), signal.SIGTERM)


def event(number):
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


@pytest.fixture
def sandbox(tmp_path):
    """Counts of a sandbox LRS, whose address is ``sandbox.address``."""
    command = [sys.executable, "-m", "edx2lrs.pipeline", "sandbox", "--port", "0", "--db", str(tmp_path / "lrs.db")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert process.stdout is not None
    address = process.stdout.readline().decode().strip().rstrip("/").rpartition("/")[2]

    def counts():
        with urllib.request.urlopen(f"http://{address}/counts", timeout=20) as answer:
            return json.load(answer)

    counts.address = address
    yield counts
    process.terminate()
    process.wait(20)


def at_work():
    """The number of the TaskManager that runs the step that sends."""
    (running,) = [each["id"] for each in rest("/jobs")["jobs"] if each["status"] == "RUNNING"]
    vertices = rest(f"/jobs/{running}")["vertices"]
    (vertex,) = [each["id"] for each in vertices if "Send" in each["name"]]
    name = rest(f"/jobs/{running}/vertices/{vertex}/taskmanagers")["taskmanagers"][0]["taskmanager-id"]
    return running, name.removeprefix("tm").partition("-")[0]


@pytest.mark.soak
def test_a_stream_loses_nothing_when_the_taskmanager_at_work_is_killed(job, topic, sandbox, tmp_path):
    url, publish = topic
    folder = Path(os.environ.get("PEER_DIR") or f"{os.environ.get('TMPDIR', '/tmp')}/flink-peer") / "run"
    (tmp_path / "c.yaml").write_text(
        f"""
lms: {{root_url: "https://lms.example.com", id_key: env:EDX2LRS_ID_KEY}}
consumers:
  - {{name: campus, protocol: xapi, url: "http://{sandbox.address}/campus/xAPI", access: all, batch: {{size: 20, interval: 0.5s}},
     auth: {{scheme: basic, username: env:LRS_USER, password: env:LRS_PASSWORD}}}}
dead_letters: {{path: {tmp_path}/dead}}
""",
        encoding="utf-8",
    )
    report = tmp_path / "report.json"
    job("--config", "c.yaml", "--input", url, "--report", str(report), *STREAM)

    def stored():
        return sandbox().get("campus", {}).get("stored", 0)

    published = 100
    publish(0, published)
    until(lambda: stored() == published, 120, lambda: (tmp_path / "job.log").read_text(encoding="utf-8")[-3000:])
    kills = 0
    deadline = time.monotonic() + 75
    while time.monotonic() < deadline:
        publish(published, published + 20)
        published += 20
        time.sleep(0.2)
        if kills < 2 and time.monotonic() > deadline - 70 + 35 * kills:
            running, number = at_work()
            os.kill(int((folder / f"tm{number}.pid").read_text(encoding="utf-8")), signal.SIGKILL)
            script("flink/tm.sh", number)
            kills += 1
    assert kills == 2
    until(lambda: stored() == published, 120, lambda: f"{stored()} of {published} arrived")
    assert rest(f"/jobs/{running}/checkpoints")["counts"]["restored"] >= 2

    def counted():
        totals = json.loads(report.read_text(encoding="utf-8"))["consumers"]["campus"]
        return totals["waiting"] == 0 and totals["delivered"] + totals["already_stored"] == published

    until(counted, 30, lambda: report.read_text(encoding="utf-8"))
    content = json.loads(report.read_text(encoding="utf-8"))
    campus, records = content["consumers"]["campus"], content["records"]
    # What came twice to the LRS was sent by a worker that was killed before its checkpoint; what was read twice was not sent.
    assert campus["already_stored"] == sandbox()["campus"]["repeats"]
    assert records["read"] == published + campus["duplicates"]
    assert campus["dead"] == {"records": {}, "statements": {}}
