"""Reads a Pub/Sub subscription.

A thread pulls messages ahead, within bounds, and a thread extends the leases of messages that are not settled yet. ``commit``
acknowledges messages. A message is the JSON of an event, or a list of events."""

from __future__ import annotations

import itertools
import os
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

import msgspec
from google.api_core import exceptions
from google.api_core.retry import Retry, if_exception_type
from google.auth.exceptions import DefaultCredentialsError, GoogleAuthError
from google.cloud.pubsub_v1 import SubscriberClient

from edx2lrs.io.sources.position import Position
from edx2lrs.io.sources.source import Message, Polled, SourceError

_AHEAD = 10_000  # the most messages that are pulled and not settled
_AHEAD_BYTES = 32 * 1024 * 1024
_A_PULL = 1_000
_PULL_SECONDS = 30.0  # a pull that ends without an answer may hold messages until their leases end; so few pulls should end
_CALL_SECONDS = 20.0
_CLOSE_SECONDS = 5.0
_FIRST_LEASE = 10.0  # the shortest that a subscription can give
_LEASE = 60
_BEFORE_ITS_END = 5.0
_ACK_IDS = 1_000  # in a request, which may have 512 KiB
_REFUSED = (exceptions.Forbidden, exceptions.Unauthenticated)
_FATAL = (exceptions.NotFound, *_REFUSED, exceptions.InvalidArgument, exceptions.FailedPrecondition)
_PASSES = (exceptions.ServiceUnavailable, exceptions.Aborted, exceptions.InternalServerError, exceptions.Unknown)
_PASSING = Retry(if_exception_type(*_PASSES), initial=0.1, maximum=2.0, timeout=10.0)


class _Pulled(NamedTuple):
    """A message as it came, with its number among all messages."""

    number: int
    ack_id: str
    size: int
    messages: list[Message]
    published: float  # POSIX time


