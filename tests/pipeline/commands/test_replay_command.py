"""Dead letters are sent again: what succeeds is marked, what fails again stays, and nothing is lost or sent twice."""

from __future__ import annotations

import json
import random
import shutil
import uuid
from datetime import datetime, timezone
from pathlib import Path

import pytest
from msgspec.structs import replace

from edx2lrs.io.dead_letters.letters import dead_letter, now, read, write_file
from edx2lrs.io.state.state import open_state
from edx2lrs.io.state.waves import KeptWave
from edx2lrs.transforms.failure import Failure
from testkit.configurations import consumer, yaml_of
from testkit.tracking_records import played

RETRY = {"max_attempts": 2, "base_delay": "10ms", "max_delay": "50ms"}
OUTAGE = {"on_outage": "dead_letter", "max_wait": "1ms"}
HEADER = "user_id,username,external_id_type,external_user_id\n"
KNOWN = 60
EVENTS = 90


def line(number):
    """A log line that becomes one statement, of a person of its own."""
    return played(number, username=f"bob{number}", context={"user_id": number + 1}).decode()


def ids(first, last):
    return "".join(f"{n + 1},bob{n},XAPI,00000000-0000-4000-8000-{n:012d}\n" for n in range(first, last))


@pytest.fixture
def log(tmp_path):
    """90 events, of which the table of ids knows the first 60 persons, and two lines that are none."""
    path = tmp_path / "tracking.log"
    path.write_text("\n".join([*map(line, range(EVENTS)), "no event", '{"name": "play_video"', ""]))
    (tmp_path / "ids.csv").write_text(HEADER + ids(0, KNOWN))
    return path


@pytest.fixture
def configure(config):
    def write(address, outbox=None, **outage):
        both = [consumer(name, retry=RETRY, **outage) for name in ("one", "two")]
        return config(address, yaml_of(*both, lms={"external_ids": "ids.csv"}, **({"outbox": outbox} if outbox else {})))

    return write


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    return tmp_path_factory.mktemp("kept") / "state"


@pytest.fixture
def died(tmp_path, log, configure, edx2lrs, unused_address, kept):
    """A run with all LRSs down, made once: gives its state directory."""
    if not kept.exists():
        result = edx2lrs("run", "--config", configure(unused_address, **OUTAGE), "--input", log, "--state", kept)
        assert result.report["consumers"]["one"]["dead"]["statements"] == {"outage": KNOWN}
    shutil.copytree(kept, tmp_path / "state")
    return tmp_path / "state"


@pytest.fixture
def unused_address():
    return "127.0.0.1:9"


def causes(folder):
    letters = list(read(str(folder), pytest.fail))
    found = {}
    for letter in letters:
        found.setdefault((letter.consumer, letter.cause), []).append(letter)
    return {kind: len(some) for kind, some in found.items()}


DEAD = {
    (None, "not_json"): 1,
    (None, "not_an_event"): 1,
    ("one", "unknown_user"): EVENTS - KNOWN,
    ("two", "unknown_user"): EVENTS - KNOWN,
    ("one", "outage"): KNOWN,
    ("two", "outage"): KNOWN,
}


def test_all_is_sent_again_and_what_fails_again_stays(died, tmp_path, configure, sandbox, edx2lrs, assert_adds_up):
    folder = died / "dead-letters"
    before = causes(folder)
    (tmp_path / "ids.csv").write_text(HEADER + ids(0, EVENTS - 1))  # all but one

    result = edx2lrs("replay", "--config", configure(sandbox.address), folder)

    assert result.code == 0, result.text
    assert sandbox.stored("one") == sandbox.stored("two") == EVENTS - 1
    assert sum(before.values()) == 2 + 2 * EVENTS
    left = {kind: number for kind, number in before.items() if kind[0] is None}
    assert causes(folder) == {**left, ("one", "unknown_user"): 1, ("two", "unknown_user"): 1}
    assert {letter.attempts for letter in read(str(folder), pytest.fail)} == {1}
    assert_adds_up(result.report)
    assert_adds_up(result.report["all_runs"])
    assert result.report["consumers"]["one"]["replayed"] == KNOWN
    assert result.report["records"]["replayed"] == result.report["records"]["read"] == 2 + 2 * (EVENTS - KNOWN)

    again = edx2lrs("replay", "--config", configure(sandbox.address), folder)
    assert (again.report["records"]["read"], again.report["consumers"]["one"]["statements"]) == (4, 0)
    assert {letter.attempts for letter in read(str(folder), pytest.fail)} == {2}


