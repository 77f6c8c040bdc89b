"""What a replay does with each dead letter: pure decisions, and their counts."""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

import orjson
from msgspec.structs import replace

from edx2lrs.io.dead_letters.letters import DeadLetter
from edx2lrs.io.dead_letters.spool import spool_line
from edx2lrs.io.state.terms import ADDRESS, PROTOCOL, changed_terms
from edx2lrs.pipeline.app.dead_letters import without_content
from edx2lrs.transforms.records.event_name import event_name

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


def fate_of(letter: DeadLetter, terms: Mapping[str, str], send_held: bool = False) -> Fate:
    """What ``letter`` becomes; ``terms`` are today's, by consumer. ``send_held``: also a statement under other terms. The reasons to
    skip: ``redacted`` and ``none`` (the letter lacks its payload), ``file``, ``no_consumer``, ``incomplete``, ``too_long``,
    ``not_ours`` (no letter that edx2lrs writes), ``other_terms``, ``other_protocol`` (other options decided about the statement)."""
    if letter.payload_form != "full":
        return Skip(letter.payload_form)
    if letter.stage == "read":
        return Skip("file")
    if letter.consumer is not None and letter.consumer not in terms:
        return Skip("no_consumer")
    if not letter.payload:
        return Skip("incomplete")
    if letter.payload_kind == "statement":
        if not letter.consumer or not letter.statement_id:
            return Skip("incomplete")
        if not is_one_statement(letter):
            return Skip("not_ours")
        return _under_terms(letter, terms[letter.consumer], send_held)
    if letter.payload_kind != "record":
        return Skip("not_ours")
    line = spool_line(letter)
    return AsRecord(line) if line is not None else Skip("too_long")


def needs_source(letter: DeadLetter) -> bool:
    """Whether the letter does not hold its record, which its position names: a statement, or a letter without its payload."""
    return letter.stage != "read" and (letter.payload_kind == "statement" or letter.payload_form != "full")


def fate_from_source(letter: DeadLetter, record: bytes | None, terms: Mapping[str, str]) -> Fate:
    """What such a letter becomes if it is made anew of ``record``, which is at its position now. ``no_source``: nothing is there, or
    another event."""
    if record is None or (letter.event_name is not None and event_name(record) != letter.event_name):
        return Skip("no_source")
    return fate_of(replace(letter, payload=record, payload_kind="record", payload_form="full", statement_id=None), terms)


def _under_terms(letter: DeadLetter, today: str, send_held: bool) -> Fate:
    """A new address alone is no reason to skip: who replays names the configuration."""
    try:
        changed = changed_terms(letter.terms, today) if letter.terms is not None else ()
    except (ValueError, AttributeError, RecursionError):
        return Skip("not_ours")
    if PROTOCOL in changed:
        return Skip("other_protocol")
    return AsStatement() if send_held or not set(changed) - {ADDRESS} else Skip("other_terms")


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
