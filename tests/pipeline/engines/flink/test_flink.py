"""The job on a real Flink session cluster with two TaskManagers: a batch, and streams, also when the TaskManager at work is killed."""

from __future__ import annotations

import gzip
import itertools
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hamcrest import assert_that, has_entries

from testkit.configurations import consumer, yaml_of
from testkit.tracking_records import records_in
from testkit.waiting import until

PEERS = os.environ.get("EDX2LRS_PEERS", "")
MISSING = [tool for tool in ("java", "mvn") if shutil.which(tool) is None]
TEMPLATES = Path(__file__).parents[4] / "templates"
SAMPLE = TEMPLATES / "sample"
REST = "127.0.0.1:8081"
SECRETS = {"EDX2LRS_ID_KEY": "a key of the tests", "LRS_USER": "sandbox", "LRS_PASSWORD": "sandbox"}
pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(not Path(PEERS, "flink", "up.sh").is_file(), reason="EDX2LRS_PEERS names no folder with flink/up.sh"),
    pytest.mark.skipif(bool(MISSING), reason=f"{' and '.join(MISSING)} missing, which Flink needs"),
]


@pytest.fixture
def configured(tmp_path):
    """Writes a configuration with the given consumers; gives its path."""

    def write(*consumers, **lms):
        text = yaml_of(*consumers, lms=lms, dead_letters={"path": f"{tmp_path}/dead"})
        (tmp_path / "c.yaml").write_text(text, encoding="utf-8")
        return str(tmp_path / "c.yaml")

    return write


QUICK = {"batch": {"size": 20, "interval": "0.5s"}, "retry": {"max_delay": "2s"}}


def xapi(name, sandbox):
    auth = {"scheme": "basic", "username": "env:LRS_USER", "password": "env:LRS_PASSWORD"}
    return consumer(name, url=f"http://{sandbox.address}/{name}/xAPI", auth=auth, **QUICK)


def caliper(name, sandbox):
    auth = {"scheme": "bearer", "token": "env:LRS_PASSWORD"}
    return consumer(name, "caliper", url=f"http://{sandbox.address}/{name}/caliper", auth=auth, **QUICK)


class Report:
    """What a stream reports. Its sums are right when everything that was published is settled."""

    def __init__(self, path):
        self.path = path

    def read(self):
        return json.loads(self.path.read_text(encoding="utf-8")) if self.path.exists() else {"consumers": {}}

    def settles(self, number, *consumers):
        found = [self.read()["consumers"].get(consumer) for consumer in consumers]
        return all(each and each["waiting"] == 0 and each["delivered"] + each["already_stored"] == number for each in found)


@pytest.fixture
def streaming(job, configured, tmp_path):
    """Starts a job that reads ``stream`` for consumers; gives its report."""
    numbers = itertools.count()

    def start(stream, *consumers, checkpoints=1000, more=()):
        report = tmp_path / f"report{next(numbers)}.json"
        options = [f"--checkpointing_interval={checkpoints}", "--max_bundle_size=1", "--max_bundle_time_mills=200", *more]
        start.said = job("--config", configured(*consumers), "--input", stream.url, "--report", str(report), *options).said
        return Report(report)

    return start


def test_a_batch_gives_what_translate_gives(job, configured, tmp_path, assert_adds_up):
    config = configured(
        consumer(url=f"file://{tmp_path}/out/"),
        external_ids=f"{SAMPLE}/external_ids.csv",
        course_names=f"{SAMPLE}/course_names.csv",
    )
    started = job("--config", config, "--input", str(SAMPLE / "logs"), "--report", "report.json")
    assert started.process.wait(300) == 0, started.said()

    read = [path.read_bytes() for path in sorted((SAMPLE / "logs").iterdir())]
    text = b"".join(gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data for data in read)
    command = [sys.executable, "-m", "edx2lrs.pipeline", "translate", "--to", "xapi", "--config", config]
    made = subprocess.run(command, input=text, capture_output=True, check=True, env={**os.environ, **SECRETS}).stdout
    arrived = [json.loads(line) for path in (tmp_path / "out").iterdir() for line in path.read_bytes().splitlines()]
    assert {each["id"]: each for each in arrived} == {each["id"]: each for each in map(json.loads, made.splitlines())}

    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    campus = report["consumers"]["campus"]
    assert report["records"]["read"] == records_in(text)
    assert_adds_up(report)
    assert_that(campus, has_entries(delivered=len(arrived), already_stored=0, conflicts=0, waiting=0, dead=has_entries(statements={})))


@pytest.mark.parametrize("stream", ["pubsub"], indirect=True)
def test_the_report_of_a_stream_that_fell_silent_is_complete(streaming, stream, sandbox):
    lrs = sandbox()
    # Checkpoints so often that most of them find a bundle open.
    report = streaming(stream, xapi("campus", lrs), checkpoints=150)
    for count in (50, 7, 9):
        stream.publish(count)
        until(lambda: lrs.counts("campus")["stored"] == stream.published, 120, streaming.said)
        until(lambda: report.settles(stream.published, "campus"), 30, report.read)
    assert lrs.counts("campus")["repeats"] == 0


