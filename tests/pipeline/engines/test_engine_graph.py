"""The pipelines for Flink and Dataflow, made without either: their steps by name (an update of a running job finds its state by
them), the state they keep, and nothing secret or of the configuration's content in them."""

from __future__ import annotations

from pathlib import Path

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.portability.api import beam_runner_api_pb2

from edx2lrs.io.sources.opening import parse
from edx2lrs.pipeline.compiled_config import JobSpec
from edx2lrs.pipeline.engines.count_tallies import ReportPlace
from edx2lrs.pipeline.engines.graph import Plan, build

GOLDEN = Path(__file__).with_name("golden_steps.txt")
PIPELINES = {
    "files": ("DataflowRunner", "gs://bucket/logs/*.gz"),
    "Pub/Sub on Dataflow": ("DataflowRunner", "pubsub://project-1/events"),
    "Kafka on Flink": ("FlinkRunner", "kafka://broker:9092/events?group=g"),
}


def proto_of(engine, given):
    streams = [] if given.startswith("gs:") else [parse(given)]
    pipeline = beam.Pipeline(options=PipelineOptions(["--streaming"] if streams else []))
    place = ReportPlace("gs://bucket/report.json", engine, "gs://bucket/dead")
    job = JobSpec("gs://bucket/c.yaml")
    build(pipeline, Plan(engine, job, "job", [given], streams, "gs://bucket/dead", place, readers=["reader-0", "reader-1"]))
    return pipeline.to_runner_api()


def steps(proto):
    """Names of our own steps, in order: not those that Beam makes inside of them."""
    transforms = proto.components.transforms
    ours = []

    def walk(name):
        for each in transforms[name].subtransforms:
            path = transforms[each].unique_name
            if "/" not in path or path.startswith("Deliver/"):
                ours.append(path)
                walk(each)

    walk(proto.root_transform_ids[0])
    return ours


def golden():
    """The text's paragraphs: a title, then a step a line."""
    paragraphs = GOLDEN.read_text(encoding="utf-8").strip().split("\n\n")
    return {lines[0]: lines[1:] for lines in (paragraph.split("\n") for paragraph in paragraphs)}


@pytest.mark.parametrize("title", PIPELINES)
def test_steps_keep_their_names(title):
    assert steps(proto_of(*PIPELINES[title])) == golden()[title]


@pytest.mark.parametrize("title", PIPELINES)
def test_state_and_timers_keep_their_names_and_are_bytes(title):
    proto = proto_of(*PIPELINES[title])
    kept = {}
    for transform in proto.components.transforms.values():
        if transform.spec.urn == "beam:transform:pardo:v1":
            payload = beam_runner_api_pb2.ParDoPayload.FromString(transform.spec.payload)
            if payload.state_specs:
                kept[transform.unique_name] = (sorted(payload.state_specs), sorted(payload.timer_family_specs))
                specs = payload.state_specs.values()
                coders = {spec.bag_spec.element_coder_id or spec.read_modify_write_spec.coder_id for spec in specs}
                if "Gather" not in transform.unique_name:
                    urns = {proto.components.coders[coder].spec.urn for coder in coders}
                    assert urns == {"beam:coder:bytes:v1"}
    assert kept["Deliver/Send/ParDo(SendShard)"] == (
        ["head", "older_ids", "tried", "waiting", "younger_ids"],
        ["ts-again", "ts-end"],
    )
    assert kept["Deliver/Ledger/Report"] == (["totals"], ["ts-end", "ts-write"])
