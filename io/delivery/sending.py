"""What is sent to one consumer, and when: its queue, retries, doubts, pace and circuit. No threads, no clock, no network."""

from __future__ import annotations

import heapq
import itertools
from collections import Counter
from operator import attrgetter
from typing import Any, NamedTuple

import msgspec

from edx2lrs.io.back_off import Random
from edx2lrs.io.delivery import settlements
from edx2lrs.io.delivery.batch_queue import BatchQueue
from edx2lrs.io.delivery.bodies import frame_bytes
from edx2lrs.io.delivery.circuit import Circuit
from edx2lrs.io.delivery.decision import Again, Answer, Decision, Doubt, Hold, Policy, Sent, Split, Stored, dead_by_refusal, decide
from edx2lrs.io.delivery.pace import Pace, steady_size
from edx2lrs.io.state.batch import Batch, PendingStatement
from edx2lrs.io.state.outbox import Settlement, StoredBlock
from edx2lrs.transforms.config_types import Consumer
from edx2lrs.transforms.counters import Key

_LOOK_AGAIN = 10.0  # seconds, when no event is in sight; whatever changes is told at once


_KEYS_IN_STATE = {"since_closed": "attempts", "total": "tries", "inconclusive": "in_vain"}  # as keyed state has them


class _History(msgspec.Struct, kw_only=True, rename=_KEYS_IN_STATE):
    """What has happened to a batch. Counts of requests with this batch: ``total``; ``since_closed``: since the circuit was last
    closed; ``inconclusive``: those of ``since_closed`` whose answers said nothing about the statements. ``doubted_at``: how many
    batches the consumer had accepted when it refused the one statement of this batch."""

    since_closed: int = 0
    total: int = 0
    unconnected: int = 0
    server_errors: int = 0
    doubted_at: int | None = None
    inconclusive: int = 0


class Request(_History):
    """A request to be made: its batch, and the history of the batch."""

    batch: Batch


class Unsent(NamedTuple):
    """Statements that are settled without another request."""

    settlements: list[Settlement]
    given_up: bool  # by an outage; else the last word on statements that were refused


class Tried(_History):
    """A ``Request`` that is to be sent again at ``due``, as it is kept; one with an ``answer`` is in doubt."""

    statements: list[PendingStatement]
    due: float = 0.0
    answer: Answer | None = None
    verify: bool = False


class Standing(msgspec.Struct, frozen=True):
    """How a consumer stands when its ``Sending`` is put down, for another one to go on from (``io.delivery.shard_sending``).

    ``most_bytes``: what a batch may have after a 413 (None: what the configuration says), ``accepted_since`` that many requests."""

    circuit: Circuit = Circuit()
    next_at: float = 0.0
    refusals: int = 0
    timeouts: int = 0
    accepted: int = 0
    tried: list[Tried] = []
    most_bytes: int | None = None
    accepted_since: int = 0


class _Doubted(NamedTuple):
    request: Request
    answer: Answer
    verify: bool


