"""From a decision about a batch to what the outbox settles. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from edx2lrs.io.delivery.batches import Waiting
from edx2lrs.io.delivery.decision import Answer, Conflict, Dead, Decision, Stored
from edx2lrs.io.state.outbox import Settlement, statement_uuid
from edx2lrs.transforms.config_types import Consumer
from edx2lrs.transforms.failure import Failure


def settlements_of(
    consumer: Consumer, statements: Sequence[Waiting], tries: int, answer: Answer, decision: Decision
) -> list[Settlement]:
    """One settlement for each of ``statements``, sent ``tries`` times, if ``decision`` settles them; else none."""
    if isinstance(decision, Stored):
        already = decision.already
        return [
            Settlement(s.row, s.index, "already_stored" if place in already else "delivered")
            for place, s in enumerate(statements)
        ]
    if isinstance(decision, Conflict):
        return [Settlement(s.row, s.index, "conflict") for s in statements]
    if isinstance(decision, Dead):
        return [_dead(consumer, s, decision.cause, decision.message, answer, tries) for s in statements]
    return []


def outlived(consumer: Consumer, statements: Sequence[Waiting], tries: int, reason: str) -> list[Settlement]:
    """The settlements of statements that an outage has outlived: dead letters, cause ``outage``."""
    message = f"the consumer was down for too long: {reason}"
    return [_dead(consumer, s, "outage", message, Answer(), tries) for s in statements]


def _dead(consumer: Consumer, statement: Waiting, cause: str, message: str, answer: Answer, tries: int) -> Settlement:
    failure = Failure(
        stage="deliver",
        cause=cause,
        message=message,
        position=statement.position,
        payload=statement.body,
        payload_kind="statement",
        consumer=consumer.name,
        statement_id=statement_uuid(statement.id),
        http_status=answer.status,
        http_body=answer.excerpt or None,
        attempts=tries,
    )
    return Settlement(statement.row, statement.index, "dead", failure)
