"""A log under load, rotated in every way at any moment: two processes write, the reader is killed and started again, and nothing is
missing, nothing is read twice."""

from __future__ import annotations

import json
import random

import pytest

from edx2lrs.io.sources.tail import Tail
from testkit.rotated_logs import HOWS, Site

ALIKE = "x" * 1_100  # each log begins with the same 1,100 bytes


def line(number, is_first):
    return json.dumps({**({"pad": ALIKE} if is_first else {}), "n": number}).encode() + b"\n"


class Reader:
    """What is kept of the log: the numbers of lines, and the position."""

    def __init__(self, site):
        self.site, self.numbers, self.position, self.source = site, [], None, None
        self.start()

    def start(self):
        self.source = Tail(str(self.site.log), self.position, linger=0.0)
        self.position = self.position or str(self.source.resume_point())

    def poll(self, keep=True):
        polled = self.source.poll(self.site.chance.choice([1, 3, 1_000]), 0.0)
        assert not polled.failures
        if keep and polled.messages:
            self.position = str(polled.cursor)
            self.numbers += [json.loads(message.body)["n"] for message in polled.messages]
        return bool(polled.messages)

    def kill(self):
        self.poll(keep=False)
        self.source.close()
        self.start()


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("seed", range(12))
def test_nothing_is_missing_and_nothing_is_read_twice(tmp_path, how, seed):
    chance = random.Random(f"{how} {seed}")
    site = Site(tmp_path, how, chance, line)
    reader = Reader(site)
    is_down = False
    for _ in range(chance.choice([60, 250])):
        site.act(rotations=6)
        kind = chance.choices(["read", "kill", "down", "nothing"], [25, 4, 3, 50])[0]
        if is_down and kind == "kill":
            reader.start()
            is_down = False
        elif not is_down and kind == "read":
            reader.poll()
        elif not is_down and kind == "kill":
            reader.kill()
        elif not is_down and kind == "down":
            reader.source.close()
            is_down = True
    if is_down:
        reader.start()
    while reader.poll():
        pass
    reader.source.close()
    numbers = reader.numbers
    missing, twice = sorted({*range(1, site.written + 1)} - {*numbers}), sorted({n for n in numbers if numbers.count(n) > 1})
    assert (missing, twice) == ([], [])
