"""A configuration that changes while the job streams."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from edx2lrs.pipeline.compiled_config import CurrentConfig
from edx2lrs.pipeline.config import watch as config_watch
from edx2lrs.pipeline.config.reading import load
from edx2lrs.pipeline.config.watch import ConfigWatch
from edx2lrs.transforms.config_types import Config

SITE = "lms: {root_url: https://lms.example.com, id_key: env:SITE_KEY}\n"
FIRST = SITE + "consumers: [{name: campus, protocol: xapi, url: https://x, access: all}]\n"
SECOND = FIRST.replace("}]", "}, {name: new, protocol: caliper, url: https://y, access: {orgs: {allow: [edX]}}}]")
BROKEN = FIRST.replace("access", "acess")


@pytest.fixture(autouse=True)
def _only_warnings(caplog: pytest.LogCaptureFixture) -> None:
    """Whatever other tests have set the level to."""
    caplog.set_level("WARNING", logger="edx2lrs")


class Watched:
    """A watch over a file, with a clock of its own."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.now = 0.0
        path.write_text(FIRST)
        self.watch = ConfigWatch(str(path), load(str(path)), lambda: self.now)

    def later(self, text: str | None = None, seconds: float = 61.0) -> list[str] | None:
        """The names of the consumers of the newer configuration, when there is one ``seconds`` after ``text`` was written."""
        if text is not None:
            self.path.write_text(text)
        self.now += seconds
        newer = self.watch.newer()
        return newer and [consumer.name for consumer in newer.consumers]


@pytest.fixture
def watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Watched:
    monkeypatch.setenv("SITE_KEY", "a key")
    return Watched(tmp_path / "c.yaml")


def test_a_new_consumer_is_there_once_a_minute_later(watched: Watched) -> None:
    assert watched.later() is None
    assert watched.later(SECOND, seconds=10) is None
    assert watched.later() == ["campus", "new"]
    assert watched.later() is None
    assert [consumer.name for consumer in watched.watch.current.consumers] == ["campus", "new"]


def test_between_looks_the_file_is_not_read(watched: Watched) -> None:
    watched.path.unlink()
    assert watched.later(seconds=59) is None
    assert not watched.watch.is_due()


def test_a_file_that_is_only_written_again_is_no_newer_one(watched: Watched) -> None:
    assert watched.later("# a comment\n" + FIRST) is None


def test_a_broken_file_keeps_the_last_good_one_and_says_so_once(watched: Watched, caplog: pytest.LogCaptureFixture) -> None:
    assert watched.later(SECOND) == ["campus", "new"]
    for _ in range(3):
        assert watched.later(BROKEN) is None
    assert len(caplog.records) == 1
    assert "the one from before stays in use" in caplog.text
    assert "c.yaml:2: consumers[0].acess: unknown key; did you mean access?" in caplog.text
    assert [consumer.name for consumer in watched.watch.current.consumers] == ["campus", "new"]
    assert watched.later(FIRST) == ["campus"]


def test_another_fault_is_said_too(watched: Watched, caplog: pytest.LogCaptureFixture) -> None:
    watched.later(BROKEN)
    watched.later(SITE)
    assert len(caplog.records) == 2


def test_a_missing_file_keeps_the_last_good_one(watched: Watched, caplog: pytest.LogCaptureFixture) -> None:
    watched.path.unlink()
    assert [watched.later(), watched.later()] == [None, None]
    assert [record.message for record in caplog.records] == [
        f"the configuration cannot be used; the one from before stays in use:\n{watched.path}: No such file or directory"
    ]
    assert watched.later(SECOND) == ["campus", "new"]


def test_what_was_missing_may_come_later(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    with_secret = FIRST.replace("access: all", "access: all, headers: {X-Key: env:COMES_LATER}").replace("campus", "other")
    assert watched.later(with_secret) is None
    monkeypatch.setenv("COMES_LATER", "x")
    assert watched.later() == ["other"]


def test_a_changed_site_counts_from_the_next_start_and_that_is_said(watched: Watched, caplog: pytest.LogCaptureFixture) -> None:
    assert watched.later(SECOND.replace("https://lms.", "https://other.") + "dedup: {ids: 5}\n") == ["campus", "new"]
    assert watched.watch.current.lms.root_url == "https://lms.example.com"
    assert f"{watched.path}: lms, dedup: changes of these count when the job is started again" in caplog.text


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, CurrentConfig]:
    monkeypatch.setenv("SITE_KEY", "a key")
    monkeypatch.setattr(config_watch, "LOOK_EVERY", 0.0)
    path = tmp_path / "c.yaml"
    path.write_text(FIRST)
    return path, CurrentConfig(str(path))


def renewed(current: CurrentConfig) -> Config | None:
    """What it goes over to within some looks."""
    for _ in range(200):
        newer = current.renew()
        if newer is not None:
            return newer
        time.sleep(0.005)
    return None


def test_a_job_goes_over_to_the_newer_configuration_between_waves(job: tuple[Path, CurrentConfig]) -> None:
    path, current = job
    before = current.compiled
    path.write_text(SECOND)
    newer = renewed(current)
    assert newer is not None
    assert current.compiled is not before
    assert (before.names, current.compiled.names) == (("campus",), ("campus", "new"))


def test_a_job_stays_as_it_is_while_nothing_can_be_made_of_the_newer_one(
    job: tuple[Path, CurrentConfig], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, current = job
    before = current.compiled
    path.write_text(SECOND)
    monkeypatch.setattr("edx2lrs.pipeline.compiled_config.CompiledConfig", _no_compiled_config)
    assert renewed(current) is None
    assert current.compiled is before
    assert [record.message for record in caplog.records] == [
        "the configuration cannot be used; the one from before stays in use:\nno table"
    ]
    monkeypatch.undo()
    monkeypatch.setenv("SITE_KEY", "a key")
    monkeypatch.setattr(config_watch, "LOOK_EVERY", 0.0)
    assert renewed(current) is not None


def _no_compiled_config(_: Config) -> None:
    from edx2lrs.io.tables import TableError

    raise TableError("no table")
