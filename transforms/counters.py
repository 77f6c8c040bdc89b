"""The table of counters: what a job counts, whose each count is, and the sums that the counts have to satisfy.

The ledger, the report, ``/metrics``, Beam's metrics, the summary and the pages read this table. A new counter is a word in ``Key``,
a row in ``COUNTERS``, and the place that counts it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple, TypeAlias

Whose = Literal["run", "records", "consumer"]
Side = Literal["records", "statements"]
Key = Literal[
    "bytes", "read", "matched", "filtered", "dead", "redelivered", "replayed", "named_by_event_type", "unknown_names",
    "translated", "skipped", "statements", "taken_over", "delivered", "already_stored", "conflicts", "duplicates",
    "dead_records", "dead_statements", "left_out", "waiting", "oldest_age", "requests", "retries",
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
    """One row. ``told_by``: the counter is many, one for each reason or cause. ``whole`` and ``part``: of the sum of all records (or
    statements) of ``whose``, the counter stands on the left side, or on the right side. ``gauge``: a state that the outbox or a
    shard knows, and no count of the ledger. ``word``: how the summary names it (by default the key)."""

    key: Key
    whose: Whose
    meaning: str
    told_by: Literal["reason", "cause", "name", "field"] | None = None
    whole: Side | None = None
    part: Side | None = None
    gauge: bool = False
    word: str = ""

    @property
    def metric(self) -> str:
        """The name of the metric."""
        of = "" if self.whose == "run" else f"{self.whose}_"
        return f"edx2lrs_{of}{'oldest_waiting_seconds' if self.key == 'oldest_age' else self.key}"

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
    Counter("bytes", "run", "Bytes of text that were read."),
    Counter("read", "records", "Records that were read.", whole="records"),
    Counter("matched", "records", "Records that at least one consumer gets.", part="records"),
    Counter("filtered", "records", "Records that no consumer gets.", "reason", part="records"),
    Counter("dead", "records", "Records that became dead letters before consumers were matched.", "cause", part="records"),
    Counter("redelivered", "records", "Messages that came again after they were kept. They are not part of `read`. Files have none."),
    Counter("replayed", "records", "How many of `read` were dead letters."),
    Counter("named_by_event_type", "records", "Records without a name, which took the name in `event_type`."),
    Counter(
        "unknown_names", "records",
        "Unknown events on this machine: the 50 most frequent names that look like one of an event, and `other`. `/metrics` has none.",
        "name",
    ),
    Counter("matched", "consumer", "Records that the consumer gets.", whole="records"),
    Counter("filtered", "consumer", "Records that passed the filter, and that the consumer does not get.", "reason"),
    Counter("translated", "consumer", "Records of which statements were made.", part="records"),
    Counter(
        "skipped", "consumer", "Records for which the consumer's protocol has no mapping (`translate --trace` says `no_mapping`).",
        part="records",
    ),
    Counter("statements", "consumer", "Statements that were made.", whole="statements"),
    Counter(
        "taken_over", "consumer",
        "Statements that waited when the run began. All runs of a state directory together take nothing over.", whole="statements",
    ),
    Counter("replayed", "consumer", "How many of `statements` were dead letters."),
    Counter("delivered", "consumer", "Statements that the consumer took.", part="statements"),
    Counter("already_stored", "consumer", "Statements that the consumer had already, by its own words.", part="statements"),
    Counter("conflicts", "consumer", "Statements that the consumer has with another body.", part="statements"),
    Counter("duplicates", "consumer", "Statements whose id is known, from the same event or with the same body.", part="statements"),
    Counter("dead_records", "consumer", "Records that became dead letters of this consumer.", "cause", part="records", word="dead"),
    Counter("dead_statements", "consumer", "Statements that became dead letters.", "cause", part="statements", word="dead"),
    Counter("waiting", "consumer", "Statements that wait.", part="statements", gauge=True),
    Counter("oldest_age", "consumer", "The age of the oldest waiting statement, in seconds.", gauge=True),
    Counter(
        "left_out", "consumer",
        "Values that a record has and its statement cannot have, by the event's name and the place in the statement. The statement "
        "has every other value.",
        "field",
    ),
    Counter("requests", "consumer", "Requests that were sent."),
    Counter("retries", "consumer", "How many of `requests` repeated an earlier request."),
)

DEAD: frozenset[Key] = frozenset(counter.key for counter in COUNTERS if counter.told_by == "cause")
"""The keys that count dead letters."""


class Sum(NamedTuple):
    """Both sides of a sum: what the counters of ``wholes`` count is as much as what those of ``parts`` count."""

    whose: Whose
    wholes: tuple[Counter, ...]
    parts: tuple[Counter, ...]


def _sum(whose: Whose, side: Side) -> Sum:
    rows = tuple(of(whose))
    return Sum(whose, tuple(row for row in rows if row.whole == side), tuple(row for row in rows if row.part == side))


def of(whose: Whose) -> Iterator[Counter]:
    """The rows of the run, of its records or of a consumer, in the report's order."""
    return (counter for counter in COUNTERS if counter.whose == whose)


SUMS = RECORDS, CONSUMER_RECORDS, STATEMENTS = _sum("records", "records"), _sum("consumer", "records"), _sum("consumer", "statements")
"""Every record and every statement is accounted for: what every run promises."""


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
