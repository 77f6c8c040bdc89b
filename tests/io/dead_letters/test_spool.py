"""Records of dead letters on their way through the job once more: what was damaged on the way is told from what was not."""

from __future__ import annotations

import pytest

from edx2lrs.io.dead_letters.letters import dead_letter, now
from edx2lrs.io.dead_letters.spool import spool_line, spooled_record
from edx2lrs.transforms.failure import Failure


@pytest.mark.parametrize("size", [10, 70_000])
def test_a_record_comes_back_and_each_bit_of_its_line_is_watched(size):
    body = b'{"name": "x"}' * (size // 10)
    line = spool_line(dead_letter(Failure("parse", "no_time", "no time", "a.log:7", body, attributes={"k": "v"}), "job", now()))
    assert line is not None
    record = spooled_record(line.rstrip(b"\n"))
    assert record is not None
    assert (record.position, record.body, record.attributes) == ("a.log:7", body, {"k": "v"})
    for bit in range(0, 8 * (len(line) - 1), max(1, len(line) // 50)):
        flipped = bytearray(line.rstrip(b"\n"))
        flipped[bit // 8] ^= 1 << bit % 8
        assert spooled_record(bytes(flipped)) is None


def test_a_line_of_a_former_version_is_read():
    assert spooled_record(b'["a.log:7",null,{},"eA=="]').body == b"x"
    assert spooled_record(b'["a.log:7",null,{},"eA="') is None
