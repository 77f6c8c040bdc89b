"""How `run` and `deliver` begin and end: an owned state directory and its senders; a report, a summary, an exit code."""

from __future__ import annotations

import logging
import shutil
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from edx2lrs.io.delivery import statement_log
from edx2lrs.io.delivery.clients import Clients
from edx2lrs.io.delivery.consumer_sender import Notice
from edx2lrs.io.delivery.senders import Senders
from edx2lrs.io.secrets import SecretError
from edx2lrs.io.sources.address import SourceUrlError
from edx2lrs.io.sources.files import InputError
from edx2lrs.io.state.errors import StateError, StateInUse, StateUnusable
from edx2lrs.io.state.state import State, open_state
from edx2lrs.io.tables import TableError
from edx2lrs.pipeline import report
from edx2lrs.pipeline.alerts import Alerts
from edx2lrs.pipeline.config.faults import ConfigError
from edx2lrs.pipeline.local.run import JobFailed, LocalRun, RunOutputs
from edx2lrs.pipeline.run_options import OptionError
from edx2lrs.transforms.config_types import Config
from edx2lrs.transforms.families.packages import OwnEventsError

INCOMPLETE, WRONG_USAGE, FAILED = 1, 2, 3
_LOG = logging.getLogger("edx2lrs")
_USAGE_ERRORS = (
    ConfigError,
    InputError,
    OptionError,
    OwnEventsError,
    SecretError,
    SourceUrlError,
    StateInUse,
    StateUnusable,
    TableError,
)


def exit_code_of(command: Callable[[], int]) -> int:
    """Runs ``command``; an error that is for a person becomes its text on standard error and an exit code."""
    try:
        return command()
    except _USAGE_ERRORS as error:
        print(error, file=sys.stderr)
        return WRONG_USAGE
    except (JobFailed, StateError, OSError) as error:
        print(f"the job failed: {error}", file=sys.stderr)
        return FAILED
    except Exception as error:  # its text may hold data of a record: only where it was raised is told
        place = traceback.extract_tb(error.__traceback__)[-1]
        what = f"unexpected {type(error).__name__} in {place.name}, {place.filename}:{place.lineno}"
        print(f"the job failed: {what}", file=sys.stderr)
        return FAILED


@contextmanager
def owned_state(folder: str | None, config: Config, create: bool = True) -> Iterator[State]:
    """The state directory ``folder``; without one a new directory here, removed when nothing of worth is left in it."""
    path = Path(folder) if folder else Path(tempfile.mkdtemp(prefix="edx2lrs-state-", dir="."))
    worthless = False
    try:
        with open_state(
            path,
            ids=config.dedup.ids,
            statements=config.outbox.statements,
            payload_form=config.dead_letters.payload,
            create=create,
        ) as state:
            yield state
            waiting = any(state.outbox.waiting_counts().values())
            letters = state.dead_letters.count() or any(Path(state.dead_letters_folder).glob("*.avro"))
            logs = any((path / statement_log.FOLDER).glob("*/*"))
            worthless = folder is None and not waiting and not letters and not logs
    finally:
        if worthless:
            shutil.rmtree(path)
        elif folder is None:
            _LOG.warning("the state is kept in %s; name it with --state to go on from it, or remove it", path)


def senders_of(config: Config, state: State, alerts: Alerts) -> Senders:
    """The senders of all consumers. Raises ``SecretError``."""
    return Senders(state.outbox, config.consumers, Clients(config, state.folder / statement_log.FOLDER), alerts.notice)


def _log_notice(notice: Notice) -> None:
    _LOG.warning("%s consumer=%s waiting=%d reason=%s", notice.event, notice.consumer, notice.waiting, notice.reason)


def begun(
    config: Config, state: State, report_path: str | None, job_name: str, dead_letters: str | None = None
) -> LocalRun:
    """Begins a run over ``state``, and says of new consumers what they will miss. ``dead_letters``: where they go, if not where
    the configuration says. Raises ``SecretError``, ``StateError``.

    Where a consumer is standard output, whatever else is printed goes to standard error from now on."""
    if any(consumer.url.startswith("stdout:") for consumer in config.consumers):
        sys.stdout = sys.stderr
    consumers = [consumer.name for consumer in config.consumers]
    run = state.ledger.begin_run("DirectRunner", consumers, job_name)
    for name in run.new_consumers:
        _LOG.warning(
            "consumer %s is new to %s: the consumer gets the events that are read from now on; for earlier events, run once with"
            " another --state and a configuration that has only this consumer",
            name,
            state.folder,
        )
    letters = dead_letters or config.dead_letters.path or state.dead_letters_folder
    outputs = RunOutputs(report_path, letters, str(state.folder))
    alerts = Alerts(config, _log_notice)
    return LocalRun(state, senders_of(config, state, alerts), run, consumers, outputs, alerts)


@contextmanager
def stopped_by_signals(run: LocalRun) -> Iterator[None]:
    """SIGTERM and Ctrl-C end the run in order; a second one ends the process."""

    def stop(number: int, _frame: Any) -> None:
        signal.signal(number, signal.SIG_DFL)
        run.stop()

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def abandoned_on_fault(run: LocalRun) -> Iterator[None]:
    """No sender outlives the state directory that it settles in."""
    try:
        yield
    except BaseException:
        run.abandon()
        raise


def ended(run: LocalRun, strict: bool = False, unreadable: Sequence[str] = ()) -> int:
    """Ends ``run``, prints its summary and gives the exit code. Raises ``StateError``."""
    content = run.finish()
    for message in unreadable:
        print(message, file=sys.stderr)
    print(report.summary(content))
    if run.stopped:
        print("stopped before the end; the same command with the same --state goes on")
        return INCOMPLETE
    return report.exit_code(content, strict, unreadable)
