"""Statements that wait in a state directory: shown, dropped, handed over to another consumer. While a job owns the directory, only
shown."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from edx2lrs.io.state.state import State, look_at_state, own_state
from edx2lrs.io.state.terms import PROTOCOL, HeldStatements
from edx2lrs.pipeline.config.reading import load
from edx2lrs.pipeline.run_options import OptionError
from edx2lrs.pipeline.terms import terms_of


@dataclass(frozen=True)
class WaitingStatements:
    """What waits for one consumer: how many statements, the age of the oldest in seconds, and what of it is held."""

    consumer: str
    statements: int
    oldest_age: float
    held: list[HeldStatements]


def waiting(state_directory: str) -> list[WaitingStatements]:
    """By consumer, for all that have something. Raises ``StateError``."""
    with look_at_state(Path(state_directory)) as state:
        now, oldest, held = time.time(), state.outbox.oldest(), state.outbox.held()
        return [
            WaitingStatements(name, number, max(0.0, now - oldest.get(name, now)), [each for each in held if each.consumer == name])
            for name, number in state.outbox.waiting_counts().items()
            if number
        ]


def drop(state_directory: str, consumer: str, held_only: bool = False, dry_run: bool = False) -> int:
    """Drops what waits for ``consumer``, or of it what is held; gives how many statements. ``dry_run``: says the number alone. Raises
    ``StateError``, ``OptionError``."""
    if dry_run:
        with look_at_state(Path(state_directory)) as state:
            return _number(state, consumer, held_only)
    with own_state(Path(state_directory)) as state:
        _number(state, consumer, held_only)
        state.outbox.set_damaged_apart()
        return state.drop(consumer, held_only)


@dataclass(frozen=True)
class HandOverRequest:
    """What waits for ``consumer`` is to go to the consumer ``to`` of the configuration ``config``."""

    state: str
    consumer: str
    to: str
    config: str
    dry_run: bool = False


def hand_over(request: HandOverRequest) -> int:
    """Gives how many statements were handed over. They stay under the terms that they were made under: what ``to`` would not get today
    is held. Raises ``ConfigError``, ``StateError``, ``OptionError``."""
    terms = terms_of(load(request.config))
    if request.to not in terms:
        raise OptionError(f"--to {request.to}: {request.config} has no such consumer; it has {', '.join(terms)}")
    if request.to == request.consumer:
        raise OptionError(f"--to {request.to}: the statements wait for this consumer already")
    with look_at_state(Path(request.state)) if request.dry_run else own_state(Path(request.state)) as state:
        number = _number(state, request.consumer, False)
        if any(PROTOCOL in keys for keys in state.changed_for(request.consumer, terms[request.to])):
            raise OptionError(f"--to {request.to}: what waits for {request.consumer} is of another protocol, and can only be dropped")
        if request.dry_run:
            return number
        state.outbox.set_damaged_apart()
        state.ledger.add_consumers([request.to], terms)
        return state.hand_over(request.consumer, request.to)


def _number(state: State, consumer: str, held_only: bool) -> int:
    waits = state.outbox.waiting_counts()
    if consumer not in waits:
        names = ", ".join(waits) or "none"
        raise OptionError(f"--consumer {consumer}: not in the state directory {state.folder}; its consumers are {names}")
    if held_only:
        return sum(each.statements for each in state.outbox.held() if each.consumer == consumer)
    return waits[consumer]
