"""The graph: what happens to every event, in reading order.

Each step gives ``good``, ``failures`` and ``tallies``; failures meet once and become dead letters, tallies become the ledger.
Only ``keep``, the last step, knows where this runs (``pipeline.keep``: on this machine).
"""

from __future__ import annotations

import apache_beam as beam

from edx2lrs.pipeline.job import JobSpec
from edx2lrs.pipeline.steps import FilterEvents, MatchConsumers, PackBlocks, ParseRecords, ReadRecords, Translate, step


def connect(waves: beam.PCollection[str], job: JobSpec, keep: beam.PTransform) -> beam.PCollection:
    """Waves in (folders, see ``pipeline.wave``); blocks of statements, failures and tallies out to ``keep``."""
    read = waves | "Read records" >> step(ReadRecords())
    parsed = read.good | "Parse" >> step(ParseRecords())
    allowed = parsed.good | "Filter events" >> step(FilterEvents(job))
    matched = allowed.good | "Match consumers" >> step(MatchConsumers(job))
    translated = matched.good | "Translate" >> step(Translate(job))
    packed = translated.good | "Pack blocks" >> step(PackBlocks(job))

    steps = (read, parsed, allowed, matched, translated, packed)
    failures = [each.failures for each in steps] | "Failures meet" >> beam.Flatten()
    tallies = [each.tallies for each in steps] | "Tallies meet" >> beam.Flatten()
    return {"blocks": packed.good, "failures": failures, "tallies": tallies} | "Keep" >> keep
