"""What a replay does with each dead letter: pure decisions, and their counts for a person."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator
from typing import NamedTuple, TypeAlias

from edx2lrs.io.dead_letters.letters import DeadLetter
from edx2lrs.io.dead_letters.spool import spool_line
from edx2lrs.pipeline.commands.dead_letters import listed

_NAMED = 10  # of each reason


class AsStatement(NamedTuple):
    """Into the outbox of its consumer."""


class AsRecord(NamedTuple):
    """Through the job once more, from its first step, for the letter's consumer or for all. ``line``: as it is spooled."""

    line: bytes


class Skip(NamedTuple):
    """Not to be sent."""

    reason: str


Fate: TypeAlias = AsStatement | AsRecord | Skip

REASONS = {
    "redacted": "their payload is redacted: mend the reason, and run the log that `position` names again with a new --state",
    "none": "they have no payload: mend the reason, and run the log that `position` names again with a new --state",
    "file": "the fault is a file's, not a record's: run the file again",
    "no_consumer": "the configuration does not have their consumer",
    "incomplete": "they lack what is to be sent",
    "too_long": "the record is too long to be read",
}


def fate_of(letter: DeadLetter, consumers: Collection[str]) -> Fate:
    """What becomes of ``letter`` where the configuration has ``consumers``. The reasons to skip are the keys of ``REASONS``."""
    if letter.payload_form != "full":
        return Skip(letter.payload_form)
    if letter.stage == "read":
        return Skip("file")
    if letter.consumer is not None and letter.consumer not in consumers:
        return Skip("no_consumer")
    if letter.payload_kind == "statement":
        whole = letter.consumer and letter.statement_id and letter.payload and b"\n" not in letter.payload
        return AsStatement() if whole else Skip("incomplete")
    if not letter.payload:
        return Skip("incomplete")
    line = spool_line(letter)
    return AsRecord(line) if line is not None else Skip("too_long")


class Tally:
    """How many letters have which fate; a few of each that is skipped are named. ``sent_again``: by an earlier replay. ``left``:
    they find no room, since too much waits for their consumer already."""

    def __init__(self) -> None:
        self.statements: Counter[str] = Counter()
        self.records: Counter[str] = Counter()  # by consumer, "" for all
        self.skipped: dict[str, list[str]] = defaultdict(list)
        self.skips: Counter[str] = Counter()
        self.sent_again = 0
        self.left: Counter[str] = Counter()

    def add(self, letter: DeadLetter, fate: Fate) -> None:
        if isinstance(fate, Skip):
            self.skips[fate.reason] += 1
            if len(self.skipped[fate.reason]) < _NAMED:
                self.skipped[fate.reason].append(listed(letter))
        else:
            counts = self.statements if isinstance(fate, AsStatement) else self.records
            counts[letter.consumer or ""] += 1

    def lines(self, will: bool) -> Iterator[str]:
        """For a person; ``will``: nothing was done yet."""
        be = "would be" if will else "were"
        for consumer, number in sorted(self.statements.items()):
            yield f"{number:,} statement{_s(number)} {be} sent to {consumer}"
        for consumer, number in sorted(self.records.items()):
            to = f"for {consumer} alone" if consumer else "for all consumers that are entitled"
            yield f"{number:,} record{_s(number)} {be} read again, {to}"
        for consumer, number in sorted(self.left.items()):
            yield f"{number:,} letter{_s(number)} stay for now: too much waits for {consumer} already (outbox.statements)"
        if self.sent_again:
            yield f"{self.sent_again:,} letter{_s(self.sent_again)} were sent again before, and stay out"
        for reason, number in sorted(self.skips.items()):
            yield f"{number:,} letter{_s(number)} cannot be sent again: {REASONS[reason]}"
            yield from (f"  {name}" for name in self.skipped[reason])
            if number > _NAMED:
                yield f"  and {number - _NAMED:,} more, which `edx2lrs dead-letters list` names"
        if not (self.statements or self.records or self.left or self.skips or self.sent_again):
            yield "there is no dead letter to be sent again"

    def go_on(self, later: Tally) -> None:
        """Adds what a later look at the same letters has found."""
        self.statements += later.statements
        self.records += later.records
        self.left = later.left


def _s(number: int) -> str:
    return "" if number == 1 else "s"
