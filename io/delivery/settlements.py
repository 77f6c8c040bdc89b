"""From a decision about a batch to the settlements in the outbox. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from itertools import compress

from edx2lrs.io.delivery.decision import Answer, Conflict, Dead, Decision, Stored
from edx2lrs.io.state.batch import Batch, PendingStatement
from edx2lrs.io.state.outbox import Settlement
from edx2lrs.transforms.config_types import Consumer
from edx2lrs.transforms.failure import Refusal, failed_statement


def settlements_of(consumer: Consumer, batch: Batch, attempts: int, answer: Answer, decision: Decision) -> list[Settlement]:
    """What settles ``batch``, sent ``attempts`` times, if ``decision`` does; else nothing."""
    if isinstance(decision, Stored):
        return _stored(batch, decision.already)
    if isinstance(decision, Conflict):
        return [Settlement(part.row, part.indexes, "conflicts") for part in batch.parts]
    if isinstance(decision, Dead):
        refusal = Refusal("deliver", decision.cause, decision.message)
        return [_dead(consumer, s, refusal, answer, attempts) for s in batch]
    return []


def _stored(batch: Batch, already: Collection[int]) -> list[Settlement]:
    """``already``: the indexes of the statements that were stored before."""
    before = 0
    settled = []
    for part in batch.parts:
        indexes = range(before, before + part.size)
        before += part.size
        is_old = [index in already for index in indexes] if already else []
        if not any(is_old):
            settled.append(Settlement(part.row, part.indexes, "delivered"))
            continue
        old, new = (list(compress(part.indexes, [each is kind for each in is_old])) for kind in (True, False))
        settled += [Settlement(part.row, old, "already_stored"), Settlement(part.row, new, "delivered")]
    return settled


def outlived(consumer: Consumer, statements: Iterable[PendingStatement], attempts: int, reason: str) -> list[Settlement]:
    """The settlements of statements whose consumer was down for too long: dead letters, cause ``outage``."""
    refusal = Refusal("deliver", "outage", f"the consumer was down for too long: {reason}")
    return [_dead(consumer, s, refusal, Answer(), attempts) for s in statements]


def _dead(consumer: Consumer, statement: PendingStatement, refusal: Refusal, answer: Answer, attempts: int) -> Settlement:
    failure = failed_statement(
        refusal, consumer.name, statement.id, *statement.origin, statement.body,
        http_status=answer.status, http_body=answer.excerpt or None, attempts=attempts,
    )
    return Settlement(statement.row, (statement.index,), "dead_statements", failure)