def test_letters_elsewhere_are_sent_from_a_state_that_goes_when_it_is_done(died, tmp_path, configure, sandbox, edx2lrs, assert_adds_up):
    folder = tmp_path / "copies"
    shutil.copytree(died / "dead-letters", folder)
    (tmp_path / "ids.csv").write_text(HEADER + ids(0, EVENTS))

    result = edx2lrs("replay", "--config", configure(sandbox.address), folder, "--stage=translate", "--stage=deliver")

    assert result.code == 0, result.text
    assert sandbox.stored("one") == sandbox.stored("two") == EVENTS
    assert set(causes(folder)) == {kind for kind in causes(died / "dead-letters") if kind[0] is None}
    assert not list(tmp_path.glob("edx2lrs-replay-*"))
    assert_adds_up(result.report)


def test_a_letter_goes_to_its_own_consumer_alone(died, tmp_path, configure, sandbox, edx2lrs):
    (tmp_path / "ids.csv").write_text(HEADER + ids(0, EVENTS))

    edx2lrs("replay", "--config", configure(sandbox.address), died, "--consumer=two", "--cause=unknown_user", "--event=play_video")

    assert (sandbox.stored("one"), sandbox.stored("two")) == (0, EVENTS - KNOWN)


def test_a_dry_run_says_what_would_be_sent_and_changes_nothing(died, configure, sandbox, edx2lrs):
    before = sorted((path, path.stat().st_mtime_ns) for path in (died / "dead-letters").rglob("*"))

    result = edx2lrs("replay", "--config", configure(sandbox.address), died / "dead-letters", "--dry-run")

    assert result.code == 0
    assert result.out.splitlines() == [
        "60 statements would be sent to one",
        "60 statements would be sent to two",
        "2 records would be read again, for all consumers that are entitled",
        "30 records would be read again, for one alone",
        "30 records would be read again, for two alone",
    ]
    assert sandbox.counts() == {}
    assert sorted((path, path.stat().st_mtime_ns) for path in (died / "dead-letters").rglob("*")) == before


def test_while_the_lrs_is_still_wrong_all_wait_unmarked_and_the_same_command_goes_on(died, tmp_path, configure, sandbox, edx2lrs):
    folder = tmp_path / "copies"
    shutil.copytree(died / "dead-letters", folder)
    options = [folder, "--cause=outage"]

    waiting = edx2lrs("replay", "--config", configure(sandbox.address), *options, env={"SANDBOX_PASSWORD": "wrong"})
    assert (waiting.code, waiting.report["consumers"]["one"]["waiting"]) == (1, KNOWN)
    assert causes(folder)["one", "outage"] == KNOWN  # what only waits in a state directory is not marked

    dry = edx2lrs("replay", "--config", configure(sandbox.address), *options, "--dry-run")
    assert dry.out.splitlines() == ["120 letters were sent again before, and stay out"]

    done = edx2lrs("replay", "--config", configure(sandbox.address), *options)
    assert (done.code, sandbox.stored("one"), sandbox.counts()["one"]["repeats"]) == (0, KNOWN, 0)
    assert ("one", "outage") not in causes(folder)


def test_what_an_lrs_refuses_again_has_its_attempts_added_up(died, configure, sandbox_with, edx2lrs, assert_adds_up):
    lrs = sandbox_with("--fault", "poison:0.1:400", "--seed", "3")
    folder = died / "dead-letters"
    before = {letter.id: letter.attempts for letter in read(str(folder), pytest.fail)}

    result = edx2lrs("replay", "--config", configure(lrs.address), folder, "--consumer=one", "--cause=outage")

    refused = [letter for letter in read(str(folder), pytest.fail) if letter.cause == "refused"]
    assert 0 < len(refused) == KNOWN - lrs.stored("one")
    assert all(letter.attempts > before[letter.id] for letter in refused)
    assert_adds_up(result.report)
    assert_adds_up(result.report["all_runs"])


