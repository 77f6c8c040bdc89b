"""The table of counters: what a job counts, whose each count is, and the sums that the counts have to satisfy.

The ledger, the report, ``/metrics``, Beam's metrics, the summary and the pages read this table. A new counter is a word in ``Key``,
a row in ``COUNTERS``, and the place that counts it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple, TypeAlias

Whose = Literal["run", "records", "consumer"]
SumName = Literal["records", "records of a consumer", "statements of a consumer"]
Key = Literal[
    "bytes",
    "read",
    "matched",
    "filtered",
    "dead",
    "redelivered",
    "replayed",
    "named_by_event_type",
    "translated",
    "skipped",
    "statements",
    "taken_over",
    "delivered",
    "already_stored",
    "conflicts",
    "duplicates",
    "dead_records",
    "dead_statements",
    "waiting",
    "oldest_age",
    "requests",
    "retries",
]


class Counted(NamedTuple):
    """What one number counts. ``consumer``: a consumer's name, or "" for the run and its records. ``cause``: one word of
    ``transforms.causes``, where the counter is told by it."""

    consumer: str
    key: Key
    cause: str = ""

    @property
    def text(self) -> str:
        """Key and cause as one text, for a database's column and the name of a metric: ``read``, ``dead/not_json``."""
        return f"{self.key}/{self.cause}" if self.cause else self.key


def counted(consumer: str, text: str) -> Counted:
    """The opposite of ``Counted.text``. A key of another version of edx2lrs stays as it is: it stands in no sum."""
    key, _, cause = text.partition("/")
    return Counted(consumer, key, cause)  # type: ignore[arg-type]


Tally: TypeAlias = Mapping[Counted, int]
"""Counts: of a bundle, a wave, a run, or all runs of a state directory."""


