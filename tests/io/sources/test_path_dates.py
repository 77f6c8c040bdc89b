"""Which files can hold events of a time, by the dates in their paths."""

from __future__ import annotations

import gzip
import os
from datetime import date, timedelta

import pytest

from edx2lrs.io.sources import path_dates
from edx2lrs.io.sources.files import FoundFile, InputError, find
from edx2lrs.io.sources.path_dates import within
from edx2lrs.transforms.matching.time_window import TimeWindow, moment

DAILY = [f"/logs/tracking.log-202403{day:02}.gz" for day in range(1, 32)]
WEEKLY = [f"/logs/tracking.log-202403{day:02}" for day in (3, 10, 17, 24, 31)]
FOLDERS = [f"s3://logs/2024/03/{day:02}/0a{day:02}f7c2.log.gz" for day in range(1, 32)]


def kept(paths, since=None, until=None):
    window = TimeWindow(since and moment(since), until and moment(until))
    always = FoundFile("/l/dateless", 1)
    return [file.path for file in within([FoundFile(path, 1) for path in [*paths, "/l/dateless"]], window) if file != always]


CASES = [
    pytest.param(DAILY, "2024-03-11", None, DAILY[9:], id="rotated daily, since: the day before may reach into it"),
    pytest.param(DAILY, None, "2024-03-11", DAILY[:12], id="rotated daily, until: the day after, for the zone"),
    pytest.param(DAILY, "2024-03-11", "2024-03-12", DAILY[9:13], id="rotated daily, one day"),
    pytest.param(WEEKLY, "2024-03-11", "2024-03-12", WEEKLY[1:3], id="rotated weekly: a file holds the week before its date"),
    pytest.param(FOLDERS, "2024-03-11", "2024-03-12", FOLDERS[9:12], id="a folder for each day, names that come once"),
    pytest.param(["/l/app.log", "/l/v1234567.log"], "2024-03-11", None, ["/l/app.log", "/l/v1234567.log"], id="no date"),
    pytest.param(["/l/a-20240230.log"], "2030-01-01", None, ["/l/a-20240230.log"], id="digits that are no date"),
    pytest.param(["/l/a-20240305-20240325.log"], "2024-03-20", "2024-03-21", ["/l/a-20240305-20240325.log"], id="a range"),
    pytest.param(["/b/20250101/a-20240305.log"], "2024-06-01", None, ["/b/20250101/a-20240305.log"], id="the later date counts"),
    pytest.param(["/l/year=2024/month=03/day=11/x"], "2024-04-01", None, [], id="folders with keys"),
    pytest.param(["/l/a-202403110625.log"], "2024-04-01", None, [], id="with hours and minutes"),
    pytest.param(["/l/a-2024-03-11T06.log"], "2024-04-01", None, [], id="with dashes"),
    pytest.param(["/l/a-20240311-1710115200.gz"], "2024-04-01", None, [], id="with seconds since 1970"),
    pytest.param(["/l/a-1710115200123.gz"], "2024-04-01", None, ["/l/a-1710115200123.gz"], id="milliseconds alone"),
]


@pytest.mark.parametrize(("paths", "since", "until", "expected"), CASES)
def test_files_that_cannot_hold_the_time_are_left_out(paths, since, until, expected):
    assert kept(paths, since, until) == expected


def test_hosts_that_rotate_on_their_own_days_are_series_of_their_own():
    first = [f"/l/tracking-202403{day:02}-host1.gz" for day in (4, 11, 18)]
    second = [f"/l/tracking-202403{day:02}-host2.gz" for day in (7, 14, 21)]
    assert kept([*first, *second], "2024-03-05", "2024-03-06") == [first[0], first[1], second[0]]


def test_the_first_of_its_name_may_hold_all_that_was_before():
    assert kept(["/l/tracking.log-20240311"], None, "2023-01-01") == ["/l/tracking.log-20240311"]


@pytest.mark.parametrize("text", ["2024-03-11T08:00:00", "yesterday", "2024-02-30", ""])
def test_a_moment_without_a_zone_or_a_date_is_refused(text):
    with pytest.raises(ValueError, match="no date such as"):
        moment(text)


