"""A stream as a service: workers read and keep, senders deliver, until SIGTERM or Ctrl-C. The configuration is read again now and
then."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Sequence
from pathlib import Path

from edx2lrs.io.back_off import back_off
from edx2lrs.io.delivery import statement_log
from edx2lrs.io.delivery.clients import Clients
from edx2lrs.io.secrets import SecretError
from edx2lrs.io.sources.address import SourceUrl
from edx2lrs.io.sources.opening import check_options, names_of_one_reader, spec_of
from edx2lrs.io.state.errors import StateError, StateGone
from edx2lrs.io.state.state import State
from edx2lrs.pipeline.beam_options import local_arguments
from edx2lrs.pipeline.compiled_config import check_tables_and_secrets
from edx2lrs.pipeline.config.watch import ConfigWatch
from edx2lrs.pipeline.job import Control, JobFailed, JobResult, RunRequest
from edx2lrs.pipeline.local import run_lifecycle
from edx2lrs.pipeline.local.metrics import Health, serving
from edx2lrs.pipeline.local.run import LocalRun
from edx2lrs.pipeline.local.worker_messages import plan_of
from edx2lrs.pipeline.local.workers import Workers
from edx2lrs.pipeline.run_options import OptionError, check_report
from edx2lrs.pipeline.terms import terms_of
from edx2lrs.transforms.config_types import Config

_REQUEST_SECONDS = 10.0  # for requests after the waves
_FIRST_STATE_PAUSE, _LONGEST_STATE_PAUSE = 1.0, 60.0
_LOG = logging.getLogger("edx2lrs.stream")


def run(request: RunRequest, config: Config, urls: Sequence[SourceUrl], control: Control) -> JobResult:
    """Reads ``urls`` until it is stopped. Raises ``OptionError``, ``SourceUrlError``, ``TableError``, ``SecretError``,
    ``StateError``, ``JobFailed``."""
    if not request.state:
        raise OptionError(
            "--state: missing, but needed for a stream, which goes on where it was; name a directory on a local disk that"
            " stays, as --state /var/lib/edx2lrs"
        )
    for url in urls:
        check_options(url)
        if not request.workers or request.workers == 1:
            continue
        if not spec_of(url).sharing.several:
            raise OptionError(f"--workers: {spec_of(url).what} is read by one process; leave it out")
        for name in names_of_one_reader(url):
            raise OptionError(f"--input {url.name}: {name}: one name, but --workers asks for several readers; leave it out")
    check_report(request.report)
    beam_arguments = local_arguments(request.beam)
    check_tables_and_secrets(config, control.on_table)
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(serving(request.http))
        state = stack.enter_context(run_lifecycle.owned_state(request.state, config))
        local_run = run_lifecycle.begun(config, state, request.report, Path(request.config).stem, control, send_held=request.send_held)
        stack.callback(server.hide)  # before the state directory is closed
        stack.enter_context(run_lifecycle.under_way(local_run, control))
        plan = plan_of(request.config, config, str(state.folder), beam_arguments)
        readers = [url for url in urls for _ in range(request.workers or 1)]
        plans = [plan._replace(name=f"worker-{number}", stream=url) for number, url in enumerate(readers, 1)]
        workers = Workers(plans, config.waves.timeout)
        stack.callback(workers.kill)
        for url in urls:
            _LOG.info("reading %s; SIGTERM or Ctrl-C ends it", url.name)
        service = _StreamService(request.config, config, state, local_run, workers)
        server.show(local_run.observed, service.health)
        service.work()
        return run_lifecycle.ended(local_run, config, is_stream=True, patience=_REQUEST_SECONDS)


class _StreamService:
    """The parent process at work."""

    def __init__(self, config_path: str, config: Config, state: State, local_run: LocalRun, workers: Workers) -> None:
        self._watch = ConfigWatch(config_path, config)
        self._state = state
        self._run = local_run
        self._workers = workers
        self._failures = 0  # in a row, of the state directory
        self._looked = time.monotonic()

    def health(self) -> Health:
        """The state of the service, for ``/healthz``."""
        troubles = [message for message in self._workers.troubles.values() if message]
        standings = tuple(self._workers.standings.values())
        return Health(time.monotonic() - self._looked, troubles, standings, self._workers.stuck_for())

    def work(self) -> None:
        """Works until the service is stopped and the workers have ended. Raises ``JobFailed``."""
        self._run.start_senders()
        while self._workers.alive:
            self._look()
        if self._workers.faults and not self._run.stopped:
            raise JobFailed(self._workers.faults[0])

    def _look(self) -> None:
        """Looks at workers and senders. After an error of the state directory (a full disk), the service waits and tries again; the
        workers do the same."""
        self._looked = time.monotonic()
        try:
            self._run.look(self._workers)
            self._renew()
            self._failures = 0
        except StateGone:
            raise
        except StateError as error:
            self._failures += 1
            pause = back_off(self._failures, _FIRST_STATE_PAUSE, _LONGEST_STATE_PAUSE)
            _LOG.warning("%s; trying again in %.0f s", error, pause)
            self._run.wait(pause)
            with contextlib.suppress(SecretError):
                self._run.replace_senders(run_lifecycle.senders_of(self._watch.current, self._state, self._run.alerts))

    def _renew(self) -> None:
        """Delivers to the consumers of a newer configuration. Each worker itself changes to the newer configuration."""
        before = self._watch.current
        newer = self._watch.newer()
        if newer is None:
            return
        try:
            clients = Clients(newer, self._state.folder / statement_log.FOLDER)
            self._run.change_consumers(newer.consumers, clients, terms_of(newer))
            self._run.alerts.follow(newer)
        except SecretError as error:
            self._watch.refuse(before, str(error))
