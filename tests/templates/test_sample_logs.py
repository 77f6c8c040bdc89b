"""The sample: what the generator writes is what is checked in, and what its README says."""

from __future__ import annotations

import gzip
import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from edx2lrs.transforms.families.source_events import SOURCE_EVENTS

SAMPLE = Path(__file__).parents[2] / "templates" / "sample"
CHECKED_IN = ("external_ids.csv", "course_names.csv")


def generate(*arguments: str | Path) -> None:
    subprocess.run([sys.executable, "-B", SAMPLE / "generate.py", *arguments], check=True)


def read(path: Path) -> bytes:
    data = path.read_bytes()
    return gzip.decompress(data) if path.suffix == ".gz" else data


def event_of(line: bytes) -> dict[str, Any] | None:
    """The event of a line, read independently: a prefix without a brace, one object with ``event``, white space."""
    found = re.fullmatch(rb"[^{\n]*(\{.*\})\s*", line)
    try:
        event = json.loads(found[1]) if found else None
    except ValueError:
        return None
    return event if event is not None and "event" in event else None


def kind_of(line: bytes) -> str:
    if not line.strip():
        return "blank"
    event = event_of(line)
    if event is None:
        return "broken"
    return "page request" if event.get("name", event["event_type"]).startswith("/") else "event"


@pytest.fixture(scope="module")
def lines() -> dict[str, list[bytes]]:
    return {path.name: read(path).split(b"\n")[:-1] for path in sorted((SAMPLE / "logs").iterdir())}


@pytest.fixture(scope="module")
def events(lines: dict[str, list[bytes]]) -> list[dict[str, Any]]:
    return [event for each in lines.values() for line in each if (event := event_of(line)) is not None]


def test_the_generator_gives_what_is_checked_in(tmp_path: Path) -> None:
    generate("--out", tmp_path)
    names = [*CHECKED_IN, *(f"logs/{path.name}" for path in (SAMPLE / "logs").iterdir())]
    assert sorted(str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file()) == sorted(names)
    # inflated: another zlib may pack in another way
    assert [name for name in names if read(tmp_path / name) != read(SAMPLE / name)] == []


@pytest.mark.parametrize("name", ["a.log", "a.log.gz"])
def test_the_same_arguments_give_the_same_bytes_and_another_seed_others(tmp_path: Path, name: str) -> None:
    for folder, seed in (("one", "1"), ("same", "1"), ("other", "2")):
        (tmp_path / folder).mkdir()
        generate("--events", "200", "--seed", seed, "--out", tmp_path / folder / name)
    one, same, other = ((tmp_path / folder / name).read_bytes() for folder in ("one", "same", "other"))
    assert one == same
    assert one != other
    assert (one[:2] == b"\x1f\x8b") == name.endswith(".gz")
    assert read(tmp_path / "one" / name).count(b"\n") == 200


def test_a_folder_gets_tables_for_as_many_learners_as_asked(tmp_path: Path) -> None:
    generate("--events", "10", "--learners", "50", "--out", tmp_path / "made")
    rows = (tmp_path / "made" / "external_ids.csv").read_text(encoding="utf-8").splitlines()
    assert rows[0] == "user_id,username,external_id_type,external_user_id"
    assert len(rows) == 1 + 2 * 50
    assert (tmp_path / "made" / "tracking.log").read_bytes().count(b"\n") == 10


def test_the_dense_mix_is_mapped_events_alone(tmp_path: Path) -> None:
    generate("--events", "500", "--mix", "dense", "--out", tmp_path / "dense.log")
    names = {json.loads(line)["name"] for line in (tmp_path / "dense.log").read_bytes().splitlines()}
    assert names <= set(SOURCE_EVENTS)


def test_the_readme_counts_right(lines: dict[str, list[bytes]]) -> None:
    table = re.findall(
        r"^\| `([^`]+)` \| (\d+) \| (\d+) \| (\d+) \| (\d+) \| (\d+) \|",
        (SAMPLE / "README.md").read_text("utf-8"),
        re.M,
    )
    counted = {name: Counter(kind_of(line) for line in each) for name, each in lines.items()}
    assert {name: list(map(int, numbers)) for name, *numbers in table} == {
        name: [kinds.total(), kinds["blank"], kinds["page request"], kinds["event"], kinds["broken"]]
        for name, kinds in counted.items()
    }


def test_the_rotated_pair_overlaps_by_100_lines(lines: dict[str, list[bytes]]) -> None:
    packed, plain = lines["tracking.log-20240311.gz"], lines["tracking.log-20240312"]
    assert packed[-100:] == plain[:100]
    assert plain[100] not in packed


def test_the_shapes_of_a_real_log_are_there(events: list[dict[str, Any]]) -> None:
    problem_checks = [event for event in events if event.get("name") == "problem_check"]
    browser = [event["event"] for event in problem_checks if event["event_source"] == "browser"]
    server = [event["event"] for event in problem_checks if event["event_source"] == "server"]
    assert any(text.startswith("input_") for text in browser)
    assert any(text.startswith('"input_') for text in browser)
    assert {len(event.get("submission", {})) for event in server} >= {0, 1, 5}
    assert {event["context"]["org_id"] for event in events} == {"NorthX", "HarborX"}
    assert len({event["context"]["course_id"] for event in events}) == 3
    assert len({event["username"] for event in events} - {"", "staff"}) == 40
    assert any(event["context"]["user_id"] is None for event in events)
    assert {("time" in event, "timestamp" in event) for event in events} == {
        *((True, False), (False, True), (True, True)),
        (False, False),
    }
    assert any("name" not in event for event in events)


def test_names_and_answers_go_beyond_ascii(lines: dict[str, list[bytes]], events: list[dict[str, Any]]) -> None:
    assert any(not event["username"].isascii() for event in events)
    assert any("œuvre" in json.dumps(event["event"], ensure_ascii=False) for event in events)
    assert any(not line.isascii() and event_of(line) for each in lines.values() for line in each)


def test_prefixes_and_line_breaks(lines: dict[str, list[bytes]]) -> None:
    assert all(b"[tracking]" in line.partition(b"{")[0] for line in lines["lms-docker.log"])
    windows = lines["tracking-via-windows.log"]
    assert all(line.endswith(b"\r") for line in windows)
    assert not any(line.endswith(b"\r") for name, each in lines.items() for line in each if name != "tracking-via-windows.log")


def test_the_whole_sample_is_small(lines: dict[str, list[bytes]]) -> None:
    assert sum(len(line) + 1 for each in lines.values() for line in each) < 5_000_000
