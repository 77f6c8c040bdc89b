"""How a run on this machine begins and ends: an owned state directory, its senders, and what is left when it fails."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from edx2lrs.io.delivery import statement_log
from edx2lrs.io.delivery.clients import Clients
from edx2lrs.io.delivery.notices import Notice
from edx2lrs.io.delivery.senders import Senders
from edx2lrs.io.paths import make_private_folder
from edx2lrs.io.state.state import State, open_state
from edx2lrs.pipeline.alerts import Alerts
from edx2lrs.pipeline.job import Control, JobResult
from edx2lrs.pipeline.local.run import LocalRun, RunOutputs
from edx2lrs.pipeline.report import held_in_words
from edx2lrs.pipeline.run_options import OptionError
from edx2lrs.pipeline.terms import terms_of
from edx2lrs.transforms.config_types import Config

_NO_FOLDER = "and no folder of this machine can be written; name one, as --state /var/lib/edx2lrs"
_LOG = logging.getLogger("edx2lrs")


def use_for_temporary_files(state: str | None) -> None:
    """Lets this process and those that it starts put temporary files into ``tmp`` of the state directory, where the machine has no
    folder for them that can be written (a container with a root file system that is read only)."""
    try:
        tempfile.gettempdir()
    except FileNotFoundError:
        if state is None:
            raise OptionError(f"--state: missing, {_NO_FOLDER}") from None
        folder = str((Path(state) / "tmp").absolute())
        with contextlib.suppress(OSError):  # the state directory itself says why it cannot be written
            make_private_folder(folder)
            tempfile.tempdir = os.environ["TMPDIR"] = folder
            with contextlib.closing(sqlite3.connect(":memory:")) as connection:  # SQLite has looked for TMPDIR by now
                connection.execute(f"PRAGMA temp_store_directory = '{folder.replace(chr(39), chr(39) * 2)}'")


def _new_folder() -> Path:
    try:
        return Path(tempfile.mkdtemp(prefix="edx2lrs-state-", dir="."))
    except OSError as error:
        raise OptionError(f"--state: missing, {_NO_FOLDER} ({os.getcwd()}: {error.strerror})") from None


@contextmanager
def owned_state(folder: str | None, config: Config, create: bool = True) -> Iterator[State]:
    """The state directory ``folder``; without it a new one in the working folder, removed at the end unless something is left in it."""
    path = Path(folder) if folder else _new_folder()
    worthless = False
    try:
        with open_state(
            path, ids=config.dedup.ids, statements=config.outbox.statements, payload_form=config.dead_letters.payload, create=create
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
    _LOG.warning("%s consumer=%s waiting=%d reason=%s", notice.kind, notice.consumer, notice.waiting, notice.reason)


def begun(
    config: Config, state: State, report_path: str | None, job_name: str, control: Control, dead_letters: str | None = None,
    rehearses: str | None = None, send_held: bool = False,
) -> LocalRun:
    """Begins a run over ``state``; says what new consumers will miss, and what is held. ``dead_letters``: where they go, if not where
    the configuration says. ``rehearses``: a dry run, which sends nothing, of this state directory. ``send_held``: what waits under
    other terms is sent, too. Raises ``SecretError``, ``StateError``."""
    folder = str(state.folder) if rehearses is None else rehearses
    consumers = [consumer.name for consumer in config.consumers]
    run = state.ledger.begin_run("DirectRunner", consumers, job_name, terms_of(config), send_held)
    state.outbox.set_damaged_apart()
    for name, number in run.redirected.items():
        _LOG.warning("%d statements that wait for %s go to its new address: the old one never took any", number, name)
    for text in held_in_words(state.outbox.held(), folder):
        _LOG.warning("%s", text)
    for name in run.new_consumers:
        _LOG.warning(
            "consumer %s is new to %s: the consumer gets the events that are read from now on; for earlier events, run once with"
            " another --state and a configuration that has only this consumer",
            name,
            folder,
        )
    letters = dead_letters or config.dead_letters.path or state.dead_letters_folder
    dry_run = None if rehearses is None else {consumer.name: consumer.shown_url for consumer in config.consumers}
    outputs = RunOutputs(report_path, letters, folder, dry_run)
    sending = config if rehearses is None else msgspec.structs.replace(config, consumers=[])
    alerts = Alerts(sending, _log_notice)
    return LocalRun(state, senders_of(sending, state, alerts), run.number, consumers, outputs, alerts, control)


@contextmanager
def under_way(local_run: LocalRun, control: Control) -> Iterator[None]:
    """From now on ``control`` can stop the run. After a fault no sender outlives the state directory that it settles in."""
    control.began()
    try:
        yield
    except BaseException:
        local_run.abandon()
        raise


def ended(
    local_run: LocalRun, config: Config, unreadable: Sequence[str] = (), *, is_stream: bool = False, patience: float = 30.0
) -> JobResult:
    """Ends the run; requests under way get ``patience`` seconds. Raises ``StateError``."""
    stopped = local_run.stopped
    to_stdout = any(consumer.url.startswith("stdout:") for consumer in config.consumers)
    content = local_run.finish(patience)
    return JobResult(content, (*unreadable, *local_run.damage), stopped, is_stream, writes_stdout=to_stdout)