class Counter(NamedTuple):
    """One row. ``told_by``: the counter is many, one for each reason or cause. ``whole`` and ``part``: the sum on whose left side and
    on whose right side it stands. ``gauge``: a state that the outbox or a shard knows, and no count of the ledger. ``word``: how
    the summary names it (by default the key)."""

    key: Key
    whose: Whose
    metric: str
    meaning: str
    told_by: Literal["reason", "cause"] | None = None
    whole: SumName | None = None
    part: SumName | None = None
    gauge: bool = False
    word: str = ""

    @property
    def label(self) -> str:
        """The counter's name for a person."""
        return self.word or self.key.replace("_", " ")

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of the metric."""
        return tuple(label for label in ("consumer" if self.whose == "consumer" else None, self.told_by) if label)

    @property
    def path(self) -> tuple[str, ...]:
        """The keys that lead to the counter in its part of the report: all dead of a consumer are in one group."""
        return ("dead", self.key.removeprefix("dead_")) if self.key.startswith("dead_") else (self.key,)


COUNTERS: tuple[Counter, ...] = (
    Counter("bytes", "run", "edx2lrs_bytes", "Bytes of text that were read."),
    Counter("read", "records", "edx2lrs_records_read", "Records that were read.", whole="records"),
    Counter("matched", "records", "edx2lrs_records_matched", "Records that at least one consumer gets.", part="records"),
    Counter(
        "filtered", "records", "edx2lrs_records_filtered", "Records that no consumer gets.", told_by="reason", part="records"
    ),
    Counter(
        "dead",
        "records",
        "edx2lrs_records_dead",
        "Records that became dead letters before consumers were matched.",
        told_by="cause",
        part="records",
    ),
    Counter(
        "redelivered",
        "records",
        "edx2lrs_records_redelivered",
        "Messages that came again after they were kept. They are not part of `read`. Files have none.",
    ),
    Counter("replayed", "records", "edx2lrs_records_replayed", "How many of `read` were dead letters."),
    Counter(
        "named_by_event_type",
        "records",
        "edx2lrs_records_named_by_event_type",
        "Records without a name, which took the name in `event_type`.",
    ),
    Counter(
        "matched", "consumer", "edx2lrs_consumer_matched", "Records that the consumer gets.", whole="records of a consumer"
    ),
    Counter(
        "translated",
        "consumer",
        "edx2lrs_consumer_translated",
        "Records of which statements were made.",
        part="records of a consumer",
    ),
    Counter(
        "skipped",
        "consumer",
        "edx2lrs_consumer_skipped",
        "Records for which the consumer's protocol has no mapping (`translate --trace` says `no_mapping`).",
        part="records of a consumer",
    ),
    Counter("statements", "consumer", "edx2lrs_consumer_statements", "Statements that were made.", whole="statements of a consumer"),
    Counter(
        "taken_over",
        "consumer",
        "edx2lrs_consumer_taken_over",
        "Statements that waited when the run began. All runs of a state directory together take nothing over.",
        whole="statements of a consumer",
    ),
    Counter("replayed", "consumer", "edx2lrs_consumer_replayed", "How many of `statements` were dead letters."),
    Counter(
        "delivered", "consumer", "edx2lrs_consumer_delivered", "Statements that the consumer took.", part="statements of a consumer"
    ),
    Counter(
        "already_stored",
        "consumer",
        "edx2lrs_consumer_already_stored",
        "Statements that the consumer had already, by its own words.",
        part="statements of a consumer",
    ),
    Counter(
        "conflicts",
        "consumer",
        "edx2lrs_consumer_conflicts",
        "Statements that the consumer has with another body.",
        part="statements of a consumer",
    ),
    Counter(
        "duplicates",
        "consumer",
        "edx2lrs_consumer_duplicates",
        "Statements whose id is known, from the same event or with the same body.",
        part="statements of a consumer",
    ),
    Counter(
        "dead_records",
        "consumer",
        "edx2lrs_consumer_dead_records",
        "Records that became dead letters of this consumer.",
        told_by="cause",
        part="records of a consumer",
        word="dead",
    ),
    Counter(
        "dead_statements",
        "consumer",
        "edx2lrs_consumer_dead_statements",
        "Statements that became dead letters.",
        told_by="cause",
        part="statements of a consumer",
        word="dead",
    ),
    Counter(
        "waiting",
        "consumer",
        "edx2lrs_consumer_waiting",
        "Statements that wait.",
        part="statements of a consumer",
        gauge=True,
    ),
    Counter(
        "oldest_age",
        "consumer",
        "edx2lrs_consumer_oldest_waiting_seconds",
        "The age of the oldest waiting statement, in seconds.",
        gauge=True,
    ),
    Counter("requests", "consumer", "edx2lrs_consumer_requests", "Requests that were sent."),
    Counter("retries", "consumer", "edx2lrs_consumer_retries", "How many of `requests` repeated an earlier request."),
)

DEAD: frozenset[Key] = frozenset(counter.key for counter in COUNTERS if counter.told_by == "cause")
"""The keys that count dead letters."""


class Sum(NamedTuple):
    """Both sides of a sum: what the counters of ``wholes`` count is as much as what those of ``parts`` count."""

    whose: Whose
    wholes: tuple[Counter, ...]
    parts: tuple[Counter, ...]


def _sum(name: SumName) -> Sum:
    wholes = tuple(counter for counter in COUNTERS if counter.whole == name)
    return Sum(wholes[0].whose, wholes, tuple(counter for counter in COUNTERS if counter.part == name))


RECORDS, CONSUMER_RECORDS, STATEMENTS = (
    _sum("records"),
    _sum("records of a consumer"),
    _sum("statements of a consumer"),
)
"""Every record and every statement is accounted for: what every run promises."""
SUMS = (RECORDS, CONSUMER_RECORDS, STATEMENTS)


def of(whose: Whose) -> Iterator[Counter]:
    """The rows of the run, of its records or of a consumer, in the report's order."""
    return (counter for counter in COUNTERS if counter.whose == whose)


Grouped: TypeAlias = Mapping[str, Mapping[Key, Mapping[str, int]]]
"""A tally by consumer, key and cause. Causes are in the order of their names; a counter that no cause tells has its number at ""."""


def grouped(tally: Tally) -> Grouped:
    """``tally`` as a whole, gone through once."""
    found: dict[str, dict[Key, dict[str, int]]] = {}
    for (consumer, key, cause), number in sorted(tally.items()):
        found.setdefault(consumer, {}).setdefault(key, {})[cause] = number
    return found


def total(counts: Grouped, consumer: str, *counters: Counter) -> int:
    """What ``counters`` count of ``consumer``, over all causes."""
    of_consumer = counts.get(consumer, {})
    return sum(sum(of_consumer.get(counter.key, {}).values()) for counter in counters)


def unsettled(counts: Grouped, consumer: str) -> int:
    """How many statements of ``consumer`` wait, where nobody keeps that number: those made that no other count has."""
    return total(counts, consumer, *STATEMENTS.wholes) - total(counts, consumer, *STATEMENTS.parts)
