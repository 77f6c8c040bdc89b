"""A growing log as a service: the job in processes of its own, into a sandbox LRS, ended in order and at any moment."""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest
from prometheus_client.parser import text_string_to_metric_families

from testkit.configurations import consumer, yaml_of
from testkit.rotated_logs import HOWS, Site
from testkit.tracking_records import played
from testkit.waiting import free_port, until

CONFIG = yaml_of(consumer("campus", batch={"interval": "0.2s"}, retry={"max_delay": "1s"}))
IMPATIENT = yaml_of(consumer("campus", batch={"interval": "0.2s"}, retry={"max_delay": "1s"}), waves={"timeout": "2s"})
SECRETS = {"SANDBOX_USER": "sandbox", "SANDBOX_PASSWORD": "sandbox", "EDX2LRS_ID_KEY": "a key of the tests"}


def line(number):
    return played(number).decode() + "\n"


class Log:
    def __init__(self, path):
        self.path = path
        self.written = 0

    def write(self, count):
        with open(self.path, "a", encoding="utf-8") as file:
            file.writelines(line(number) for number in range(self.written + 1, self.written + count + 1))
        self.written += count


class Service:
    """The job under way."""

    def __init__(self, folder, config, *options, descriptors=1024):
        self.report_path = folder / "report.json"
        self.errors = open(folder / "errors.log", "a+", encoding="utf-8")  # noqa: SIM115
        command = [sys.executable, "-m", "edx2lrs.pipeline", "run", "--config", config, "--state", "state"]
        command += ["--input", "tail:tracking.log", "--report", self.report_path, *options]
        command = ["sh", "-c", f'ulimit -n {descriptors} && exec "$@"', "sh", *command]
        environment = {**os.environ, **SECRETS}
        self.process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=self.errors, start_new_session=True
        )

    def terminate(self, number=signal.SIGTERM):
        """The exit code, and the last report."""
        self.process.send_signal(number)
        code = self.process.wait(30)
        return code, json.loads(self.report_path.read_text(encoding="utf-8"))

    def kill(self):
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(20)

    def said(self):
        self.errors.seek(0)
        text = self.errors.read()
        assert "Traceback" not in text, text
        return text


@pytest.fixture
def log(tmp_path):
    return Log(tmp_path / "tracking.log")


@pytest.fixture
def service(tmp_path):
    started = []

    def start(config, *options, **limits):
        started.append(Service(tmp_path, config, *options, **limits))
        return started[-1]

    yield start
    for each in started:
        if each.process.poll() is None:
            each.kill()
        each.errors.close()


def test_a_growing_log_arrives_through_rotation_and_a_restart(service, sandbox, config, log, assert_adds_up):
    path = config(sandbox.address, CONFIG)
    first = service(path)
    log.write(100)
    until(lambda: sandbox.stored("campus") == 100)
    log.path.rename(log.path.with_name("tracking.log.1"))
    log.write(50)
    until(lambda: sandbox.stored("campus") == 150)
    code, report = first.terminate()
    assert code == 0
    assert report["records"]["read"] == 150
    assert_adds_up(report)

    log.write(10)
    log.path.rename(log.path.with_name("tracking.log.2"))
    log.write(10)
    second = service(path)
    until(lambda: sandbox.stored("campus") == 170)
    code, report = second.terminate(signal.SIGINT)
    assert code == 0
    assert (report["records"]["read"], report["all_runs"]["records"]["read"]) == (20, 170)
    assert_adds_up(report["all_runs"])
    assert "again, in" not in second.said()


def alike(number, is_first):
    """Each log begins with the same 1,100 bytes."""
    event = played(number)
    return (b'{"pad": "' + b"x" * 1_100 + b'", ' + event[1:] if is_first else event) + b"\n"


