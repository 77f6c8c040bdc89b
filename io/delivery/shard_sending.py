"""Sending to one consumer in turns, for engines where a shard is served now and then and its state is kept elsewhere between.

A turn goes on from where the last one ended (``Standing``), with what waits, and ends when nothing is to be done for some time.
Times are POSIX seconds, since turns may be on several machines."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple, Protocol

import msgspec

from edx2lrs.io.back_off import Random
from edx2lrs.io.delivery import settlements
from edx2lrs.io.delivery.circuit import Circuit
from edx2lrs.io.delivery.consumer_sender import Client
from edx2lrs.io.delivery.sending import Request, Sending, Standing, Unsent
from edx2lrs.io.state.batch import PendingStatement
from edx2lrs.io.state.outbox import Settlement, StoredBlock, statements_in
from edx2lrs.transforms.config_types import Consumer
from edx2lrs.transforms.counters import Key


class TurnLimits(NamedTuple):
    """How long a turn may hold its slot, in seconds. ``turn``: after it no request begins. ``wait``: the longest time that it
    waits for something to do. ``outage``: how long a circuit may be open before what waits is given up (None: it waits on)."""

    turn: float
    wait: float
    outage: float | None


class Blocks(Protocol):
    """What waits, oldest first."""

    def __bool__(self) -> bool: ...

    def popleft(self) -> StoredBlock: ...


class Turn(NamedTuple):
    """What a turn did. ``unsent``: what it took of the blocks and did not send; ``again_at``: when the next turn is due, if
    anything waits."""

    settlements: list[Settlement]
    counts: Counter[Key]
    standing: Standing
    unsent: list[PendingStatement]
    again_at: float | None


class _Stop(NamedTuple):
    """Why nothing more is sent: there is nothing to do before ``again_at`` (None: at all), or the outage has been too long."""

    again_at: float | None
    out_too_long: bool = False


class TurnTaker:
    """Takes turns for the shards of one consumer. ``consumer`` is what one shard sees of it."""

    def __init__(
        self,
        consumer: Consumer,
        client: Client,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        random: Random = random.random,
    ) -> None:
        self._consumer, self._client = consumer, client
        self._clock, self._sleep, self._random = clock, sleep, random

    def take(self, standing: Standing, blocks: Blocks, limits: TurnLimits, last: bool) -> Turn:
        """Sends what is due of what was tried (``standing``) and of ``blocks``, from which it takes what it needs; ``last``: all
        of it, for no more will come."""
        settled: list[Settlement] = []
        counts: Counter[Key] = Counter()
        end = self._clock() + limits.turn
        while True:
            sending = self._begin(standing, last)
            stop = self._send(sending, blocks, settled, limits, end)
            counts += sending.counts
            standing, unsent = sending.put_down()
            if not stop.out_too_long:
                return Turn(settled, counts, standing, unsent, stop.again_at)
            settled += self._give_up(standing, unsent)
            standing = msgspec.structs.replace(standing, tried=[])

    def _begin(self, standing: Standing, last: bool) -> Sending:
        sending = Sending(self._consumer, self._random)
        sending.resume(standing)
        sending.draining = last
        return sending

    def _send(self, sending: Sending, blocks: Blocks, settled: list[Settlement], limits: TurnLimits, end: float) -> _Stop:
        while True:
            while blocks and sending.has_room():
                block = blocks.popleft()
                sending.add(block, block.created)
            sending.more = bool(blocks)
            now = self._clock()
            if not sending.held:
                return _Stop(None)
            if _is_out_too_long(sending.circuit, limits.outage, now):
                return _Stop(None, out_too_long=True)
            if now >= end:
                return _Stop(now)
            chosen = sending.choose(now)
            if not isinstance(chosen, float):
                settled += self._carry_out(sending, chosen)
            elif chosen - now > limits.wait:
                return _Stop(chosen)
            else:
                self._sleep(chosen - now)

    def _carry_out(self, sending: Sending, chosen: Request | Unsent) -> list[Settlement]:
        if isinstance(chosen, Unsent):
            settled = chosen.settlements
        else:
            answer = self._client.post(chosen.batch.lines)
            settled = sending.answered(chosen, answer, self._clock())
        sending.settled(statements_in(settled))
        return settled

    def _give_up(self, standing: Standing, unsent: list[PendingStatement]) -> list[Settlement]:
        reason = standing.circuit.reason
        settled = settlements.outlived(self._consumer, unsent, 0, reason)
        for each in standing.tried:
            settled += settlements.outlived(self._consumer, each.statements, each.total, reason)
        return settled


class Absent:
    """For shards of a consumer that the configuration has no more, or that this process does not know yet: nothing is sent, and
    what waits goes on waiting until no more will come."""

    def __init__(self, consumer: Consumer, look_again: float, clock: Callable[[], float] = time.time) -> None:
        """``look_again``: seconds until the next turn."""
        self._consumer, self._look_again, self._clock = consumer, look_again, clock

    def take(self, standing: Standing, blocks: Blocks, _limits: TurnLimits, last: bool) -> Turn:
        """As ``TurnTaker.take``."""
        if not last:
            return Turn([], Counter(), standing, [], self._clock() + self._look_again)
        waiting = [tried.statements for tried in standing.tried]
        while blocks:
            waiting.append(list(blocks.popleft().waiting.statements()))
        reason = "the configuration has no such consumer any more"
        settled = [each for some in waiting for each in settlements.outlived(self._consumer, some, 0, reason)]
        return Turn(settled, Counter(), msgspec.structs.replace(standing, tried=[]), [], None)


def _is_out_too_long(circuit: Circuit, limit: float | None, now: float) -> bool:
    """Not while a probe is due: it may find out that the consumer is back."""
    return limit is not None and circuit.state == "open" and circuit.opened_at + limit <= now < circuit.probe_at
