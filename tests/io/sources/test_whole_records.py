"""Fragments of a container's log are one record, at the line where the record begins, wherever reading stops between."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path

import pytest

from edx2lrs.io.sources.file_reader import FileReader
from edx2lrs.io.sources.files import fingerprint
from edx2lrs.io.sources.lines import Lines, cut
from edx2lrs.io.sources.position import Reached
from edx2lrs.io.sources.tail import Tail
from edx2lrs.io.sources.whole_records import whole_records
from edx2lrs.transforms.event import Event
from edx2lrs.transforms.records.line_events import events_of_line
from testkit.tracking_records import played

EVENTS = [played(number, page="x" * 300).decode() for number in range(1, 7)]


def docker(text: str, stream: str = "stdout") -> str:
    return json.dumps({"log": text, "stream": stream, "time": "2024-03-13T06:00:01.123456789Z"}, separators=(",", ":"))


def cri(text: str, tag: str = "F", stream: str = "stdout") -> str:
    return f"2024-03-13T06:00:01.123456789Z {stream} {tag} {text}"


def pieces(text: str, length: int = 200) -> list[str]:
    return [text[at : at + length] for at in range(0, len(text), length)]


def docker_log() -> list[str]:
    first, second, third, fourth, *_ = EVENTS
    cut_up = [docker(piece) for piece in [*pieces(second), "\n"]]
    in_two = [docker(fourth[:200]), docker(f"{fourth[200:]}\n")]
    return [docker(f"{first}\n"), docker("hello\n"), *cut_up, docker(f"{third}\n"), *in_two]


def cri_log() -> list[str]:
    first, second, third, fourth, *_ = EVENTS
    *begin, end = pieces(second)
    between = [cri(third[:100], "P", "stderr"), *[cri(piece, "P") for piece in begin[1:]], cri(third[100:], "F", "stderr")]
    head, tail = cri(fourth[:70], "P"), cri(fourth[70:])
    return [cri(first), cri("hello"), cri(begin[0], "P"), *between, cri(end), head, tail, cri("")]


LOGS = {"docker": docker_log(), "cri": cri_log()}


def times(records: Iterable[tuple[int | None, bytes]]) -> list[tuple[int | None, str]]:
    """The line and the time of each event of some records."""
    found = [(line, event) for line, body in records for _, event in events_of_line(body)]
    return [(line, event.time[17:26]) for line, event in found if isinstance(event, Event) and event.time]


AFTER = len(pieces(EVENTS[1])) + 4
EXPECTED = {
    "docker": [(1, "00.000001"), (3, "00.000002"), (AFTER, "00.000003"), (AFTER + 1, "00.000004")],
    "cri": [(1, "00.000001"), (3, "00.000003"), (3, "00.000002"), (AFTER + 1, "00.000004")],
}


@pytest.mark.parametrize("kind", LOGS)
@pytest.mark.parametrize("size", [50, 700, 100_000])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_fragments_are_put_together(kind: str, size: int, end: str) -> None:
    text = "".join(line + end for line in LOGS[kind]).encode()
    parts = list(whole_records(cut([text[at : at + size] for at in range(0, len(text), size)], 1)))
    assert b"".join(part.data for part in parts if isinstance(part, Lines)) == text
    records = [numbered for part in parts if isinstance(part, Lines) for numbered in enumerate(part.records, part.first_line)]
    assert times(records) == EXPECTED[kind]


@pytest.mark.parametrize("kind", LOGS)
@pytest.mark.parametrize("max_lines", [1, 2, 3, None])
def test_reading_stops_between_records_and_goes_on_there(tmp_path: Path, kind: str, max_lines: int | None) -> None:
    path = tmp_path / "x-json.log"
    path.write_text("".join(f"{line}\n" for line in LOGS[kind]))
    assert fingerprint(str(path)).packed  # one part
    found: list[tuple[int | None, bytes]] = []
    reached = Reached()
    while not reached.done:
        polled = FileReader(str(path), reached).poll(1, max_lines)  # a new one each time, as after a kill
        found += [numbered for lines in polled.lines for numbered in enumerate(lines.records, lines.first_line)]
        reached = polled.reached
    assert times(found) == EXPECTED[kind]
    assert reached == Reached(path.stat().st_size, len(LOGS[kind]), True)


@pytest.mark.parametrize("kind", LOGS)
def test_a_log_that_grows_is_read_when_the_last_fragment_has_come(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "x-json.log"
    path.write_text("")
    tail, found = Tail(str(path)), []
    for line in LOGS[kind]:
        with open(path, "a") as log:
            log.write(f"{line}\n")
        found += [(message.position.line, message.body) for message in tail.poll(10, 0).messages]
    tail.close()
    assert times(found) == EXPECTED[kind]


@pytest.mark.parametrize("kind", LOGS)
def test_half_a_record_at_the_end_waits_for_a_later_run(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "x-json.log"
    lines = [line for line in LOGS[kind] if line]
    whole = "".join(f"{line}\n" for line in lines)
    path.write_text(whole[: whole.index(lines[3])])
    polled = FileReader(str(path), may_grow=True).poll(100_000)
    assert polled.waits
    assert polled.reached.lines == 2
    path.write_text(whole)
    rest = FileReader(str(path), polled.kept, may_grow=True).poll(100_000)
    records = [numbered for part in rest.lines for numbered in enumerate(part.records, part.first_line)]
    assert times(records) == EXPECTED[kind][1:]
    os.utime(path, (0, 0))


def test_texts_without_line_breaks_are_no_fragments_if_they_are_whole() -> None:
    lines = [docker(EVENTS[0]), docker("words"), docker(EVENTS[1][:-5]), docker(EVENTS[2]), docker(EVENTS[3])]
    parts = list(whole_records(cut(["\n".join(lines).encode()], 1)))
    records = [numbered for part in parts if isinstance(part, Lines) for numbered in enumerate(part.records, part.first_line)]
    assert times(records) == [(1, "00.000001"), (4, "00.000003"), (5, "00.000004")]


def test_a_record_that_does_not_end_is_given_up_after_a_bound() -> None:
    lines = "".join(cri("x" * 16_000, "P") + "\n" for _ in range(200)).encode()
    parts = list(whole_records(cut([lines[at : at + 200_000] for at in range(0, len(lines), 200_000)], 1)))
    assert max(len(part.data) for part in parts if isinstance(part, Lines)) < 1_100_000
    assert sum(part.length for part in parts) == len(lines)
