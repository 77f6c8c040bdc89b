"""Checks a configuration, its secrets and its tables: what each consumer gets, how it sees persons, what is probably not meant."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from edx2lrs.io.delivery.credentials import go_in_clear
from edx2lrs.io.external_ids import open_external_ids
from edx2lrs.io.external_ids_database import ExternalIdTable
from edx2lrs.io.progress import OnProgress, silent
from edx2lrs.io.secrets import resolve
from edx2lrs.io.tables import read_course_names
from edx2lrs.pipeline.app import connection_check
from edx2lrs.pipeline.app.connection_check import ConnectionFinding
from edx2lrs.pipeline.app.doubtful_rules import doubtful_rules, short_keys
from edx2lrs.pipeline.config.needs import Need
from edx2lrs.pipeline.config.reading import load, read_structure
from edx2lrs.pipeline.variants import actor_options
from edx2lrs.transforms.config_types import BatchOptions, Config, Consumer, Events, Protocol
from edx2lrs.transforms.families.mappings import load_packages
from edx2lrs.transforms.matching.activity_types import known_types
from edx2lrs.transforms.matching.patterns import is_regex
from edx2lrs.transforms.matching.rules import named_users, operators, written_rules
from edx2lrs.transforms.people.person_ids import bare


@dataclass(frozen=True)
class CheckRequest:
    """``structure_only``: whether secrets, tables, certificates and the network are left alone."""

    config: str
    structure_only: bool = False


@dataclass(frozen=True)
class RuleShown:
    """One rule of a consumer's access."""

    name: str
    allow: list[str | int] | None
    block: list[str | int]


@dataclass(frozen=True)
class Persons:
    """How a consumer sees persons: the kind of their ids, its type, whose key makes HMAC ids, what happens to users that the table
    does not know (None: there are none)."""

    kind: str
    type: str
    key: str
    unknown: str | None


@dataclass(frozen=True)
class ConsumerShown:
    """What a consumer gets. ``address`` is without a query, which may hold a token. ``access``: None for everything. ``wishes``: what
    ``match_params`` asks for at each path, in words; any of them is enough."""

    name: str
    protocol: Protocol
    address: str
    access: list[RuleShown] | None
    wishes: dict[str, list[str]]
    batch: BatchOptions
    redact: list[str]
    persons: Persons


@dataclass(frozen=True)
class Checked:
    """A configuration that is right. ``warnings``: what is allowed and probably not meant. ``not_checked``: what it needs beside its
    file and nobody looked at."""

    events: Events
    consumers: list[ConsumerShown]
    warnings: list[str]
    not_checked: list[Need]


def check(request: CheckRequest, on_progress: OnProgress = silent) -> Checked:
    """``on_progress`` is told how far the compilation of a large table is. Raises ``ConfigError`` with every fault, ``TableError``,
    ``OwnEventsError``."""
    table: ExternalIdTable | None = None
    needs: tuple[Need, ...] = ()
    if request.structure_only:
        config, needs = read_structure(request.config)
        load_packages()
    else:
        config = load(request.config)
        load_packages()
        table = _table(config, on_progress)
        if config.lms.course_names:
            read_course_names(config.lms.course_names)
    shown = [_shown(consumer, config) for consumer in config.consumers]
    short = [] if request.structure_only else short_keys(config, resolve)
    return Checked(config.events, shown, [*_warnings(config, table), *doubtful_rules(config), *short], list(needs))


def check_connections(request: CheckRequest) -> Iterator[ConnectionFinding]:
    """Talks to each consumer, in their order, without leaving anything there. Raises ``ConfigError``, ``SecretError``."""
    return connection_check.findings(load(request.config), resolve)


def _shown(consumer: Consumer, config: Config) -> ConsumerShown:
    options = actor_options(consumer.protocol, consumer.actor, config.lms)
    persons = Persons(
        f"{options.kind} of the address" if options.sha1_of == "address" else options.kind,
        options.type,
        "own" if options.key else "site's" if config.lms.id_key else "none",
        None if options.kind == "hmac" else options.unknown,
    )
    wishes = {path: [each.words for each in operators(written)] for path, written in consumer.match_params.items()}
    redact: list[str] = sorted(set(consumer.redact))
    name, protocol, address = consumer.name, consumer.protocol, consumer.shown_url
    return ConsumerShown(name, protocol, address, _access(consumer), wishes, consumer.batch, redact, persons)


