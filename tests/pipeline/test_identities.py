"""What a worker makes of tables and keys: keys of consumers' own, and tables that change while it works."""

from __future__ import annotations

import hashlib
import hmac
import logging
import os
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

from edx2lrs.io.external_ids import Version, version_of
from edx2lrs.io.secrets import SecretError
from edx2lrs.pipeline import identities as module
from edx2lrs.pipeline.compiled_config import CompiledConfig
from edx2lrs.pipeline.identities import Identities, KeptCurrent, identities
from edx2lrs.transforms.config_types import ActorOptions, Config, Consumer, Lms
from edx2lrs.transforms.event import Event
from edx2lrs.transforms.failure import Refusal
from edx2lrs.transforms.people.actor import Actor as Person
from edx2lrs.transforms.people.anonymise import uuid8
from edx2lrs.transforms.records.parse import parse

HEADER = "user_id,username,external_id_type,external_user_id\n"
BY_TABLE = ActorOptions("external_id", "XAPI", "dead_letter")
ANN, VISITOR = Event("x", user_id=5), Event("x", session="s1")
Found = TypeVar("Found")


@pytest.fixture(autouse=True)
def site_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SITE_KEY", "the site's")
    monkeypatch.setenv("CAMPUS_KEY", "the campus's")


@pytest.fixture
def lms(tmp_path: Path) -> Lms:
    (tmp_path / "ids.csv").write_text(HEADER + "5,ann,XAPI,ann-x\n")
    (tmp_path / "courses.csv").write_text("course_id,display_name\nc1,Algebra\n")
    ids, courses = str(tmp_path / "ids.csv"), str(tmp_path / "courses.csv")
    return Lms(root_url="https://lms.example.com", external_ids=ids, course_names=courses, id_key="env:SITE_KEY")


