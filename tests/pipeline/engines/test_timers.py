"""The steps after the graph as a stream: a batch goes out by age, by a timer of processing time."""

from __future__ import annotations

import time
from collections import Counter

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.testing.test_pipeline import TestPipeline as Pipeline
from apache_beam.testing.test_stream import TestStream as Stream
from apache_beam.testing.util import assert_that

from edx2lrs.pipeline.compiled_config import JobSpec
from edx2lrs.pipeline.engines.deliver_from_state import KeyByShard, SendShard
from edx2lrs.transforms.counters import Counted
from edx2lrs.transforms.packing.blocks import pack
from edx2lrs.transforms.packing.shards import shard_of
from testkit.configurations import consumer, yaml_of

CONFIG = yaml_of(consumer(url="file://FOLDER/out/", batch={"size": 10, "interval": "INTERVAL"}))


@pytest.fixture
def deliver(tmp_path, monkeypatch, statement):
    """Sends blocks of the given numbers of statements, one after the other; gives the sizes of the batches that arrived."""
    monkeypatch.setenv("EDX2LRS_ID_KEY", "a key of the tests")

    def run(interval, *events):
        config = tmp_path / "c.yaml"
        config.write_text(CONFIG.replace("FOLDER", str(tmp_path)).replace("INTERVAL", interval), encoding="utf-8")
        job = JobSpec(str(config))
        stream = Stream()
        numbers = iter(range(10_000))
        for event in events:
            if isinstance(event, float):
                stream.advance_processing_time(event)
            else:
                mine = []
                while len(mine) < event:  # of one shard, so that its batches can be told
                    made = statement(next(numbers))
                    if shard_of(made.id, 4) == 0:
                        mine.append(made)
                stream.add_elements([pack("campus", mine)])
        stream.advance_watermark_to_infinity()

        with Pipeline(options=PipelineOptions(["--streaming"])) as pipeline:
            keyed = pipeline | stream | beam.ParDo(KeyByShard(job)).with_output_types(tuple[str, bytes])
            sent = keyed | beam.ParDo(SendShard(job, streaming=True)).with_outputs("failures", main="tallies")
            assert_that(sent.tallies, _delivered(sum(event for event in events if isinstance(event, int))))
        files = sorted((tmp_path / "out").iterdir())
        return [len(path.read_bytes().splitlines()) for path in files]

    return run


def _delivered(number):
    def check(tallies):
        total = Counter()
        for tally in tallies:
            total.update(tally)
        assert total[Counted("campus", "delivered")] == total[Counted("campus", "statements")] == number

    return check


def test_a_batch_that_is_not_full_goes_when_it_is_old(deliver):
    # The timer is set by the wall clock: the clock of the stream is moved beyond it, twice.
    assert deliver("0.1s", 3, time.time() // 1 + 10.0, 13, 1_000.0) == [3, 10, 3]


def test_what_is_left_of_a_consumer_that_the_configuration_has_no_more_is_dead_letters(tmp_path, monkeypatch, statement):
    monkeypatch.setenv("EDX2LRS_ID_KEY", "a key of the tests")
    config = tmp_path / "c.yaml"
    config.write_text(CONFIG.replace("FOLDER", str(tmp_path)).replace("INTERVAL", "0.1s"), encoding="utf-8")
    job = JobSpec(str(config))

    def dead(failures):
        assert {(failure.consumer, failure.cause) for failure in failures} == {("gone", "outage")}
        assert sorted(failure.payload for failure in failures) == sorted(statement(n).body for n in range(20))

    with Pipeline(runner=FnApiRunner()) as pipeline:
        blocks = pipeline | beam.Create([pack("gone", [statement(n) for n in range(20)])])
        keyed = blocks | beam.ParDo(KeyByShard(job)).with_output_types(tuple[str, bytes])
        sent = keyed | beam.ParDo(SendShard(job, streaming=False)).with_outputs("failures", main="tallies")
        assert_that(sent.failures, dead)