def _access(consumer: Consumer) -> list[RuleShown] | None:
    if consumer.access == "all":
        return None
    rules = written_rules(consumer.access)
    return [RuleShown(name, None if rule.allow is None else list(rule.allow), list(rule.block)) for name, rule in rules]


def _warnings(config: Config, table: ExternalIdTable | None) -> Iterator[str]:
    if config.lms.id_key is None and not all(consumer.actor.key for consumer in config.consumers):
        yield "without lms.id_key the events of anonymous visitors become dead letters"
    for consumer in config.consumers:
        options = actor_options(consumer.protocol, consumer.actor, config.lms)
        for unknown in _unknown_types(consumer):
            yield f"{consumer.name} names the activity type {unknown}, which no {consumer.protocol} mapping makes"
        if options.kind in ("mbox", "mbox_sha1sum"):
            hashed = ", hashed so that who knows an address can tell it," if options.kind == "mbox_sha1sum" else ""
            yield f"the user's e-mail address{hashed} goes to {consumer.name}, {consumer.shown_url}"
        if go_in_clear(consumer):
            yield f"the credentials of {consumer.name} can be read on the way to {consumer.shown_url}; give an https:// url"
        yield from _users_told_by_name(consumer, config, table)
        yield from _one_actor(consumer, config)
        if table is None or options.kind == "hmac":
            continue
        if options.kind.startswith("mbox") and not table.has_emails:
            yield f"{consumer.name} needs e-mail addresses, and {config.lms.external_ids} has none"
        if options.kind == "external_id" and options.type not in table.types:
            types = ", ".join(sorted(table.types)) or "none"
            yield f"{consumer.name} needs ids of type {options.type}, and {config.lms.external_ids} has {types}"


def _one_actor(consumer: Consumer, config: Config) -> Iterator[str]:
    properties = consumer.override_args if consumer.protocol == "xapi" else consumer.override_args.get("event", {})
    if "actor" in properties:
        has_key = consumer.actor.key or config.lms.id_key
        ids = "a key makes the ids" if has_key else "without lms.id_key two persons' events of one moment may have one id"
        yield f"{consumer.name} gets one actor for everybody and no sessions; {ids}; answers, titles and posts may still name a person"


def _users_told_by_name(consumer: Consumer, config: Config, table: ExternalIdTable | None) -> Iterator[str]:
    """Usernames in rules that name nobody for sure: a name can change, and the id of a user stays."""
    names = named_users(consumer)
    if names and config.lms.external_ids is None:
        yield f"access.users of {consumer.name} goes by the usernames that events have: without lms.external_ids, name user ids"
        return
    for name in names:
        if is_regex(name):
            yield f"access.users of {consumer.name} has {name}, which goes by the usernames that events have; a username can change"
        elif table is not None and table.user_id_of(bare(name)) is None:
            yield f"access.users of {consumer.name} names {name}, whom {config.lms.external_ids} lacks: the usernames of events count"


def _table(config: Config, on_progress: OnProgress) -> ExternalIdTable | None:
    path = config.lms.external_ids
    if path is None:
        return None
    kinds = {actor_options(consumer.protocol, consumer.actor, config.lms).kind for consumer in config.consumers}
    return open_external_ids(path, emails=not kinds.isdisjoint({"mbox", "mbox_sha1sum"}), on_progress=on_progress)


def _unknown_types(consumer: Consumer) -> list[str]:
    """The exact names in its rule on activity types that no table has."""
    rule = None if consumer.access == "all" else consumer.access.activity_types
    if rule is None:
        return []
    known = known_types(consumer.protocol, consumer.dialect)
    return [name for name in (*(rule.allow or ()), *rule.block) if not is_regex(name) and name not in known]
