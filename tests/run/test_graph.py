"""The graph: its steps by name, in reading order, and nothing secret in it."""

import json

import apache_beam as beam
import msgspec

from edx2lrs.pipeline import graph
from edx2lrs.pipeline.job import JobSpec
from edx2lrs.pipeline.local.keep import KeepInState, encode_block, encode_failure, encode_tally, gathered
from edx2lrs.pipeline.steps import Translate
from edx2lrs.transforms.blocks import Statement, pack, unpack_bodies, unpack_positions
from edx2lrs.transforms.failure import Failure

STEPS = ["Wave", "Read records", "Parse", "Filter events", "Match consumers", "Translate", "Pack blocks"]


def test_steps_are_named_in_reading_order_and_failures_meet_once():
    pipeline = beam.Pipeline()
    graph.connect(
        pipeline | "Wave" >> beam.Create(["folder"], reshuffle=False), JobSpec("c.yaml"), "Keep" >> KeepInState("folder", "state")
    )
    proto = pipeline.to_runner_api()
    root = proto.components.transforms[proto.root_transform_ids[0]]
    names = [proto.components.transforms[part].unique_name for part in root.subtransforms]
    assert names == [*STEPS, "Failures meet", "Tallies meet", "Keep"]


def test_what_crosses_the_shuffle_comes_back_as_it_was():
    statement = Statement(bytes(16), json.dumps({"é": "\n"}).encode(), b"12345678", "a.log:1")
    block = pack("campus", [statement, msgspec.structs.replace(statement, position="a.log:2")])
    failure = Failure("parse", "not_json", "why", "a.log:3", b"\xff\n")
    tally = {("", "read"): 3, ("campus", "matched"): 2}
    parts = [encode_block(block), encode_failure(failure), encode_tally(tally), encode_tally(tally)]
    made = gathered(part for _, part in parts)
    assert made.blocks == [block]
    assert made.failures == [failure]
    assert made.tally == {("", "read"): 6, ("campus", "matched"): 4}
    assert unpack_bodies(block.bodies) == [statement.body] * 2
    assert unpack_positions(block.positions) == ["a.log:1", "a.log:2"]


def test_each_bundle_of_translation_begins_with_a_look_for_newer_tables():
    class Job:
        looks = 0

        def look_for_newer_tables(self):
            self.looks += 1

    step = Translate(JobSpec("c.yaml"))
    step.job = Job()
    step.start_bundle()
    step.start_bundle()
    assert step.job.looks == 2
