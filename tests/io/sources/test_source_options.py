"""The options of kafka:// and redis:// addresses: what they become, and what is said of wrong ones."""

from __future__ import annotations

import sys

import pytest

from edx2lrs.io.sources.address import SourceUrlError
from edx2lrs.io.sources.kafka import kafka_options
from edx2lrs.io.sources.opening import open_source, parse
from edx2lrs.io.sources.redis_streams import redis_options
from edx2lrs.io.sources.source import SourceError

KAFKA = "kafka://one:9092,two:9093/prod-tracking?group=lrs"
REDIS = "redis://cache:6379/prod-tracking?group=lrs"


def kafka(more: str = "", worker: str = ""):
    return kafka_options(parse(KAFKA + more), worker)


def redis(more: str = "", worker: str = "", scheme: str = "redis"):
    return redis_options(parse(REDIS.replace("redis", scheme, 1) + more), worker)


def test_a_bare_address_of_kafka_commits_nothing_by_itself() -> None:
    options = kafka()
    assert (options.topic, options.start) == ("prod-tracking", "earliest")
    assert options.settings["bootstrap.servers"] == "one:9092,two:9093"
    assert options.settings["enable.auto.commit"] is False
    assert options.settings["security.protocol"] == "plaintext"
    assert "group.instance.id" not in options.settings


def test_a_worker_has_its_name_in_the_group_unless_the_address_has_one() -> None:
    assert kafka(worker="host 1").settings["group.instance.id"].startswith("host-1-")
    assert kafka("&member=mine", worker="host 1").settings["group.instance.id"].startswith("mine-")
    assert redis(worker="host-1").consumer == "host-1"
    assert redis("&consumer=mine", worker="host-1").consumer == "mine"
    assert redis().consumer != redis().consumer


def test_credentials_are_read_by_reference_and_mean_tls(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    monkeypatch.setenv("BUS_USER", "someone")
    (tmp_path / "password").write_text("p4ss\n")
    references = f"&username=env:BUS_USER&password=file:{tmp_path}/password"
    settings = kafka(references).settings
    assert (settings["sasl.username"], settings["sasl.password"]) == ("someone", "p4ss")
    assert (settings["security.protocol"], settings["sasl.mechanism"]) == ("sasl_ssl", "PLAIN")
    assert kafka(references + "&mechanism=SCRAM-SHA-512").settings["sasl.mechanism"] == "SCRAM-SHA-512"
    assert redis(references).client["password"] == "p4ss"


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [("2026-01-01T00:00:00Z", 1767225600000), ("2026-01-01T01:00:00.250%2B01:00", 1767225600250)],
)
def test_a_group_may_begin_at_a_time(text: str, milliseconds: int) -> None:
    assert kafka(f"&start={text}").start == milliseconds
    assert redis(f"&start={text}").begin == f"{milliseconds - 1}-18446744073709551615"


def test_a_group_may_begin_at_either_end() -> None:
    assert kafka("&start=latest").start == "latest"
    assert (redis().begin, redis("&start=earliest").begin, redis("&start=latest").begin) == ("0", "0", "$")


def test_redis_with_tls_and_a_database() -> None:
    client = redis("&db=3&ca=/etc/ca.pem", scheme="rediss").client
    assert (client["host"], client["port"], client["db"]) == ("cache", 6379, 3)
    assert (client["ssl"], client["ssl_ca_certs"]) == (True, "/etc/ca.pem")


@pytest.mark.parametrize(
    ("options", "more", "expected"),
    [
        (kafka, "&strat=latest", "did you mean start?"),
        (kafka, "&topic=x", "is no option; there are"),
        (kafka, "&start=yesterday", "earliest, latest or a time such as"),
        (kafka, "&start=2026-01-01T00:00:00", "earliest, latest or a time such as"),
        (kafka, "&session=45", "a duration above 0 such as"),
        (kafka, "&session=0s", "a duration above 0 such as"),
        (kafka, "&member=", "is empty"),
        (kafka, "&security=tls", "plaintext, sasl_plaintext, sasl_ssl, ssl"),
        (kafka, "&security=sasl_ssl", "go with username and password"),
        (kafka, "&username=file:/dev/null", "username"),
        (kafka, "&registry=host:8081", "expected http://HOST:PORT"),
        (redis, "&db=x", "expected a number"),
        (redis, "&ca=/etc/ca.pem", "go with rediss://"),
        (redis, "&claim=soon", "a duration above 0 such as"),
    ],
)
def test_a_wrong_option_is_named_with_what_it_should_be(options, more: str, expected: str) -> None:
    with pytest.raises(SourceUrlError) as raised:
        options(more)
    assert expected in str(raised.value)
    assert more[1:].partition("=")[0] in str(raised.value)


@pytest.mark.parametrize("options", [kafka, redis])
def test_a_secret_in_the_address_is_refused_and_not_repeated(options) -> None:
    with pytest.raises(SourceUrlError) as raised:
        options("&username=env:PATH&password=hunter2")
    assert "env:NAME" in str(raised.value)
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize(
    ("module", "url", "extra"),
    [("confluent_kafka", KAFKA, "kafka"), ("redis", REDIS, "redis")],
)
def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch, module: str, url: str, extra: str) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(SourceError) as raised:
        open_source(parse(url), "worker-1")
    assert f"pip install 'edx2lrs[{extra}]'" in str(raised.value)
    assert raised.value.fatal