class Sending:
    """The state of sending to one consumer; not safe for threads by itself. Times are seconds of a monotonic clock.

    Whoever drives it adds blocks while ``has_room``, carries out what ``choose`` gives, tells ``answered`` the answer, and calls
    ``settled`` when what that gave is settled. It sets ``draining`` when no more will come, so that no batch waits to be full, and
    ``more`` while the outbox may hold blocks that were not added."""

    def __init__(self, consumer: Consumer, random: Random, accepted_before: bool = False) -> None:
        """``accepted_before``: the consumer has accepted statements in an earlier run."""
        self._consumer = consumer
        self._accepted_before = accepted_before
        self._random = random
        self._policy = Policy.of(consumer)
        size = steady_size(consumer.batch.size, consumer.rate)
        self._queue = BatchQueue(msgspec.structs.replace(consumer.batch, size=size), frame_bytes(consumer))
        self._later: list[tuple[float, int, Request]] = []
        self._order = itertools.count()
        self._doubted: list[_Doubted] = []
        self._refusals = 0
        self._timeouts = 0
        self._accepted = 0
        self.pace = Pace(consumer.rate)
        self.circuit = Circuit()
        self.in_flight = 0
        self.held = 0  # statements in hand, those in flight as well
        self.counts: Counter[Key] = Counter()  # for the ledger
        self.last_fault = ""
        self.draining = False
        self.more = False

    # Going on from another one

    def resume(self, standing: Standing) -> None:
        """Go on from ``standing``; to be called first."""
        self.circuit = standing.circuit
        self.pace.next_at = standing.next_at
        self._refusals, self._timeouts, self._accepted = standing.refusals, standing.timeouts, standing.accepted
        self._queue.resume(standing.most_bytes, standing.accepted_since)
        for tried in standing.tried:
            request = Request(Batch.of(tried.statements), **_history(tried))
            self.held += len(tried.statements)
            if tried.answer is None:
                self._push(request, tried.due)
            else:
                self._doubted.append(_Doubted(request, tried.answer, tried.verify))

    def put_down(self) -> tuple[Standing, list[PendingStatement]]:
        """How it stands, and what was never sent; nothing is in flight. It is of no use after that."""
        unsent: list[PendingStatement] = []
        while taken := self._queue.take():
            unsent += taken
        later = [_tried(request, due) for due, _, request in sorted(self._later, key=lambda each: each[:2], reverse=True)]
        doubted = [_tried(each.request, 0.0, each.answer, each.verify) for each in self._doubted]
        numbers = (self._refusals, self._timeouts, self._accepted)
        return Standing(self.circuit, self.pace.next_at, *numbers, [*later, *doubted], *self._queue.after_413()), unsent

    # Filling

    def has_room(self) -> bool:
        """Whether more should be read ahead: about two batches for each request that may be in flight are enough."""
        ahead = 2 * self._consumer.rate.concurrency
        batch = self._consumer.batch
        return len(self._queue) < ahead * batch.size and self._queue.bytes < ahead * batch.bytes

    def add(self, block: StoredBlock, since: float) -> None:
        """Take over what waits in ``block`` since that moment."""
        self._queue.add(block, since)
        self.held += block.waiting.size

    # Choosing

    def choose(self, now: float) -> Request | Unsent | float:
        """The next thing to do, counted as in flight; else the moment to ask again."""
        chosen = self._choose(now)
        if not isinstance(chosen, float):
            self.in_flight += 1
        if isinstance(chosen, Request):
            self.pace.sent(len(chosen.batch), now)
        return chosen

    def is_ready(self, now: float) -> bool:
        """Whether ``choose`` would give a request now, in the usual course."""
        if self.circuit.state != "closed" or self.in_flight >= self.pace.in_flight_limit or now < self.pace.next_at:
            return False
        return self._has_due_batch(now) or bool(self._later and self._later[0][0] <= now)

    def gives_up(self, now: float) -> bool:
        """Whether an outage has lasted so long that waiting statements become dead letters."""
        if self._consumer.on_outage != "dead_letter" or self.circuit.state != "open" or self.circuit.kind != "outage":
            return False
        return now >= self._give_up_at()

    def _give_up_at(self) -> float:
        return self.circuit.opened_at + (self._consumer.max_wait or 0.0)

    def _choose(self, now: float) -> Request | Unsent | float:
        if not self.in_flight:
            self.circuit = self.circuit.probe(now)
        if self.circuit.state == "open":
            return self._while_open(now)
        if self.circuit.state == "half_open":
            return now + _LOOK_AGAIN if self.in_flight else self._probe(now)
        if self.in_flight >= self.pace.in_flight_limit:
            return now + _LOOK_AGAIN
        return self._due(now) if now >= self.pace.next_at else self.pace.next_at

    def _while_open(self, now: float) -> Unsent | float:
        if self.gives_up(now) and self.held and not self.in_flight:
            return self._outlived()
        moments = (self.circuit.probe_at, self._give_up_at())
        return min((moment for moment in moments if moment > now), default=now + _LOOK_AGAIN)

    def _outlived(self) -> Unsent:
        if self._later:
            request = heapq.heappop(self._later)[2]
        elif len(self._queue):
            request = Request(self._queue.take())
        else:
            request = self._doubted.pop().request
        dead = settlements.outlived(self._consumer, request.batch, request.total, self.circuit.reason)
        return Unsent(dead, given_up=True)

    def _probe(self, now: float) -> Request | float:
        """The probe: the oldest batch. If the content of this batch may be the reason for the open circuit, every second probe is a
        batch that the consumer has not seen yet."""
        circuit = self.circuit
        fresh_first = circuit.by_batch and (circuit.failed_probes % 2 == 0) == (circuit.kind == "refusing")
        if len(self._queue) and (fresh_first or not self._later):
            return Request(self._queue.take())
        self._line_up()
        return heapq.heappop(self._later)[2] if self._later else now + _LOOK_AGAIN

    def _line_up(self) -> None:
        """Requests that were tried already are due at once, oldest first."""
        requests = sorted((request for _, _, request in self._later), key=attrgetter("batch.age"), reverse=True)
        self._later.clear()
        for request in requests:
            self._push(request, 0.0)

    def _has_due_batch(self, now: float) -> bool:
        due_at = self._queue.due_at()
        return due_at is not None and (due_at <= now or self.draining)

    def _due(self, now: float) -> Request | Unsent | float:
        fresh = self._has_due_batch(now)
        # The next acceptance resolves a doubt, and shows that refusals in a row are about statements: a batch that the consumer
        # has not seen is the best hope for one.
        wanted = bool(self._doubted) or 2 * self._refusals >= self._policy.refusals
        if self._later and self._later[0][0] <= now and not (fresh and wanted):
            return heapq.heappop(self._later)[2]
        if fresh:
            return Request(self._queue.take())
        if self._is_end() and self._doubted and not self._later and not self.in_flight:
            return self._last_word(now)
        moments = [due for due, _, _ in self._later[:1]]
        due_at = self._queue.due_at()
        return min([*moments, due_at] if due_at is not None else moments, default=now + _LOOK_AGAIN)

    def _is_end(self) -> bool:
        """Whether the consumer will get no statements except statements that were sent before."""
        return self.draining and not self.more and not len(self._queue)

    def _last_word(self, now: float) -> Request | Unsent | float:
        """Only doubted statements are left. If the consumer has accepted any statement in this run or an earlier run, the doubted
        statements are bad; else the consumer refuses everything."""
        if not self._accepted and not self._accepted_before:
            self._open(Hold("refusing", f"refused everything, at last with {self._doubted[0].answer.status}"), now)
            return self.circuit.probe_at
        for each in self._doubted:
            each.request.doubted_at = -1  # what was accepted before counts as accepted since
        dead = self._resolve(now)
        return Unsent(dead, given_up=False) if dead else heapq.heappop(self._later)[2]

    # After an answer

    def answered(self, request: Request, answer: Answer, now: float) -> list[Settlement]:
        """What ``answer`` settles, to be done at once; all the rest that it means is done already."""
        request.since_closed += 1
        request.total += 1
        request.inconclusive += not answer.is_about_statements
        judged_by_run = self._is_end() and self._accepted > 0
        doubted_at = request.doubted_at
        sent = Sent(
            ids=request.batch.ids,
            inconclusive=request.inconclusive,
            unconnected=request.unconnected,
            timeouts=self._timeouts,
            server_errors=request.server_errors,
            accepted_since=judged_by_run or (doubted_at is not None and self._accepted > doubted_at),
            refusals=0 if judged_by_run else self._refusals,
            probe=self.circuit.state == "half_open",
        )
        decision = decide(answer, sent, self._policy, self._random)
        self._count(request, answer)
        settled = settlements.settlements_of(self._consumer, request.batch, request.total, answer, decision)
        if isinstance(decision, Stored):
            self._accepted += 1
            self._refusals = 0
            self._queue.accepted(request.batch)
            full = self.in_flight >= self.pace.in_flight_limit
            self.pace.accepted(len(request.batch), answer.seconds, full)
            settled += self._resolve(now)
        if isinstance(decision, Stored) or answer.status == 409:
            self._close()
        self._carry_out(request, answer, decision, now)
        return settled

    def settled(self, count: int) -> None:
        """What was chosen is done; with what was decided on the way ``count`` statements are settled by it."""
        self.in_flight -= 1
        self.held -= count

    def _count(self, request: Request, answer: Answer) -> None:
        self.counts["requests"] += 1
        self.counts["retries"] += request.since_closed > 1
        request.unconnected = request.unconnected + 1 if answer.found_no_connection else 0
        self._timeouts = self._timeouts + 1 if answer.was_late else 0
        request.server_errors += answer.status == 500
        self._refusals += answer.is_refusal
        if answer.status is None or answer.status >= 300:
            self.last_fault = str(answer.status or answer.error)

    def _resolve(self, now: float) -> list[Settlement]:
        """The consumer accepts statements: single statements that it refused are dead, or are sent once more."""
        doubted, self._doubted = self._doubted, []
        dead: list[Settlement] = []
        for request, answer, verify in doubted:
            if verify:
                self._push(request, now)
            else:
                verdict = dead_by_refusal(answer)
                dead += settlements.settlements_of(self._consumer, request.batch, request.total, answer, verdict)
        return dead

    def _carry_out(self, request: Request, answer: Answer, decision: Decision, now: float) -> None:
        if isinstance(decision, Split):
            self._split(request, answer)
        elif isinstance(decision, Again):
            if decision.push_back:
                self.pace.pushed_back(decision.pause, self._consumer.timeout, now)
            self._push(request, now + decision.delay)
        elif isinstance(decision, Doubt):
            request.doubted_at = self._accepted
            self._doubted.append(_Doubted(request, answer, decision.verify))
        elif isinstance(decision, Hold):
            self._push(request, now)
            self._open(decision, now)

    def _split(self, request: Request, answer: Answer) -> None:
        batch = request.batch
        if answer.status == 413:
            self._queue.too_large(batch)
        middle = len(batch) // 2
        for half in (batch.slice(0, middle), batch.slice(middle, len(batch))):
            self._push(Request(half, total=request.total, server_errors=min(request.server_errors, 1)), 0.0)

    def _push(self, request: Request, due: float) -> None:
        """Of requests that are due at once, the last one comes first: the halves of a batch come before the next batch."""
        heapq.heappush(self._later, (due, -next(self._order), request))

    def _open(self, why: Hold, now: float) -> None:
        if self.circuit.state != "open":  # else: an answer to what was under way
            self.circuit = self.circuit.hold(why, now, self._consumer.retry.max_delay, self._random)
        self._refusals = self._timeouts = 0
        doubted, self._doubted = self._doubted, []
        for each in doubted:
            self._push(each.request, now)
        for _, _, request in self._later:
            request.since_closed = request.inconclusive = request.unconnected = 0

    def _close(self) -> None:
        if self.circuit.state != "closed":
            self.circuit = self.circuit.close()
            self.pace.restart()


def _tried(request: Request, due: float, answer: Answer | None = None, verify: bool = False) -> Tried:
    return Tried(list(request.batch), due, answer, verify, **_history(request))


def _history(of: _History) -> dict[str, Any]:
    return {field: getattr(of, field) for field in _History.__struct_fields__}