def test_what_cannot_be_sent_is_named_and_counted(died, tmp_path, configure, sandbox, edx2lrs):
    letters = list(read(str(died / "dead-letters"), pytest.fail))
    changed = [
        replace(letters[0], payload_form="none", payload=b""),
        replace(letters[1], payload_form="redacted"),
        replace(letters[2], consumer="gone"),
        replace(letters[3], stage="read"),
        replace(letters[4], payload=b""),
    ]
    write_file(str(tmp_path / "few"), "a.avro", changed)

    result = edx2lrs("replay", "--config", configure(sandbox.address), tmp_path / "few")

    assert result.out.count("1 letter cannot be sent again: ") == 5
    assert all(letter.id in result.out for letter in changed)
    assert len(list(read(str(tmp_path / "few"), pytest.fail))) == 5
    assert sandbox.counts() == {}


def test_a_path_without_letters_is_wrong_usage(tmp_path, configure, sandbox, edx2lrs):
    (tmp_path / "ids.csv").write_text(HEADER)
    result = edx2lrs("replay", "--config", configure(sandbox.address), tmp_path / "nowhere")
    assert result.code == 2
    assert "nowhere" in result.err
    assert not list(tmp_path.glob("edx2lrs-replay-*"))


def test_more_than_the_outbox_may_hold_is_sent_in_turns(died, configure, sandbox, edx2lrs):
    path = configure(sandbox.address, outbox={"statements": 25})

    result = edx2lrs("replay", "--config", path, died / "dead-letters", "--cause=outage")

    assert (result.code, sandbox.stored("one"), sandbox.stored("two")) == (0, KNOWN, KNOWN)


def _statement_letters(number):
    """Dead letters of as many valid statements for the consumer ``one``."""
    when = now()
    for n in range(number):
        id_ = uuid.uuid5(uuid.NAMESPACE_URL, str(n))
        statement = {
            "id": str(id_),
            "actor": {"account": {"homePage": "https://lms.example.com", "name": str(n)}},
            "verb": {"id": "http://adlnet.gov/expapi/verbs/attempted"},
            "object": {"id": "https://lms.example.com/xblock/a"},
            "timestamp": "2024-03-11T06:00:00+00:00",
            "version": "1.0.3",
        }
        body = json.dumps(statement).encode()
        yield dead_letter(
            Failure("deliver", "outage", "down", f"log:{n}", body, "statement", "one", str(id_), event_name="problem_check"),
            "job",
            when,
        )


def _record_letters(number):
    """Dead letters of as many records that the consumer ``two`` could not get."""
    when = now()
    for n in range(number):
        failure = Failure("translate", "unknown_user", "who", f"log:{n}", line(n).encode(), "record", "two")
        yield dead_letter(failure, "job", when)


@pytest.mark.parametrize(
    ("statements", "records", "kills"),
    [
        pytest.param(2_000, 500, 1, id="2,500"),
        pytest.param(60_000, 40_000, 4, id="100,000", marks=[pytest.mark.engine, pytest.mark.soak]),
    ],
)
def test_a_replay_that_is_killed_goes_on_and_loses_and_doubles_nothing(
    statements, records, kills, tmp_path, configure, sandbox, edx2lrs, assert_adds_up
):
    (tmp_path / "ids.csv").write_text(HEADER + ids(0, records - 1))  # all but one
    folder = tmp_path / "letters"
    write_file(str(folder), "a.avro", _statement_letters(statements))
    write_file(str(folder), "b.avro", _record_letters(records))
    command = ["replay", "--config", configure(sandbox.address), folder]
    chance = random.Random(kills)

    for number in range(kills):
        enough = chance.uniform(0.05, 0.8 * (number + 1) / kills) * statements
        edx2lrs(*command, kill_when=lambda enough=enough: sandbox.stored("one") >= enough)
    result = edx2lrs(*command)

    assert result.code == 0, result.text
    counts = sandbox.counts()
    assert (counts["one"]["stored"], counts["two"]["stored"]) == (statements, records - 1)
    (left,) = read(str(folder), pytest.fail)
    assert (left.cause, left.attempts) == ("unknown_user", 1)
    everything = result.report["all_runs"]
    assert_adds_up(result.report)
    assert_adds_up(everything)
    assert everything["consumers"]["one"]["replayed"] == everything["consumers"]["one"]["statements"] == statements
    assert everything["records"]["replayed"] == everything["records"]["read"] == records
    # what was on its way at a kill is sent again, and known by its id: no more than that
    assert counts["one"]["repeats"] + counts["two"]["repeats"] <= kills * 2 * 4 * 100


