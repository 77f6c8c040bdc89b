"""``edx2lrs explain`` of a place in a file, for one consumer, as JSON; and what became of a statement, from the state directory."""

from __future__ import annotations

import gzip
import json

import pytest

from edx2lrs.io.dead_letters.letters import read
from edx2lrs.io.state.state import join_state
from testkit.configurations import consumer, yaml_of
from testkit.tracking_records import played

LINES = [b"", played(1, context={"user_id": 11, "org_id": "edX-and-more"}), b"no event", played(2, context={"user_id": 12})]


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "tracking.log"
    path.write_bytes(b"".join(line + b"\n" for line in LINES))
    path.with_suffix(".log.gz").write_bytes(gzip.compress(path.read_bytes()))
    return path


@pytest.fixture
def configure(config):
    def write(address="127.0.0.1:9", **options):
        retry = {"max_attempts": 2, "base_delay": "10ms", "max_delay": "50ms"}
        return config(address, yaml_of(*(consumer(name, retry=retry, **options) for name in ("one", "two"))))

    return write


@pytest.mark.parametrize(("place", "line"), [(":2", 1), (":4", 3), (".gz:4", 3), (f"@{len(LINES[1]) + 2 + 9}", 3), ("@1", 1)])
def test_a_place_in_a_file_is_explained(place, line, log, edx2lrs):
    result = edx2lrs("explain", f"{log}{place}", "--json")

    told = json.loads(result.out)
    assert (result.code, told["name"], told["size"]) == (0, "play_video", len(LINES[line]))


@pytest.mark.parametrize("place", [":1", ":9", "@3", "", ":x"])
def test_a_place_without_a_record_is_wrong_usage(place, log, edx2lrs):
    result = edx2lrs("explain", f"{log}{place}")
    assert result.code == 2
    assert str(log) in result.err


def test_one_consumer_is_explained_and_a_wrong_name_names_the_others(log, configure, edx2lrs):
    path = configure()
    told = json.loads(edx2lrs("explain", f"{log}:2", "--config", path, "--consumer", "two", "--json").out)
    assert [each["name"] for each in told["consumers"]] == ["two"]

    wrong = edx2lrs("explain", f"{log}:2", "--config", path, "--consumer", "three")
    assert wrong.code == 2
    assert "one, two" in wrong.err


def test_what_became_of_a_statement(log, tmp_path, configure, sandbox, edx2lrs):
    state = tmp_path / "state"
    edx2lrs("run", "--config", configure(), "--input", log, "--state", state)
    with join_state(state) as joined:
        waiting = next(joined.outbox.waiting_blocks("one")[0].waiting.statements())
        identifier = json.loads(waiting.body)["id"]

    def became():
        return {each["consumer"]: each["became"] for each in json.loads(edx2lrs("explain", identifier, "--state", state, "--json").out)}

    assert became() == {"one": "waits", "two": "waits"}
    edx2lrs("deliver", "--config", configure(redact=["title"]), "--state", state)
    assert became()["one"] == "held"
    edx2lrs("deliver", "--config", configure(sandbox.address), "--state", state)
    assert became() == {"one": "delivered", "two": "delivered"}
    shown = edx2lrs("explain", "00000000-0000-4000-8000-000000000000", "--state", state, "--consumer", "one")
    assert shown.out == "one: never made, or forgotten (dedup.ids)\n"
    assert edx2lrs("explain", identifier, "--state", state, "--consumer", "three").code == 2


@pytest.fixture
def died(log, tmp_path, configure, edx2lrs):
    """Statements of both consumers are dead letters."""
    outage = {"on_outage": "dead_letter", "max_wait": "1ms"}
    edx2lrs("run", "--config", configure(**outage), "--input", log, "--state", tmp_path / "state")
    return tmp_path / "state"


def test_dead_letters_are_found_by_statement_and_place_and_shown_whole(died, log, edx2lrs):
    letter = next(each for each in read(str(died / "dead-letters"), pytest.fail) if each.consumer == "one")

    found = edx2lrs("dead-letters", "list", died, "--statement", letter.statement_id.upper(), "--json").out.splitlines()
    assert {json.loads(each)["statement_id"] for each in found} == {letter.statement_id}
    at = edx2lrs("dead-letters", "list", died, "--position", letter.position, "--consumer", "one").out
    assert at.count(letter.position) == 1
    assert len(edx2lrs("dead-letters", "list", died, "--position", log).out.splitlines()) == 5

    whole = edx2lrs("dead-letters", "show", died, "--id", letter.id, "--full").out
    body = whole[whole.index("  statement:\n") + len("  statement:\n") :]
    assert json.loads(body) == json.loads(letter.payload)


@pytest.mark.parametrize("command", ["list", "stats", "show"])
def test_an_unknown_consumer_in_a_filter_is_wrong_usage(command, died, edx2lrs):
    for path in (died, died / "dead-letters"):
        result = edx2lrs("dead-letters", command, path, "--consumer", "three")
        assert result.code == 2
        assert "one, two" in result.err


def test_an_unknown_consumer_is_never_replayed(died, configure, edx2lrs):
    result = edx2lrs("replay", "--config", configure(), died, "--consumer", "three", "--dry-run")
    assert result.code == 2
    assert "one, two" in result.err


def test_statements_are_made_anew_from_their_source(died, configure, sandbox, edx2lrs, assert_adds_up):
    path = configure(sandbox.address, redact=["title"], override_args={"version": "1.0.0"})

    result = edx2lrs("replay", "--config", path, died, "--consumer", "one", "--again-from-source")

    assert (result.code, sandbox.stored("one"), sandbox.stored("two")) == (0, 2, 0)
    assert_adds_up(result.report)
    assert {each.consumer for each in read(str(died / "dead-letters"), pytest.fail)} == {None, "two"}


def test_what_is_not_at_its_source_any_more_is_named(died, log, configure, sandbox, edx2lrs):
    log.write_bytes(b"\n" + played(5, name="pause_video") + b"\n")

    result = edx2lrs("replay", "--config", configure(sandbox.address), died, "--consumer", "one", "--again-from-source")

    assert "2 letters cannot be sent again: their record is not at its position any more" in result.out
    assert sandbox.counts() == {}
