"""Reads tracking logs or a stream, and delivers to every consumer the events that the consumer may see and wants."""

from __future__ import annotations

import logging
import os
from dataclasses import replace
from pathlib import Path

from edx2lrs.io.sources import files
from edx2lrs.io.sources.opening import streams
from edx2lrs.io.sources.path_dates import within
from edx2lrs.io.sources.spec import LOCAL
from edx2lrs.pipeline.beam_options import engine_of, local_arguments
from edx2lrs.pipeline.compiled_config import check_tables_and_secrets
from edx2lrs.pipeline.config.reading import load
from edx2lrs.pipeline.engines.options import NO_ID_LABEL
from edx2lrs.pipeline.job import Control, JobResult, RunRequest
from edx2lrs.pipeline.local import input_pieces, run_lifecycle
from edx2lrs.pipeline.local.input_pieces import register, warn_of_what_was_left_out
from edx2lrs.pipeline.local.rehearsal import rehearsed_state, without_bound
from edx2lrs.pipeline.local.worker_messages import for_workers, plan_of
from edx2lrs.pipeline.local.workers import Workers
from edx2lrs.pipeline.run_options import OptionError, check_report, time_window
from edx2lrs.transforms.config_types import Config
from edx2lrs.transforms.matching.time_window import TimeWindow

NO_DRY_STREAM = (
    "for files; a stream's source takes what it gives to one reader from the others, so that a stream is not read without settling:"
    " leave it out, or name files, such as the tracking logs of a day"
)
_LOG = logging.getLogger("edx2lrs")


def run(request: RunRequest, control: Control) -> JobResult:
    """Runs the job where Beam's options say: on this machine, or on an engine that it is handed to.

    Raises ``ConfigError``, ``OptionError``, ``InputError``, ``SourceUrlError``, ``TableError``, ``SecretError``,
    ``OwnEventsError``, ``StateError``, ``JobFailed``, ``OSError``."""
    urls = streams(request.inputs)
    config = load(request.config)
    window = time_window(request.since, request.until, of_stream=bool(urls))
    if urls and request.event_column:
        raise OptionError("--event-column: for files that are tables; a message of a stream is an event or an envelope")
    engine = engine_of(request.beam)
    if engine != LOCAL:
        from edx2lrs.pipeline.engines import run as engine_run

        return engine_run.run(engine, request, config, window, urls)
    if request.pubsub_id_label:
        raise OptionError(f"--pubsub_id_label: {NO_ID_LABEL}")
    if request.dry_run and urls:
        raise OptionError(f"--dry-run: {NO_DRY_STREAM}")
    run_lifecycle.use_for_temporary_files(request.state)
    _LOG.info("engine: this machine (DirectRunner), since --runner names no other")
    if urls:
        from edx2lrs.pipeline.local import stream_run

        return stream_run.run(request, config, urls, control)
    if request.http:
        raise OptionError("--http: for streams; of files --report tells how far the run is")
    return _run_files(request, config, window, control)


def _run_files(request: RunRequest, config: Config, window: TimeWindow, control: Control) -> JobResult:
    check_report(request.report)
    beam_arguments = local_arguments(request.beam)
    left_out: list[str] = []
    listed = files.find(request.inputs, left_out.append)
    found = within(listed, window)
    check_tables_and_secrets(config, control.on_table)
    rehearses = (request.state or "a new state directory") if request.dry_run else None
    owned = rehearsed_state(request.state, config) if request.dry_run else run_lifecycle.owned_state(request.state, config)
    with owned as state:
        job_name = Path(request.config).stem
        local_run = run_lifecycle.begun(
            config, state, request.report, job_name, control, rehearses=rehearses, send_held=request.send_held
        )
        warn_of_what_was_left_out(window, state.pieces)
        number = min(request.workers or os.cpu_count() or 1, register(found, state.pieces, column=request.event_column))
        why_nothing = input_pieces.why_nothing(found, len(listed) - len(found), state.pieces)
        bounded = without_bound(config) if request.dry_run else config
        plan = plan_of(request.config, bounded, str(state.folder), beam_arguments)
        plan = plan._replace(window=window, event_column=request.event_column)
        workers = Workers(for_workers(plan, number), config.waves.timeout)
        with run_lifecycle.under_way(local_run, control):
            try:
                local_run.read_and_deliver(workers)
                local_run.deliver()
            finally:
                workers.kill()
        unreadable = dict.fromkeys([*left_out, *(file.message for file in workers.unreadable)])
        result = run_lifecycle.ended(local_run, config, list(unreadable))
        nothing = result.report is not None and not result.report["records"]["read"] and not result.stopped
        return replace(result, why_nothing=why_nothing) if nothing else result
