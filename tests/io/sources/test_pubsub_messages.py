"""The records of a Pub/Sub message."""

from __future__ import annotations

import pytest

from edx2lrs.io.sources.position import Position
from edx2lrs.io.sources.pubsub_client import messages_of


def test_an_event_is_one_record():
    (message,) = messages_of("77", b'{"name": "play_video"}', {"kind": "x"})
    assert message == ("77", Position("77"), b'{"name": "play_video"}', {"kind": "x"})


def test_each_element_of_a_list_is_a_record_as_it_was_written():
    found = list(messages_of("77", b' [{"name":  "a"}, 5,{"name": "b"} ]', {"kind": "x"}))
    assert [(each.id, each.body) for each in found] == [("77/1", b'{"name":  "a"}'), ("77/2", b"5"), ("77/3", b'{"name": "b"}')]
    assert all(str(each.position) == each.id and each.attributes == {"kind": "x"} for each in found)


@pytest.mark.parametrize("data", [b"", b"[]", b"[{]", b"[" * 100_000, b"\xff", b"no"])
def test_what_is_no_list_of_events_is_one_record_for_the_parser(data):
    (message,) = messages_of("77", data, {})
    assert (message.id, message.body) == ("77", data)
