"""The whole pipeline on Flink and Dataflow: where records come from, the graph, delivery. Names of steps stay from version to
version: an update of a running job finds its state by them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import apache_beam as beam

from edx2lrs.io.sources.address import SourceUrl
from edx2lrs.io.sources.opening import spec_of
from edx2lrs.io.sources.spec import Engine
from edx2lrs.pipeline import graph
from edx2lrs.pipeline.compiled_config import JobSpec
from edx2lrs.pipeline.engines.beam_sources import read_by_beam
from edx2lrs.pipeline.engines.count_tallies import ReportPlace
from edx2lrs.pipeline.engines.deliver_from_state import DeliverFromState
from edx2lrs.pipeline.engines.read_distributed import FindParts, ReadMessages, ReadParts
from edx2lrs.pipeline.engines.source_reader import PollSource
from edx2lrs.pipeline.steps import Chunk


class Plan(NamedTuple):
    """What to run. ``inputs``: globs, or addresses of ``streams``; ``readers``: the names of those that each stream has on Flink
    (``source_reader.StreamReader``). ``id_label``: the attribute of Pub/Sub messages that tells them apart, for Dataflow. ``report``:
    where the workers write it (None: nowhere)."""

    engine: Engine
    job: JobSpec
    job_name: str
    inputs: Sequence[str]
    streams: Sequence[SourceUrl]
    dead_letters: str
    report: ReportPlace | None = None
    readers: Sequence[str] = ()
    id_label: str | None = None
    event_column: str | None = None


def build(pipeline: beam.Pipeline, plan: Plan) -> None:
    """Puts the steps of ``plan`` into ``pipeline``."""
    last = "Deliver" >> DeliverFromState(plan.job, bool(plan.streams), plan.dead_letters, plan.job_name, plan.report)
    if plan.streams:
        graph.connect(_messages(pipeline, plan), ReadMessages(), plan.job, last, distributed=True)
    else:
        graph.connect(_parts(pipeline, plan), ReadParts(plan.event_column), plan.job, last, distributed=True)


def _parts(pipeline: beam.Pipeline, plan: Plan) -> beam.PCollection:
    """Parts of files. The parts are spread over the workers, not the events in the parts."""
    return (
        pipeline
        | "Inputs" >> beam.Create(list(plan.inputs), reshuffle=False)
        | "Find parts" >> beam.ParDo(FindParts(plan.job.window, plan.event_column)).with_output_types(tuple[str, int, int])
        | "Spread parts" >> beam.Reshuffle()
    )


def _messages(pipeline: beam.Pipeline, plan: Plan) -> beam.PCollection:
    """Of each stream, as its source says; an engine reads all of them in one way."""
    by_beam = {spec_of(url).engines[plan.engine].by_beam for url in plan.streams}
    if by_beam == {True}:
        return read_by_beam(pipeline, plan.streams, plan.id_label)
    readers = [(given, name) for given in plan.inputs for name in plan.readers]
    return (
        pipeline
        | "Readers" >> beam.Create(readers, reshuffle=False)
        | "Spread readers" >> beam.Reshuffle()
        | "Poll" >> beam.ParDo(PollSource()).with_output_types(Chunk)
    )
