from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone

from edx2lrs.transforms.caliper.envelope import envelope


def test_an_envelope_holds_many_events_as_they_are() -> None:
    sent = datetime(2024, 3, 11, 7, 0, 0, 123999, timezone(timedelta(hours=1)))
    assert json.loads(envelope("https://lms.example.com", sent, [b'{"id":1}', b'{"id":2}'])) == {
        "sensor": "https://lms.example.com",
        "sendTime": "2024-03-11T06:00:00.123Z",
        "dataVersion": "http://purl.imsglobal.org/ctx/caliper/v1p2",
        "data": [{"id": 1}, {"id": 2}],
    }
