"""`run` on Flink and Dataflow: the whole pipeline is handed to the engine, which keeps, retries and delivers."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions, StandardOptions

from edx2lrs.io.paths import absolute
from edx2lrs.io.sources import files
from edx2lrs.io.sources.address import SourceUrl
from edx2lrs.io.sources.opening import check_options
from edx2lrs.io.sources.spec import Engine
from edx2lrs.pipeline import report
from edx2lrs.pipeline.compiled_config import JobSpec
from edx2lrs.pipeline.engines import options as engine_options
from edx2lrs.pipeline.engines.count_tallies import ReportPlace, report_of, totals_of
from edx2lrs.pipeline.engines.graph import Plan, build
from edx2lrs.pipeline.job import JobFailed, JobResult, RunRequest
from edx2lrs.pipeline.run_options import OptionError
from edx2lrs.transforms.config_types import Config
from edx2lrs.transforms.matching.time_window import TimeWindow

_LOG = logging.getLogger("edx2lrs")


def run(engine: Engine, request: RunRequest, config: Config, window: TimeWindow, streams: Sequence[SourceUrl]) -> JobResult:
    """Runs on ``engine``. Raises ``OptionError``, ``InputError``, ``SourceUrlError``, ``JobFailed``."""
    engine_options.check(engine_options.Asked(engine, request, config, streams))
    if not streams:
        files.find(request.inputs)  # whether there is anything to read
    for url in streams:
        check_options(url)
    options = PipelineOptions(engine_options.of_runner(engine, request.beam, bool(streams)))
    options.view_as(StandardOptions).runner = engine
    options.view_as(StandardOptions).streaming = bool(streams)
    plan = plan_of(engine, request, config, window, streams)
    _LOG.info("engine: %s, as --runner says; %s", engine, "a stream, until it is stopped there" if streams else "a batch")
    try:
        pipeline = beam.Pipeline(options=options)
    except ValueError as error:  # Beam's own checks of its options
        raise OptionError(str(error)) from None
    build(pipeline, plan)
    started = time.monotonic()
    try:
        result = pipeline.run()
        if engine == "DataflowRunner":
            return JobResult(is_stream=bool(streams), engine_job=result.job_id())
        result.wait_until_finish()  # a driver that is stopped leaves the job on the cluster
    except RuntimeError as error:  # further lines of its text may hold data of a record
        raise JobFailed(str(error).splitlines()[0]) from None
    if streams:
        return JobResult(is_stream=True)
    return JobResult(_report(result, request, config, time.monotonic() - started))


def plan_of(engine: Engine, request: RunRequest, config: Config, window: TimeWindow, streams: Sequence[SourceUrl]) -> Plan:
    """The plan of ``build``."""
    dead_letters = config.dead_letters.path or ""
    by_workers = request.report if streams or engine == "DataflowRunner" else None  # else it is written here, at the end
    return Plan(
        engine=engine,
        job=JobSpec(absolute(request.config), window),
        job_name=Path(request.config).stem,
        inputs=request.inputs,
        streams=streams,
        dead_letters=dead_letters,
        report=ReportPlace(absolute(by_workers), engine, dead_letters) if by_workers else None,
        readers=_reader_names(engine_options.parallelism(request.beam)),
        id_label=request.pubsub_id_label,
        event_column=request.event_column,
    )


def _reader_names(number: int) -> list[str]:
    """Of the readers of one job: drawn when it is handed over, and kept in the engine's state from then on."""
    job = os.urandom(4).hex()
    return [f"flink-{job}-{place}" for place in range(number)]


def _report(result: Any, request: RunRequest, config: Config, seconds: float) -> dict[str, Any]:
    """The report, also written to the path that was asked for."""
    names = tuple(consumer.name for consumer in config.consumers)
    content = report_of(totals_of(result), names, "FlinkRunner", seconds, config.dead_letters.path or "")
    if request.report:
        report.write(request.report, content)
    return content
