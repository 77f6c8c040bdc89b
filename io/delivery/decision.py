"""What an LRS's answer means for the batch that it answers: a pure decision, one table, no clock and no network.

``decide`` looks the answer up in ``TABLE`` (status, or the error of the network) and gives one of the decisions below.
``io.delivery.sending`` carries it out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Literal, NamedTuple, TypeAlias

import msgspec

from edx2lrs.io.back_off import Random, back_off
from edx2lrs.transforms.config_types import Consumer, Protocol, Retry

NetworkError = Literal["refused", "unreachable", "dns", "tls", "proxy", "reset", "timeout", "unwritable", "other"]
HoldKind = Literal["setup", "credentials", "outage", "refusing"]
"""Why a circuit is open: what a person has to repair, and of that what the consumer says of our credentials; a consumer that cannot
be reached; a consumer that refuses everything."""


class Answer(msgspec.Struct, frozen=True, rename={"error": "fault"}):
    """What came back for one request: a status, or the ``error`` of the network that there was instead of a status.

    ``ids`` are those of a 2xx's JSON list (None: there was no such list). ``excerpt`` is the start of its body, for a dead letter
    and never for a log: an LRS may quote the statement. ``detail`` says more of the error, and may be logged. ``retry_after`` and
    ``seconds`` (taken by the request) are in seconds."""

    status: int | None = None
    error: NetworkError | None = None
    ids: tuple[str, ...] | None = None
    is_html: bool = False
    retry_after: float | None = None
    excerpt: str = ""
    detail: str = ""
    seconds: float = 0.0

    @property
    def is_stored(self) -> bool:
        """Whether the LRS has the whole batch: what the first rows of ``TABLE`` say."""
        return self.status is not None and 200 <= self.status < 300 and not self.is_html

    @property
    def is_refusal(self) -> bool:
        """Whether the LRS read the request and refused it. The statements may be the reason, or not."""
        return self.status in (400, 413, 422, 500)

    @property
    def is_about_statements(self) -> bool:
        """Whether the answer is about the statements of the batch, and is no sign of an outage."""
        return self.is_stored or self.is_refusal or self.status == 409

    @property
    def refuses_credentials(self) -> bool:
        """Whether the consumer does not take our credentials, or does not let them write."""
        return self.status in (401, 403)

    @property
    def found_no_connection(self) -> bool:
        """Whether the request never reached a server."""
        return self.error in _NO_CONNECTION

    @property
    def was_late(self) -> bool:
        """Whether there was no answer in time, from the LRS or from a gateway before the LRS."""
        return self.error == "timeout" or self.status == 504


class Sent(msgspec.Struct, frozen=True):
    """The batch that was answered, and what is known of it and of its consumer at that moment.

    ``ids``: 16 bytes for each statement, unique. ``inconclusive``: requests with this batch since the circuit was last closed whose
    answers said nothing about the statements, this request included. ``unconnected``: how many of the last requests, in a row and
    before this one, found no connection. ``timeouts``: how many of the consumer's requests in a row, of whichever batch and before
    this one, had no answer in time. ``server_errors``: 500s before this one, inherited by halves. ``accepted_since``: the consumer
    has accepted another statement since it first refused this single one. ``refusals``: requests that the consumer has refused in a
    row, this one not counted. ``probe``: the circuit is half-open."""

    ids: Sequence[bytes]
    inconclusive: int = 1
    unconnected: int = 0
    timeouts: int = 0
    server_errors: int = 0
    accepted_since: bool = False
    refusals: int = 0
    probe: bool = False


class Policy(msgspec.Struct, frozen=True):
    """What a consumer's options say about answers. ``refusals``: refused requests in a row that open the circuit."""

    protocol: Protocol
    retry: Retry
    refusals: int

    @classmethod
    def of(cls, consumer: Consumer) -> Policy:
        """No few bad statements explain as many refusals in a row: each request in flight halves one batch to its end."""
        return cls(consumer.protocol, consumer.retry, consumer.rate.concurrency * (2 * consumer.batch.size.bit_length() + 2))


class Stored(NamedTuple):
    """The LRS has the whole batch. ``already``: indexes of the statements that the LRS had before."""

    already: Collection[int]


class Conflict(NamedTuple):
    """The LRS has the id of the single statement with another body."""


class Dead(NamedTuple):
    """The single statement is bad, since the LRS accepts other statements."""

    cause: Literal["refused", "server_error"]
    message: str