@pytest.mark.parametrize("named", ["the state directory", "the folder", "a glob"])
def test_another_state_marks_the_letters_where_they_lie(named, died, tmp_path, configure, sandbox, edx2lrs):
    path = {"the state directory": died, "the folder": died / "dead-letters", "a glob": died / "dead-letters" / "*.avro"}[named]

    first = edx2lrs("replay", "--config", configure(sandbox.address), path, "--cause=outage", "--state", tmp_path / "other")
    third = edx2lrs("replay", "--config", configure(sandbox.address), path, "--cause=outage", "--state", tmp_path / "third")

    assert (first.code, sandbox.stored("one")) == (0, KNOWN)
    assert third.report["consumers"]["one"]["statements"] == 0
    assert sandbox.counts()["one"]["repeats"] == 0
    assert ("one", "outage") not in causes(died / "dead-letters")
    assert not list(tmp_path.glob("other/dead-letters/*"))


def test_letters_in_no_file_yet_are_marked_too(died, tmp_path, configure, sandbox, edx2lrs):
    with open_state(died, ids=1000, statements=1000, create=False) as state:
        unknown = Failure("translate", "unknown_user", "who", "log:1", line(1).encode(), "record", "one")
        state.keep_wave(KeptWave([], [], [unknown], {}))
    options = [died, "--event=play_video", "--consumer=one", "--cause=unknown_user"]
    (tmp_path / "ids.csv").write_text(HEADER + ids(0, EVENTS))

    edx2lrs("replay", "--config", configure(sandbox.address), *options, "--state", tmp_path / "other")
    again = edx2lrs("replay", "--config", configure(sandbox.address), *options, "--state", tmp_path / "third")

    assert (sandbox.stored("one"), sandbox.counts()["one"]["repeats"]) == (EVENTS - KNOWN + 1, 0)
    assert again.report["records"]["replayed"] == 0


def test_letters_of_two_folders_are_marked_each_in_its_own(died, tmp_path, configure, sandbox, edx2lrs):
    letters = [letter for letter in read(str(died / "dead-letters"), pytest.fail) if letter.cause == "outage"]
    for name, some in (("a", letters[:50]), ("b", letters[50:])):
        write_file(str(tmp_path / "days" / name), "few.avro", some)

    result = edx2lrs("replay", "--config", configure(sandbox.address), tmp_path / "days" / "*" / "*.avro")

    assert (result.code, sandbox.stored("one"), sandbox.stored("two")) == (0, KNOWN, KNOWN)
    assert [list(read(str(tmp_path / "days" / name), pytest.fail)) for name in "ab"] == [[], []]
    assert sorted(path.name for path in (tmp_path / "days").iterdir()) == ["a", "b"]


def test_copies_of_a_state_directory_do_not_write_over_each_others_letters_and_marks(died, tmp_path, configure, sandbox, edx2lrs):
    shutil.copytree(died, tmp_path / "copy")
    folder = died / "dead-letters"
    for state, cause in ((died, "--consumer=one"), (tmp_path / "copy", "--consumer=two")):
        edx2lrs("replay", "--config", configure(sandbox.address), folder, cause, "--cause=outage", "--state", state)

    assert (sandbox.stored("one"), sandbox.stored("two")) == (KNOWN, KNOWN)
    assert not {("one", "outage"), ("two", "outage")} & set(causes(folder))


def test_a_state_directory_that_was_moved_marks_its_letters_in_its_new_place(died, tmp_path, configure, sandbox, edx2lrs):
    waiting = edx2lrs("replay", "--config", configure("127.0.0.1:9"), died, "--cause=outage")
    assert waiting.code == 1
    died.rename(tmp_path / "moved")

    result = edx2lrs("deliver", "--config", configure(sandbox.address), "--state", tmp_path / "moved")

    assert result.code == 0, result.text
    assert ("one", "outage") not in causes(tmp_path / "moved" / "dead-letters")
    assert not died.exists()