class PubSub:
    """A subscription that this process takes messages from. Where PUBSUB_EMULATOR_HOST is set, that of the emulator."""

    def __init__(self, project: str, subscription: str) -> None:
        """Raises SourceError."""
        self._name = f"pubsub://{project}/{subscription}"
        os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # what its library would say is said by SourceError
        try:
            self._client = SubscriberClient()
        except DefaultCredentialsError:
            advice = "set GOOGLE_APPLICATION_CREDENTIALS to the file of a service account that may subscribe, or run where there is one"
            raise SourceError(f"{self._name}: no credentials of Google Cloud; {advice}", fatal=True) from None
        self._subscription = f"projects/{project}/subscriptions/{subscription}"
        self._numbers = itertools.count()
        self._changed = threading.Condition()
        self._ready: deque[_Pulled] = deque()
        self._given: deque[_Pulled] = deque()
        self._leases: dict[str, float] = {}  # until when (monotonic)
        self._bytes = 0
        self._fault: SourceError | None = None
        self._closing = False
        for work, name in ((self._pull_ahead, "pubsub-pull"), (self._extend_leases, "pubsub-leases")):
            threading.Thread(target=work, name=name, daemon=True).start()

    def poll(self, max_records: int, max_wait: float) -> Polled:
        with self._changed:
            if max_wait:
                self._changed.wait_for(lambda: self._ready or self._fault, max_wait)
            if self._fault is not None:
                raise self._fault
            messages: list[Message] = []
            while self._ready and (not messages or len(messages) + len(self._ready[0].messages) <= max_records):
                pulled = self._ready.popleft()
                self._given.append(pulled)
                messages += pulled.messages
            return Polled(messages, [], self._given[-1].number if self._given else -1)

    def commit(self, cursor: int) -> None:
        with self._changed:
            settled = [pulled for pulled in self._given if pulled.number <= cursor]
        for some in _portions([pulled.ack_id for pulled in settled]):
            self._call(self._client.acknowledge, {"ack_ids": some})
        with self._changed:
            for pulled in settled:
                self._given.popleft()
                self._bytes -= pulled.size
                self._leases.pop(pulled.ack_id, None)
            self._changed.notify_all()

    def behind(self) -> float:
        """Seconds since the oldest message was published that came and is not settled."""
        with self._changed:
            oldest = min((pulled.published for pulled in (*self._given, *self._ready)), default=None)
        return 0.0 if oldest is None else max(0.0, time.time() - oldest)

    def close(self) -> None:
        with self._changed:
            self._closing = True
            back = [*self._leases]
            self._changed.notify_all()
        with suppress(SourceError):
            for some in _portions(back):
                self._call(self._client.modify_ack_deadline, {"ack_ids": some, "ack_deadline_seconds": 0}, _CLOSE_SECONDS)
        self._client.close()

    def _pull_ahead(self) -> None:
        try:
            while (room := self._room()) > 0:
                request = {"subscription": self._subscription, "max_messages": min(room, _A_PULL)}
                with suppress(exceptions.DeadlineExceeded):  # nothing came
                    self._take_in(self._client.pull(request, timeout=_PULL_SECONDS, retry=_PASSING))
        except Exception as error:
            self._fail(error)

    def _room(self) -> int:
        """How many messages may be pulled, if there is room for more than a few; 0: no message is wanted."""
        with self._changed:
            self._changed.wait_for(lambda: self._closing or (len(self._leases) < _AHEAD and self._bytes < _AHEAD_BYTES))
            return 0 if self._closing else _AHEAD - len(self._leases)

    def _take_in(self, answer: Any) -> None:
        received = type(answer).pb(answer).received_messages  # many times faster than through its wrappers
        lease_ends = time.monotonic() + _FIRST_LEASE
        with self._changed:
            for each in received:
                data = each.message.data
                messages = list(messages_of(each.message.message_id, data, dict(each.message.attributes)))
                published = each.message.publish_time.seconds + each.message.publish_time.nanos / 1e9
                self._ready.append(_Pulled(next(self._numbers), each.ack_id, len(data), messages, published))
                self._leases[each.ack_id] = lease_ends
                self._bytes += len(data)
            self._changed.notify_all()

    def _extend_leases(self) -> None:
        """Extends leases that end soon. Most messages are settled before their first lease ends, and cost nothing here."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closing or self._fault or self._leases)
                if self._closing or self._fault:
                    return
                soon = time.monotonic() + _BEFORE_ITS_END
                ending = [ack_id for ack_id, end in self._leases.items() if end < soon]
            for some in _portions(ending):
                with suppress(SourceError):  # the messages then come again, and are known
                    self._call(self._client.modify_ack_deadline, {"ack_ids": some, "ack_deadline_seconds": _LEASE})
            until = time.monotonic() + _LEASE
            with self._changed:
                self._leases.update((ack_id, until) for ack_id in ending if ack_id in self._leases)
                self._changed.wait_for(lambda: self._closing, 1.0)

    def _call(self, call: Any, request: Mapping[str, Any], seconds: float = _CALL_SECONDS) -> None:
        try:
            call({"subscription": self._subscription, **request}, timeout=seconds, retry=_PASSING)
        except (exceptions.GoogleAPIError, GoogleAuthError, ValueError) as error:  # ValueError: of a channel that is closed
            raise self._to_error(error) from None

    def _fail(self, error: Exception) -> None:
        with self._changed:
            self._fault = self._to_error(error)
            self._changed.notify_all()

    def _to_error(self, error: Exception) -> SourceError:
        cause = error.cause if isinstance(error, exceptions.RetryError) else error
        text = str(getattr(cause, "message", None) or cause).splitlines() or [""]
        advice = ""
        if isinstance(cause, exceptions.NotFound):
            advice = "; make the subscription, or name another"
        elif isinstance(cause, _REFUSED):
            advice = "; give the account that this runs as the role Pub/Sub Subscriber"
        return SourceError(f"{self._name}: {type(cause).__name__}: {text[0][:300]}{advice}", fatal=isinstance(cause, _FATAL))


def messages_of(message_id: str, data: bytes, attributes: Mapping[str, str]) -> Iterator[Message]:
    """The records of a message: the message itself, or each element of a JSON list, with the id ``<message id>/<number from 1>``.
    An empty or broken list is one record, which the parser refuses."""
    elements: Sequence[msgspec.Raw] = []
    if data.lstrip()[:1] == b"[":
        with suppress(msgspec.MsgspecError, RecursionError):
            elements = _list_of(data)
    if not elements:
        yield Message(message_id, Position(message_id), data, attributes)
    for number, element in enumerate(elements, 1):
        id_ = f"{message_id}/{number}"
        yield Message(id_, Position(id_), bytes(element), attributes)


def messages_of_beam(message: Any) -> Iterator[Message]:
    return messages_of(message.message_id or "", message.data, message.attributes or {})


_list_of = msgspec.json.Decoder(list[msgspec.Raw]).decode


def _portions(ack_ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for at in range(0, len(ack_ids), _ACK_IDS):
        yield ack_ids[at : at + _ACK_IDS]
