"""The graph: what happens to every event, in reading order.

Each step gives ``good``, ``failures`` and ``tallies``; failures meet once and become dead letters, tallies become the ledger.
Only the first and the last step know where this runs. On this machine ``read`` gives the records of a wave and ``last``
gathers what it makes (``pipeline.local.graph_ends``); on Flink and Dataflow ``read`` takes parts of files or messages
(``pipeline.engines.read_distributed``), and ``last`` delivers from keyed state (``pipeline.engines.deliver_from_state``).
"""

from __future__ import annotations

import apache_beam as beam

from edx2lrs.pipeline.compiled_config import JobSpec
from edx2lrs.pipeline.steps import FilterEvents, MatchConsumers, PackBlocks, ParseRecords, Translate, step


def connect(
    start: beam.PCollection, read: beam.DoFn, job: JobSpec, last: beam.PTransform, distributed: bool = False
) -> beam.PCollection:
    """Connects the steps: the results of ``read`` go in; blocks of statements, failures and tallies go to ``last``.

    ``distributed``: on Flink and Dataflow. There, each block belongs to one shard, and each bundle looks for a newer configuration.
    On this machine, the worker looks for a newer configuration between waves.
    """
    records = start | "Read records" >> step(read)
    parsed = records.good | "Parse" >> step(ParseRecords(job))
    allowed = parsed.good | "Filter events" >> step(FilterEvents(job, renews=distributed))
    matched = allowed.good | "Match consumers" >> step(MatchConsumers(job))
    translated = matched.good | "Translate" >> step(Translate(job))
    packed = translated.good | "Pack blocks" >> step(PackBlocks(job, sharded=distributed))

    steps = (records, parsed, allowed, matched, translated, packed)
    failures = [each.failures for each in steps] | "Failures meet" >> beam.Flatten()
    tallies = [each.tallies for each in steps] | "Tallies meet" >> beam.Flatten()
    return {"blocks": packed.good, "failures": failures, "tallies": tallies} | last
