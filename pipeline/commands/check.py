"""Checks a configuration and its tables, and says for each consumer what it gets and how it sees persons: `edx2lrs check`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit, urlunsplit

from edx2lrs.io.external_ids import open_external_ids
from edx2lrs.io.secrets import resolve
from edx2lrs.io.tables import TableError, read_course_names
from edx2lrs.pipeline.app.connection_check import findings
from edx2lrs.pipeline.commands.status_line import steps_shown
from edx2lrs.pipeline.config.faults import ConfigError
from edx2lrs.pipeline.config.reading import load
from edx2lrs.pipeline.variants import actor_options
from edx2lrs.transforms.config_types import AccessRule, Config, Consumer, UserRule
from edx2lrs.transforms.families.mappings import load_packages
from edx2lrs.transforms.matching.activity_types import known_types
from edx2lrs.transforms.matching.patterns import is_regex
from edx2lrs.transforms.people.external_ids import ExternalIds

OK = 0
UNREACHABLE = 1
WRONG = 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``edx2lrs check``."""
    parser.add_argument("config", metavar="c.yaml", help="the configuration; its secrets and tables have to be there")
    parser.add_argument(
        "--connect", action="store_true", help="talk to each consumer, too: a query for no statements, and a batch of none"
    )


def main(arguments: argparse.Namespace) -> int:
    """Prints the consumers; or every fault, on standard error, and gives 2. With ``--connect`` 1 if a consumer is not ready."""
    try:
        config = load(arguments.config)
        load_packages()
        table = _table(config)
        if config.lms.course_names:
            read_course_names(config.lms.course_names)
    except (ConfigError, TableError) as error:
        print(error, file=sys.stderr)
        return WRONG
    for line in described(config):
        print(line)
    print()
    for line in persons(config):
        print(line)
    for warning in warnings(config, table):
        print(f"warning: {warning}", file=sys.stderr)
    return _connect(config) if arguments.connect else OK


def _connect(config: Config) -> int:
    width = max(len(consumer.name) for consumer in config.consumers)
    all_fine = True
    print()
    for finding in findings(config, resolve):
        print(f"{finding.consumer:{width}}  {'ok    ' if finding.fine else 'FAILED'}  {finding.text}", flush=True)
        all_fine = all_fine and finding.fine
    return OK if all_fine else UNREACHABLE


def described(config: Config) -> Iterator[str]:
    """One line for each consumer: name, protocol, address, what it may see."""
    width = max(len(consumer.name) for consumer in config.consumers)
    for consumer in config.consumers:
        address = _without_query(consumer.url)
        without = f"  without {' and '.join(sorted(set(consumer.redact)))}" if consumer.redact else ""
        yield f"{consumer.name:{width}}  {consumer.protocol:7}  {address}  sees {_access(consumer)}{without}"


def persons(config: Config) -> Iterator[str]:
    """A table: under which kind of id each consumer sees persons, and whose key makes HMAC ids, those of visitors among them."""
    rows = [("consumer", "protocol", "persons by", "type", "key", "unknown users")]
    for consumer in config.consumers:
        options = actor_options(consumer.protocol, consumer.actor, config.lms)
        kind = f"{options.kind} of the address" if options.sha1_of == "address" else options.kind
        key = "own" if options.key else "site's" if config.lms.id_key else "none"
        unknown = "-" if options.kind == "hmac" else options.unknown.replace("_", " ")
        rows.append((consumer.name, consumer.protocol, kind, options.type, key, unknown))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()


def warnings(config: Config, table: ExternalIds | None) -> Iterator[str]:
    """What is allowed and probably not meant, one line each."""
    if config.lms.id_key is None and not all(consumer.actor.key for consumer in config.consumers):
        yield "without lms.id_key the events of anonymous visitors become dead letters"
    for consumer in config.consumers:
        options = actor_options(consumer.protocol, consumer.actor, config.lms)
        for unknown in _unknown_types(consumer):
            yield f"{consumer.name} names the activity type {unknown}, which no {consumer.protocol} mapping makes"
        if options.kind == "mbox":
            yield f"the user's e-mail address goes to {consumer.name}, {_without_query(consumer.url)}"
        if options.kind == "mbox_sha1sum":
            hashed = "the user's e-mail address, hashed so that who knows an address can tell it, goes to"
            yield f"{hashed} {consumer.name}, {_without_query(consumer.url)}"
        if table is None or options.kind == "hmac":
            continue
        if options.kind.startswith("mbox") and not table.has_emails:
            yield f"{consumer.name} needs e-mail addresses, and {config.lms.external_ids} has none"
        if options.kind == "external_id" and options.type not in table.types:
            types = ", ".join(sorted(table.types)) or "none"
            yield f"{consumer.name} needs ids of type {options.type}, and {config.lms.external_ids} has {types}"


def _table(config: Config) -> ExternalIds | None:
    path = config.lms.external_ids
    kinds = {actor_options(consumer.protocol, consumer.actor, config.lms).kind for consumer in config.consumers}
    if path is None:
        return None
    with steps_shown("lms.external_ids") as step:
        return open_external_ids(path, emails=not kinds.isdisjoint({"mbox", "mbox_sha1sum"}), on_progress=step)


def _unknown_types(consumer: Consumer) -> list[str]:
    """The exact names in its rule on activity types that no table has."""
    rule = None if consumer.access == "all" else consumer.access.activity_types
    if rule is None:
        return []
    known = known_types(consumer.protocol)
    return [name for name in (*(rule.allow or ()), *rule.block) if not is_regex(name) and name not in known]


def _without_query(url: str) -> str:
    """The address as it may be shown: a query may hold a token."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(query="...")) if parts.query else url


def _access(consumer: Consumer) -> str:
    if consumer.access == "all":
        return "everything"
    rules = [(name, getattr(consumer.access, name)) for name in consumer.access.__struct_fields__]
    return " and ".join(f"{name.replace('_', ' ')} {_rule(rule)}" for name, rule in rules if rule is not None)


def _rule(rule: AccessRule | UserRule) -> str:
    allowed = "all" if rule.allow is None else _few(rule.allow)
    return f"{allowed} but {_few(rule.block)}" if rule.block else allowed


def _few(names: Sequence[str | int]) -> str:
    shown = ", ".join(map(str, names[:3])) or "none"
    return f"{shown} and {len(names) - 3} more" if len(names) > 3 else shown
