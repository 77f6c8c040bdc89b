"""Each row of the table of answers, without a server."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from edx2lrs.io.delivery.decision import (
    Again,
    Answer,
    Conflict,
    Dead,
    Decision,
    Doubt,
    Hold,
    Policy,
    Sent,
    Split,
    Stored,
    already_stored,
    decide,
)
from edx2lrs.transforms.config_types import BatchOptions, Rate, Retry
from testkit.configurations import consumer_of

IDS = tuple(uuid.UUID(int=n).bytes for n in range(1, 5))
TEXTS = tuple(str(uuid.UUID(bytes=each)) for each in IDS)
RETRY = Retry(max_attempts=5, base_delay=1.0, max_delay=60.0)
POLICY = Policy("xapi", RETRY, refusals=50)


def decision(answer: Answer, count: int = 4, policy: Policy = POLICY, **sent: Any) -> Decision:
    return decide(answer, Sent(ids=IDS[:count], **sent), policy, lambda: 1.0)


@pytest.mark.parametrize("status", [200, 201, 202, 206])
def test_a_success_stores_the_whole_batch(status: int) -> None:
    assert decision(Answer(status, ids=TEXTS)) == Stored(())
    assert decision(Answer(status)) == Stored(())


@pytest.mark.parametrize(
    ("listed", "already"),
    [
        (TEXTS, []),
        (TEXTS[::-1], []),
        (TEXTS[1:], [0]),
        ((TEXTS[2],), [0, 1, 3]),
        ((TEXTS[2].upper(),), [0, 1, 3]),
        ((), [0, 1, 2, 3]),
        (("00000000-0000-4000-8000-000000000000",), []),
        (("00000000-0000-4000-8000-000000000000",) * 4, []),
        ((TEXTS[0], "something", "else"), [1, 2, 3]),
    ],
    ids=[
        "all",
        "another order",
        "but one",
        "one",
        "upper case",
        "none",
        "a foreign one",
        "as many foreign ones",
        "more",
    ],
)
def test_ids_that_a_list_lacks_were_there_before(listed: tuple[str, ...], already: list[int]) -> None:
    assert list(already_stored(Answer(200, ids=listed), IDS)) == already


def test_ralph_answers_204_when_nothing_is_new() -> None:
    assert list(already_stored(Answer(204), IDS)) == [0, 1, 2, 3]


def test_caliper_knows_nothing_of_ids() -> None:
    assert decision(Answer(204), policy=Policy("caliper", RETRY, 50)) == Stored(())


@pytest.mark.parametrize("status", [401, 403, 404, 405, 410, 301, 302, 303, 307, 308, 304, 402, 418, 451])
def test_a_wrong_set_up_opens_the_circuit_at_once(status: int) -> None:
    held = decision(Answer(status))
    assert isinstance(held, Hold)
    assert held.kind == ("credentials" if status in (401, 403) else "setup")
    assert str(status) in held.reason


def test_a_web_page_is_no_success() -> None:
    held = decision(Answer(200, is_html=True))
    assert isinstance(held, Hold)
    assert held.kind == "setup"


def test_a_conflict_is_bisected_down_to_the_one() -> None:
    assert decision(Answer(409), count=2) == Split()
    assert decision(Answer(409), count=1) == Conflict()


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_refusal_is_bisected_and_judged_only_after_another_acceptance(status: int) -> None:
    assert decision(Answer(status)) == Split()
    assert decision(Answer(status), count=1) == Doubt(verify=False)
    dead = decision(Answer(status), count=1, accepted_since=True)
    assert isinstance(dead, Dead)
    assert dead.cause == "refused"


@pytest.mark.parametrize("status", [400, 413, 422, 500])
def test_who_refuses_everything_is_held(status: int) -> None:
    held = decision(Answer(status), refusals=49)
    assert isinstance(held, Hold)
    assert held.kind == "refusing"


def test_a_probe_that_ends_in_a_refused_statement_has_failed() -> None:
    assert isinstance(decision(Answer(400), count=1, probe=True), Hold)


def test_a_500_is_tried_again_whole_then_bisected() -> None:
    assert isinstance(decision(Answer(500)), Again)
    assert decision(Answer(500), server_errors=1) == Split()


def test_a_single_500_is_judged_after_many_and_another_acceptance() -> None:
    assert isinstance(decision(Answer(500), count=1, server_errors=2), Again)
    assert decision(Answer(500), count=1, server_errors=3) == Doubt(verify=True)
    dead = decision(Answer(500), count=1, server_errors=4, accepted_since=True)
    assert isinstance(dead, Dead)
    assert dead.cause == "server_error"


@pytest.mark.parametrize("status", [429, 503])
def test_push_back_waits_for_the_longer_of_back_off_and_retry_after(status: int) -> None:
    assert decision(Answer(status, retry_after=7.0)) == Again(7.0, pause=7.0, push_back=True)
    assert decision(Answer(status, retry_after=0.5)) == Again(1.0, pause=0.5, push_back=True)
    assert decision(Answer(status)) == Again(1.0, push_back=True)
    assert isinstance(decision(Answer(status), inconclusive=5), Hold)


def test_a_long_retry_after_opens_the_circuit_for_that_time() -> None:
    held = decision(Answer(503, retry_after=3600.0))
    assert isinstance(held, Hold)
    assert held.probe_after == 3600.0


@pytest.mark.parametrize(
    "answer",
    [
        *(Answer(error=error) for error in ("refused", "unreachable", "dns", "tls", "reset", "timeout", "other")),
        *(Answer(status) for status in (408, 425, 501, 502, 504, 507, 599, 100, 999)),
    ],
    ids=lambda answer: str(answer.status or answer.error),
)
def test_what_may_pass_is_tried_again_then_held(answer: Answer) -> None:
    assert decision(answer) == Again(1.0)
    assert decision(answer, inconclusive=3) == Again(4.0)
    held = decision(answer, inconclusive=5)
    assert isinstance(held, Hold)
    assert held.kind == "outage"
    assert isinstance(decision(answer, probe=True), Hold)


def test_three_refused_connections_in_a_row_open_the_circuit() -> None:
    refused = Answer(error="refused")
    assert isinstance(decision(refused, inconclusive=2, unconnected=1), Again)
    assert isinstance(decision(refused, inconclusive=3, unconnected=2), Hold)


@pytest.mark.parametrize("late", [Answer(error="timeout"), Answer(504)], ids=["no answer", "504"])
def test_three_time_outs_in_a_row_open_the_circuit(late: Answer) -> None:
    assert isinstance(decision(late, timeouts=1), Again)
    held = decision(late, timeouts=2)
    assert isinstance(held, Hold)
    assert "3 times in a row" in held.reason


def test_what_tls_says_is_part_of_the_reason() -> None:
    held = decision(Answer(error="tls", detail="certificate has expired"), unconnected=2)
    assert isinstance(held, Hold)
    assert held.reason == "TLS failed (certificate has expired) 3 times in a row"


def test_a_batch_that_the_network_lost_waits_longer_each_time() -> None:
    policy = Policy("xapi", Retry(max_attempts=20_000, base_delay=1.0, max_delay=60.0), refusals=50)
    lost = Answer(error="reset")
    waits = [decision(lost, policy=policy, inconclusive=requests) for requests in (1, 2, 3, 6, 7, 10_000)]
    assert waits == [Again(delay) for delay in (1, 2, 4, 32, 60, 60)]
    assert decide(lost, Sent(ids=IDS, inconclusive=5), policy, lambda: 0.0) == Again(0.0)


def test_few_bad_statements_do_not_look_like_refusing_everything() -> None:
    # a batch in flight for each thread, each refused down to its last statement, one after the other
    campus = consumer_of(batch=BatchOptions(size=1000), rate=Rate(concurrency=4))
    assert Policy.of(campus).refusals > 4 * 11
