"""`edx2lrs check`: what it says of a right configuration, and of a wrong one."""

from __future__ import annotations

from pathlib import Path

import pytest

from edx2lrs.pipeline.cli import main

CONFIG = """\
lms:
  root_url: https://lms.example.com
  external_ids: ids.csv
consumers:
- name: campus
  protocol: xapi
  url: https://lrs.example.edu/xAPI?key=do-not-show
  auth: {scheme: basic, username: env:LRS_USER, password: env:LRS_PASSWORD}
  access: {orgs: {allow: [MITx]}, courses: {block: [a, b, c, d, e]}}
- name: mail
  protocol: xapi
  url: https://mail.example.edu/
  access: all
  actor: {id: mbox}
- name: warehouse
  protocol: caliper
  url: https://cal.example.edu/
  access: all
"""
IDS = "user_id,username,external_id_type,external_user_id,email\n5,ann,XAPI,ann-x,ann@example.com\n"


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LRS_USER", "do-not-show-user")
    monkeypatch.setenv("LRS_PASSWORD", "do-not-show-password")
    (tmp_path / "ids.csv").write_text(IDS)
    path = tmp_path / "c.yaml"
    path.write_text(CONFIG)
    return path


def test_one_line_for_each_consumer(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(config)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "campus     xapi     https://lrs.example.edu/xAPI?...  sees courses all but a, b, c and 2 more and orgs MITx  "
        "persons by external_id XAPI",
        "mail       xapi     https://mail.example.edu/  sees everything  persons by mbox",
        "warehouse  caliper  https://cal.example.edu/  sees everything  persons by external_id CALIPER",
    ]


def test_warnings(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["check", str(config)])
    assert capsys.readouterr().err.splitlines() == [
        "warning: without lms.id_key the events of anonymous visitors become dead letters",
        "warning: mail gets the e-mail address of every person",
        f"warning: warehouse needs ids of type CALIPER, and {config.parent}/ids.csv has XAPI",
    ]


def test_no_secret_is_shown(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["check", str(config)])
    assert "do-not-show" not in "".join(capsys.readouterr())


def test_every_fault_and_exit_code_2(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config.write_text(CONFIG.replace("access: all", "acess: all"))
    assert main(["check", str(config)]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert [line.split(": ", 2)[1] for line in printed.err.splitlines()] == [
        "consumers[1].access",
        "consumers[1].acess",
        "consumers[2].access",
        "consumers[2].acess",
    ]


def test_a_broken_table_is_found_here(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (config.parent / "ids.csv").write_text(IDS + "x,bob,XAPI,bob-x,\n")
    assert main(["check", str(config)]) == 2
    assert capsys.readouterr().err.startswith(f"{config.parent}/ids.csv: line 3, column user_id: found text")


def test_a_missing_file_is_no_traceback(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(tmp_path / "none.yaml")]) == 2
    assert "none.yaml: the configuration cannot be read: No such file or directory" in capsys.readouterr().err
