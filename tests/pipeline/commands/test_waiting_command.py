"""What waits obeys today's options of its consumer, or is held until somebody decides. It can be dropped, or handed over to another
consumer."""

from __future__ import annotations

import json
import shutil

import pytest

from edx2lrs.io.dead_letters.letters import read
from testkit.configurations import BASIC, consumer, yaml_of
from testkit.tracking_records import record

RETRY = {"max_attempts": 2, "base_delay": "10ms", "max_delay": "50ms"}
ANSWER = "forty-two, I think"
NOBODY = "127.0.0.1:9"


def answered(number, org):
    block = f"block-v1:{org}+C+R+type@problem+block@p1"
    event = {
        "problem_id": block, "attempts": 1, "success": "correct", "grade": 1, "max_grade": 1, "answers": {"p1_2_1": ANSWER},
        "submission": {"p1_2_1": {"question": "?", "answer": ANSWER, "response_type": "stringresponse", "correct": True}},
    }
    context = {"course_id": f"course-v1:{org}+C+R", "org_id": org}
    return json.dumps(record("problem_check", event, context, time=f"2026-03-01T10:00:00.{number:06}+00:00"))


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "tracking.log"
    path.write_text("".join(answered(number, f"Org{'AB'[number % 2]}") + "\n" for number in range(10)))
    return path


@pytest.fixture
def configure(config):
    def write(address, *names, **options):
        both = [consumer(name, retry=RETRY, **options) for name in names or ("one",)]
        return config(address, yaml_of(*both))

    return write


@pytest.fixture
def state(tmp_path, log, configure, edx2lrs):
    """Ten statements wait for ``one``, ten for ``two``, of two organisations."""
    result = edx2lrs("run", "--config", configure(NOBODY, "one", "two"), "--input", log, "--state", tmp_path / "state")
    assert result.report["consumers"]["one"]["waiting"] == 10
    return tmp_path / "state"


@pytest.mark.parametrize(
    ("command", "options", "key"),
    [
        pytest.param("run", {"access": {"orgs": {"allow": ["OrgA"]}}}, "access", id="run"),
        pytest.param("deliver", {"redact": ["response", "title"]}, "redact", id="deliver"),
    ],
)
def test_what_waits_under_other_options_is_told_and_held(
    command, options, key, state, log, configure, sandbox, edx2lrs, assert_adds_up
):
    arguments = [command, "--config", configure(sandbox.address, "one", "two", **options), "--state", state]

    result = edx2lrs(*arguments, *(["--input", log] if command == "run" else []))

    assert result.code == 1, result.text
    assert sandbox.stored("one") == 0
    assert {"consumer": "one", "statements": 10}.items() <= result.report["held"][0].items()
    assert key in result.report["held"][0]["changed"]
    assert f"waiting drop {state} --consumer one --held" in result.text
    assert_adds_up(result.report)
    standing = edx2lrs("status", state).out
    assert "held: see below" in standing
    assert f"waiting drop {state} --consumer one --held" in standing


def test_an_option_sends_what_is_held_all_the_same(state, configure, sandbox, edx2lrs, assert_adds_up):
    path = configure(sandbox.address, "one", "two", redact=["response"])

    result = edx2lrs("deliver", "--config", path, "--state", state, "--send-held")

    assert (result.code, sandbox.stored("one"), sandbox.stored("two")) == (0, 10, 10)
    assert result.report["held"] == []
    assert_adds_up(result.report)


def test_options_that_come_back_send_what_was_held(state, configure, sandbox, edx2lrs):
    edx2lrs("deliver", "--config", configure(sandbox.address, "one", "two", redact=["response"]), "--state", state)
    result = edx2lrs("deliver", "--config", configure(sandbox.address, "one", "two"), "--state", state)

    assert (result.code, sandbox.stored("one")) == (0, 10)


def test_what_is_held_is_dropped_and_what_is_new_is_sent(state, log, configure, sandbox, edx2lrs, assert_adds_up):
    path = configure(sandbox.address, "one", "two", access={"orgs": {"allow": ["OrgA"]}})
    log.write_text(log.read_text() + answered(20, "OrgA") + "\n" + answered(21, "OrgB") + "\n")
    edx2lrs("run", "--config", path, "--input", log, "--state", state)
    assert sandbox.stored("one") == 1

    dry = edx2lrs("waiting", "drop", state, "--consumer", "one", "--held", "--dry-run")
    done = edx2lrs("waiting", "drop", state, "--consumer", "one", "--held")
    after = edx2lrs("deliver", "--config", path, "--state", state)

    assert dry.out == "10 statements for one would be dropped\n"
    assert done.out == "10 statements for one were dropped\n"
    assert after.report["consumers"]["one"]["waiting"] == 0
    assert after.report["all_runs"]["consumers"]["one"]["dead"]["statements"] == {"dropped": 10}
    letters = list(read(str(state / "dead-letters"), pytest.fail))
    assert {(letter.cause, letter.payload) for letter in letters} == {("dropped", b"")}
    assert_adds_up(after.report)
    assert_adds_up(after.report["all_runs"])


