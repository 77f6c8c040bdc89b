"""What `run` hands to Flink and Dataflow: the options as they were given, a small graph, and no secret."""

from __future__ import annotations

import argparse
import base64
import bz2
import logging
from types import SimpleNamespace

import apache_beam as beam
import msgspec
import pytest
from apache_beam.portability.api import beam_runner_api_pb2

from edx2lrs.io.sources import files
from edx2lrs.io.sources.opening import streams
from edx2lrs.pipeline.commands.run import add_arguments, request_of
from edx2lrs.pipeline.config.reading import load
from edx2lrs.pipeline.engines import run as engine_run
from edx2lrs.pipeline.run_options import OptionError
from edx2lrs.transforms.matching.time_window import TimeWindow
from testkit.configurations import consumer, yaml_of

SECRETS = {"ID_KEY": "a very secret key", "LRS_USER": "a very secret user", "LRS_PASSWORD": "a very secret password"}
CONFIG = yaml_of(
    consumer(
        url="https://lrs.example.edu/xAPI",
        auth={"scheme": "basic", "username": "env:LRS_USER", "password": "env:LRS_PASSWORD"},
        headers={"X-Key": "env:LRS_PASSWORD"},
    ),
    lms={"id_key": "env:ID_KEY"},
    dead_letters={"path": "gs://bucket/dead"},
)
FLINK = ("FlinkRunner", "--runner=FlinkRunner", "--flink_master=127.0.0.1:9", "--parallelism=3")
CHECKPOINTS = ("--checkpointing_interval=1000", "--max_bundle_size=1", "--max_bundle_time_mills=200")
DATAFLOW = (
    "DataflowRunner",
    "--runner=DataflowRunner",
    "--project=project-1",
    "--region=europe-west1",
    "--temp_location=gs://bucket/temp",
    "--sdk_container_image=host/project/edx2lrs:1",
)
KAFKA = "kafka://broker:9092/events?group=g&username=env:LRS_USER&password=env:LRS_PASSWORD"


@pytest.fixture
def handed_over(tmp_path, monkeypatch):
    """The pipeline of a `run`, which is not started. On Dataflow references are to its Secret Manager."""
    for name, secret in SECRETS.items():
        monkeypatch.setenv(name, secret)
    (tmp_path / "c.yaml").write_text(CONFIG, encoding="utf-8")
    pipelines = []

    def started(pipeline):
        pipelines.append(pipeline)
        metrics = SimpleNamespace(query=lambda: {"counters": []})
        return SimpleNamespace(job_id=lambda: "job-1", wait_until_finish=lambda: None, metrics=lambda: metrics)

    monkeypatch.setattr(beam.Pipeline, "run", started)
    monkeypatch.setattr(files, "find", lambda _inputs: [])

    def hand_over(engine, *options, given):
        parser = argparse.ArgumentParser()
        add_arguments(parser)
        arguments, arguments_of_beam = parser.parse_known_args(["--config=gs://bucket/c.yaml", f"--input={given}", *options])
        arguments.beam = arguments_of_beam
        config = load(str(tmp_path / "c.yaml"))
        if engine == "DataflowRunner":
            encoded = msgspec.json.encode(config).replace(b"env:", b"secret://projects/p/secrets/")
            config = msgspec.json.decode(encoded, type=type(config))
        result = engine_run.run(engine, request_of(arguments), config, TimeWindow(), streams([given]))
        assert result.engine_job == ("job-1" if engine == "DataflowRunner" else None)
        return pipelines.pop()

    return hand_over


def unpacked(proto):
    """The graph as bytes, and all that is packed in its steps."""
    steps = [each.spec for each in proto.components.transforms.values() if each.spec.urn == "beam:transform:pardo:v1"]
    packed = [beam_runner_api_pb2.ParDoPayload.FromString(step.payload).do_fn.payload for step in steps]
    return proto.SerializeToString() + b"".join(bz2.decompress(base64.b64decode(each)) for each in packed)


def options_of(pipeline):
    return pipeline._options.get_all_options(drop_default=True, retain_unknown_options=True)


@pytest.mark.parametrize(
    ("engine", "given"),
    [
        ((*FLINK, *CHECKPOINTS), KAFKA),
        ((*FLINK, *CHECKPOINTS), "pubsub://project-1/events"),
        (DATAFLOW, "pubsub://project-1/events"),
        (DATAFLOW, "gs://bucket/logs/*.gz"),
    ],
)
def test_a_job_is_small_and_holds_references_in_place_of_secrets(handed_over, engine, given):
    pipeline = handed_over(*engine, given=given)
    proto = pipeline.to_runner_api()
    encoded = unpacked(proto) + str(options_of(pipeline)).encode()
    assert b"gs://bucket/c.yaml" in encoded  # where the workers find the rest
    for secret in SECRETS.values():
        assert secret.encode() not in encoded
    assert b"lrs.example.edu" not in encoded
    assert proto.ByteSize() < 100_000


def test_options_are_passed_on_as_they_are(handed_over, caplog):
    caplog.set_level(logging.INFO, "edx2lrs")
    least_once = "--dataflow_service_options=streaming_mode_at_least_once"
    asked = (least_once, "--max_num_workers=7", "--update", "--job_name=live", "--experiments=one", "--experiments=two")
    found = options_of(handed_over(*DATAFLOW, *asked, given="pubsub://project-1/events"))
    assert found["dataflow_service_options"] == ["streaming_mode_at_least_once"]
    assert (found["max_num_workers"], found["update"], found["job_name"]) == (7, True, "live")
    assert found["streaming"]
    assert {"one", "two"} <= set(found["experiments"])
    assert "engine: DataflowRunner, as --runner says; a stream" in caplog.text

    found = options_of(handed_over(*DATAFLOW, given="gs://bucket/logs/*.gz"))
    assert not found.get("streaming")
    assert "engine: DataflowRunner, as --runner says; a batch" in caplog.text


def test_a_stream_on_flink_leaves_nothing_behind_in_a_bundle_that_a_checkpoint_ends(handed_over, caplog):
    caplog.set_level(logging.INFO, "edx2lrs")
    found = options_of(handed_over(*FLINK, *CHECKPOINTS, "--savepoint_path=/s", given=KAFKA))
    assert found["finish_bundle_before_checkpointing"]
    assert (str(found["checkpointing_interval"]), found["savepoint_path"], str(found["parallelism"])) == ("1000", "/s", "3")
    assert "engine: FlinkRunner, as --runner says; a stream" in caplog.text
    assert "finish_bundle_before_checkpointing" not in options_of(handed_over(*FLINK, given="gs://bucket/logs/"))


def names_of_readers(pipeline):
    (elements,) = [part.transform.values for part in parts_of(pipeline) if part.full_label == "Readers"]
    return [name for _, name in elements]


def parts_of(pipeline):
    found = []

    class Visitor(beam.pipeline.PipelineVisitor):
        def enter_composite_transform(self, node):
            found.append(node)

    pipeline.visit(Visitor())
    return found


def test_no_two_readers_of_one_group_have_one_name_also_of_two_jobs(handed_over):
    names = [name for _ in range(2) for name in names_of_readers(handed_over(*FLINK, *CHECKPOINTS, given=KAFKA))]
    assert len(set(names)) == len(names) == 6


def test_what_beam_itself_refuses_is_said_and_is_no_fault_of_the_job(handed_over):
    broken = [option.replace("gs://bucket/temp", "gs://b/t") for option in DATAFLOW]
    with pytest.raises(OptionError, match="Invalid GCS bucket"):
        handed_over(*broken, given="pubsub://project-1/events")
