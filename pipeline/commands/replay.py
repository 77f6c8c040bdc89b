"""Send dead letters again: records through the whole job, statements to their consumer.

A letter is sent from the state directory that took it over, once: the same command goes on after a kill.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

from edx2lrs.io.dead_letters.letters import DeadLetter, DeadLettersMissing, files, folder_of_letters
from edx2lrs.io.paths import is_remote
from edx2lrs.io.state.database import FILE_NAME
from edx2lrs.io.state.state import State, join_state
from edx2lrs.io.state.take_over import TakenOver
from edx2lrs.pipeline.commands.dead_letters import is_state_directory, letters_at
from edx2lrs.pipeline.commands.letter_filters import add_filter_arguments, filter_of
from edx2lrs.pipeline.commands.replay_plan import AsRecord, AsStatement, Fate, Tally, fate_of
from edx2lrs.pipeline.config.reading import load
from edx2lrs.pipeline.local import run_lifecycle
from edx2lrs.pipeline.local.run import LocalRun
from edx2lrs.pipeline.run_options import check_report, follow_beam_options
from edx2lrs.transforms.config_types import Config

TAKES_BEAM_OPTIONS = True

_AT_ONCE = 1_000  # letters in one transaction
_OWN_STATE = "edx2lrs-replay-"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", required=True, metavar="FILE", help="the configuration (YAML)")
    where = "an Avro file, a glob or folder of them (local, s3://, gs://), or a state directory"
    parser.add_argument("path", metavar="PATH", help=where)
    add_filter_arguments(parser)
    parser.add_argument("--dry-run", action="store_true", help="say what would be sent, and change nothing")
    own = "the state directory that the letters lie in, else a new one here, which the same command finds again"
    parser.add_argument("--state", metavar="DIR", help=f"what sends them, and knows how far it is; default: {own}")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, metavar="N", help="processes that read records")
    parser.add_argument("--report", metavar="PATH", help="write the run's report there, as JSON, every 10 s and at the end")
    parser.epilog = "Beam's own options, such as those of its file systems, may follow."


def run(arguments: argparse.Namespace) -> int:
    return run_lifecycle.exit_code_of(lambda: _run(arguments))


def _run(arguments: argparse.Namespace) -> int:
    follow_beam_options(arguments.beam)
    config = load(arguments.config)
    check_report(arguments.report)
    folder = Path(arguments.state) if arguments.state else default_state(arguments.path)
    try:
        if not is_state_directory(arguments.path):
            files(arguments.path)  # before a state directory is made
        if arguments.dry_run:
            return _dry_run(arguments, config, folder)
        with _owned(folder, config) as state:
            return _replay(arguments, config, state)
    except DeadLettersMissing as error:
        print(f"edx2lrs: {error}", file=sys.stderr)
        return run_lifecycle.WRONG_USAGE


def default_state(path: str) -> Path:
    """Without ``--state``: the state directory that ``path`` is or lies in; else one here that no other letters have."""
    if is_state_directory(path):
        return Path(path)
    folder = folder_of_letters(path)
    if not is_remote(folder) and (Path(folder).parent / FILE_NAME).exists():
        return Path(folder).parent
    return Path(_OWN_STATE + hashlib.sha256(folder.encode()).hexdigest()[:8])


@contextlib.contextmanager
def _owned(folder: Path, config: Config) -> Iterator[State]:
    """The state directory. One that was made for these letters alone is removed when nothing of worth is left in it."""
    worthless = False
    try:
        with run_lifecycle.owned_state(str(folder), config) as state:
            yield state
            left = state.dead_letters.count() or state.sent_again.unmarked() or any(state.outbox.waiting_counts().values())
            worthless = folder.name.startswith(_OWN_STATE) and not left
    finally:
        if worthless:
            shutil.rmtree(folder)


Known = Callable[[list[DeadLetter]], set[str]]


class _Letters:
    """The letters at a path that are asked for, with their fates. ``known``: which the state has taken over before."""

    def __init__(self, arguments: argparse.Namespace, config: Config, known: Known) -> None:
        self._path = arguments.path
        self._wanted = filter_of(arguments)
        self._consumers = {consumer.name for consumer in config.consumers}
        self._known = known
        self._taken: set[str] = set()

    def take(self, letters: list[DeadLetter]) -> None:
        """These are taken over: what fails again is no matter of this replay."""
        self._taken.update(letter.id for letter in letters)

    def fates(self, tally: Tally) -> Iterator[list[tuple[DeadLetter, Fate]]]:
        """Some at a time; what was sent again already is counted in ``tally`` alone. Raises ``DeadLettersMissing``."""

        def count(letter: DeadLetter) -> None:
            tally.sent_again += self._wanted(letter)

        found = filter(self._wanted, letters_at(self._path, _warn, count))
        while some := list(islice(found, _AT_ONCE)):
            known = self._known(some)
            tally.sent_again += len(known)
            new = [letter for letter in some if letter.id not in known and letter.id not in self._taken]
            yield [(letter, fate_of(letter, self._consumers)) for letter in new]


def _warn(text: str) -> None:
    print(f"edx2lrs: {text}", file=sys.stderr)


def _dry_run(arguments: argparse.Namespace, config: Config, folder: Path) -> int:
    tally = Tally()
    with contextlib.ExitStack() as stack:
        known: Known = _nothing
        if (folder / FILE_NAME).exists():
            known = stack.enter_context(join_state(folder)).sent_again.known
        for some in _Letters(arguments, config, known).fates(tally):
            for letter, fate in some:
                tally.add(letter, fate)
    for line in tally.lines(will=True):
        print(line)
    return 0


def _nothing(_letters: list[DeadLetter]) -> set[str]:
    return set()


def _replay(arguments: argparse.Namespace, config: Config, state: State) -> int:
    """Takes the letters over and sends them. What finds no room in the outbox is taken over when there is some."""
    letters_folder = state.dead_letters_folder if is_state_directory(arguments.path) else folder_of_letters(arguments.path)
    state.dead_letters.export(letters_folder)
    run = run_lifecycle.begun(config, state, arguments.report, Path(arguments.config).stem, letters_folder)
    letters = _Letters(arguments, config, state.sent_again.known)
    with run_lifecycle.stopped_by_signals(run), run_lifecycle.abandoned_on_fault(run):
        done = _taken_over(letters, config, state, letters_folder)
        _read_and_deliver(arguments, config, state, run)
        while done.left and not run.stopped:
            more = _taken_over(letters, config, state, letters_folder)
            done.go_on(more)
            if not more.statements:
                break
            _read_and_deliver(arguments, config, state, run)
        for line in done.lines(will=False):
            print(line)
        print()
        return run_lifecycle.ended(run)


def _taken_over(letters: _Letters, config: Config, state: State, folder: str) -> Tally:
    """Takes over what there is room for."""
    waiting = state.outbox.waiting_counts()
    room = {consumer.name: config.outbox.statements - waiting[consumer.name] for consumer in config.consumers}
    tally = Tally()
    for some in letters.fates(tally):
        statements: list[DeadLetter] = []
        records: list[DeadLetter] = []
        lines: list[bytes] = []
        for letter, fate in some:
            if isinstance(fate, AsStatement):
                assert letter.consumer is not None
                if room[letter.consumer] <= 0:
                    tally.left[letter.consumer] += 1
                    continue
                room[letter.consumer] -= 1
                statements.append(letter)
            elif isinstance(fate, AsRecord):
                records.append(letter)
                lines.append(fate.line)
            tally.add(letter, fate)
        if statements or records:
            state.take_over(TakenOver(statements, records, lines), folder)
            letters.take([*statements, *records])
    return tally


def _read_and_deliver(arguments: argparse.Namespace, config: Config, state: State, run: LocalRun) -> None:
    """Reads the records that were taken over, by this command or by one that was killed, and sends what waits."""
    spools = state.list_spools()
    if spools:
        _read(arguments, config, state, run, spools)
    run.deliver()
    state.list_spools()


def _read(arguments: argparse.Namespace, config: Config, state: State, run: LocalRun, spools: int) -> None:
    # Beam takes a second to import
    from edx2lrs.pipeline.compiled_config import CompiledConfig
    from edx2lrs.pipeline.local.worker_messages import WorkerPlan
    from edx2lrs.pipeline.local.workers import Workers
    from edx2lrs.pipeline.run_options import local_beam_arguments
    from edx2lrs.pipeline.status_line import steps_shown

    beam_arguments = local_beam_arguments(arguments.beam)
    with steps_shown("lms.external_ids") as step:
        CompiledConfig(config, step)  # what is wrong with tables and secrets is said here, once
    config_path = arguments.config if is_remote(arguments.config) else os.path.abspath(arguments.config)
    consumers = tuple(consumer.name for consumer in config.consumers)
    of_all = (config_path, str(state.folder), beam_arguments, consumers, config.outbox.statements)
    number_of_workers = max(1, min(arguments.workers, spools))
    plans = [WorkerPlan(f"worker-{number}", *of_all, number_of_workers) for number in range(1, number_of_workers + 1)]
    workers = Workers(plans)
    try:
        run.read_and_deliver(workers)
    finally:
        workers.kill()
