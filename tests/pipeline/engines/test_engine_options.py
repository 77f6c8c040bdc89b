"""What an engine cannot do is refused before the start, with the remedy; what it can do passes."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from testkit.configurations import consumer, yaml_of

LRS = "https://lrs.example.edu/xAPI"
FLINK = ("--runner=FlinkRunner", "--flink_master=127.0.0.1:9")
STREAM = ("--checkpointing_interval=1000", "--max_bundle_size=1", "--max_bundle_time_mills=200")
KAFKA = "kafka://127.0.0.1:9/events?group=g"
PUBSUB = "pubsub://project-1/events"
DATAFLOW = ("--runner=DataflowRunner", "--project=p", "--region=r", "--temp_location=gs://b/t", "--sdk_container_image=image")


@pytest.fixture
def refused(tmp_path):
    """Runs the command, which is to be refused, and gives what it said."""
    (tmp_path / "a.log").write_text("{}\n", encoding="utf-8")

    def run(*arguments, given="a.log", key="env:ID_KEY", dead="gs://bucket/dead", campus=LRS, tables=None, log=None):
        letters = {} if dead is None else {"dead_letters": {"path": dead}}
        text = yaml_of(consumer(url=campus, log=log), lms={"id_key": key, **(tables or {})}, **letters)
        (tmp_path / "c.yaml").write_text(text, encoding="utf-8")
        command = [sys.executable, "-m", "edx2lrs.pipeline", "run", "--config", "c.yaml", "--input", given, *arguments]
        environment = {**os.environ, "ID_KEY": "a key of the tests"}
        result = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60)
        assert result.returncode == 2, result
        assert "Traceback" not in result.stderr
        return result.stderr

    return run


@pytest.mark.parametrize(
    ("arguments", "given", "words"),
    [
        (("--runner=SparkRunner",), "a.log", ["--runner=SparkRunner", "FlinkRunner, DataflowRunner"]),
        ((*FLINK, "--state", "s"), "a.log", ["--state", "leave it out"]),
        ((*FLINK, "--workers", "2"), "a.log", ["--workers", "--parallelism"]),
        ((*FLINK, "--paralelism=2"), "a.log", ["--paralelism", "did you mean --parallelism?"]),
        ((*FLINK, *STREAM[1:]), KAFKA, ["--checkpointing_interval", "--checkpointing_interval=10000"]),
        ((*FLINK, STREAM[0]), KAFKA, ["--max_bundle_size=1 --max_bundle_time_mills=200"]),
        ((*FLINK, *STREAM, "--num_concurrent_checkpoints=2"), KAFKA, ["--num_concurrent_checkpoints", "leave it out"]),
        ((*FLINK, *STREAM), "tail:/var/log/tracking.log", ["tail:", "leave --runner out"]),
        ((*FLINK, "--streaming"), "a.log", ["--streaming", "leave it out"]),
        ((*FLINK, "--http", "8080"), KAFKA, ["--http", "the engine's own metrics"]),
        ((*FLINK, "--flink_job_server_jar=no.jar"), "a.log", ["--flink_job_server_jar=no.jar: no such file", "--flink_version"]),
        ((*FLINK, "b.log"), "a.log", ["'b.log': unexpected", "--input b.log"]),
        ((*FLINK, "--checkpointing_interval=10s", *STREAM[1:]), KAFKA, ["--checkpointing_interval=10s: expected a whole number"]),
        ((*FLINK, *STREAM, "--parallelism=2"), f"{KAFKA}&member=m", ["member: one name", "leave it out"]),
        ((*FLINK, *STREAM, "--pubsub_id_label=id"), PUBSUB, ["--pubsub_id_label", "on Dataflow alone", "leave it out"]),
        (("--pubsub_id_label=id", "--state", "s"), PUBSUB, ["--pubsub_id_label", "on Dataflow alone", "leave it out"]),
        (("--s3_region_name=x", "b.log", "--s3_verify"), "a.log", ["'b.log': unexpected", "--input b.log"]),
        (("--direct_running_mode=multi_threading",), "a.log", ["multi-threading loses data", "--workers"]),
    ],
)
def test_an_option_that_cannot_work_is_refused_with_the_remedy(refused, arguments, given, words):
    said = refused(*arguments, given=given)
    assert all(word in said for word in words), said


def test_without_a_runner_it_is_this_machine_and_that_is_said(refused):
    said = refused(given="nothing.log")
    assert "engine: this machine (DirectRunner), since --runner names no other" in said
    assert "nothing.log" in said


def test_dead_letters_need_a_place_and_standard_output_is_of_this_machine(refused):
    said = refused(*FLINK, dead=None, campus="stdout:", log=True)
    assert "dead_letters.path: missing" in said
    assert "consumer campus: url stdout:" in said
    assert "consumer campus: log: true" in said
    assert "dead_letters.path: a topic is for this machine" in refused(*FLINK, dead="pubsub://project-1/dead")


def test_dataflow_names_all_that_its_workers_could_not_reach(refused, tmp_path):
    (tmp_path / "ids.csv").write_text("user_id,external_id\n", encoding="utf-8")
    folders = {"dead": str(tmp_path / "dead"), "campus": f"file://{tmp_path}/out/"}
    said = refused(DATAFLOW[0], "--report", "report.json", tables={"external_ids": "ids.csv", "course_names": "ids.csv"}, **folders)
    for word in (
        "--project: missing",
        "lms.external_ids",
        "lms.course_names",
        "--region: missing",
        "--temp_location: missing",
        "--sdk_container_image: missing",
        "--config c.yaml",
        "dead_letters.path",
        "--report report.json",
        "consumer campus: url",
        "secret://projects/PROJECT/secrets/NAME",
        "--input a.log",
    ):
        assert word in said


def test_dataflow_reads_pubsub_and_kafka_without_secrets(refused):
    assert "redis://127.0.0.1:9/s?group=g: on Dataflow" in refused(*DATAFLOW, given="redis://127.0.0.1:9/s?group=g")
    said = refused(*DATAFLOW, given=f"{KAFKA}&username=env:USER&password=env:PASSWORD")
    assert "password, username: Beam's Kafka source takes group and start alone" in said