def assert_explained(report, stream, lrs, *consumers, restarts=1):
    """What came again to the LRS had been sent by a worker that was killed before its checkpoint, at most once a restart, and is told
    as stored already; what was read again and is in the state was not sent."""
    content = report.read()
    for name in consumers:
        found = content["consumers"][name]
        assert found["already_stored"] <= lrs.counts(name)["repeats"] <= found["already_stored"] * restarts
        assert content["records"]["read"] == stream.published + found["duplicates"]
        assert found["dead"] == {"records": {}, "statements": {}}


@pytest.mark.parametrize(
    "stream", ["kafka", *(pytest.param(each, marks=pytest.mark.soak) for each in ("pubsub", "redis"))], indirect=True
)
def test_a_stream_loses_nothing_when_the_taskmanager_at_work_is_killed(streaming, stream, sandbox, cluster):
    lrs = sandbox()
    report = streaming(stream, xapi("campus", lrs))
    stream.publish(100)
    until(lambda: lrs.counts("campus")["stored"] == stream.published, 120, streaming.said)
    for _ in range(2):
        stream.publish_for(5, rate=100)
        cluster.kill_at_work()
        stream.publish_for(30, rate=100)
    until(lambda: lrs.counts("campus")["stored"] == stream.published, 150, lambda: (stream.published, lrs.counts("campus")))
    restarts = cluster.checkpoints(cluster.running())["restored"]
    assert restarts >= 2
    until(lambda: report.settles(stream.published, "campus"), 30, report.read)
    assert_explained(report, stream, lrs, "campus", restarts=restarts)
    if stream.is_settled is not None:
        until(stream.is_settled, 30, lambda: "not everything was settled at the source")


@pytest.mark.soak
@pytest.mark.parametrize("stream", ["kafka"], indirect=True)
def test_a_taskmanager_is_killed_while_a_consumer_is_down(streaming, stream, sandbox, cluster):
    lrs, other = sandbox(), sandbox()
    report = streaming(stream, xapi("campus", lrs), xapi("partner", other), caliper("vendor", other))

    def arrived(where, *consumers):
        return lambda: all(where.counts(consumer)["stored"] == stream.published for consumer in consumers)

    stream.publish(100)
    until(arrived(lrs, "campus"), 120, streaming.said)
    until(arrived(other, "partner", "vendor"), 60, streaming.said)
    other.stop()
    stream.publish_for(10, rate=100)
    cluster.kill_at_work()
    stream.publish_for(30, rate=100)
    until(arrived(lrs, "campus"), 120, lambda: (stream.published, lrs.counts("campus")))
    restarts = cluster.checkpoints(cluster.running())["restored"]
    assert restarts >= 1
    stream.publish(50)
    until(arrived(lrs, "campus"), 10, lambda: "who is up was held up by who is down")

    other.start()
    until(arrived(other, "partner", "vendor"), 150, lambda: (stream.published, other.counts("partner"), other.counts("vendor")))
    until(lambda: report.settles(stream.published, "campus", "partner", "vendor"), 30, report.read)
    assert_explained(report, stream, lrs, "campus", restarts=restarts)
    assert_explained(report, stream, other, "partner", "vendor", restarts=restarts)
    # They were down when the TaskManager was killed: nothing was on its way to them.
    assert other.counts("partner")["repeats"] == other.counts("vendor")["repeats"] == 0
    until(stream.is_settled, 30, lambda: "not everything was settled at the source")


@pytest.mark.soak
@pytest.mark.parametrize("stream", ["kafka"], indirect=True)
def test_a_stream_that_is_stopped_with_a_savepoint_goes_on_with_what_waited(streaming, stream, sandbox, cluster, tmp_path):
    lrs, other = sandbox(), sandbox()
    consumers = xapi("campus", lrs), xapi("partner", other)
    other.stop()
    streaming(stream, *consumers)
    stream.publish(100)
    until(lambda: lrs.counts("campus")["stored"] == stream.published, 120, streaming.said)
    command = ["bash", str(TEMPLATES / "flink" / "run.sh"), "stop", cluster.running(), str(tmp_path / "savepoints")]
    savepoint = subprocess.run(command, env={**os.environ, "FLINK_MASTER": REST}, capture_output=True, text=True, check=True).stdout
    assert "savepoint-" in savepoint

    other.start()
    stream.publish(50)
    report = streaming(stream, *consumers, more=[f"--savepoint_path={savepoint.strip()}"])
    until(lambda: report.settles(stream.published, "campus", "partner"), 150, lambda: (streaming.said(), report.read()))
    assert_explained(report, stream, lrs, "campus")
    assert_explained(report, stream, other, "partner")


@pytest.mark.soak
@pytest.mark.parametrize("stream", ["kafka"], indirect=True)
def test_two_jobs_share_a_group(streaming, stream, sandbox, cluster):
    lrs = sandbox()
    reports = [streaming(stream, xapi("campus", lrs)) for _ in range(2)]
    until(lambda: len(cluster.all_running()) == 2, 120, streaming.said)
    stream.publish_for(30, rate=50)
    until(lambda: lrs.counts("campus")["stored"] == stream.published, 120, lambda: (stream.published, lrs.counts("campus")))
    until(stream.is_settled, 60, lambda: "not everything was settled at the source")
    assert [cluster.checkpoints(job)["restored"] for job in cluster.all_running()] == [0, 0]  # neither drove the other out
    until(lambda: sum(read_by(report) for report in reports) >= stream.published, 30, lambda: [read_by(each) for each in reports])


def read_by(report):
    return report.read().get("records", {}).get("read", 0)