ID = "00000000-0000-5000-8000-000000000001"
FORGED = [
    pytest.param({"payload": b"no JSON"}, id="no JSON"),
    pytest.param({"payload": b'{"id": "00000000-0000-5000-8000-000000000002"}'}, id="another id"),
    pytest.param({"payload": f'{{"id": "{ID}"}},{{"id": "{ID}"}}'.encode()}, id="two statements"),
    pytest.param({"payload": f'[{{"id": "{ID}"}}]'.encode()}, id="a list"),
    pytest.param({"payload": f'{{"id": "x", "id": "{ID}"}}'.encode()}, id="two ids"),
    pytest.param({"payload": f'{{"id": "{ID}"}}\n{{"id": "{ID}"}}'.encode()}, id="two lines"),
    pytest.param({"payload": b"\x00\xff\x1b"}, id="binary"),
    pytest.param({"payload": b"[" * 100_000}, id="deep"),
    pytest.param({"statement_id": "zzz"}, id="no statement id"),
    pytest.param({"position": "a\nb"}, id="a line break in the position"),
    pytest.param({"event_name": "a\tb\nc"}, id="a line break in the name"),
    pytest.param({"payload_kind": "other"}, id="another kind"),
]


@pytest.mark.parametrize("change", FORGED)
def test_a_letter_that_edx2lrs_does_not_write_is_named_and_the_others_are_sent(change, tmp_path, configure, sandbox, edx2lrs):
    (tmp_path / "ids.csv").write_text(HEADER)
    good, other = _statement_letters(2)
    bad = replace(other, statement_id=ID, payload=f'{{"id": "{ID}"}}'.encode())
    write_file(str(tmp_path / "few"), "a.avro", [replace(bad, **change), good])

    result = edx2lrs("replay", "--config", configure(sandbox.address), tmp_path / "few")

    assert result.code == 1, result.text
    assert bad.id in result.out
    assert "Traceback" not in result.text
    assert sandbox.stored("one") == 1
    assert [letter.id for letter in read(str(tmp_path / "few"), pytest.fail)] == [bad.id]


def test_a_letter_without_an_id_of_ours_is_told_by_every_command(tmp_path, configure, sandbox, edx2lrs):
    (tmp_path / "ids.csv").write_text(HEADER)
    good, bad = _statement_letters(2)
    folder = tmp_path / "few"
    late = datetime(9999, 12, 31, tzinfo=timezone.utc)
    write_file(str(folder), "a.avro", [replace(bad, id="nope"), good, replace(bad, attempts=-1), replace(bad, time=late)])

    shown = edx2lrs("dead-letters", "show", folder)
    sent = edx2lrs("replay", "--config", configure(sandbox.address), folder)

    assert (shown.code, sent.code, sandbox.stored("one")) == (1, 1, 1)
    assert all("its letter 1 is none that edx2lrs writes" in each.err for each in (shown, sent))


@pytest.mark.engine
def test_letters_of_an_object_store_are_marked_there(store, tmp_path, configure, sandbox, edx2lrs):
    (tmp_path / "ids.csv").write_text(HEADER)
    for name in ("a", "b"):
        some = [letter for number, letter in enumerate(_statement_letters(6)) if "ab"[number % 2] == name]
        path = write_file(str(tmp_path), f"{name}.avro", some)
        store.put(f"days/{name}/few.avro", Path(path).read_bytes())
    command = ["replay", "--config", configure(sandbox.address), f"{store.url}/days/*/*.avro", *store.options]

    first = edx2lrs(*command, "--state", tmp_path / "first", env=store.environment)
    again = edx2lrs(*command, "--state", tmp_path / "second", env=store.environment)

    assert (first.code, sandbox.stored("one")) == (0, 6), first.text
    assert (again.report["consumers"]["one"]["statements"], sandbox.counts()["one"]["repeats"]) == (0, 0)


@pytest.mark.engine
@pytest.mark.parametrize("kill_at", [2.0, 3.0, 4.0, 5.0, 6.5, 8.0])
def test_a_kill_at_any_moment_leaves_each_letter_marked_where_it_lies(
    kill_at, died, tmp_path, configure, sandbox, edx2lrs, assert_adds_up
):
    (tmp_path / "ids.csv").write_text(HEADER + ids(0, EVENTS))
    command = ["replay", "--config", configure(sandbox.address), died, "--state", tmp_path / "other", "--event=play_video"]

    edx2lrs(*command, kill_after=kill_at)
    result = edx2lrs(*command)

    assert result.code == 0, result.text
    assert (sandbox.stored("one"), sandbox.stored("two")) == (EVENTS, EVENTS)
    assert {consumer for consumer, _ in causes(died / "dead-letters")} == {None}
    assert_adds_up(result.report["all_runs"])