@pytest.mark.engine
@pytest.mark.soak
@pytest.mark.parametrize("how", HOWS)
def test_two_writers_rotations_of_every_kind_and_kills(service, sandbox, config, tmp_path, how, assert_adds_up):
    """Nothing is missing, and nothing is read twice."""
    path = config(sandbox.address, CONFIG)
    chance = random.Random(how)
    site = Site(tmp_path, how, chance, alike)
    site.writers[0].write()
    job = service(path)
    until(lambda: sandbox.stored("campus") == 1)
    for _ in range(8):
        end = time.monotonic() + chance.uniform(1, 8)
        while time.monotonic() < end:
            site.act(rotations=3)
            time.sleep(chance.choice([0, 0, 0.02]))
        job.kill()
        for _ in range(chance.choice([0, 0, 50])):
            site.act(rotations=6)
        job = service(path)
    for writer in site.writers:
        writer.open()
        writer.write()
    until(lambda: sandbox.stored("campus") == site.written, 120, lambda: f"{sandbox.stored('campus')} of {site.written}")
    code, report = job.terminate()
    assert code == 0
    assert report["all_runs"]["records"]["read"] == site.written
    assert report["all_runs"]["consumers"]["campus"]["duplicates"] == 0
    assert_adds_up(report["all_runs"])
    job.said()


def test_killed_at_any_moment_each_line_arrives_and_is_counted_once(service, sandbox_with, config, log, assert_adds_up):
    faulty = sandbox_with("--seed", "3", "--fault", "503:0.05", "--fault", "reset:0.05")
    path = config(faulty.address, CONFIG)
    chance = random.Random(20261121)
    for _ in range(4):
        job = service(path)
        before, end = faulty.stored("campus"), float("inf")
        while time.monotonic() < end:
            log.write(20)
            time.sleep(0.05)
            if before and chance.random() < 0.03:  # what was rotated before the first start is none of its business
                log.path.rename(log.path.with_name(f"tracking.log-{log.written:09d}"))
            if end == float("inf") and faulty.stored("campus") > before:
                end = time.monotonic() + chance.uniform(0.0, 1.5)
        job.kill()
    last = service(path)
    until(lambda: faulty.stored("campus") == log.written)
    code, report = last.terminate()
    assert code == 0
    assert report["all_runs"]["records"]["read"] == log.written
    assert_adds_up(report["all_runs"])
    last.said()


def test_health_and_metrics_are_served(service, sandbox, config, log):
    port = free_port()

    def get(path):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.read().decode()

    def healthy():
        try:
            return json.loads(get("/healthz")) == {"status": "ok"}
        except (urllib.error.URLError, OSError):
            return False

    job = service(config(sandbox.address, CONFIG), "--http", str(port))
    until(healthy)
    log.write(30)
    with open(log.path, "a", encoding="utf-8") as file:
        file.write("bob's secret, no JSON\n")
    until(lambda: 'edx2lrs_consumer_delivered_total{consumer="campus"} 30.0' in get("/metrics"))
    metrics = get("/metrics")
    for sample in (
        "edx2lrs_records_read_total 31.0",
        'edx2lrs_records_dead_total{cause="not_json"} 1.0',
        'edx2lrs_consumer_waiting{consumer="campus"} 0.0',
        'edx2lrs_consumer_circuit_open{consumer="campus"} 0.0',
        'edx2lrs_consumer_oldest_waiting_seconds{consumer="campus"} 0.0',
        "edx2lrs_source_troubles 0.0",
    ):
        assert sample in metrics
    assert "bob" not in metrics
    families = text_string_to_metric_families(metrics)
    took = [sample for family in families for sample in family.samples if sample.name.endswith("request_seconds_count")]
    assert [(sample.labels, sample.value > 0) for sample in took] == [({"consumer": "campus"}, True)]
    sandbox.stop()
    log.write(5)
    until(lambda: 'edx2lrs_consumer_circuit_open{consumer="campus"} 1.0' in get("/metrics"))
    assert 'edx2lrs_consumer_waiting{consumer="campus"} 5.0' in get("/metrics")
    assert job.terminate()[0] == 0


