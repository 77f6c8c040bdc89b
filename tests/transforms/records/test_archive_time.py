"""The time by which archives are cut."""

from __future__ import annotations

import pytest

from edx2lrs.transforms.records.archive_time import archive_time, received_at

LATE = b'{"name": "a", "time": "2024-05-02T08:00:00+00:00", "context": {"received_at": "2024-05-15T10:00:00+00:00"}, "event": {}}'


@pytest.mark.parametrize(
    ("record", "received", "time"),
    [
        (LATE, "2024-05-15T10:00:00+00:00", "2024-05-15T10:00:00+00:00"),
        (b"May 15 host [x 1] " + LATE, "2024-05-15T10:00:00+00:00", "2024-05-15T10:00:00+00:00"),
        (LATE.replace(b"+00:00", b""), "2024-05-15T10:00:00+00:00", "2024-05-15T10:00:00+00:00"),
        (LATE.replace(b"2024-05-15T10", b"soon"), None, "2024-05-02T08:00:00+00:00"),
        (b'{"time": "2024-05-02T08:00:00Z", "context": null, "event": "{\\"received_at\\": 1}"}', None, "2024-05-02T08:00:00+00:00"),
        (b'{"timestamp": "2024-05-02T08:00:00Z", "context": "{\\"received_at\\": 1e999}"}', None, "2024-05-02T08:00:00+00:00"),
        (b'{"context": "{\\"received_at\\": \\"2024-05-15T00:00:00Z\\"}"}', "2024-05-15T00:00:00+00:00", "2024-05-15T00:00:00+00:00"),
        (b'{"time": 5, "context": {"received_at": nul', None, None),
        (b"no record", None, None),
    ],
)
def test_the_time_of_receipt_comes_first(record, received, time):
    assert (received_at(record), archive_time(record)) == (received, time)
