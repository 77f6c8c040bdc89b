"""A stream as a service: workers read and keep, senders deliver, until SIGTERM or Ctrl-C; the configuration is looked at now and
then."""

from __future__ import annotations

import contextlib
import logging
import os
import time
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from edx2lrs.io.back_off import back_off
from edx2lrs.io.delivery import statement_log
from edx2lrs.io.delivery.clients import Clients
from edx2lrs.io.paths import is_remote
from edx2lrs.io.secrets import SecretError
from edx2lrs.io.sources.address import SourceUrl
from edx2lrs.io.sources.opening import check_options, names_of_one_reader, spec_of
from edx2lrs.io.state.errors import StateError
from edx2lrs.io.state.state import State
from edx2lrs.pipeline import report
from edx2lrs.pipeline.compiled_config import CompiledConfig
from edx2lrs.pipeline.config.watch import ConfigWatch
from edx2lrs.pipeline.local import run_lifecycle
from edx2lrs.pipeline.local.metrics import Health, serving
from edx2lrs.pipeline.local.run import JobFailed, LocalRun
from edx2lrs.pipeline.local.worker_messages import WorkerPlan
from edx2lrs.pipeline.local.workers import Workers
from edx2lrs.pipeline.run_options import OptionError, check_report, local_beam_arguments
from edx2lrs.pipeline.status_line import steps_shown
from edx2lrs.transforms.config_types import Config

_WAVE_SECONDS = 12.0  # that waves under way get at the end
_REQUEST_SECONDS = 10.0  # and requests after that
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0
_LOG = logging.getLogger("edx2lrs.stream")


def run(arguments: Namespace, config: Config, urls: Sequence[SourceUrl]) -> int:
    """Reads ``urls`` until it is stopped; gives the exit code. Raises what ``run_lifecycle.exit_code_of`` knows."""
    if not arguments.state:
        raise OptionError(
            "--state: missing, but needed for a stream, which goes on where it was; name a directory on a local disk that"
            " stays, as --state /var/lib/edx2lrs"
        )
    for url in urls:
        check_options(url)
        if not arguments.workers or arguments.workers == 1:
            continue
        if not spec_of(url).sharing.several:
            raise OptionError(f"--workers: {spec_of(url).what} is read by one process; leave it out")
        for name in names_of_one_reader(url):
            raise OptionError(f"--input {url.name}: {name}: one name, but --workers asks for several readers; leave it out")
    check_report(arguments.report)
    beam_arguments = local_beam_arguments(arguments.beam)
    with steps_shown("lms.external_ids") as step:
        CompiledConfig(config, step)  # tables and secrets are read in each worker; what is wrong with them is said here, once
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(serving(arguments.http))
        state = stack.enter_context(run_lifecycle.owned_state(arguments.state, config))
        job = run_lifecycle.begun(config, state, arguments.report, Path(arguments.config).stem)
        stack.callback(server.hide)  # before the state directory is closed
        stack.enter_context(run_lifecycle.abandoned_on_fault(job))
        stack.enter_context(run_lifecycle.stopped_by_signals(job))
        workers = Workers(_plans(arguments, config, urls, state, beam_arguments))
        stack.callback(workers.kill)
        for url in urls:
            _LOG.info("reading %s; SIGTERM or Ctrl-C ends it", url.name)
        service = _Service(arguments.config, config, state, job, workers)
        server.show(job.observed, service.health)
        service.work()
        print(report.summary(job.finish(_REQUEST_SECONDS)))
        print("stopped; the same command with the same --state goes on")
        return 0


def _plans(
    arguments: Namespace, config: Config, urls: Sequence[SourceUrl], state: State, beam_arguments: tuple[str, ...]
) -> list[WorkerPlan]:
    path = arguments.config if is_remote(arguments.config) else os.path.abspath(arguments.config)
    names = tuple(consumer.name for consumer in config.consumers)
    each = [url for url in urls for _ in range(arguments.workers or 1)]
    return [
        WorkerPlan(f"worker-{number}", path, str(state.folder), beam_arguments, names, config.outbox.statements, stream=url)
        for number, url in enumerate(each, 1)
    ]


class _Service:
    """The parent process at work."""

    def __init__(self, config_path: str, config: Config, state: State, job: LocalRun, workers: Workers) -> None:
        self._watch = ConfigWatch(config_path, config)
        self._state = state
        self._job = job
        self._workers = workers
        self._failures = 0  # in a row, of the state directory
        self._looked = time.monotonic()

    def health(self) -> Health:
        """How it stands, for whoever watches the service."""
        troubles = [message for message in self._workers.troubles.values() if message]
        return Health(time.monotonic() - self._looked, troubles)

    def work(self) -> None:
        """Until it is stopped and the workers have ended. Raises ``JobFailed``."""
        self._job.start_senders()
        kill_at = float("inf")
        while self._workers.alive:
            self._look()
            if self._job.stopped and kill_at == float("inf"):
                kill_at = time.monotonic() + _WAVE_SECONDS
            if time.monotonic() > kill_at:
                _LOG.warning("a wave did not end in time; what it holds comes again at the next start")
                self._workers.kill()
        if self._workers.faults and not self._job.stopped:
            raise JobFailed(self._workers.faults[0])

    def _look(self) -> None:
        """A fault of the state directory (a full disk) is waited out; the workers do the same."""
        self._looked = time.monotonic()
        try:
            self._job.look(self._workers)
            self._renew()
            self._failures = 0
        except StateError as error:
            self._failures += 1
            pause = back_off(self._failures, _FIRST_PAUSE, _LONGEST_PAUSE)
            _LOG.warning("%s; trying again in %.0f s", error, pause)
            self._job.wait(pause)
            with contextlib.suppress(SecretError):
                self._job.replace_senders(run_lifecycle.senders_of(self._watch.current, self._state, self._job.alerts))

    def _renew(self) -> None:
        """Delivers to the consumers of a newer configuration. Workers go over to it by themselves."""
        before = self._watch.current
        newer = self._watch.newer()
        if newer is None:
            return
        try:
            self._job.change_consumers(newer.consumers, Clients(newer, self._state.folder / statement_log.FOLDER))
            self._job.alerts.follow(newer)
        except SecretError as error:
            self._watch.refuse(before, str(error))
