"""Archives as a job reads them: a window of time, packed files, parts; and out of real S3 and GCS servers."""

from __future__ import annotations

import gzip
import json

import pytest
import zstandard

from testkit.configurations import yaml_of

CONFIG = yaml_of()


def line(number: int, day: str = "2024-03-11") -> bytes:
    """A line of a tracking log, with a time and a statement of its own."""
    payload = {"id": "a0effb954cca4759994f1ac9e9434bf4", "currentTime": number, "code": "html5", "duration": 600}
    course = "course-v1:DemoX+DM+2024"
    event = {
        "name": "play_video",
        "event_type": "play_video",
        "event_source": "browser",
        "event": json.dumps(payload),
        "time": f"{day}T{number % 24:02}:{number // 24 % 60:02}:{number // 1440 % 60:02}.{number:06}+00:00",
        "username": "ann",
        "session": "b6c2",
        "context": {"course_id": course, "org_id": "DemoX", "user_id": 5, "path": "/event"},
    }
    return json.dumps(event).encode() + b"\n"


def packed(number: int, text: bytes) -> tuple[str, bytes]:
    """``text`` as an archive holds it, and how such a file's name ends."""
    if number % 3 == 0:
        return ".log", text
    return (".log.gz", gzip.compress(text)) if number % 3 == 1 else (".log.zst", zstandard.compress(text))


def test_a_window_of_time_leaves_out_files_by_their_dates_and_events_by_their_time(
    edx2lrs, sandbox, config, tmp_path, assert_adds_up
):
    logs = tmp_path / "logs"
    logs.mkdir()
    for day in range(1, 31):  # each file has the end of the day before, too
        yesterday = f"2024-03-{day - 1:02}" if day > 1 else "2024-02-29"
        text = b"".join([*(line(n, yesterday) for n in range(20, 24)), *(line(n, f"2024-03-{day:02}") for n in range(16))])
        (logs / f"tracking.log-202403{day:02}").write_bytes(text)
    run = ("run", "--config", config(sandbox.address, CONFIG), "--input", logs, "--state", "state")
    first = edx2lrs(*run, "--since", "2024-03-11", "--until", "2024-03-12T08:00:00+00:00")
    assert first.code == 0, first.text
    assert_adds_up(first.report)
    assert first.report["records"]["matched"] == 16 + 4 + 8  # the 11th, its end in the next file, the 12th until 8
    assert first.report["records"]["read"] == 5 * 20
    assert first.report["records"]["filtered"] == {"outside_time": 5 * 20 - 28}

    rest = edx2lrs(*run)
    assert rest.report["records"]["read"] == 25 * 20
    assert "--since 2024-03-11T00:00:00+00:00 --until 2024-03-12T08:00:00+00:00" in rest.err
    assert "another --state" in rest.err


def test_a_log_may_be_named_as_records_of_dead_letters_are(edx2lrs, sandbox, config, tmp_path, assert_adds_up):
    (tmp_path / "x.letters").write_bytes(b"".join(line(number) for number in range(7)))
    done = edx2lrs("run", "--config", config(sandbox.address, CONFIG), "--input", "x.letters", "--state", "state")
    assert done.code == 0, done.text
    assert_adds_up(done.report)
    assert done.report["records"]["matched"] == 7


def test_an_archive_in_which_no_file_can_hold_the_time_is_said_to_be_one(edx2lrs, sandbox, config, tmp_path):
    (tmp_path / "tracking.log-20240311").write_bytes(line(1))
    command = ("run", "--config", config(sandbox.address, CONFIG), "--input", tmp_path / "tracking*")
    none = edx2lrs(*command, "--since", "2025-01-01")
    assert (none.code, none.report) == (2, {})
    assert "none of 1 file can hold events of the time" in none.err
    assert edx2lrs(*command, "--since", "2025-01-01", "--until", "2024-01-01").code == 2
    assert edx2lrs(*command, "--since", "last week").code == 2


@pytest.mark.engine
@pytest.mark.soak
def test_a_thousand_objects_are_read_once_and_those_that_cannot_be_cost_no_other(store, edx2lrs, sandbox, config, assert_adds_up):
    for number in range(1_000):
        ending, body = packed(number, b"".join(line(5 * number + n) for n in range(5)))
        store.put(f"archive/2024/03/{1 + number % 28:02}/{number}{ending}", body)
    for word in ("forbidden", "vanished"):
        store.put(f"archive/2024/03/11/{word}.log", line(0))
    path = config(sandbox.address, CONFIG)
    run = ("run", "--config", path, "--input", f"{store.url}/archive/", "--state", "state", *store.options)
    first = edx2lrs(*run, env=store.environment, kill_after=400)
    assert first.code == 1, first.text
    assert_adds_up(first.report)
    assert first.report["records"]["read"] == 5_002
    assert first.report["records"]["dead"] == {"unreadable": 2}
    assert sandbox.stored("campus") == 5_000
    assert first.err.count("cannot be read") == 2

    again = edx2lrs(*run, env=store.environment)
    assert again.code == 1
    assert again.report["records"]["read"] == 2

    globs = f"{store.url}/archive/2024/03/01/*.gz,{store.url}/archive/2024/03/02/*.zst"
    some = edx2lrs("run", "--config", path, "--input", globs, "--state", "other", *store.options, env=store.environment)
    assert some.code == 0, some.text
    wanted = [n for n in range(1_000) if (n % 28, n % 3) in ((0, 1), (1, 2))]
    assert some.report["records"]["read"] == 5 * len(wanted)


@pytest.mark.engine
def test_a_bucket_that_is_not_there_is_named(store, edx2lrs, sandbox, config):
    path = config(sandbox.address, CONFIG)
    missing = store.url.replace("logs", "no-such-bucket") + "/*.gz"
    wrong = edx2lrs("run", "--config", path, "--input", missing, *store.options, env=store.environment)
    assert wrong.code == 2
    assert missing in wrong.err
