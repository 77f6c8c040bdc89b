"""Half a line at the end of a file is told from a whole one."""

from __future__ import annotations

import pytest

from edx2lrs.io.sources.unfinished import is_unfinished

EVENT = rb'{"name": "a", "event": "{\"x\": \"}\\\\\", \"y\": {}}", "context": {"path": "c:\\", "list": [{}, "}"]}}'


@pytest.mark.parametrize("prefix", [b"", b"Mar 11 06:00:01 host [service=a][user 5] ", b'<13>1 2024-03-11 host - [x y="1"] '])
def test_every_part_of_a_line_is_unfinished_and_the_line_is_not(prefix):
    line = prefix + EVENT
    assert not is_unfinished(line)
    assert not is_unfinished(line + b"\r")
    assert [length for length in range(1, len(line)) if not is_unfinished(line[:length])] == []


OTHERS = [EVENT + EVENT, b'[{"a": 1}]', b'5,"{""name"": ""a"", ""event"": {}}",2024', b'{"log": "{\\"a\\": ", "time": "x"}']


@pytest.mark.parametrize("line", OTHERS)
def test_other_whole_lines(line):
    assert not is_unfinished(line)
