"""Checks a configuration and its tables, and says in one line for each consumer what it gets: `edx2lrs check`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from urllib.parse import urlsplit, urlunsplit

from edx2lrs.io.tables import TableError, read_course_names, read_external_ids
from edx2lrs.pipeline.config import ConfigError, load
from edx2lrs.pipeline.variants import actor_options
from edx2lrs.transforms.config_types import AccessRule, ActorOptions, Config, Consumer
from edx2lrs.transforms.external_ids import ExternalIds

OK = 0
WRONG = 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``edx2lrs check``."""
    parser.add_argument("config", metavar="c.yaml", help="the configuration; its secrets and tables have to be there")


def run(arguments: argparse.Namespace) -> int:
    """Prints the consumers; or every fault, on standard error, and gives 2."""
    try:
        config = load(arguments.config)
        table = read_external_ids(config.lms.external_ids) if config.lms.external_ids else None
        if config.lms.course_names:
            read_course_names(config.lms.course_names)
    except (ConfigError, TableError) as error:
        print(error, file=sys.stderr)
        return WRONG
    for line in described(config):
        print(line)
    for warning in warnings(config, table):
        print(f"warning: {warning}", file=sys.stderr)
    return OK


def described(config: Config) -> Iterator[str]:
    """One line for each consumer: name, protocol, address, what it may see, how persons are named."""
    width = max(len(consumer.name) for consumer in config.consumers)
    for consumer in config.consumers:
        actor = _actor(actor_options(consumer.protocol, consumer.actor, config.lms))
        address = _without_query(consumer.url)
        yield f"{consumer.name:{width}}  {consumer.protocol:7}  {address}  sees {_access(consumer)}  persons by {actor}"


def warnings(config: Config, table: ExternalIds | None) -> Iterator[str]:
    """What is allowed and probably not meant, one line each."""
    if config.lms.id_key is None:
        yield "without lms.id_key the events of anonymous visitors become dead letters"
    for consumer in config.consumers:
        options = actor_options(consumer.protocol, consumer.actor, config.lms)
        if options.kind == "mbox":
            yield f"{consumer.name} gets the e-mail address of every person"
        if options.kind == "mbox_sha1sum":
            yield f"{consumer.name} gets a hash of every person's e-mail address, which who knows the address can tell"
        if table is None or options.kind == "hmac":
            continue
        if options.kind.startswith("mbox") and not table.has_emails:
            yield f"{consumer.name} needs e-mail addresses, and {config.lms.external_ids} has none"
        if options.kind == "external_id" and options.type not in table.types:
            types = ", ".join(sorted(table.types)) or "none"
            yield f"{consumer.name} needs ids of type {options.type}, and {config.lms.external_ids} has {types}"


def _without_query(url: str) -> str:
    """The address as it may be shown: a query may hold a token."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(query="...")) if parts.query else url


def _access(consumer: Consumer) -> str:
    if consumer.access == "all":
        return "everything"
    rules = (("courses", consumer.access.courses), ("orgs", consumer.access.orgs))
    return " and ".join(f"{name} {_rule(rule)}" for name, rule in rules if rule is not None)


def _rule(rule: AccessRule) -> str:
    allowed = "all" if rule.allow is None else _few(rule.allow)
    return f"{allowed} but {_few(rule.block)}" if rule.block else allowed


def _few(names: list[str]) -> str:
    shown = ", ".join(names[:3]) or "none"
    return f"{shown} and {len(names) - 3} more" if len(names) > 3 else shown


def _actor(options: ActorOptions) -> str:
    if options.kind == "hmac":
        return "hmac"
    kind = f"external_id {options.type}" if options.kind == "external_id" else options.kind
    return f"{kind}, unknown ones by hmac" if options.unknown == "hmac" else kind