def test_hundreds_of_slow_clients_take_nothing_from_delivery(service, sandbox, config, log):
    port = free_port()
    address = f"http://127.0.0.1:{port}/healthz"
    job = service(config(sandbox.address, CONFIG), "--http", str(port), descriptors=256)
    log.write(1)
    until(lambda: sandbox.stored("campus") == 1)
    with contextlib.ExitStack() as clients:
        slow = [clients.enter_context(socket.create_connection(("127.0.0.1", port))) for _ in range(300)]
        for count in range(1, 4):
            for each in slow:
                with contextlib.suppress(OSError):
                    each.sendall(b"X")
            log.write(20)
            until(lambda count=count: sandbox.stored("campus") == 1 + 20 * count)
            with urllib.request.urlopen(address, timeout=5) as answer:
                assert answer.status == 200
    assert job.terminate()[0] == 0
    assert "Too many open files" not in job.said()


HANGS = """
import time
from edx2lrs.transforms.records import parse as parsing
original = parsing.parse
def parse(record, *believed):
    if b"KILLER" in record:
        time.sleep(3_600)
    return original(record, *believed)
parsing.parse = parse
"""


@pytest.fixture
def hanging(tmp_path, monkeypatch):
    """Every process of the job hangs at a record with the word KILLER."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(HANGS, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))


@pytest.mark.usefixtures("hanging")
def test_a_record_that_never_ends_is_noticed_and_costs_itself_alone(service, sandbox, config, log):
    port = free_port()

    def health():
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())
        except OSError:
            return 0, {}

    job = service(config(sandbox.address, IMPATIENT), "--http", str(port))
    until(lambda: health() == (200, {"status": "ok"}))
    with open(log.path, "a", encoding="utf-8") as file:
        file.write(line(1) + played(2, page="KILLER").decode() + "\n" + line(3))
    until(lambda: health()[0] == 503, 60)
    assert "a wave does not end" in health()[1]["wave"]
    until(lambda: sandbox.stored("campus") == 2, 120)
    until(lambda: health()[0] == 200, 60)
    code, report = job.terminate()
    assert code == 0
    assert report["records"]["dead"] == {"crash": 1}


@pytest.mark.usefixtures("hanging")
def test_sigterm_ends_a_service_whose_wave_does_not_end(service, sandbox, config, log):
    job = service(config(sandbox.address, CONFIG))
    log.write(1)
    until(lambda: sandbox.stored("campus") == 1, 60)
    with open(log.path, "a", encoding="utf-8") as file:
        file.write(played(2, page="KILLER").decode() + "\n")
    time.sleep(2)  # nothing tells that the wave has begun
    assert job.terminate()[0] == 0
    assert "a wave did not end in time" in job.said()


def test_a_service_whose_state_directory_is_removed_says_so_and_ends(service, sandbox, config, log, tmp_path):
    job = service(config(sandbox.address, CONFIG))
    log.write(1)
    until(lambda: sandbox.stored("campus") == 1, 60)
    shutil.rmtree(tmp_path / "state")
    assert job.process.wait(20) == 3
    assert "its state.db was removed or replaced while the job ran" in job.said()


def test_a_service_that_is_idle_takes_next_to_no_processor_time(service, sandbox, config, log):
    job = service(config(sandbox.address, CONFIG))
    log.write(1)
    until(lambda: sandbox.stored("campus") == 1)

    def used():
        with open(f"/proc/{job.process.pid}/stat", encoding="ascii") as file:
            fields = file.read().rpartition(")")[2].split()
        return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")

    before = used()
    time.sleep(3)  # a measurement takes its time
    assert used() - before < 0.3


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--input", "tail:tracking.log"], "--state: missing"),
        (["--input", "tail:tracking.log", "--state", "s", "--workers", "2"], "a log that grows is read by one process"),
        (["--input", "tail:tracking.log", "--input", "other.log", "--state", "s"], "a run of their own"),
        (["--input", "tail:tracking.log", "--state", "s", "--http", "nowhere"], "--http nowhere: no port"),
        (["--input", "kafka://h:9092/t?group=g&member=one", "--state", "s", "--workers", "2"], "member: one name"),
        (["--input", "pubsub://my-project", "--state", "s"], "written pubsub://PROJECT/SUBSCRIPTION"),
        (["--input", "tracking.log", "--http", "0"], "--http: for streams"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_read(edx2lrs, config, log, options, said):
    log.write(1)
    refused = edx2lrs("run", "--config", config("127.0.0.1:1", CONFIG), *options)
    assert refused.code == 2
    assert said in refused.err
    assert refused.report == {}
