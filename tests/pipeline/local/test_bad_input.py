"""Input that is broken in every way: each fault is one dead letter, everything else arrives, and nothing is a traceback."""

import gzip
import os
from collections import Counter
from pathlib import Path

import pytest

from edx2lrs.io.dead_letters.letters import read as read_dead_letters
from testkit.configurations import BASIC, consumer, yaml_of
from testkit.tracking_records import played

CONFIG = yaml_of(consumer("one"))
IMPATIENT = yaml_of(consumer("one"), waves={"timeout": "2s"})


GOOD = [played(number) for number in range(20)]

# what stands in the file, and the cause of its dead letter (None: it goes through)
LINES = {
    "not UTF-8": (played(100).replace(b"bob", b"b\xffb"), "not_utf8"),
    "cut": (played(101)[:90], "not_json"),
    "nested": (b'{"name": "play_video", "event": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "too_deep"),
    "50 MB": (b'{"name": "play_video", "event": "' + b"x" * 50_000_000 + b'"}', "line_too_long"),
    "NUL": (b"\0" * 300 + b"\n" + played(102), "not_json"),
    "lone surrogate": (played(103, session="\\ud800").replace(b"\\\\ud800", b"\\ud800"), "bad_text"),
    "NaN": (played(104, event={"id": "b42", "duration": float("nan")}), "not_finite"),
    "NaN in a field that nobody reads": (played(105, page=float("nan")), None),
    "400 digits": (played(106, event={"id": "b42", "duration": 10**400}), "not_finite"),
    "duplicate keys": (played(107)[:-1] + b', "username": "bob"}', None),
    "event is a number": (played(108, event=5), "wrong_type"),
    "event is a list": (played(109, event=[1]), "wrong_type"),
    "event is null": (played(110, event=None), "missing"),
    "no time": (played(111, time=None), "no_time"),
    "other text": (b"Traceback (most recent call last):", "not_json"),
}


VANISHES_AFTER_THE_LISTING = """\
from edx2lrs.io.sources import files
listed = files.find
def find(*asked):
    found = listed(*asked)
    [os.unlink(file.path) for file in found if "vanishing" in file.path]
    return found
files.find = find
"""
DIES_OF_A_RECORD = """\
from edx2lrs.transforms.records import parse as parsing
original = parsing.parse
def parse(record, *believed):
    if b"KILLER" in record:
        os._exit(11)
    return original(record, *believed)
parsing.parse = parse
"""
HANGS_AT_A_RECORD = DIES_OF_A_RECORD.replace("os._exit(11)", "import time; time.sleep(3_600)")
COUNTS_WAVES = """\
from edx2lrs.pipeline.local import wave as waves
records = waves.records
def counted(wave):
    with open("waves", "a") as file:
        file.write(f"{len(wave.stretches)}\\n")
    return records(wave)
waves.records = counted
"""


def planted(folder, source):
    """The environment in which every Python process of the job runs ``source`` at its start."""
    (folder / "site").mkdir(exist_ok=True)
    (folder / "site" / "sitecustomize.py").write_text(f"import os\n{source}", encoding="utf-8")
    return {"PYTHONPATH": str(folder / "site")}


@pytest.mark.parametrize("fault", LINES)
def test_a_broken_line_costs_itself_alone(edx2lrs, sandbox, config, tmp_path, assert_adds_up, fault):
    content, cause = LINES[fault]
    (tmp_path / "tracking.log").write_bytes(b"\n".join([*GOOD[:10], content, *GOOD[10:]]))
    result = edx2lrs(
        "run", "--config", config(sandbox.address, CONFIG), "--input", "tracking.log", "--state", "state", "--workers", 1
    )
    assert result.code == 0, result.text
    assert_adds_up(result.report)
    assert sandbox.stored("one") >= len(GOOD) + (cause is None)
    causes = (
        Counter(letter.cause for letter in read_dead_letters(str(tmp_path / "state" / "dead-letters"), print))
        if cause
        else Counter()
    )
    assert causes == ({cause: 1} if cause else {})


def test_files_that_cannot_be_read_are_named_and_the_others_arrive(edx2lrs, sandbox, config, tmp_path, assert_adds_up):
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "good.log").write_bytes(b"\n".join(GOOD))
    (logs / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(range(256)) * 40)
    cut = gzip.compress(b"\n".join(played(number) for number in range(1_000, 6_000)))
    (logs / "cut.log.gz").write_bytes(cut[: len(cut) // 2])
    (logs / "vanishing.log").write_bytes(GOOD[0])
    run = ("run", "--config", config(sandbox.address, CONFIG), "--input", "logs", "--state", "state")
    result = edx2lrs(*run, env=planted(tmp_path, VANISHES_AFTER_THE_LISTING))
    assert result.code == 1
    assert "vanishing.log: cannot be read: No such file or directory" in result.err
    assert_adds_up(result.report)
    assert result.report["records"]["dead"] == {"not_a_log": 1, "truncated_gzip": 1, "unreadable": 1}
    assert sandbox.stored("one") == result.report["records"]["matched"] > len(GOOD) + 1_000


def test_a_file_that_could_not_be_read_is_read_by_the_next_run(edx2lrs, sandbox, config, tmp_path):
    log = tmp_path / "vanishing.log"
    log.write_bytes(b"\n".join(GOOD))
    run = ("run", "--config", config(sandbox.address, CONFIG), "--input", "*.log", "--state", "state")
    assert edx2lrs(*run, env=planted(tmp_path, VANISHES_AFTER_THE_LISTING)).code == 1
    log.write_bytes(b"\n".join(GOOD))
    assert edx2lrs(*run).code == 0
    assert sandbox.stored("one") == len(GOOD)


WRONG = {
    "unknown key": (yaml_of(consumer("one", acces="all")), "did you mean access"),
    "wrong type": (yaml_of(consumer("one", batch={"size": "many"})), "consumers[0].batch.size"),
    "missing variable": (yaml_of(consumer("one", auth={**BASIC, "username": "env:NOT_SET_ANYWHERE"})), "NOT_SET_ANYWHERE"),
    "two of one name": (yaml_of(consumer("one"), consumer("one")), "consumers[1].name"),
    "bad regex": (yaml_of(consumer("one", match_params={"name": "/(/"})), "match_params"),
    "no scheme": (yaml_of(consumer("one", url="ADDRESS/one/xAPI")), "consumers[0].url"),
    "no access": (yaml_of(consumer("one", access=None)), "access: all"),
}


@pytest.mark.parametrize("fault", WRONG)
def test_a_wrong_configuration_ends_it_before_anything_is_read(edx2lrs, config, tmp_path, fault):
    text, word = WRONG[fault]
    (tmp_path / "tracking.log").write_bytes(b"\n".join(GOOD))
    path = config("127.0.0.1:9", text)
    result = edx2lrs("run", "--config", path, "--input", "tracking.log", "--state", "state")
    assert result.code == 2
    assert word in result.err
    assert f"{path}:" in result.err
    assert not (tmp_path / "state").exists()


def test_no_input_at_all_ends_it_before_it_starts(edx2lrs, config, tmp_path):
    result = edx2lrs("run", "--config", config("127.0.0.1:9", CONFIG), "--input", "no-such/*.gz", "--state", "state")
    assert (result.code, (tmp_path / "state").exists()) == (2, False)
    assert "no-such/*.gz" in result.err


@pytest.mark.parametrize(
    ("option", "word"),
    [
        ("--direct_running_mode=multi_threading", "--workers"),
        ("--runner=FlinkRunner", "dead_letters.path"),
        ("--runner=SparkRunner", "SparkRunner"),
        ("--wokers=3", "did you mean --workers"),
        ("--workers=0", "0"),
        ("--report=no/such/folder/report.json", "no/such/folder"),
    ],
)
def test_options_that_cannot_work_are_refused(edx2lrs, config, tmp_path, option, word):
    (tmp_path / "tracking.log").write_bytes(GOOD[0])
    result = edx2lrs("run", "--config", config("127.0.0.1:9", CONFIG), "--input", "tracking.log", option)
    assert result.code == 2
    assert word in result.err


def test_a_state_directory_in_use_or_of_a_newer_version_is_refused(edx2lrs, config, tmp_path):
    from edx2lrs.io.state.state import open_state

    (tmp_path / "tracking.log").write_bytes(GOOD[0])
    run = ("run", "--config", config("127.0.0.1:9", CONFIG), "--input", "tracking.log", "--state", "state")
    with open_state(tmp_path / "state", ids=10, statements=10):
        in_use = edx2lrs(*run)
    assert (in_use.code, f"process {os.getpid()}" in in_use.err) == (2, True)


def test_without_a_state_directory_one_is_made_and_kept_only_when_it_is_worth_it(edx2lrs, sandbox, config, tmp_path):
    path = config(sandbox.address, CONFIG)
    (tmp_path / "tracking.log").write_bytes(b"\n".join(GOOD))
    assert edx2lrs("run", "--config", path, "--input", "tracking.log").code == 0
    assert list(tmp_path.glob("edx2lrs-state-*")) == []
    sandbox.stop()
    (tmp_path / "tracking.log").write_bytes(played(500))
    away = edx2lrs("run", "--config", path, "--input", "tracking.log")
    (kept,) = tmp_path.glob("edx2lrs-state-*")
    assert away.code == 1
    assert kept.name in away.text


def test_a_record_that_kills_its_process_is_a_dead_letter_in_the_end(edx2lrs, sandbox, config, tmp_path, assert_adds_up):
    (tmp_path / "tracking.log").write_bytes(b"\n".join([*GOOD[:3], played(200, page="KILLER"), *GOOD[3:6]]))
    run = ("run", "--config", config(sandbox.address, CONFIG), "--input", "tracking.log", "--state", "state", "--workers", 1)
    result = edx2lrs(*run, env=planted(tmp_path, DIES_OF_A_RECORD))
    assert result.code == 0, result.text
    assert_adds_up(result.report)
    assert result.report["records"]["dead"] == {"crash": 1}
    assert sandbox.stored("one") == 6


def test_a_record_that_kills_its_process_costs_no_other_file_of_its_wave(edx2lrs, sandbox, config, tmp_path, assert_adds_up):
    logs = tmp_path / "logs"
    logs.mkdir()
    for number in range(12):
        lines = [played(100 + number), played(200, page="KILLER")] if number == 5 else [played(100 + number)]
        (logs / f"{number:02}.log").write_bytes(b"\n".join(lines))
    run = ("run", "--config", config(sandbox.address, CONFIG), "--input", "logs", "--state", "state", "--workers", 1)
    result = edx2lrs(*run, env=planted(tmp_path, DIES_OF_A_RECORD))
    assert result.code == 0, result.text
    assert_adds_up(result.report)
    assert result.report["records"]["dead"] == {"crash": 1}
    assert sandbox.stored("one") == 12


def test_a_record_that_never_ends_is_a_dead_letter_in_the_end(edx2lrs, sandbox, config, tmp_path, assert_adds_up):
    (tmp_path / "tracking.log").write_bytes(b"\n".join([*GOOD[:2], played(200, page="KILLER"), *GOOD[2:4]]))
    run = ("run", "--config", config(sandbox.address, IMPATIENT), "--input", "tracking.log", "--workers", 1)
    result = edx2lrs(*run, "--state", "state", env=planted(tmp_path, HANGS_AT_A_RECORD))
    assert result.code == 0, result.text
    assert "has not moved on" in result.text
    assert_adds_up(result.report)
    assert result.report["records"]["dead"] == {"crash": 1}
    assert sandbox.stored("one") == 4


def test_many_small_files_share_a_wave_and_a_bad_one_costs_itself_alone(edx2lrs, sandbox, config, tmp_path, assert_adds_up):
    logs = tmp_path / "logs"
    logs.mkdir()
    for number in range(60):
        text = played(100 + number)
        (logs / f"{number:02}.log").write_bytes(gzip.compress(text)[:-9] if number % 20 == 7 else text)
    (logs / "60-empty.log").write_bytes(b"")
    (logs / "30-vanishing.log").write_bytes(played(300))
    run = ("run", "--config", config(sandbox.address, CONFIG), "--input", "logs", "--state", "state")
    result = edx2lrs(*run, "--workers", 2, env=planted(tmp_path, COUNTS_WAVES + VANISHES_AFTER_THE_LISTING))
    assert result.code == 1
    assert_adds_up(result.report)
    assert result.report["records"]["dead"] == {"truncated_gzip": 3, "unreadable": 1}
    assert sandbox.stored("one") == 57
    waves = [int(stretches) for stretches in (tmp_path / "waves").read_text().split()]
    assert sum(waves) == 61
    assert len(waves) < 20
    letters = read_dead_letters(str(tmp_path / "state" / "dead-letters"), print)
    assert {Path(letter.position).name for letter in letters} == {"07.log:1", "27.log:1", "47.log:1", "30-vanishing.log:1"}