class Doubt(NamedTuple):
    """The single statement was refused, but it is not known whether the LRS accepts any statement. The statement waits aside until
    another statement is accepted. Then the statement is dead, or (``verify``) is sent once more."""

    verify: bool


class Split(NamedTuple):
    """Send the two halves of the batch instead."""


class Again(NamedTuple):
    """Send the batch again after ``delay`` seconds. ``pause``: seconds in which no request goes to this consumer. ``push_back``:
    the LRS asks for a lower rate."""

    delay: float
    pause: float = 0.0
    push_back: bool = False


class Hold(NamedTuple):
    """Open the circuit; the batch waits. ``reason`` may be logged; ``probe_after``: seconds, if the LRS named a time. ``by_batch``:
    the batch's content may be the reason, and another batch may be accepted."""

    kind: HoldKind
    reason: str
    probe_after: float = 0.0
    by_batch: bool = True


Decision: TypeAlias = Stored | Conflict | Dead | Doubt | Split | Again | Hold

# A 500 is a server's own fault more often than a statement's: so many must one statement alone have had.
_LONE_SERVER_ERRORS = 4
_UNCONNECTED = 3
_TIMEOUTS = 3
_LATE: frozenset[NetworkError] = frozenset(("timeout",))
_NO_CONNECTION: frozenset[NetworkError] = frozenset(("refused", "unreachable", "dns", "tls", "proxy"))


def _again_after(failures: int, policy: Policy, random: Random) -> float:
    """Seconds until the batch is sent again, with full jitter."""
    return back_off(failures, policy.retry.base_delay, policy.retry.max_delay, random)


def already_stored(answer: Answer, ids: Sequence[bytes]) -> Collection[int]:
    """Indexes of the statements that an xAPI LRS had before, by the LRS's own answer.

    By xAPI 1.0.3 part 3, 2.1.2, an LRS answers a POST with the ids. Some LRSs list all ids, some LRSs only the new ids (Ralph,
    which answers 204 if no id is new; the standard has 204 for PUT alone). A list as long as the batch names every statement. A
    list without any id of the batch says nothing about the batch, unless the list is empty."""
    if answer.status == 204:
        return range(len(ids))
    if answer.ids is None or len(answer.ids) == len(ids):
        return ()
    listed = {text.replace("-", "").lower() for text in answer.ids}
    missing = [index for index, statement_id in enumerate(ids) if statement_id.hex() not in listed]
    return () if listed and len(missing) == len(ids) else missing


def _stored(answer: Answer, sent: Sent, policy: Policy, _random: Random) -> Decision:
    return Stored(already_stored(answer, sent.ids) if policy.protocol == "xapi" else ())


def _html(answer: Answer, _sent: Sent, _policy: Policy, _random: Random) -> Decision:
    return Hold("setup", f"answered {answer.status} with a web page: the URL is not an LRS's, or a login is asked for")


def _conflict(_answer: Answer, sent: Sent, _policy: Policy, _random: Random) -> Decision:
    return Split() if len(sent.ids) > 1 else Conflict()


def _refused(answer: Answer, sent: Sent, policy: Policy, _random: Random) -> Decision:
    if sent.refusals + 1 >= policy.refusals:
        return _refuses_everything(answer, sent)
    if len(sent.ids) > 1:
        return Split()
    if sent.accepted_since:
        return dead_by_refusal(answer)
    return Hold("refusing", f"answered {answer.status} to a single statement") if sent.probe else Doubt(verify=False)


def _server_error(answer: Answer, sent: Sent, policy: Policy, random: Random) -> Decision:
    if sent.refusals + 1 >= policy.refusals:
        return _refuses_everything(answer, sent)
    errors = sent.server_errors + 1
    if sent.probe and (errors < 2 or len(sent.ids) == 1):
        return Hold("outage", f"{said(answer)} {_times(errors)}")
    if errors < (2 if len(sent.ids) > 1 else _LONE_SERVER_ERRORS):
        return Again(_again_after(errors, policy, random))
    if len(sent.ids) > 1:
        return Split()
    return dead_by_refusal(answer) if sent.accepted_since else Doubt(verify=True)


def dead_by_refusal(answer: Answer) -> Dead:
    """The verdict on a single statement that the LRS refused with ``answer`` while it accepts others."""
    if answer.status == 500:
        return Dead("server_error", "the LRS answered 500 to this statement alone, again and again, and accepts others")
    return Dead("refused", f"the LRS answered {answer.status} to this statement alone, and accepts others")


