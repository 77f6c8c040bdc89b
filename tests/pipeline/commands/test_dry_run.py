"""A dry run says what would happen: nothing is sent, no file of the state directory changes, and no source is settled."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from edx2lrs.io.state.state import open_state
from edx2lrs.pipeline.local.rehearsal import rehearsed_state
from edx2lrs.pipeline.run_options import OptionError
from testkit.configurations import config_of, consumer, yaml_of

EVENT = {
    "name": "play_video",
    "event_source": "browser",
    "context": {"user_id": 5, "course_id": "course-v1:edX+DemoX+2020"},
    "event": {"id": "the-video", "currentTime": 12.5, "duration": 60},
}


def events(*seconds: int) -> str:
    return "".join(f"{json.dumps({**EVENT, 'time': f'2023-05-23T13:53:{second:02}+00:00'})}\n" for second in seconds)


class Site:
    """A folder with a configuration, a log and a state directory, and an LRS that counts requests."""

    def __init__(self, folder: Path, lrs) -> None:
        self.folder, self.lrs = folder, lrs
        self.state = folder / "state"
        (folder / "c.yaml").write_text(yaml_of(consumer("campus", url=f"{lrs.url}?token=word", auth={"scheme": "none"})))
        (folder / "a.log").write_text(f"{events(1, 2)}no event\n")

    def command(self, *arguments: str) -> tuple[int, str, str]:
        environment = {**os.environ, "EDX2LRS_ID_KEY": "a key of the tests", "TMPDIR": str(self.folder / "tmp")}
        (self.folder / "tmp").mkdir(exist_ok=True)
        command = [sys.executable, "-m", "edx2lrs.pipeline", *arguments]
        done = subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=120)
        assert "Traceback" not in done.stderr, done.stderr
        assert [*(self.folder / "tmp").glob("edx2lrs*")] == []
        return done.returncode, done.stdout, done.stderr

    def run(self, *arguments: str) -> tuple[int, str, str]:
        return self.command("run", "--config", "c.yaml", "--input", "a.log", "--workers", "1", *arguments)

    def files(self) -> dict[str, str]:
        found = [path for path in self.folder.rglob("*") if path.is_file() and self.folder / "tmp" not in path.parents]
        return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in found}

    def requests(self) -> int:
        return len(self.lrs.requests)


@pytest.fixture
def site(tmp_path: Path, lrs) -> Site:
    return Site(tmp_path, lrs)


@pytest.mark.parametrize("flag", ["--dry-run", "--dry"])
def test_a_dry_run_over_files_sends_nothing_and_makes_no_state(site: Site, flag: str) -> None:
    before = site.files()
    code, out, _ = site.run("--state", "state", flag)
    assert (code, site.requests(), site.files()) == (0, 0, before)
    assert not site.state.exists()
    assert "dry run: nothing is sent, kept or settled" in out
    assert "3 records read" in out
    assert "not_json 1" in out
    assert f"2 statements would be sent to {site.lrs.url}?..." in out
    assert "edx2lrs deliver" not in out


def test_a_dry_run_over_a_state_directory_says_what_is_new_and_changes_none_of_its_files(site: Site) -> None:
    assert site.run("--state", "state")[0] == 0
    sent = site.requests()
    with open(site.folder / "a.log", "a") as log:
        log.write(events(1, 3))
    before = site.files()
    code, out, _ = site.run("--state", "state", "--dry-run", "--report", "tmp/../report.json")
    report = json.loads((site.folder / "report.json").read_text())
    (site.folder / "report.json").unlink()
    assert (code, site.requests(), site.files()) == (0, sent, before)
    assert "2 records read" in out
    assert "1 statement would be sent to" in out  # the other one was sent before
    assert report["dry_run"] == {"campus": f"{site.lrs.url}?..."}
    assert (report["consumers"]["campus"]["duplicates"], report["consumers"]["campus"]["delivered"]) == (1, 0)
    assert site.run("--state", "state")[1].count("1 delivered") == 1


def test_a_dry_delivery_says_what_waits_and_sends_nothing(site: Site, replies) -> None:
    site.lrs.behave = lambda _: replies(401)
    assert site.run("--state", "state")[0] == 1
    site.lrs.behave = lambda _: replies()
    sent, before = site.requests(), site.files()
    for _ in range(2):
        code, out, _ = site.command("deliver", "--config", "c.yaml", "--state", "state", "--dry-run")
        assert (code, site.requests(), site.files()) == (0, sent, before)
    assert f"2 statements would be sent to {site.lrs.url}?..." in out
    (site.folder / "c.yaml").write_text(yaml_of(consumer("other", url=site.lrs.url, auth={"scheme": "none"})))
    assert "2 statements would go on waiting" in site.command("deliver", "--config", "c.yaml", "--state", "state", "--dry-run")[1]


def test_a_dry_replay_changes_no_file(site: Site) -> None:
    assert site.run("--state", "state")[0] == 0
    sent, before = site.requests(), site.files()
    code, out, _ = site.command("replay", "--config", "c.yaml", "state", "--dry-run")
    assert (code, site.requests(), site.files()) == (0, sent, before)
    assert "1 record would be read again" in out


def test_a_dry_run_works_beside_the_job_that_owns_the_state_directory(site: Site) -> None:
    assert site.run("--state", "state")[0] == 0
    with open_state(site.state, ids=1000, statements=1000):
        assert site.run("--state", "state", "--dry-run")[0] in (0, 1)
        assert site.command("deliver", "--config", "c.yaml", "--state", "state", "--dry-run")[0] == 0


REFUSED = {
    "of a stream": ("run", "--config", "c.yaml", "--input", "tail:a.log", "--state", "state", "--dry-run"),
    "on an engine": ("run", "--config", "c.yaml", "--input", "a.log", "--runner=FlinkRunner", "--dry-run"),
    "with a value": ("run", "--config", "c.yaml", "--input", "a.log", "--dry-run=true"),
    "Beam's own": ("run", "--config", "c.yaml", "--input", "a.log", "--dry_run"),
    "Beam's own with a value": ("run", "--config", "c.yaml", "--input", "a.log", "--dry_run=1"),
    "misspelt": ("deliver", "--config", "c.yaml", "--state", "state", "--dryrun"),
    "with one hyphen": ("run", "--config", "c.yaml", "--input", "a.log", "-dry-run"),
    "Beam's own of a delivery": ("deliver", "--config", "c.yaml", "--state", "state", "--dry_run"),
    "Beam's own of a replay": ("replay", "--config", "c.yaml", "state", "--dry_run=1"),
}


@pytest.mark.parametrize("arguments", REFUSED.values(), ids=REFUSED)
def test_a_dry_run_that_cannot_be_is_refused_and_nothing_is_sent(site: Site, arguments: tuple[str, ...]) -> None:
    before = site.files()
    code, _, err = site.command(*arguments)
    assert (code, site.requests(), site.files()) == (2, 0, before)
    assert "dry" in err


def test_a_dry_run_needs_a_folder_for_temporary_files(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere() -> str:
        raise FileNotFoundError("No usable temporary directory found")

    monkeypatch.setattr("tempfile.gettempdir", nowhere)
    with pytest.raises(OptionError, match="TMPDIR"), rehearsed_state(None, config_of()):
        pass
