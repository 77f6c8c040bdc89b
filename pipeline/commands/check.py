"""Checks a configuration and its tables, and says for each consumer what it gets and how it sees persons: `edx2lrs check`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence

from edx2lrs.pipeline.app.check import CheckRequest, ConsumerShown, check, check_connections
from edx2lrs.pipeline.commands.outcomes import DONE, IN_PART
from edx2lrs.pipeline.commands.status_line import steps_shown
from edx2lrs.pipeline.page_parts import columns
from edx2lrs.transforms.config_types import Events
from edx2lrs.transforms.formats.number_words import counted
from edx2lrs.transforms.matching.rules import rule_words


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("config", metavar="c.yaml", help="the configuration; its secrets and tables have to be there")
    how = parser.add_mutually_exclusive_group()
    requests = "talk to each consumer, too: a query for no statements, and a batch of none"
    how.add_argument("--connect", action="store_true", help=requests)
    alone = "check the file alone, as on a laptop or in CI: secrets, tables and certificates"
    how.add_argument("--structure", action="store_true", help=f"{alone} need not be there, and are named as not checked")


def main(arguments: argparse.Namespace) -> int:
    """Prints the consumers; or every fault, on standard error, and gives 2. With ``--connect`` 1 if a consumer is not ready."""
    request = CheckRequest(arguments.config, arguments.structure)
    with steps_shown("lms.external_ids") as on_progress:
        checked = check(request, on_progress)
    for line in (*described(checked.consumers), *_events(checked.events)):
        print(line)
    print()
    for line in persons(checked.consumers):
        print(line)
    for warning in checked.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    for need in checked.not_checked:
        print(f"not checked: {need.key}: {need.name}", file=sys.stderr)
    return _connect(request, checked.consumers) if arguments.connect else DONE


def _connect(request: CheckRequest, consumers: Sequence[ConsumerShown]) -> int:
    width = max(len(consumer.name) for consumer in consumers)
    all_fine = True
    print()
    for finding in check_connections(request):
        print(f"{finding.consumer:{width}}  {'ok    ' if finding.fine else 'FAILED'}  {finding.text}", flush=True)
        all_fine = all_fine and finding.fine
    return DONE if all_fine else IN_PART


def described(consumers: Sequence[ConsumerShown]) -> Iterator[str]:
    """For each consumer: a line with name, protocol, address; and a line for each rule on what it sees, wants and gets."""
    width = max(len(consumer.name) for consumer in consumers)
    for consumer in consumers:
        yield f"{consumer.name:{width}}  {consumer.protocol:7}  {consumer.address}"
        for label, text in _rules(consumer):
            yield f"{'':{width}}  {label:7}  {text}"


def _rules(consumer: ConsumerShown) -> Iterator[tuple[str, str]]:
    rules = [rule_words(rule.name, rule.allow, rule.block) for rule in consumer.access or ()]
    yield from (("sees", text) for text in rules or ["everything"])
    yield from (("wants", f"{path}: {' or '.join(words)}") for path, words in consumer.wishes.items())
    if consumer.redact:
        yield "without", " and ".join(consumer.redact)
    batch = consumer.batch
    most = f"{counted(batch.size, 'statement')} or {batch.bytes:,} bytes at most"
    yield "batches", f"{most}, sent after {batch.interval:g} s at the latest"


def _events(events: Events) -> Iterator[str]:
    if events.allow is not None or events.block:
        yield f"for all  {rule_words('events', events.allow, events.block)}"


def persons(consumers: Sequence[ConsumerShown]) -> Iterator[str]:
    """A table: under which kind of id each consumer sees persons, and whose key makes HMAC ids, those of visitors among them."""
    rows = [("consumer", "protocol", "persons by", "type", "key", "unknown users")]
    for consumer in consumers:
        seen = consumer.persons
        unknown = "-" if seen.unknown is None else seen.unknown.replace("_", " ")
        rows.append((consumer.name, consumer.protocol, seen.kind, seen.type, seen.key, unknown))
    return columns(rows)
