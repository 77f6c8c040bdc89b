"""Explain one event: what each step says to it, which fields were read, what each consumer would get; or what became of a statement.

Nothing is sent. Without a configuration: what any xAPI and any Caliper consumer of an example site would get. The fields' values
are shown with ``--values``; the statements always are as a consumer would see them.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
import orjson

from edx2lrs.io.sources.lines import LONGEST_LINE
from edx2lrs.pipeline.app.explain import ExplainRequest, Explanation, ForConsumer, explain, one_record
from edx2lrs.pipeline.app.statement_fate import StatementFate, statement_fate
from edx2lrs.pipeline.commands.outcomes import DONE, WRONG
from edx2lrs.pipeline.source_records import record_at
from edx2lrs.transforms.causes import FILTERED
from edx2lrs.transforms.failure import Refusal
from edx2lrs.transforms.formats.printable import printable

_FILTERED: Mapping[str, str] = {each.reason: each.meaning for each in FILTERED}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    what = "FILE:LINE, also of a packed file; or a statement's id, with --state; without it: one event on standard input"
    parser.add_argument("what", nargs="?", metavar="FILE:LINE|ID", help=what)
    parser.add_argument("--config", metavar="c.yaml", help="the consumers; without it: one of each protocol that sees everything")
    parser.add_argument("--consumer", metavar="NAME", help="explain for this consumer alone")
    parser.add_argument("--state", metavar="DIR", help="the state directory that knows what became of the statement")
    parser.add_argument("--values", action="store_true", help="show the values of the fields, not only their types")
    parser.add_argument("--json", action="store_true", help="as one JSON object, or an array of what became of the statement")


def main(arguments: argparse.Namespace) -> int:
    """Explains an event, or says what became of a statement; gives 0, or 2 when there is none or the configuration is wrong."""
    if arguments.state is not None:
        fates = statement_fate(arguments.state, arguments.what or "", arguments.consumer)
        for line in [_as_json(fates)] if arguments.json else map(_of_statement, fates):
            print(printable(line))
        return DONE
    if arguments.what is None:
        record, further = one_record(sys.stdin.buffer.read(LONGEST_LINE + 1))
    else:
        record, further = record_at(arguments.what), 0
    if not record:
        print("edx2lrs explain: found nothing on standard input, expected one event", file=sys.stderr)
        return WRONG
    explanation = explain(ExplainRequest(record, arguments.config, arguments.values, arguments.consumer))
    if further:
        print(f"edx2lrs explain: this is the first line; {further} more were not looked at", file=sys.stderr)
    for line in [_as_json(explanation)] if arguments.json else described(explanation):
        print(printable(line))
    return DONE


def _as_json(found: object) -> str:
    return msgspec.json.encode(found).decode()


_BECAME = {
    "delivered": "delivered",
    "settled": "delivered, stored before, or in conflict with another body: the state directory does not note which",
    "waits": "waits",
    "held": "held: other options decided when it was made",
    "dead": "a dead letter",
    "sent again": "a dead letter that was sent again",
    "never made": "never made, or forgotten (dedup.ids)",
}


def _of_statement(fate: StatementFate) -> str:
    place = f", of {fate.position}" if fate.position else ""
    why = f", {fate.letter.cause}: {fate.letter.message} ({fate.letter.id})" if fate.letter else ""
    return f"{fate.consumer}: {_BECAME[fate.became]}{place}{why}"


def described(explanation: Explanation) -> Iterator[str]:
    """The lines for a person, in the order of the steps."""
    refusal = explanation.refusal
    yield f"read       {explanation.size} bytes"
    if refusal is not None:
        yield f"{'parse' if refusal.stage != 'read' else '':11}{_refused(refusal)}"
        return
    yield f"parse      {explanation.name or 'an event without a name'}"
    if explanation.fields is not None:
        owner = f", from {explanation.package}" if explanation.package else ""
        yield f"           family {explanation.family}{owner}; of the record, only these fields were read:"
        width = max(len(field.path) for field in explanation.fields)
        for field in explanation.fields:
            found = ", ".join(field.types) or "-" if field.values is None else _values(field.values)
            yield f"             {field.path:{width}}  {found}"
    reason = explanation.filtered
    yield f"filter     {'goes on' if reason is None else f'{reason}: {_FILTERED[reason]}; nobody gets it'}"
    for consumer in explanation.consumers:
        yield ""
        yield from _for_consumer(consumer)


def _values(values: Sequence[Any]) -> str:
    return ", ".join(orjson.dumps(value).decode() for value in values) or "-"


def _for_consumer(consumer: ForConsumer) -> Iterator[str]:
    yield f"{consumer.name} ({consumer.protocol}): gets {_number_of(consumer.statements)}"
    for place, rule in zip(("match", *[""] * len(consumer.rules)), consumer.rules, strict=False):
        values = "" if rule.values is None else f" ({_values(rule.values)})"
        yield f"  {place:9}  {'yes' if rule.passes else 'no'}, {rule.rule}: {rule.why}{values}"
    if consumer.has_mapping is False:
        yield f"  translate  no {consumer.protocol} mapping for events of this name: skipped"
    elif consumer.refusal is not None:
        yield f"  {consumer.refusal.stage:9}  {_refused(consumer.refusal)}"
    elif consumer.statements:
        yield f"  translate  its mapping reads {', '.join(consumer.reads)}"
        yield f"  guard      {'left out: ' + ', '.join(consumer.left_out) if consumer.left_out else 'passed'}"
        for body in consumer.statements:
            indented = orjson.dumps(orjson.loads(bytes(body)), option=orjson.OPT_INDENT_2).decode()
            yield from (f"    {line}" for line in indented.splitlines())
        if consumer.protocol == "caliper":
            yield f"  deliver    in an envelope, with sensor {consumer.sensor or 'lms.root_url'}"


def _number_of(statements: Sequence[object]) -> str:
    if not statements:
        return "nothing"
    return "1 statement" if len(statements) == 1 else f"{len(statements)} statements"


def _refused(refusal: Refusal) -> str:
    return f"refused: {refusal.cause}: {refusal.message}; a dead letter"
