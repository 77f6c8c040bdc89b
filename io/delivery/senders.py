"""The senders of all consumers: each sender takes the waiting statements of its consumer from the outbox to the LRS."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial

from edx2lrs.io.back_off import Random
from edx2lrs.io.delivery.consumer_sender import Client, ConsumerSender, SenderStatus
from edx2lrs.io.delivery.latency import RequestSeconds
from edx2lrs.io.delivery.notices import Notice
from edx2lrs.io.state.outbox import Outbox
from edx2lrs.transforms.config_types import Consumer

_LOOK_SECONDS = 0.1  # how late a block is seen that nobody announced
_PATIENCE_SECONDS = 10.0


def _always() -> bool:
    return True


class Senders:
    """Sends what waits in ``outbox`` for ``consumers``. A consumer costs threads only while something waits for it.

    ``connect`` makes the client of one thread, as ``LrsClient`` with the consumer's credentials is one; ``on_notice`` gets what
    belongs in the log, from any thread. ``random`` gives the jitter."""

    def __init__(
        self,
        outbox: Outbox,
        consumers: Sequence[Consumer],
        connect: Callable[[Consumer], Client],
        on_notice: Callable[[Notice], None],
        random: Random = random.random,
    ) -> None:
        self.request_seconds = RequestSeconds()
        self._outbox = outbox
        self._changed = threading.Event()
        self._stopped = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name="senders", daemon=True)
        self._failure: BaseException | None = None
        self._on_notice, self._random = on_notice, random
        self._consumers = {consumer.name: consumer for consumer in consumers}
        self._senders = {consumer.name: self._sender(consumer, connect) for consumer in consumers}
        self._ending: dict[str, tuple[ConsumerSender, ConsumerSender | None]] = {}  # and who follows, if anybody
        self._changing = threading.Lock()

    def start(self) -> None:
        """Send the statements that wait, now and later."""
        self._watcher.start()

    def change(self, consumers: Sequence[Consumer], connect: Callable[[Consumer], Client], changed: Collection[str] = ()) -> None:
        """Send to ``consumers`` from now on. One that has changed (or is named by ``changed``) is sent to in its new way when the
        requests under way have ended; what waits for one that is gone goes on waiting. ``connect`` as at the beginning."""
        wanted = {consumer.name: consumer for consumer in consumers}
        with self._changing:
            for name in [name for name, consumer in self._consumers.items() if wanted.get(name) != consumer or name in changed]:
                sender = self._senders.pop(name, None)
                if sender is not None:
                    sender.stop()
                    self._ending[name] = sender, None
            for name, consumer in wanted.items():
                if self._consumers.get(name) == consumer and name not in changed:
                    continue
                following = self._sender(consumer, connect)
                if name in self._ending:
                    self._ending[name] = self._ending[name][0], following
                else:
                    self._senders[name] = following
            self._consumers = wanted

    def wake(self) -> None:
        """Look into the outbox now, since statements were kept. Without this call, the senders look 0.1 s later."""
        with self._changing:
            self._follow()
        for name, waiting in self._outbox.sendable_counts().items():
            sender = self._senders.get(name)
            if sender is not None and waiting:
                sender.look(waiting)

    def _sender(self, consumer: Consumer, connect: Callable[[Consumer], Client]) -> ConsumerSender:
        opened = partial(connect, consumer)
        observe = self.request_seconds.observer(consumer.name)
        return ConsumerSender(consumer, self._outbox, opened, self._on_notice, self._changed.set, observe, self._random)

    def _follow(self) -> None:
        """Starts the new sender of a consumer when the old sender has ended; else both would send the same statements."""
        for name, (ending, following) in list(self._ending.items()):
            if not ending.join(0.0):
                continue
            del self._ending[name]
            ending.flush()
            self._outbox.flag_circuit(name, False)
            if following is not None:
                self._senders[name] = following

    def drain(self, patience: float = _PATIENCE_SECONDS, go_on: Callable[[], bool] = _always) -> None:
        """Nothing more will be kept: returns when all is settled, or something is left only behind open circuits.

        What is no fault of the set-up gets ``patience`` seconds from its beginning, or from now, in which probes may find that it
        is over. ``go_on`` is called some ten times a second; when it is false, nothing is waited for any longer. Raises what a
        sender failed with."""
        for sender in self._senders.values():
            sender.drain()
        began = time.monotonic()
        while True:
            self._changed.clear()
            self.raise_failure()
            waiting = self._outbox.sendable_counts()
            at_rest = all(sender.at_rest(waiting.get(name, 0), began, patience) for name, sender in self._senders.items())
            if at_rest or not go_on():
                break
            self.wake()
            self._changed.wait(_LOOK_SECONDS)
        self._flush()

    def stop(self, timeout: float) -> bool:
        """Take no more batches, wait ``timeout`` seconds for requests under way, and end; whether all have ended.

        What was not answered stays in the outbox."""
        self._stopped.set()
        deadline = time.monotonic() + timeout
        senders = [*self._senders.values(), *(ending for ending, _ in self._ending.values())]
        for sender in senders:
            sender.stop()
        ended = [sender.join(deadline) for sender in senders]
        if self._watcher.ident is not None:
            self._watcher.join(max(0.0, deadline - time.monotonic()))
        if self._first_failure() is None:
            self._flush()
        return all(ended)

    def raise_failure(self) -> None:
        """Raise the error of a sender, if a sender failed: an error of the state directory ends the job."""
        failure = self._first_failure()
        if failure is not None:
            raise failure

    def status(self) -> Mapping[str, SenderStatus]:
        """The present status of each consumer. The outbox knows how many statements wait."""
        return {name: sender.status() for name, sender in list(self._senders.items())}

    def _watch(self) -> None:
        try:
            seen = -1
            while not self._stopped.is_set():
                changes = self._outbox.changes()
                if changes != seen or self._ending:
                    seen = changes
                    self.wake()
                self._stopped.wait(_LOOK_SECONDS)
        except BaseException as error:  # the owner raises it in its own thread
            self._failure = error
            self._changed.set()

    def _first_failure(self) -> BaseException | None:
        failures = [self._failure, *(sender.failure for sender in list(self._senders.values()))]
        return next((failure for failure in failures if failure is not None), None)

    def _flush(self) -> None:
        for sender in list(self._senders.values()):
            sender.flush()
