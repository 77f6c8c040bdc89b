"""Sends dead letters again: records through the whole job, statements to their consumer.

A letter is sent from the state directory that took it over, once: the same request goes on after a kill.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from edx2lrs.io.dead_letters.letters import DeadLetter, PlacedLetter, files, folder_of_letters
from edx2lrs.io.delivery import statement_log
from edx2lrs.io.paths import is_remote
from edx2lrs.io.state.errors import StateInUse
from edx2lrs.io.state.integrity import FILE_NAME
from edx2lrs.io.state.state import State, look_at_state
from edx2lrs.io.state.take_over import TakenOver
from edx2lrs.pipeline.app.dead_letters import Letters, LettersRequest, check_consumers, folder_of_new, is_state_directory
from edx2lrs.pipeline.app.letter_filters import EVERY_LETTER, LetterFilter
from edx2lrs.pipeline.app.replay_plan import AsRecord, AsStatement, Fate, ReplayTally, fate_from_source, fate_of, needs_source
from edx2lrs.pipeline.beam_options import local_arguments
from edx2lrs.pipeline.compiled_config import check_tables_and_secrets
from edx2lrs.pipeline.config.reading import load
from edx2lrs.pipeline.job import Control, JobResult
from edx2lrs.pipeline.local import run_lifecycle
from edx2lrs.pipeline.local.run import LocalRun
from edx2lrs.pipeline.local.worker_messages import for_workers, plan_of
from edx2lrs.pipeline.local.workers import Workers
from edx2lrs.pipeline.run_options import check_report
from edx2lrs.pipeline.source_records import records_at
from edx2lrs.pipeline.terms import terms_of
from edx2lrs.transforms.config_types import Config

_AT_ONCE = 1_000  # letters in one transaction
_OWN_STATE = "edx2lrs-replay-"


@dataclass(frozen=True)
class ReplayRequest:
    """``path``: an Avro file, a glob or folder of them, or a state directory. ``state``: the state directory that sends the letters,
    and knows how far it is (None: ``default_state``). ``workers``: processes that read records. ``beam``: Beam's own options.
    ``send_held``: statements that were made under other terms than today's are sent, too. ``again_from_source``: statements, and
    letters without their payload, are made anew of the record that their position names."""

    config: str
    path: str
    wanted: LetterFilter = EVERY_LETTER
    state: str | None = None
    workers: int | None = None
    report: str | None = None
    beam: tuple[str, ...] = ()
    send_held: bool = False
    again_from_source: bool = False

    @property
    def folder(self) -> Path:
        """The state directory that sends the letters."""
        return Path(self.state) if self.state else default_state(self.path)


@dataclass(frozen=True)
class Replayed:
    """What the letters became, and the result of the job that sent them."""

    letters: ReplayTally
    job: JobResult


def plan(request: ReplayRequest) -> ReplayTally:
    """What would be sent; nothing is changed. Raises ``ConfigError``, ``OptionError``, ``DeadLettersMissing``, ``StateError``,
    ``OSError``."""
    config = _checked(request)
    tally = ReplayTally()
    with contextlib.ExitStack() as stack:
        known = None
        if (request.folder / FILE_NAME).exists():
            known = stack.enter_context(look_at_state(request.folder)).sent_again.known
        for some in _Fates(request, config, known).of_letters(tally):
            for found, fate in some:
                tally.add(found.letter, fate)
    return tally


def execute(request: ReplayRequest, control: Control) -> Replayed:
    """Takes the letters over and sends them. Letters that find no room in the outbox are taken over later, when there is room.

    Raises ``ConfigError``, ``OptionError``, ``DeadLettersMissing``, ``TableError``, ``SecretError``, ``StateError``, ``JobFailed``,
    ``OSError``.
    """
    config = _checked(request)
    with _owned(request.folder, config) as state:
        folder = folder_of_new(request.path)
        state.dead_letters.export(folder)
        _export_of_another(request, config)
        job_name = Path(request.config).stem
        local_run = run_lifecycle.begun(config, state, request.report, job_name, control, folder, send_held=request.send_held)
        fates = _Fates(request, config, state.sent_again.known)
        with run_lifecycle.under_way(local_run, control):
            done = _take_over(fates, config, state)
            _read_and_deliver(request, config, state, local_run, control)
            while done.left and not local_run.stopped:
                more = _take_over(fates, config, state)
                done.go_on(more)
                if not more.statements:
                    break
                _read_and_deliver(request, config, state, local_run, control)
            return Replayed(done, run_lifecycle.ended(local_run, config))


def _export_of_another(request: ReplayRequest, config: Config) -> None:
    """Letters of another state directory go into files, beside which marks can lie; while a job owns it, they stay where they are."""
    if not is_state_directory(request.path) or request.folder.resolve() == Path(request.path).resolve():
        return
    with contextlib.suppress(StateInUse), run_lifecycle.owned_state(request.path, config, create=False) as other:
        other.dead_letters.export(folder_of_new(request.path))


def _checked(request: ReplayRequest) -> Config:
    """The configuration. Before a state directory is made, checks whether there are letters."""
    local_arguments(request.beam)
    config = load(request.config)
    check_report(request.report)
    if not is_state_directory(request.path):
        files(request.path)
    check_consumers(LettersRequest(request.path, request.wanted), [consumer.name for consumer in config.consumers])
    return config


def default_state(path: str) -> Path:
    """The state directory that ``path`` is or lies in; else one in the working folder that no other letters have."""
    if is_state_directory(path):
        return Path(path)
    folder = folder_of_letters(path)
    if not is_remote(folder) and (Path(folder).parent / FILE_NAME).exists():
        return Path(folder).parent
    return Path(_OWN_STATE + hashlib.sha256(folder.encode()).hexdigest()[:8])


@contextlib.contextmanager
def _owned(folder: Path, config: Config) -> Iterator[State]:
    """The state directory. If it was made for these letters alone and nothing waits in it at the end, it is removed."""
    worthless = False
    try:
        run_lifecycle.use_for_temporary_files(str(folder))
        with run_lifecycle.owned_state(str(folder), config) as state:
            yield state
            left = state.dead_letters.count() or state.sent_again.unmarked() or any(state.outbox.waiting_counts().values())
            logs = any((folder / statement_log.FOLDER).glob("*/*"))
            worthless = folder.name.startswith(_OWN_STATE) and not left and not logs
    finally:
        if worthless:
            shutil.rmtree(folder)


class _Fates:
    """The fates of the letters that are asked for. ``known``: which of them the state, if there is one, has taken over before."""

    def __init__(self, request: ReplayRequest, config: Config, known: Callable[[list[DeadLetter]], set[str]] | None) -> None:
        self._request = LettersRequest(request.path, request.wanted)
        self._terms = terms_of(config)
        self._send_held = request.send_held
        self._again_from_source = request.again_from_source
        self._known = known
        self._taken: set[str] = set()

    def _fate_of(self, letter: DeadLetter, sources: Mapping[str, bytes]) -> Fate:
        if self._again_from_source and needs_source(letter):
            return fate_from_source(letter, sources.get(letter.position), self._terms)
        return fate_of(letter, self._terms, self._send_held)

    def take(self, letters: Iterable[DeadLetter]) -> None:
        """Marks these letters as taken over. A letter that fails again is not a part of this replay."""
        self._taken.update(letter.id for letter in letters)

    def of_letters(self, tally: ReplayTally) -> Iterator[list[tuple[PlacedLetter, Fate]]]:
        """Some letters at a time; ``tally`` counts those that were sent again already. Raises ``DeadLettersMissing``."""
        letters = Letters(self._request, unreadable=tally.unreadable)
        found = letters.found()
        known_before = 0
        while some := list(islice(found, _AT_ONCE)):
            known = self._known([each.letter for each in some]) if self._known else set()
            known_before += len(known)
            lost = [each.letter.position for each in some if needs_source(each.letter)] if self._again_from_source else []
            sources = records_at(lost)
            new = [each for each in some if each.letter.id not in known and each.letter.id not in self._taken]
            yield [(each, self._fate_of(each.letter, sources)) for each in new]
        tally.sent_again += known_before + letters.sent_again


def _take_over(fates: _Fates, config: Config, state: State) -> ReplayTally:
    """Takes over the letters that find room."""
    waiting = state.outbox.waiting_counts()
    room = {consumer.name: config.outbox.statements - waiting[consumer.name] for consumer in config.consumers}
    tally = ReplayTally()
    for some in fates.of_letters(tally):
        statements: list[PlacedLetter] = []
        records: list[PlacedLetter] = []
        lines: list[bytes] = []
        for found, fate in some:
            letter = found.letter
            if isinstance(fate, AsStatement):
                assert letter.consumer is not None
                if room[letter.consumer] <= 0:
                    tally.left[letter.consumer] += 1
                    continue
                room[letter.consumer] -= 1
                statements.append(found)
            elif isinstance(fate, AsRecord):
                records.append(found)
                lines.append(fate.line)
            tally.add(letter, fate)
        if statements or records:
            state.take_over(TakenOver(statements, records, lines))
            fates.take(found.letter for found in (*statements, *records))
    return tally


def _read_and_deliver(request: ReplayRequest, config: Config, state: State, local_run: LocalRun, control: Control) -> None:
    """Reads the records that were taken over, by this replay or by one that was killed, and sends what waits."""
    spools = state.list_spools()
    if spools:
        plan = plan_of(request.config, config, str(state.folder), local_arguments(request.beam))
        check_tables_and_secrets(config, control.on_table)
        number = max(1, min(request.workers or os.cpu_count() or 1, spools))
        workers = Workers(for_workers(plan, number), config.waves.timeout)
        try:
            local_run.read_and_deliver(workers)
        finally:
            workers.kill()
    local_run.deliver()
    state.list_spools()
