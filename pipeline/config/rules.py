"""What has to fit together in a configuration whose single values are right."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from edx2lrs.io.delivery.statement_files import is_place
from edx2lrs.pipeline.config.faults import UNUSABLE, Misfit
from edx2lrs.pipeline.config.values import BlockCheck, Given
from edx2lrs.pipeline.variants import actor_options
from edx2lrs.transforms.auth import NoAuth
from edx2lrs.transforms.config_types import Access, AccessRule, Config, Consumer, Retry, Tls, UserRule


def check_access(_: Access, given: Given) -> Iterator[Misfit]:
    """An access that names nothing would open nothing."""
    if not given.lines:
        fix = "to let the consumer see everything, write access: all"
        yield Misfit("", "an empty access, which opens nothing", "a rule such as courses or orgs", fix)


def check_access_rule(_: AccessRule | UserRule, given: Given) -> Iterator[Misfit]:
    """A rule that names nothing would open everything."""
    if not given.lines:
        yield Misfit("", "an empty rule", "allow, block or both")


def check_retry(retry: Retry, given: Given) -> Iterator[Misfit]:
    """The first wait is no longer than the longest."""
    if retry.base_delay > retry.max_delay and not given.wrong("base_delay") and not given.wrong("max_delay"):
        key = "base_delay" if "base_delay" in given else "max_delay"
        yield Misfit(key, f"base_delay {retry.base_delay:g} s above max_delay {retry.max_delay:g} s", "at most max_delay")


def check_tls(_: Tls, given: Given) -> Iterator[Misfit]:
    """A key with a certificate."""
    if "key" in given and "cert" not in given:
        yield Misfit("key", "key without cert", "cert: client.pem")


def check_consumer(consumer: Consumer, given: Given) -> Iterator[Misfit]:
    """Options that only mean something together with others."""
    if consumer.url is not UNUSABLE:
        yield from _check_transport(consumer, given)
    if "max_wait" in given and consumer.on_outage == "wait" and not given.wrong("on_outage"):
        yield Misfit("max_wait", "max_wait with on_outage: wait", "on_outage: dead_letter")
    if consumer.dialect == "aspects" and consumer.protocol == "caliper" and not given.wrong("dialect"):
        yield Misfit("dialect", "aspects with protocol: caliper", "protocol: xapi", "Aspects reads no Caliper events")
    if "sensor" in given and consumer.protocol == "xapi":
        yield Misfit("sensor", "sensor with protocol: xapi", fix="remove it, since xAPI has no sensor")
    if "override_args" in given and not given.wrong("override_args") and consumer.protocol is not UNUSABLE:
        from edx2lrs.pipeline.config.overrides import override_misfits  # the standards' rules are slow to import

        yield from override_misfits(consumer.protocol, consumer.override_args)
        if "sensor" in given and "sensor" in dict(consumer.override_args.get("envelope", {})):
            yield Misfit("sensor", "a sensor here and in override_args.envelope", fix="keep one of them")


def _check_transport(consumer: Consumer, given: Given) -> Iterator[Misfit]:
    """Options of HTTP need an address, options of TLS one with https."""
    if is_place(consumer.url):
        for key in ("auth", "headers", "tls", "gzip"):
            if key in given and not (key == "auth" and (given.wrong("auth") or consumer.auth == NoAuth())):
                yield Misfit(key, f"{key} with a url of files", fix="remove it, since nothing is sent by HTTP")
    elif "tls" in given and consumer.url.lower().startswith("http:"):
        yield Misfit("tls", "tls with an http:// url", "an https:// url")


def check_config(config: Config, given: Given) -> Iterator[Misfit]:
    """Names that tell consumers apart, and for each consumer what its actors' ids are made from."""
    first: dict[str, int] = {}
    for index, consumer in enumerate([] if config.consumers is UNUSABLE else config.consumers):
        if consumer is UNUSABLE:
            continue
        if consumer.name is not UNUSABLE:
            if consumer.name in first:
                found = f"{consumer.name}, the name of consumers[{first[consumer.name]}] too"
                yield Misfit(f"consumers[{index}].name", found, "a name of its own")
            first.setdefault(consumer.name, index)
        if config.lms is not UNUSABLE and consumer.protocol is not UNUSABLE:
            yield from _check_actor(config, consumer, f"consumers[{index}].actor", given)


def _check_actor(config: Config, consumer: Consumer, key: str, given: Given) -> Iterator[Misfit]:
    if consumer.protocol == "caliper" and consumer.actor.id in ("mbox", "mbox_sha1sum"):
        yield Misfit(f"{key}.id", f"{consumer.actor.id} with protocol: caliper", "external_id or hmac")
        return
    if any(given.wrong(path) for path in ("lms.external_ids", key, f"{key}.id", f"{key}.unknown")):
        return
    options = actor_options(consumer.protocol, consumer.actor, config.lms)
    if consumer.dialect == "aspects" and consumer.protocol == "xapi" and options.kind != "external_id":
        fix = "Aspects joins persons by the external id; add lms.external_ids"
        yield Misfit(f"{key}.id", f"{options.kind} with dialect: aspects", "external_id", fix)
        return
    if consumer.actor.key is not None and options.kind != "hmac":
        found = f"key with id: {options.kind}" if consumer.actor.id else "key with external ids, since there is lms.external_ids,"
        fix = "ids and addresses from the table are the same for every consumer"
        yield Misfit(f"{key}.key", found, "actor.id: hmac", fix)
    if consumer.actor.sha1_of != "mailto" and options.kind != "mbox_sha1sum" and not given.wrong(f"{key}.sha1_of"):
        yield Misfit(f"{key}.sha1_of", "sha1_of with nothing to hash", "actor.id: mbox_sha1sum")
    if options.kind != "hmac" and config.lms.external_ids is None:
        fix = "without a table actors are made by id: hmac, with lms.id_key"
        yield Misfit(f"{key}.id", f"{options.kind} without a table", "lms.external_ids", fix)
    by_hmac = options.kind == "hmac" or options.unknown == "hmac"
    has_key = config.lms.id_key or given.wrong("lms.id_key") or consumer.actor.key or given.wrong(f"{key}.key")
    if by_hmac and not has_key:
        why = "actor.unknown: hmac" if options.kind != "hmac" else "actor.id: hmac"
        if consumer.actor.id is None and options.kind == "hmac":
            why = "actors by hmac, since there is no lms.external_ids,"
        place = f"{key}.unknown" if options.kind != "hmac" else f"{key}.id"
        yield Misfit(place, f"{why} without a key", "lms.id_key: env:NAME or file:PATH")


CHECKS: Mapping[type, BlockCheck] = {
    Access: check_access,
    AccessRule: check_access_rule,
    UserRule: check_access_rule,
    Retry: check_retry,
    Tls: check_tls,
    Consumer: check_consumer,
    Config: check_config,
}
