"""The graph: its steps by name, in reading order, and nothing secret in it."""


import apache_beam as beam

from edx2lrs.pipeline import graph
from edx2lrs.pipeline.compiled_config import JobSpec
from edx2lrs.pipeline.local.graph_ends import Gather, ReadWave
from edx2lrs.pipeline.steps import Translate

STEPS = ["Wave", "Read records", "Parse", "Filter events", "Match consumers", "Translate", "Pack blocks"]


def test_steps_are_named_in_reading_order_and_failures_meet_once():
    pipeline = beam.Pipeline()
    start = pipeline | "Wave" >> beam.Impulse()
    graph.connect(start, ReadWave("runner"), JobSpec("c.yaml"), "Gather" >> Gather("runner"))
    proto = pipeline.to_runner_api()
    root = proto.components.transforms[proto.root_transform_ids[0]]
    names = [proto.components.transforms[part].unique_name for part in root.subtransforms]
    assert names == [*STEPS, "Failures meet", "Tallies meet", "Gather"]


def test_each_bundle_of_translation_begins_with_a_look_for_newer_tables():
    class Compiled:
        looks = 0

        def look_for_newer_tables(self):
            self.looks += 1

    step = Translate(JobSpec("c.yaml"))
    step.compiled = Compiled()
    step.start_bundle()
    step.start_bundle()
    assert step.compiled.looks == 2