def _refuses_everything(answer: Answer, sent: Sent) -> Hold:
    return Hold("refusing", f"refused the last {sent.refusals + 1} requests, at last with {answer.status}")


def _push_back(answer: Answer, sent: Sent, policy: Policy, random: Random) -> Decision:
    asked = answer.retry_after or 0.0
    if sent.probe or sent.inconclusive >= policy.retry.max_attempts or asked > policy.retry.max_delay:
        return Hold("outage", f"answered {answer.status} {_times(sent.inconclusive)}", probe_after=asked, by_batch=False)
    return Again(max(_again_after(sent.inconclusive, policy, random), asked), pause=asked, push_back=True)


def _transient(answer: Answer, sent: Sent, policy: Policy, random: Random) -> Decision:
    if sent.probe or sent.inconclusive >= policy.retry.max_attempts:
        return Hold("outage", f"{said(answer)} {_times(sent.inconclusive)}")
    return Again(_again_after(sent.inconclusive, policy, random))


def _timed_out(answer: Answer, sent: Sent, policy: Policy, random: Random) -> Decision:
    if sent.timeouts + 1 >= _TIMEOUTS:
        return Hold("outage", f"{said(answer)} {_times(sent.timeouts + 1)} in a row")
    return _transient(answer, sent, policy, random)


def _no_connection(answer: Answer, sent: Sent, policy: Policy, random: Random) -> Decision:
    if sent.probe or sent.unconnected + 1 >= _UNCONNECTED:
        return Hold("outage", f"{said(answer)} {_times(sent.unconnected + 1)} in a row", by_batch=False)
    return _transient(answer, sent, policy, random)


def _set_up_wrong(answer: Answer, _sent: Sent, _policy: Policy, _random: Random) -> Decision:
    kind: HoldKind = "credentials" if answer.refuses_credentials else "setup"
    return Hold(kind, f"answered {answer.status}: {_SET_UP.get(answer.status or 0, 'the set-up is wrong')}")


_SET_UP = {
    401: "the credentials are not accepted",
    403: "the credentials lack the right to write",
    404: "the URL is wrong",
    405: "the URL is wrong",
    407: "the proxy does not accept its credentials",
    415: "the content type or the compression (gzip) is not accepted",
    **dict.fromkeys((301, 302, 303, 307, 308), "a redirect, which is never followed; give the final URL"),
}
_ERRORS: dict[NetworkError | None, str] = {
    "refused": "connection refused",
    "unreachable": "no connection",
    "dns": "host name not found",
    "tls": "TLS failed",
    "proxy": "no connection by the proxy",
    "reset": "connection reset",
    "timeout": "no answer in time",
    "unwritable": "cannot be written",
    "other": "not an HTTP answer",
}


def said(answer: Answer) -> str:
    """The answer, or the error, in a few words that may be logged."""
    if answer.status is not None:
        return f"answered {answer.status}"
    return f"{_ERRORS[answer.error]} ({answer.detail})" if answer.detail else _ERRORS[answer.error]


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


class AnswerRule(NamedTuple):
    """``answers``: the statuses or errors of this row. The first row that has an answer decides about the answer."""

    answers: Collection[int] | Collection[NetworkError]
    decide: Callable[[Answer, Sent, Policy, Random], Decision]
    html: bool = False  # only answers that are a web page


TABLE: tuple[AnswerRule, ...] = (
    AnswerRule(range(200, 300), _html, html=True),
    AnswerRule(range(200, 300), _stored),
    AnswerRule((409,), _conflict),
    AnswerRule((400, 413, 422), _refused),
    AnswerRule((500,), _server_error),
    AnswerRule((429, 503), _push_back),
    AnswerRule((408, 425), _transient),
    AnswerRule((504,), _timed_out),
    AnswerRule(range(300, 500), _set_up_wrong),
    AnswerRule(range(100, 1000), _transient),
    AnswerRule(_NO_CONNECTION, _no_connection),
    AnswerRule(_LATE, _timed_out),
    AnswerRule(("reset", "unwritable", "other"), _transient),
)


def decide(answer: Answer, sent: Sent, policy: Policy, random: Random) -> Decision:
    """What to do with the batch ``sent`` after ``answer``: the first row of ``TABLE`` that holds it."""
    said = answer.error if answer.status is None else answer.status
    for row in TABLE:
        if said in row.answers and (answer.is_html or not row.html):
            return row.decide(answer, sent, policy, random)
    return _transient(answer, sent, policy, random)
