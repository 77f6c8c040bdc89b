"""What a replay does with each dead letter: pure decisions, and their counts."""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

import orjson

from edx2lrs.io.dead_letters.letters import DeadLetter
from edx2lrs.io.dead_letters.spool import spool_line
from edx2lrs.pipeline.app.dead_letters import without_content

NAMED = 10
"""How many letters of each reason to skip are named."""


class AsStatement(NamedTuple):
    """Into the outbox of its consumer."""


class AsRecord(NamedTuple):
    """Through the job once more, from its first step, for the letter's consumer or for all. ``line``: as it is spooled."""

    line: bytes


class Skip(NamedTuple):
    """The letter is not sent."""

    reason: str


Fate: TypeAlias = AsStatement | AsRecord | Skip


def fate_of(letter: DeadLetter, consumers: Collection[str]) -> Fate:
    """What ``letter`` becomes if the configuration has ``consumers``. The reasons to skip: ``redacted`` and ``none`` (the letter
    lacks its payload), ``file``, ``no_consumer``, ``incomplete``, ``too_long``, ``not_ours`` (no letter that edx2lrs writes)."""
    if letter.payload_form != "full":
        return Skip(letter.payload_form)
    if letter.stage == "read":
        return Skip("file")
    if letter.consumer is not None and letter.consumer not in consumers:
        return Skip("no_consumer")
    if not letter.payload:
        return Skip("incomplete")
    if letter.payload_kind == "statement":
        if not letter.consumer or not letter.statement_id:
            return Skip("incomplete")
        return AsStatement() if is_one_statement(letter) else Skip("not_ours")
    if letter.payload_kind != "record":
        return Skip("not_ours")
    line = spool_line(letter)
    return AsRecord(line) if line is not None else Skip("too_long")


def is_one_statement(letter: DeadLetter) -> bool:
    """Whether the payload is one statement (or event) on one line, with the id that the letter names, from a place on one line."""
    place = f"{letter.position}{letter.event_name or ''}"
    if b"\n" in letter.payload or "\n" in place or "\t" in (letter.event_name or ""):
        return False
    try:
        body = orjson.loads(letter.payload)  # strict: one value, UTF-8, no NaN
        json.loads(letter.payload, object_pairs_hook=_once)
        named = uuid.UUID(letter.statement_id or "")
    except (ValueError, RecursionError):
        return False
    return isinstance(body, dict) and body.get("id") in (str(named), named.urn)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):  # a receiver may take the first of two ids, where we took the last
        raise ValueError
    return found


@dataclass
class ReplayTally:
    """How many letters have which fate: ``statements`` and ``records`` by consumer ("": all consumers), ``skips`` by reason, of
    which the first are in ``skipped``, without content. ``sent_again``: by an earlier replay. ``left``: they find no room, since too
    much waits for their consumer already. ``unreadable``: why a file of letters could not be read."""

    statements: Counter[str] = field(default_factory=Counter)
    records: Counter[str] = field(default_factory=Counter)
    skips: Counter[str] = field(default_factory=Counter)
    skipped: dict[str, list[DeadLetter]] = field(default_factory=dict)
    sent_again: int = 0
    left: Counter[str] = field(default_factory=Counter)
    unreadable: list[str] = field(default_factory=list)

    def add(self, letter: DeadLetter, fate: Fate) -> None:
        if isinstance(fate, Skip):
            self.skips[fate.reason] += 1
            named = self.skipped.setdefault(fate.reason, [])
            if len(named) < NAMED:
                named.append(without_content(letter))
        else:
            counts = self.statements if isinstance(fate, AsStatement) else self.records
            counts[letter.consumer or ""] += 1

    @property
    def not_read(self) -> bool:
        """Whether there were files that could not be read, or letters that edx2lrs does not write."""
        return bool(self.unreadable or self.skips["not_ours"])

    def go_on(self, later: ReplayTally) -> None:
        self.statements += later.statements
        self.records += later.records
        self.left = later.left
        self.unreadable = list(dict.fromkeys([*self.unreadable, *later.unreadable]))
