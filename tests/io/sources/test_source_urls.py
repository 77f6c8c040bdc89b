"""How the addresses of streams are read, and what is said of wrong ones."""

from __future__ import annotations

import pytest

from edx2lrs.io.sources.address import SourceUrlError
from edx2lrs.io.sources.opening import check_options, parse, streams


@pytest.mark.parametrize(
    ("text", "name", "servers", "path", "options"),
    [
        ("pubsub://my-project/events-sub", "pubsub://my-project/events-sub", ("my-project",), "events-sub", {}),
        ("tail:/var/log/tracking.log", "tail:/var/log/tracking.log", (), "/var/log/tracking.log", {}),
        ("tail:///var/log/tracking.log", "tail:/var/log/tracking.log", (), "/var/log/tracking.log", {}),
        ("kafka://a:9092,b:9092/t?group=g", "kafka://a:9092,b:9092/t?group=g", ("a:9092", "b:9092"), "t", {"group": "g"}),
        ("redis://r:6379/s?group=g&member=m", "redis://r:6379/s?group=g", ("r:6379",), "s", {"group": "g", "member": "m"}),
    ],
)
def test_addresses_are_read(text, name, servers, path, options):
    url = parse(text)
    assert (url.name, url.servers, url.path, dict(url.options)) == (name, servers, path, options)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("pubsub://my-project", "written pubsub://PROJECT/SUBSCRIPTION"),
        ("pubsub://p/sub", "'p' is no project's id"),
        ("pubsub://my-project/a/b", "written pubsub://"),
        ("pubsub://my-project/1sub", "'1sub' is no subscription's name"),
        ("pubsub://my-project/sub?group=g", "'group' is no option"),
        ("tail:", "names no file"),
        ("tail:logs/*.log", "names no file"),
        ("tail:/tmp", "is a folder"),
        ("kafka://host/topic?group=g", "'host' is no HOST:PORT"),
        ("kafka://host:99999/topic?group=g", "is no HOST:PORT"),
        ("kafka://host:9092/topic", "has no group"),
        ("redis://host:6379?group=g", "written redis://"),
    ],
)
def test_what_is_wrong_is_named_with_how_it_is_written(text, said):
    with pytest.raises(SourceUrlError) as refused:
        parse(text)
    assert said in str(refused.value)
    assert text in str(refused.value)


@pytest.mark.parametrize(
    "text",
    [
        "redis://bob:hunter2@host:6379/s?group=g",
        "redis://:hunter2@host:6379/s",
        "redis://bob:p@hunter2@host:6379/s/t",
        "redis://bob:hunter2/host:6379/s?group=g",
        "redis://host:6379/s?password=hunter2",
        "redis://host/s?group=g&password=hunter2",
        "redis://host:6379/s?PASSWORD=hunter2",
        "redis://host:6379/s?group=&password=a&hunter2",
        "redis://host:6379/s?group=g;password=hunter2#x",
        "redis://host:6379/s#hunter2",
        "kafka://host:9092/t?password=hunter2&username=env:U",
        "kafka://host:9092/a/b?group=g&key_password=hunter2",
        "kafka://host:9092/t?registry_password=hunter2",
        "kafka://host:9092/t?group=g&registry=http://bob:hunter2@host",
        "pubsub://p/sub?password=hunter2",
        "pubsub://bob:hunter2@my-project/sub",
        "redis://host:6379/s?group=g&password=hunter2",
    ],
)
def test_a_password_in_an_address_is_refused_and_not_repeated(text):
    with pytest.raises(SourceUrlError) as refused:
        check_options(parse(text))
    assert "hunter2" not in str(refused.value)
    with pytest.raises(SourceUrlError) as refused:
        streams([text, "logs/*.gz"])
    assert "hunter2" not in str(refused.value)


def test_files_are_no_streams():
    assert streams(["logs/*.gz", "s3://bucket/logs", "/var/log/tail.log"]) == []


def test_files_and_streams_go_in_runs_of_their_own():
    with pytest.raises(SourceUrlError, match=r"logs/\*\.gz.*a run of their own"):
        streams(["tail:a.log", "logs/*.gz"])


def test_a_stream_is_named_once():
    with pytest.raises(SourceUrlError, match="given twice"):
        streams(["tail:a.log", "tail:./a.log"])