def test_a_window_has_its_first_moment_and_not_its_last():
    window = TimeWindow(moment("2024-03-11"), moment("2024-03-12T02:00:00+02:00"))
    times = ["2024-03-10T23:59:59.999999+00:00", "2024-03-11T00:00:00+00:00", "2024-03-11T00:00:00.000001+00:00"]
    assert [window.holds(time) for time in times] == [False, True, True]
    assert window.holds("2024-03-11T23:59:59.999999+00:00")
    assert not window.holds("2024-03-12T00:00:00+00:00")


def logged(path, first, last, pack=None, size=1):
    """A log of a record for each of the days from ``first`` to ``last`` of March 2024 (as days since its beginning)."""
    filler = os.urandom(size).hex()
    days = [date(2024, 3, 1) + timedelta(day) for day in range(first, last + 1)]
    text = "".join(f'{{"name": "a", "time": "{day}T06:00:00+00:00", "x": "{filler}"}}\n' for day in days).encode()
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(pack(text) if pack else text)


def left(folder, since=None, until=None):
    window = TimeWindow(since and moment(since), until and moment(until))
    return [file.path.removeprefix(f"{folder}/") for file in within(find([str(folder)]), window)]


@pytest.mark.parametrize("pack", [None, gzip.compress], ids=["plain", "gz"])
@pytest.mark.parametrize("size", [1, 60_000], ids=["small", "large"])
def test_files_that_are_named_by_their_first_day(tmp_path, pack, size):
    for day in (1, 8, 15, 22):
        logged(tmp_path / f"tracking.log.2024-03-{day:02}", day - 1, day + 5, pack, size)
    assert left(tmp_path, "2024-03-12", "2024-03-13") == [f"tracking.log.2024-03-{day:02}" for day in (8, 15)]
    assert left(tmp_path, "2024-03-27") == ["tracking.log.2024-03-22"]


@pytest.mark.parametrize("pack", [None, gzip.compress], ids=["plain", "gz"])
def test_a_folder_named_by_the_day_of_a_backup(tmp_path, pack):
    logged(tmp_path / "2024-03-20" / "tracking.log", 0, 18, pack, 60_000)
    logged(tmp_path / "2024-03-31" / "tracking.log", 0, 29, pack, 60_000)
    assert left(tmp_path, "2024-03-05", "2024-03-06") == ["2024-03-20/tracking.log", "2024-03-31/tracking.log"]
    assert left(tmp_path, "2024-03-25")[-1] == "2024-03-31/tracking.log"


def test_a_file_of_a_year_that_is_named_by_one_day(tmp_path):
    logged(tmp_path / "export-20240301.log", 0, 300)
    assert left(tmp_path, "2024-10-01", "2024-10-02") == ["export-20240301.log"]
    with pytest.raises(InputError, match="none of 1 file"):
        left(tmp_path, "2025-10-01")


def test_files_of_hours_are_one_series(tmp_path, caplog):
    caplog.set_level("INFO")
    for day in range(10, 14):
        for hour in ("00", "12"):
            logged(tmp_path / f"tracking.log-202403{day:02}{hour}", day - 1, day - 1)
    assert left(tmp_path, "2024-03-13") == [f"tracking.log-202403{day}{hour}" for day in (12, 13) for hour in ("00", "12")]
    assert "4 of 8 files are left out" in caplog.text
    assert "tracking.log-2024031000" in caplog.text


def test_a_file_without_a_time_in_its_records_is_read(tmp_path):
    (tmp_path / "tracking.log-20240311").write_text('{"name": "a"}\nno record\n')
    assert left(tmp_path, "2025-01-01") == ["tracking.log-20240311"]


def test_objects_with_dates_far_away_are_not_looked_at(monkeypatch):
    looked = []
    monkeypatch.setattr(path_dates, "span", lambda file: looked.append(file.path))
    kept(FOLDERS, "2024-04-25", "2024-04-26")
    assert looked == FOLDERS[15:]
