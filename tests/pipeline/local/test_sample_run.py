"""The sample logs through the whole job, as `./run_local.sh` does it."""

import gzip
import random

import pytest

from testkit.tracking_records import records_in


@pytest.fixture(scope="module")
def records_of_the_sample(sample_logs):
    """Counted without the project's own code."""
    number = 0
    for path in sorted(sample_logs.iterdir()):
        data = path.read_bytes()
        text = gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data
        number += records_in(text)
    return number


def test_every_line_is_accounted_for_and_each_statement_arrives_once(
    edx2lrs, sandbox, config, sample_logs, assert_adds_up, records_of_the_sample
):
    path = config(sandbox.address)
    first = edx2lrs("run", "--config", path, "--input", sample_logs, "--state", "state-1")
    assert first.code == 0, first.text
    assert first.report["records"]["read"] == records_of_the_sample
    assert_adds_up(first.report)
    stored = {name: sandbox.stored(name) for name in ("campus", "adaptive", "warehouse")}
    assert {name: part["delivered"] for name, part in first.report["consumers"].items()} == stored
    assert all(part["duplicates"] for part in first.report["consumers"].values())  # a hundred lines are in two files

    again = edx2lrs("run", "--config", path, "--input", sample_logs, "--state", "state-2")
    assert again.code == 0, again.text
    assert {name: sandbox.stored(name) for name in stored} == stored
    assert_adds_up(again.report)
    for name in ("campus", "adaptive"):
        assert again.report["consumers"][name]["already_stored"] == stored[name]
        assert again.report["consumers"][name]["delivered"] == 0
    assert "already stored" in again.out


def test_what_is_done_is_not_read_again_and_a_file_that_has_grown_goes_on(
    edx2lrs, sandbox, config, tmp_path, sample_logs, assert_adds_up
):
    path = config(sandbox.address)
    log = tmp_path / "tracking.log"
    lines = (sample_logs / "tracking.log-20240312").read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join(lines[:500]))
    run = ("run", "--config", path, "--input", log, "--state", "state")
    first = edx2lrs(*run)
    nothing_new = edx2lrs(*run)
    log.write_bytes(b"".join(lines))
    rest = edx2lrs(*run)
    records = records_in(b"".join(lines))
    assert nothing_new.report["records"]["read"] == 0
    assert first.report["records"]["read"] + rest.report["records"]["read"] == records
    assert rest.report["all_runs"]["records"]["read"] == records
    assert_adds_up(rest.report["all_runs"])


def test_killed_at_any_moment_nothing_is_missing_and_nothing_twice(
    edx2lrs, sandbox_with, config, sample_logs, assert_adds_up, records_of_the_sample
):
    faulty = sandbox_with("--seed", "7", "--fault", "429:0.02", "--fault", "503:0.03", "--fault", "reset:0.03")
    path = config(faulty.address)
    run = ("run", "--config", path, "--input", sample_logs, "--state", "state", "--workers", "2")
    chance = random.Random(20261121)
    for _ in range(5):
        edx2lrs(*run, kill_after=chance.uniform(1.2, 4.0))
    last = edx2lrs(*run)
    assert last.code == 0, last.text
    total = last.report["all_runs"]
    assert_adds_up(last.report)
    assert_adds_up(total)
    assert total["records"]["read"] == records_of_the_sample
    fresh = edx2lrs("run", "--config", path, "--input", sample_logs, "--state", "other-state")
    for name in ("campus", "adaptive"):  # a second backfill finds every statement there, and no other
        part = fresh.report["consumers"][name]
        assert (part["delivered"], part["already_stored"]) == (0, faulty.stored(name))


def test_an_lrs_that_is_not_there_costs_nothing_but_time(edx2lrs, sandbox, config, sample_logs, assert_adds_up):
    path = config(sandbox.address)
    sandbox.stop()
    away = edx2lrs("run", "--config", path, "--input", sample_logs, "--state", "state")
    assert away.code == 1
    assert_adds_up(away.report)
    waiting = {name: part["waiting"] for name, part in away.report["consumers"].items()}
    assert all(waiting.values())
    assert away.report["seconds"] < 60
    assert "edx2lrs deliver" in away.out

    sandbox.start()
    back = edx2lrs("deliver", "--config", path, "--state", "state")
    assert back.code == 0, back.text
    assert_adds_up(back.report)
    assert back.report["records"]["read"] == 0
    assert {name: part["taken_over"] for name, part in back.report["consumers"].items()} == waiting
    assert {name: sandbox.stored(name) for name in waiting} == waiting
