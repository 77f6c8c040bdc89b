"""Sends the waiting statements of one consumer: threads take batches, POST them, and settle them by the decisions.

The sender knows no other consumer. No request and no write to the outbox is made under the lock."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol, TypeAlias

from edx2lrs.io.back_off import Random
from edx2lrs.io.delivery.circuit import CircuitState
from edx2lrs.io.delivery.decision import Answer
from edx2lrs.io.delivery.notices import Notice, NoticeKind
from edx2lrs.io.delivery.sending import Request, Sending, Unsent
from edx2lrs.io.state.outbox import Outbox, Settlement, statements_in
from edx2lrs.transforms.config_types import Consumer
from edx2lrs.transforms.formats.number_words import counted

_IDLE_SECONDS = 10.0  # after which a thread with nothing to do ends
_BLOCKS = 4  # read at a time


class Client(Protocol):
    """An LRS as ``edx2lrs.io.delivery.lrs.LrsClient`` is one."""

    def post(self, lines: bytes, /) -> Answer: ...

    def close(self) -> None: ...


_News: TypeAlias = tuple[NoticeKind, str]  # and the reason


class SenderStatus(NamedTuple):
    """``circuit`` with the ``reason`` why it is open; ``last_fault``: the last status or fault that was no acceptance."""

    circuit: CircuitState
    reason: str
    in_flight: int
    last_fault: str


class ConsumerSender:
    """The sender of one consumer. ``connect`` makes the client of one thread, ``notify`` must not block, ``changed`` is called when
    something was settled or has failed, ``observe`` takes the seconds of each request. A thread's fault (of the state directory,
    say) ends in ``failure``."""

    def __init__(
        self,
        consumer: Consumer,
        outbox: Outbox,
        connect: Callable[[], Client],
        notify: Callable[[Notice], None],
        changed: Callable[[], None],
        observe: Callable[[float], None],
        random: Random,
    ) -> None:
        self._name = consumer.name
        self._outbox = outbox
        self._connect = connect
        self._notify = notify
        self._changed = changed
        self._observe = observe
        self._sending = Sending(consumer, random, outbox.has_accepted(consumer.name))
        self._lock = threading.Condition()
        self._threads: set[threading.Thread] = set()
        self._resting = 0  # threads that wait for something to do
        self._last_row = 0  # of the outbox's blocks, how far they were taken over
        self._conflicts = 0
        self._refused = False  # our credentials, by the last answer that tells
        self._news: deque[_News] = deque()
        self._telling = threading.Lock()
        self._stopping = False
        self.failure: BaseException | None = None

    def look(self, waiting: int) -> None:
        """See to it that what is new in the outbox, where ``waiting`` statements wait, is sent."""
        with self._lock:
            if waiting > self._sending.held:
                self._sending.more = True
                self._call_a_thread()

    def drain(self) -> None:
        """No further statements will come: send the waiting statements at once, in full batches or not."""
        with self._lock:
            self._sending.draining = True
            self._lock.notify_all()

    def at_rest(self, waiting: int, since: float, patience: float) -> bool:
        """Whether no request is in flight and no request will follow: ``waiting``, by the outbox, is 0, or the circuit is open.

        An outage may be over soon, and refusals in a row may all be about one batch. So the sender is not at rest for ``patience``
        seconds from the beginning of an outage or of refusals, or from ``since`` if that is later."""
        with self._lock:
            sending = self._sending
            if sending.in_flight:
                return False
            if waiting == 0:
                return True
            if sending.circuit.state != "open" or sending.gives_up(time.monotonic()):
                return False
            patient_until = max(since, sending.circuit.opened_at) + patience
            return sending.circuit.kind in ("setup", "credentials") or time.monotonic() >= patient_until

    def stop(self) -> None:
        with self._lock:
            self._stopping = True
            self._lock.notify_all()

    def join(self, deadline: float) -> bool:
        """Wait for the threads until that moment of the monotonic clock; True when all threads have ended."""
        with self._lock:
            threads = tuple(self._threads)
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        with self._lock:
            return not self._threads

    def flush(self) -> None:
        """Add the counts since the last settlement to the ledger."""
        with self._lock:
            counted = bool(self._sending.counts)
        if counted:
            self._settle([])

    def status(self) -> SenderStatus:
        with self._lock:
            sending, circuit = self._sending, self._sending.circuit
            return SenderStatus(circuit.state, circuit.reason, sending.in_flight, sending.last_fault)

    # Threads

    def _call_a_thread(self) -> None:
        """Let one thread look for work: a resting thread, else a new thread within the pace. Under the lock."""
        if self._stopping:
            return
        if self._resting:
            self._lock.notify()
        elif len(self._threads) < self._sending.pace.in_flight_limit:
            thread = threading.Thread(target=self._run, name=f"sender-{self._name}-{len(self._threads)}", daemon=True)
            self._threads.add(thread)
            thread.start()

    def _run(self) -> None:
        try:
            self._work()
        except BaseException as error:  # the owner raises it in its own thread
            with self._lock:
                self.failure = self.failure or error
                self._stopping = True
                self._lock.notify_all()
        finally:
            with self._lock:
                self._threads.discard(threading.current_thread())
            self._changed()

    def _work(self) -> None:
        client = self._connect()
        try:
            while (chosen := self._next()) is not None:
                if isinstance(chosen, Request):
                    answer = client.post(chosen.batch.lines)
                    self._observe(answer.seconds)
                    self._answered(chosen, answer)
                else:
                    self._settle_unsent(chosen)
                self._changed()
        finally:
            client.close()

    def _next(self) -> Request | Unsent | None:
        """The next request, when it may be sent; None: the thread is not needed any more."""
        with self._lock:
            idle_since = time.monotonic()
            while not self._stopping:
                now = time.monotonic()
                self._refill()
                chosen = self._sending.choose(now)
                if not isinstance(chosen, float):
                    if self._sending.is_ready(now):
                        self._call_a_thread()
                    return chosen
                needed = self._sending.held > 0 and self._resting == 0
                if now - idle_since >= _IDLE_SECONDS and not needed:
                    return None
                self._resting += 1
                self._lock.wait(min(max(chosen - now, 0.0), _IDLE_SECONDS))
                self._resting -= 1
            return None

    def _refill(self) -> None:
        sending = self._sending
        while sending.more and sending.has_room():
            blocks = self._outbox.waiting_blocks(self._name, self._last_row, _BLOCKS)
            now, wall_now = time.monotonic(), time.time()
            for block in blocks:
                sending.add(block, now - max(0.0, wall_now - block.created))
                self._last_row = block.waiting.row
            sending.more = len(blocks) == _BLOCKS

    def _answered(self, request: Request, answer: Answer) -> None:
        sending = self._sending
        with self._lock:
            before = sending.circuit.state
            settlements = sending.answered(request, answer, time.monotonic())
            after, reason = sending.circuit.state, sending.circuit.reason
            self._news += self._news_of_credentials(answer, taken=bool(settlements), reason=reason)
            self._news += _news_of_circuit(before, after, reason)
        if settlements:
            self._settle(settlements)
        self._tell()
        self._tell_conflicts(statements_in(settlement for settlement in settlements if settlement.outcome == "conflicts"))
        with self._lock:
            sending.settled(statements_in(settlements))
            if before != after:
                self._lock.notify_all()
            elif sending.is_ready(time.monotonic()):
                self._call_a_thread()

    def _settle_unsent(self, unsent: Unsent) -> None:
        self._settle(unsent.settlements)
        if unsent.given_up:
            given_up = counted(statements_in(unsent.settlements), "statement")
            reason = f"{given_up} given up as dead letters: {self._sending.circuit.reason}"
            self._notify(Notice("outage_given_up", self._name, reason, self._outbox.waiting(self._name)))
        with self._lock:
            self._sending.settled(statements_in(unsent.settlements))

    def _settle(self, settlements: Sequence[Settlement]) -> None:
        with self._lock:
            counts = dict(self._sending.counts)
            self._sending.counts.clear()
        self._outbox.settle(self._name, settlements, counts)

    def _news_of_credentials(self, answer: Answer, taken: bool, reason: str) -> list[_News]:
        """The first answer that refuses our credentials, and the first that takes them again. Under the lock."""
        refused = answer.refuses_credentials
        if refused == self._refused or not (refused or taken):
            return []
        self._refused = refused
        return [("credentials_refused", reason) if refused else ("credentials_taken", "")]

    def _tell(self) -> None:
        """Report new notices in the order in which things happened, whichever thread comes first."""
        with self._telling:
            while self._news:
                kind, reason = self._news.popleft()
                if kind in ("circuit_opened", "circuit_closed"):
                    self._outbox.flag_circuit(self._name, kind == "circuit_opened", reason)
                self._notify(Notice(kind, self._name, reason, self._outbox.waiting(self._name)))

    def _tell_conflicts(self, new: int) -> None:
        """One notice for the first conflict, the tenth, the hundredth, and so on."""
        with self._lock:
            before, self._conflicts = self._conflicts, self._conflicts + new
            total = self._conflicts
        if total and (before == 0 or len(str(total)) > len(str(before))):
            reason = f"{counted(total, 'statement')} there already with another body"
            self._notify(Notice("conflicts", self._name, reason, self._outbox.waiting(self._name)))


def _news_of_circuit(before: CircuitState, after: CircuitState, reason: str) -> list[_News]:
    """A notice that the circuit has opened or closed. A failed probe makes no notice."""
    if after == before or (before, after) == ("half_open", "open"):
        return []
    return [("circuit_opened" if after == "open" else "circuit_closed", reason)]
