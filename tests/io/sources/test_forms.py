"""Texts in which a record is no line: JSON arrays, objects over several lines, exports of systemd's journal, counted frames."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from time import process_time

import pytest

from edx2lrs.io.sources.file_reader import Damage, FileReader
from edx2lrs.io.sources.files import fingerprint
from edx2lrs.io.sources.position import Reached
from edx2lrs.transforms.failure import Refusal
from edx2lrs.transforms.records.line_events import events_of_line
from testkit.tracking_records import played

EVENTS = [played(number, agent="é") for number in range(1, 8)]
TEXTS = [event.decode() for event in EVENTS]
HEIGHT = len(json.dumps(json.loads(TEXTS[0]), indent=2).splitlines())


def read(path: Path, content: bytes, reached: Reached = Reached()) -> tuple[list[tuple[int, str]], Damage | None]:  # noqa: B008
    """Line and number of each event (or the refusal's cause), read with a new reader for each record; and the damage."""
    path.write_bytes(content)
    found = []
    while not reached.done:
        polled = FileReader(str(path), reached).poll(1)
        for lines in polled.lines:
            for line, body in enumerate(lines.records, lines.first_line):
                if body.strip():
                    found += [(line, event) for _, event in events_of_line(body.rstrip())]
        found += [(long.line, Refusal("read", "line_too_long", "")) for long in polled.long_lines]
        reached = polled.reached
    told = [(line, event.cause if isinstance(event, Refusal) else str(int((event.time or "")[20:26]))) for line, event in found]
    return told, polled.damage


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "events.json"


VALUES = {
    "an array in a line": (f"[{','.join(TEXTS)}]", [1] * 7),
    "an array with a line each": ("[\n" + ",\n".join(TEXTS) + "\n]\n", [2, 3, 4, 5, 6, 7, 8]),
    "an array with CR LF": ("[\r\n" + ",\r\n".join(TEXTS) + "\r\n]\r\n", [2, 3, 4, 5, 6, 7, 8]),
    "a byte order mark": ("\ufeff[\n" + ",\n".join(TEXTS) + "]", [2, 3, 4, 5, 6, 7, 8]),
    "arrays one after the other": (f"[{TEXTS[0]},{TEXTS[1]}]\n[{TEXTS[2]}]\n\n[{','.join(TEXTS[3:])}]\n", [1, 1, 2, 4, 4, 4, 4]),
    "over several lines": (json.dumps([json.loads(text) for text in TEXTS], indent=2), [2 + HEIGHT * number for number in range(7)]),
    "objects over several lines": (
        "\n".join(json.dumps(json.loads(text), indent=4) for text in TEXTS), [1 + HEIGHT * number for number in range(7)],
    ),
}


@pytest.mark.parametrize(("text", "lines"), VALUES.values(), ids=VALUES.keys())
def test_values_are_records(path: Path, text: str, lines: list[int]) -> None:
    found, damage = read(path, text.encode())
    assert [number for _, number in found] == ["1", "2", "3", "4", "5", "6", "7"]
    assert [line for line, _ in found] == lines
    assert damage is None
    assert fingerprint(str(path)).packed  # one part
    assert read(path, gzip.compress(text.encode()))[0] == found
    assert read(path, text.encode("utf-16"))[0] == found
    found, damage = read(path, gzip.compress(text.encode(), mtime=0)[:-40])
    assert damage is not None
    assert damage.cause == "truncated_gzip"


def test_a_broken_value_costs_itself_alone(path: Path) -> None:
    broken = TEXTS[1][:-20]
    found, _ = read(path, f"[\n{TEXTS[0]},\n{broken},\n{TEXTS[2]},\nwords\n{TEXTS[3]}\n]".encode())
    assert found == [(2, "1"), (3, "not_json"), (4, "3"), (5, "not_json"), (6, "4")]


def test_no_event_within_a_broken_event_is_an_event(path: Path) -> None:
    forged = json.dumps(json.loads(TEXTS[6]), indent=2).replace("\n", "\n      ")
    whole = json.dumps(json.loads(TEXTS[0]), indent=2)
    inner = '{\n  "name": "x",\n  "event": oops [\n      ' + forged + "\n  ]\n}"
    found, _ = read(path, f"{whole}\n{inner}\n{whole}".encode())
    assert [number for _, number in found] == ["1", "not_json", "1"]
    assert [each for _, each in read(path, f'[{{"a": oops, "b": {TEXTS[0]}}}, {TEXTS[1]}]'.encode())[0]] == ["not_json"]


def test_a_value_without_end_is_a_long_line_and_a_cut_one_is_told(path: Path) -> None:
    endless = '{"name": "' + "x" * 6_000_000
    found, _ = read(path, f"[\n{TEXTS[0]},\n{endless}\n{TEXTS[1]}\n]".encode())
    assert [each for _, each in found] == ["1", "line_too_long", "2"]
    assert read(path, f"[{TEXTS[0]},{TEXTS[1][:90]}".encode())[0] == [(1, "1"), (1, "not_json")]


def entry(number: int, message: bytes, *, binary: bool = False) -> bytes:
    text = b"MESSAGE\n" + len(message).to_bytes(8, "little") + message + b"\n" if binary else b"MESSAGE=" + message + b"\n"
    return b"__CURSOR=s=1;i=%d\n__REALTIME_TIMESTAMP=171\n_TRANSPORT=stdout\n" % number + text + b"_PID=7\n\n"


def test_an_export_of_the_journal_is_read(path: Path) -> None:
    entries = [
        entry(1, EVENTS[0]), entry(2, EVENTS[1], binary=True), entry(3, b"Started something."),
        entry(4, b"tracking: " + EVENTS[2] + b"\n\n" + EVENTS[3], binary=True),
        b"__CURSOR=s=1;i=5\nNO_MESSAGE=1\n\n", entry(6, EVENTS[4]),
    ]
    text = b"".join(entries)
    starts = [1 + b"".join(entries[:number]).count(b"\n") for number in range(6)]
    found, damage = read(path, text)
    assert [each for _, each in found] == ["1", "2", "not_json", "3", "4", "not_json", "5"]
    assert [line for line, _ in found] == [starts[0], starts[1], starts[2], starts[3], starts[3], starts[4], starts[5]]
    assert damage is None
    assert read(path, gzip.compress(text))[0] == found
    assert [each for _, each in read(path, text[:-5])[0]][-1] == "5"


def test_the_same_entry_as_a_message_is_read() -> None:
    assert not isinstance(events_of_line(entry(1, EVENTS[0], binary=True))[0][1], Refusal)


def test_counted_frames_are_read(path: Path) -> None:
    header = b'<134>1 2024-03-13T06:00:01Z lms tracking 17 - [a@1 b="c"] \xef\xbb\xbf'
    frames = [header + event for event in EVENTS[:3]]
    frames[1] += b"\n"
    text = b"".join(b"%d %b" % (len(frame), frame) for frame in frames)
    assert read(path, text)[0] == [(1, "1"), (1, "2"), (2, "3")]
    assert read(path, text.replace(b"}%d <" % len(frames[1]), b"}\n%d <" % len(frames[1])))[0] == [(1, "1"), (2, "2"), (3, "3")]
    wrong = b"%d %b\n%d %b\n" % (len(frames[0]) - 9, frames[0], len(frames[2]), frames[2])
    assert read(path, wrong)[0] == [(1, "1"), (2, "3")]


ODD = ["[{", "[\n{", '[{"a":', '{\n"a": {', "[{},", '[{"', "1 <1>", "9999999 <1>", "__CURSOR=\n", "__CURSOR=\nA\n"]


@pytest.mark.parametrize("unit", ODD)
def test_an_odd_text_takes_a_time_that_is_linear_in_its_length(path: Path, unit: str) -> None:
    def seconds(size: int) -> float:
        path.write_bytes((unit * (size // len(unit))).encode())
        begun = process_time()
        reader = FileReader(str(path))
        while not reader.poll(1_000_000).reached.done:
            pass
        return process_time() - begun

    short, long = min(seconds(200_000) for _ in range(2)), min(seconds(800_000) for _ in range(2))
    assert long < 8 * short + 0.2