def test_a_new_address_is_told_and_where_the_old_one_took_something_it_is_held(log, configure, config, sandbox, edx2lrs, state):
    path = configure(sandbox.address, "one", "two")
    told = edx2lrs("deliver", "--config", path, "--state", state)
    assert "10 statements that wait for one go to its new address" in told.text
    assert (told.code, sandbox.stored("one")) == (0, 10)

    log.write_text(log.read_text() + answered(30, "OrgA") + "\n")
    edx2lrs("run", "--config", path, "--input", log, "--state", state, env={"SANDBOX_PASSWORD": "wrong"})
    moved = consumer("one", retry=RETRY, url="http://ADDRESS/elsewhere/xAPI", auth=BASIC)
    held = edx2lrs("deliver", "--config", config(sandbox.address, yaml_of(moved, consumer("two"))), "--state", state)

    assert held.report["held"][0] == {"consumer": "one", "statements": 1, "changed": ["url"]}
    assert "elsewhere" not in sandbox.counts()


def test_statements_of_a_consumer_that_is_gone_are_named_and_dropped(state, configure, sandbox, edx2lrs, assert_adds_up):
    path = configure(sandbox.address, "two")

    result = edx2lrs("deliver", "--config", path, "--state", state)
    assert (result.code, sandbox.stored("two")) == (1, 10)
    assert "10 statements for one cannot be sent: the configuration does not have this consumer" in result.text
    assert "statements wait for one" not in result.text

    shown = edx2lrs("waiting", "show", state)
    assert "10 statements for one, the oldest for" in shown.out

    assert edx2lrs("waiting", "drop", state, "--consumer", "one").code == 0
    after = edx2lrs("deliver", "--config", path, "--state", state)
    assert after.code == 0
    assert_adds_up(after.report["all_runs"])
    assert edx2lrs("waiting", "show", state).out == "nothing waits\n"


def test_statements_under_an_old_name_are_handed_over(state, configure, sandbox, edx2lrs, assert_adds_up):
    path = configure(sandbox.address, "renamed", "two")
    # another address than before, which never took anything: the terms of both names differ in nothing else
    command = ["waiting", "hand-over", state, "--consumer", "one", "--to", "renamed", "--config", path]

    assert edx2lrs(*command, "--dry-run").out == "10 statements for one would be handed over to renamed\n"
    assert edx2lrs(*command).out == "10 statements for one were handed over to renamed\n"
    result = edx2lrs("deliver", "--config", path, "--state", state)

    assert (result.code, sandbox.stored("renamed"), sandbox.counts()["renamed"]["repeats"]) == (0, 10, 0)
    assert result.report["all_runs"]["consumers"]["one"]["statements"] == 0
    assert_adds_up(result.report)
    assert_adds_up(result.report["all_runs"])


def test_what_is_handed_over_stays_held_where_the_new_consumer_would_not_get_it(state, configure, sandbox, edx2lrs):
    path = configure(sandbox.address, "renamed", "two", redact=["response"])
    edx2lrs("waiting", "hand-over", state, "--consumer", "one", "--to", "renamed", "--config", path)

    result = edx2lrs("deliver", "--config", path, "--state", state)

    assert sandbox.counts() == {}
    assert {each["consumer"] for each in result.report["held"]} == {"renamed", "two"}


def test_statements_go_to_no_consumer_of_another_protocol(state, config, sandbox, edx2lrs):
    path = config(sandbox.address, yaml_of(consumer("one", "caliper"), consumer("two")))

    given = edx2lrs("waiting", "hand-over", state, "--consumer", "two", "--to", "one", "--config", path)
    sent = edx2lrs("deliver", "--config", path, "--state", state, "--send-held")

    assert given.code == 2
    assert sandbox.counts().get("one", {}).get("stored", 0) == 0
    assert "protocol" in next(each for each in sent.report["held"] if each["consumer"] == "one")["changed"]


@pytest.mark.parametrize(
    "arguments",
    [["drop", "STATE", "--consumer", "nobody"], ["hand-over", "STATE", "--consumer", "one", "--to", "nobody", "--config", "CONFIG"]],
)
def test_a_wrong_name_is_wrong_usage_and_names_those_that_exist(arguments, state, configure, edx2lrs):
    places = {"STATE": state, "CONFIG": configure(NOBODY, "one", "two")}
    result = edx2lrs("waiting", *(places.get(each, each) for each in arguments))
    assert result.code == 2
    assert "nobody" in result.err
    assert "one, two" in result.err


def test_letters_that_were_made_under_other_options_are_named_and_sent_only_when_asked(
    tmp_path, log, configure, sandbox, edx2lrs
):
    outage = {"on_outage": "dead_letter", "max_wait": "1ms"}
    died = tmp_path / "state"
    edx2lrs("run", "--config", configure(NOBODY, **outage), "--input", log, "--state", died)
    shutil.copytree(died / "dead-letters", tmp_path / "letters")
    path = configure(sandbox.address, redact=["response"])

    for place in (died, tmp_path / "letters"):
        told = edx2lrs("replay", "--config", path, place, "--dry-run")
        assert "10 letters cannot be sent again: other options" in told.out
        edx2lrs("replay", "--config", path, place)
    assert sandbox.counts() == {}
    assert len(list(read(str(died / "dead-letters"), pytest.fail))) == 10

    sent = edx2lrs("replay", "--config", path, died, "--send-held")
    assert (sent.code, sandbox.stored("one")) == (0, 10)
