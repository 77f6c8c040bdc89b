"""What could not be read, translated or delivered, and is still to be sent again: listed, grouped by cause, counted."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from msgspec.structs import replace

from edx2lrs.io.dead_letters.letters import DeadLetter, PlacedLetter, files, find, folder_of_letters
from edx2lrs.io.paths import folder_of, is_remote
from edx2lrs.io.progress import silent
from edx2lrs.io.state.integrity import FILE_NAME
from edx2lrs.io.state.sent_again import DEAD_LETTERS
from edx2lrs.io.state.state import look_at_state
from edx2lrs.pipeline.app.letter_filters import EVERY_LETTER, LetterFilter


@dataclass(frozen=True)
class LettersRequest:
    """``path``: an Avro file, a glob or folder of them (local, or of any Beam file system), or a state directory."""

    path: str
    wanted: LetterFilter = EVERY_LETTER


class UnknownConsumer(Exception):
    """A filter names a consumer that nobody knows; the text names those that are known."""


@dataclass(frozen=True)
class LetterGroup:
    """Dead letters of one cause and consumer: how many, and the first of them."""

    cause: str
    consumer: str | None
    letters: int
    example: DeadLetter


@dataclass(frozen=True)
class LetterCount:
    """How many dead letters have one consumer, stage, cause and event, and when the first and the last of them failed."""

    consumer: str | None
    stage: str
    cause: str
    event: str | None
    letters: int
    first: datetime
    last: datetime


@dataclass
class Letters:
    """The dead letters of a request. Once they were read: how many more were ``sent_again`` before, and what could not be read
    (``unreadable``, a text for each file)."""

    request: LettersRequest
    sent_again: int = 0
    unreadable: list[str] = field(default_factory=list)

    def __iter__(self) -> Iterator[DeadLetter]:
        return (found.letter for found in self.found())

    def found(self) -> Iterator[PlacedLetter]:
        """The letters with the folders that they lie in. Raises ``DeadLettersMissing``, ``StateError``, ``OSError``."""
        wanted = self.request.wanted.matches

        def count(letter: DeadLetter) -> None:
            self.sent_again += wanted(letter)

        return (found for found in letters_at(self.request.path, self.unreadable.append, count) if wanted(found.letter))


def letters_at(path: str, warn: Callable[[str], None], sent_again: Callable[[DeadLetter], None]) -> Iterator[PlacedLetter]:
    """The letters of files, or those of a state directory: in its files, and in no file yet. Raises ``DeadLettersMissing``,
    ``StateError``, ``OSError``."""
    if not is_state_directory(path):
        yield from find(files(path), warn, sent_again)
        return
    with look_at_state(Path(path)) as state:
        folder = os.path.abspath(state.dead_letters_folder)
        yield from find(files(folder) if any(Path(folder).glob("*.avro")) else [], warn, sent_again, state.dead_letters.read, folder)


def check_consumers(request: LettersRequest, known: Collection[str] = ()) -> None:
    """Raises ``UnknownConsumer`` for a consumer of the filter that is not among ``known``, nor in the state directory, nor in any
    letter; and what reading letters raises."""
    unknown = request.wanted.consumers.difference(known)
    if not unknown:
        return
    names = set(known)
    if is_state_directory(request.path):
        with look_at_state(Path(request.path)) as state:
            names.update(state.outbox.waiting_counts())
    sent_again: list[str | None] = []

    def note(letter: DeadLetter) -> None:
        sent_again.append(letter.consumer)

    names.update(found.letter.consumer or "" for found in letters_at(request.path, silent, note))
    names.update(name or "" for name in sent_again)
    for name in sorted(unknown - names):
        raise UnknownConsumer(f"--consumer {name}: no such consumer; there are {', '.join(sorted(names - {''})) or 'none'}")


def is_state_directory(path: str) -> bool:
    return not is_remote(path) and (Path(path) / FILE_NAME).exists()


def folder_of_new(path: str) -> str:
    """Where the letters of what fails again are to lie: with the first of those at ``path``. Raises ``DeadLettersMissing``."""
    if is_state_directory(path):
        return os.path.abspath(Path(path) / DEAD_LETTERS)
    return next((folder_of(name) for name in files(path)), folder_of_letters(path))


def grouped(letters: Letters) -> list[LetterGroup]:
    """The letters by cause and consumer, the largest group first. Raises what reading them raises."""
    examples: dict[tuple[str, str | None], DeadLetter] = {}
    sizes: Counter[tuple[str, str | None]] = Counter()
    for letter in letters:
        key = letter.cause, letter.consumer
        examples.setdefault(key, letter)
        sizes[key] += 1
    found = [LetterGroup(*key, sizes[key], example) for key, example in examples.items()]
    return sorted(found, key=lambda group: (-group.letters, group.cause, group.consumer or ""))


def counted(letters: Letters) -> list[LetterCount]:
    """How many there are of each kind, the largest number first. Raises what reading them raises."""
    found: dict[tuple[str | None, str, str, str | None], LetterCount] = {}
    for letter in letters:
        kind = letter.consumer, letter.stage, letter.cause, letter.event_name
        known = found.get(kind, LetterCount(*kind, 0, letter.time, letter.time))
        found[kind] = LetterCount(*kind, known.letters + 1, min(known.first, letter.time), max(known.last, letter.time))
    return [count for kind, count in sorted(found.items(), key=lambda item: (-item[1].letters, [word or "" for word in item[0]]))]


def without_content(letter: DeadLetter) -> DeadLetter:
    """The letter without what it holds of its record and of the consumer's answer."""
    return replace(letter, payload=b"", http_body=None, attributes={})