@pytest.fixture
def always_looking(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_EVERY", 0.0)


def rewrite(path: str | None, text: str) -> None:
    assert path is not None
    before = os.stat(path).st_mtime_ns
    Path(path).write_text(text)
    os.utime(path, ns=(before + 1, before + 1))


def awaited(look: Callable[[], Found | None]) -> Found:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        found = look()
        if found is not None:
            return found
        time.sleep(0.001)
    raise AssertionError("it did not come")


def name_of(found: Person | Refusal) -> str:
    return found.anonymous_id if isinstance(found, Person) else found.cause


def as_they_are(known: Identities) -> Identities:
    return known


def by_hmac(key: str, subject: str) -> str:
    return str(uuid8(hmac.digest(key.encode(), subject.encode(), hashlib.sha256)[:16]))


def test_a_key_of_ones_own_makes_other_persons_of_everybody(lms: Lms) -> None:
    own = ActorOptions("hmac", "XAPI", "dead_letter", key="env:CAMPUS_KEY")
    known = identities(lms, [ActorOptions("hmac", "XAPI", "dead_letter"), own])
    assert [[name_of(actor_of(event)) for event in (ANN, VISITOR)] for actor_of in known.actors] == [
        [by_hmac("the site's", "XAPI:id:5"), by_hmac("the site's", "XAPI:session:s1")],
        [by_hmac("the campus's", "XAPI:id:5"), by_hmac("the campus's", "XAPI:session:s1")],
    ]


def test_a_consumer_with_its_own_key_needs_no_key_of_the_site() -> None:
    lms = Lms(root_url="https://lms.example.com")
    known = identities(lms, [ActorOptions("hmac", "CALIPER", "dead_letter", key="env:CAMPUS_KEY")])
    assert name_of(known.actors[0](ANN)) == by_hmac("the campus's", "CALIPER:id:5")


def test_a_key_that_is_gone_is_said_by_name(lms: Lms, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CAMPUS_KEY")
    with pytest.raises(SecretError, match="CAMPUS_KEY is not set"):
        identities(lms, [ActorOptions("hmac", "XAPI", "dead_letter", key="env:CAMPUS_KEY")])


@pytest.mark.usefixtures("always_looking")
def test_another_table_makes_other_actors_that_remember_nobody(lms: Lms) -> None:
    kept = KeptCurrent(lms, [BY_TABLE], as_they_are)
    before = kept.current
    assert [name_of(before.actors[0](event)) for event in (ANN, Event("x", user_id=6))] == ["ann-x", "unknown_user"]
    rewrite(lms.external_ids, HEADER + "5,ann,XAPI,ann-2\n6,bob,XAPI,bob-2\n")
    after = awaited(kept.newer)
    assert [name_of(after.actors[0](event)) for event in (ANN, Event("x", user_id=6))] == ["ann-2", "bob-2"]
    assert kept.current is after
    assert name_of(before.actors[0](ANN)) == "ann-x"


def test_rules_by_username_need_the_table_too(lms: Lms) -> None:
    by_hmac = ActorOptions("hmac", "XAPI", "dead_letter")
    assert KeptCurrent(lms, [by_hmac], as_they_are).current.table is None
    known = KeptCurrent(lms, [by_hmac], as_they_are, names_users=True).current
    assert known.table is not None
    assert known.table.user_id_of("ann") == 5


@pytest.mark.usefixtures("always_looking")
def test_other_course_names_too(lms: Lms) -> None:
    kept = KeptCurrent(lms, [BY_TABLE], as_they_are)
    rewrite(lms.course_names, "course_id,display_name\nc1,Geometry\n")
    assert awaited(kept.newer).course_name("c1") == "Geometry"


def test_between_two_looks_nothing_happens(lms: Lms) -> None:
    kept = KeptCurrent(lms, [BY_TABLE], as_they_are)
    rewrite(lms.external_ids, HEADER)
    assert [kept.newer() for _ in range(1000)] == [None] * 1000


@pytest.mark.usefixtures("always_looking")
def test_a_table_that_stays_is_not_read_again(lms: Lms, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Identities] = []
    kept = KeptCurrent(lms, [BY_TABLE], made.append)
    looks: list[str] = []

    def look(path: str) -> Version:
        looks.append(path)
        return version_of(path)

    monkeypatch.setattr(module, "version_of", look)
    awaited(lambda: kept.newer() or len(looks) > 5 or None)
    assert set(looks) == {lms.external_ids, lms.course_names}
    assert len(made) == 1


@pytest.mark.usefixtures("always_looking")
@pytest.mark.parametrize("fault", ["wrong", "gone"])
def test_a_new_version_that_cannot_be_used_leaves_the_old_one(lms: Lms, caplog: pytest.LogCaptureFixture, fault: str) -> None:
    kept = KeptCurrent(lms, [BY_TABLE], as_they_are)
    assert lms.external_ids is not None
    if fault == "wrong":
        rewrite(lms.external_ids, HEADER + "do-not-show,ann,XAPI,x\n")
    else:
        Path(lms.external_ids).unlink()
    with caplog.at_level(logging.WARNING, "edx2lrs.tables"):
        awaited(lambda: kept.newer() or (caplog.messages or None))
        for _ in range(200):
            assert kept.newer() is None
            time.sleep(0.0005)
    words = "line 2, column user_id: found text that is no number" if fault == "wrong" else "No such file or directory"
    assert len(caplog.messages) == 1
    assert words in caplog.messages[0]
    assert caplog.messages[0].endswith("the version from before stays in use")
    assert "do-not-show" not in caplog.text
    assert name_of(kept.current.actors[0](ANN)) == "ann-x"
    Path(lms.external_ids).write_text(HEADER + "5,ann,XAPI,ann-3\n")
    assert name_of(awaited(kept.newer).actors[0](ANN)) == "ann-3"


EVENT = (
    b'{"name": "edx.course.enrollment.activated", "time": "2026-01-01T00:00:00+00:00", "context": {"user_id": 5,'
    b' "course_id": "course-v1:a+b+c"}, "event": {"course_id": "course-v1:a+b+c", "user_id": 5, "mode": "audit"}}'
)


@pytest.mark.usefixtures("always_looking")
def test_a_job_translates_with_the_newer_table(lms: Lms) -> None:
    job = CompiledConfig(Config(lms=lms, consumers=[Consumer(name="a", protocol="xapi", url="https://x", access="all")]))
    event = parse(EVENT)
    assert isinstance(event, Event)

    def translated() -> bytes:
        ((translator, consumers),) = job.translators_for((0,))
        made = translator.translate(event)
        assert isinstance(made, tuple)
        assert consumers == (0,)
        return made[0].body

    assert b"ann-x" in translated()
    rewrite(lms.external_ids, HEADER + f"5,ann,XAPI,{uuid.NAMESPACE_DNS}\n")

    def look() -> bool | None:
        job.look_for_newer_tables()
        return True if str(uuid.NAMESPACE_DNS).encode() in translated() else None

    assert awaited(look)
