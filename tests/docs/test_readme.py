"""README.md: its first configuration is right, `check` prints what the page shows, and every command is in the table."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from edx2lrs.pipeline import cli

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
FIRST = README.partition("## First configuration")[2].partition("\n## ")[0]


def test_check_prints_what_the_page_shows_for_its_first_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("EDX2LRS_ID_KEY", "LRS_USER", "LRS_PASSWORD"):
        monkeypatch.setenv(name, "x")
    path = tmp_path / "edx2lrs.yaml"
    path.write_text(FIRST.partition("```yaml\n")[2].partition("```")[0], encoding="utf-8")
    assert cli.main(["check", str(path)]) == 0
    shown = FIRST.partition("$ edx2lrs check edx2lrs.yaml\n")[2].partition("```")[0]
    assert [line.rstrip() for line in capsys.readouterr().out.splitlines()] == [line.rstrip() for line in shown.splitlines()]


def test_every_command_is_in_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["--help"])
    commands = set(re.findall(r"^  ([a-z][a-z-]+)  ", capsys.readouterr().out.partition("commands:")[2], flags=re.MULTILINE))
    assert commands
    assert commands <= set(re.findall(r"^\| `edx2lrs ([a-z-]+)", README, flags=re.MULTILINE))
