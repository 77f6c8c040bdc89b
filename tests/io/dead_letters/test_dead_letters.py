"""Dead letters: their ids, their way into files, and how a person sees them."""

from __future__ import annotations

import io
import json
import tracemalloc
import uuid
import zlib
from concurrent.futures import Future
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import ClassVar

import fastavro
import msgspec
import pytest
from hamcrest import all_of, assert_that, contains_string, equal_to, not_

from edx2lrs.io.dead_letters import marks as dead_letter_marks
from edx2lrs.io.dead_letters.letters import SCHEMA, DeadLetter, DeadLettersMissing, dead_letter, letter_id, now, read, write_file
from edx2lrs.io.dead_letters.marks import Mark
from edx2lrs.io.state import unexported_letters
from edx2lrs.io.state.errors import DeadLettersFault
from edx2lrs.io.state.state import open_state
from edx2lrs.io.state.waves import KeptWave
from edx2lrs.pipeline import cli
from edx2lrs.pipeline.cli import main
from edx2lrs.pipeline.config.kinds import new_folder
from edx2lrs.transforms.failure import Failure
from edx2lrs.transforms.formats.unfit import UnfitError

RECORD = Failure("parse", "not_json", "expected JSON, found a line that ends early", "/logs/a.log:3", b'{"secret')
STATEMENT = Failure(
    stage="deliver",
    cause="rejected",
    message="the consumer refused it",
    position="/logs/a.log:7",
    payload=b'{"actor":"bob"}',
    payload_kind="statement",
    consumer="campus",
    statement_id="11111111-2222-5333-8444-555555555555",
    http_status=400,
    http_body="bob has no verb",
    attempts=2,
)


def letter(failure):
    return dead_letter(failure, "job", now())


@pytest.fixture
def state(tmp_path):
    with open_state(tmp_path / "state", ids=10, statements=10) as opened:
        yield opened


DIFFERENT = [
    {"position": "/logs/a.log:8"},
    {"payload": b"other"},
    {"stage": "guard"},
    {"consumer": "other"},
    {"consumer": None},
    {"statement_id": None},
]
THE_SAME = [{"attempts": 9}, {"http_status": 500}, {"http_body": "again"}, {"message": "in other words"}]


@pytest.mark.parametrize("change", DIFFERENT)
def test_two_failures_are_two_letters(change):
    assert letter_id(msgspec.structs.replace(STATEMENT, **change)) != letter_id(STATEMENT)


@pytest.mark.parametrize("change", THE_SAME)
def test_the_same_failure_is_one_letter(change):
    assert letter_id(msgspec.structs.replace(STATEMENT, **change)) == letter_id(STATEMENT)


def test_a_file_holds_all_of_a_letter(tmp_path):
    letters = [letter(RECORD), letter(STATEMENT)]

    path = write_file(str(tmp_path / "dead"), "letters.avro", letters)

    assert list(read(path, pytest.fail)) == letters
    assert [file.name for file in (tmp_path / "dead").iterdir()] == ["letters.avro"]
    with open(path, "rb") as file:
        assert fastavro.schema.fullname(fastavro.reader(file).writer_schema) == "edx2lrs.v1.DeadLetter"


def test_a_letter_that_is_in_two_files_is_read_once(tmp_path):
    once, twice = letter(RECORD), letter(STATEMENT)
    write_file(str(tmp_path), "a.avro", [twice])
    write_file(str(tmp_path), "b.avro", [once, twice])

    assert list(read(str(tmp_path), pytest.fail)) == [twice, once]


def test_text_that_has_no_utf8_is_escaped(tmp_path):
    failure = msgspec.structs.replace(STATEMENT, position="/logs/\udcff.log:1", http_body="\ud800")

    (read_back,) = read(write_file(str(tmp_path), "a.avro", [letter(failure)]), pytest.fail)

    assert (read_back.position, read_back.http_body) == (r"/logs/\udcff.log:1", r"\ud800")


BROKEN = [
    pytest.param(lambda _: b"", 0, id="empty"),
    pytest.param(lambda _: b"no avro at all", 0, id="another format"),
    pytest.param(lambda content: content[:20], 0, id="cut off in the header"),
    pytest.param(lambda content: content[:-40], 0, id="cut off in the block"),
    pytest.param(lambda content: content + b"rubbish", 2, id="rubbish after it"),
]


@pytest.mark.parametrize(("broken", "readable"), BROKEN)
def test_a_broken_file_is_named_and_the_others_are_read(tmp_path, broken, readable):
    path = Path(write_file(str(tmp_path), "a.avro", [letter(RECORD), letter(STATEMENT)]))
    path.write_bytes(broken(path.read_bytes()))
    other = letter(msgspec.structs.replace(RECORD, position="elsewhere"))
    write_file(str(tmp_path), "b.avro", [other])
    warnings = []

    letters = list(read(str(tmp_path), warnings.append))

    assert len(letters) == readable + 1
    assert letters[-1] == other
    (warning,) = warnings
    assert_that(warning, all_of(contains_string(str(path)), contains_string(f"after {readable} letters")))


def _packed_zeros():
    size = 300_000_000
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return b"".join([*(packer.compress(bytes(1_000_000)) for _ in range(size // 1_000_000)), packer.flush()])


def _zigzag(number):
    number, out = number << 1, bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes([*out, number])


def _end(content):
    """Where the header of an Avro file ends, and its sync marker."""
    file = io.BytesIO(content)
    fastavro.reader(file)
    return content[: file.tell()], content[-16:]


@pytest.mark.parametrize(
    "block",
    [
        pytest.param(lambda: _zigzag(1) + _zigzag(len(packed := _packed_zeros())) + packed, id="a bomb"),
        pytest.param(lambda: _zigzag(1) + _zigzag(2**40), id="a size of a terabyte"),
        pytest.param(lambda: _zigzag(2**60) + _zigzag(2) + b"\x03\x00", id="more records than bytes"),
        pytest.param(lambda: b"\xff" * 30, id="a number without an end"),
    ],
)
def test_a_hostile_block_costs_little_memory_and_is_named(tmp_path, block):
    path = Path(write_file(str(tmp_path), "a.avro", [letter(RECORD)]))
    header, sync = _end(path.read_bytes())
    path.write_bytes(header + block() + sync)
    warnings = []

    tracemalloc.start()
    assert list(read(str(path), warnings.append)) == []
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert len(warnings) == 1
    assert peak < 300_000_000


def test_a_schema_with_values_of_no_size_is_refused(tmp_path):
    schema = {**SCHEMA, "fields": [*SCHEMA["fields"], {"name": "more", "type": {"type": "array", "items": "null"}}]}
    with open(tmp_path / "a.avro", "wb") as file:
        fastavro.writer(file, schema, [{**msgspec.structs.asdict(letter(RECORD)), "more": [None] * 100}])
    warnings = []

    assert list(read(str(tmp_path), warnings.append)) == []
    assert len(warnings) == 1


def test_a_file_of_another_schema_is_named(tmp_path):
    with open(tmp_path / "a.avro", "wb") as file:
        fastavro.writer(file, {"type": "record", "name": "Other", "fields": [{"name": "x", "type": "int"}]}, [{"x": 1}])
    warnings = []

    assert list(read(str(tmp_path), warnings.append)) == []
    assert len(warnings) == 1


def test_nothing_at_the_path_is_said(tmp_path):
    with pytest.raises(DeadLettersMissing, match="nowhere"):
        list(read(str(tmp_path / "nowhere"), pytest.fail))


def test_the_schema_can_be_read_by_other_tools():
    assert {field["name"] for field in SCHEMA["fields"]} == {field.name for field in msgspec.structs.fields(letter(RECORD))}


# what they hold of a record

SUBMISSION = {
    "name": "problem_check",
    "username": "bob",
    "ip": "203.0.113.9",
    "context": '{"user_id": 5, "bob@example.com": true}',
    "event": {"answers": {"a_2_1": "my secret"}, "attempts": 3, "success": None, "grade": float("nan"), "friends": ["ann"]},
}
REFUSED = msgspec.structs.replace(RECORD, payload=json.dumps(SUBMISSION).encode())


def test_a_redacted_letter_has_the_structure_of_its_record_and_none_of_its_values():
    redacted = dead_letter(REFUSED, "job", now(), "redacted")

    assert json.loads(redacted.payload) == {
        "name": "problem_check",
        "username": "text of 3 characters",
        "context": {"user_id": "number", "other keys": 1},
        "event": {"answers": {"other keys": 1}, "attempts": "number", "success": None, "grade": "number", "other keys": 1},
        "other keys": 1,
    }
    assert redacted.payload_form == "redacted"


def test_a_redacted_statement_says_what_it_was_about_by_the_words_of_the_mappings_alone():
    verb = {"id": "http://adlnet.gov/expapi/verbs/initialized", "display": {"en": "initialized"}}
    statement = {"id": "1111", "verb": verb, "result": {"response": "my secret"}, "actor": {"mbox": "mailto:bob@example.com"}}
    failure = msgspec.structs.replace(STATEMENT, payload=json.dumps(statement).encode())

    assert json.loads(dead_letter(failure, "job", now(), "redacted").payload) == {
        "id": "text of 4 characters",
        "verb": verb,
        "result": {"response": "text of 9 characters"},
        "actor": {"mbox": "text of 22 characters"},
    }


NO_EVENTS = {"cut": b'{"bob": "secr', "no UTF-8": b"\xffbob", "deep": b'{"event": ' * 100_000, "empty": b"", "a text": b'"bob"'}


@pytest.mark.parametrize("payload", NO_EVENTS.values(), ids=NO_EVENTS)
def test_of_what_is_no_event_a_redacted_letter_has_the_length(payload):
    redacted = dead_letter(msgspec.structs.replace(RECORD, payload=payload), "job", now(), "redacted")
    assert json.loads(redacted.payload) == f"{len(payload)} bytes that are no event"


@pytest.mark.parametrize("form", ["redacted", "none"])
def test_a_letter_without_its_payload_has_nothing_that_the_consumer_said_and_keeps_its_id(form):
    full, cut = dead_letter(STATEMENT, "job", now()), dead_letter(STATEMENT, "job", now(), form)
    assert (full.http_body, cut.http_body) == ("bob has no verb", None)
    assert cut.id == full.id
    assert (cut.message, cut.position, cut.statement_id) == (full.message, full.position, full.statement_id)
    assert (form, cut.payload == b"") in (("none", True), ("redacted", False))


def test_what_letters_hold_is_decided_before_they_are_on_disk(tmp_path):
    folder = tmp_path / "state"
    with open_state(folder, ids=10, statements=10, payload_form="none") as state:
        state.keep_wave(KeptWave([], [], [REFUSED, STATEMENT], {}))
        assert [(each.payload, each.payload_form) for each in state.dead_letters.read()] == [(b"", "none")] * 2
    assert not [file for file in folder.iterdir() if b"bob" in file.read_bytes()]


def test_letters_of_files_that_are_older_than_the_option_are_full(tmp_path):
    older = {**SCHEMA, "fields": [field for field in SCHEMA["fields"] if field["name"] != "payload_form"]}
    with open(tmp_path / "a.avro", "wb") as file:
        fastavro.writer(file, older, [msgspec.structs.asdict(letter(RECORD))])
    (read_back,) = read(str(tmp_path), pytest.fail)
    assert read_back.payload_form == "full"


# exporting from the state directory


def failures(first, last):
    return [msgspec.structs.replace(RECORD, position=f"p:{n}") for n in range(first, last)]


def positions(folder):
    return [each.position for path in sorted(folder.glob("*.avro")) for each in read(str(path), pytest.fail)]


def test_an_export_moves_all_letters_to_files(state, tmp_path, monkeypatch):
    monkeypatch.setattr(unexported_letters, "_LETTERS_PER_FILE", 10)
    state.keep_wave(KeptWave([], [], failures(0, 25), {}))

    paths = state.dead_letters.export(str(tmp_path / "dead"))

    assert len(paths) == 3
    assert positions(tmp_path / "dead") == [f"p:{n}" for n in range(25)]
    assert state.dead_letters.count() == 0
    assert state.dead_letters.export(str(tmp_path / "dead")) == []


def test_an_export_that_was_cut_off_doubles_nothing(state, tmp_path, monkeypatch):
    """Cut off after the file was written, before its letters were deleted; more letters come before the next export."""
    folder = tmp_path / "dead"
    state.keep_wave(KeptWave([], [], failures(0, 5), {}))
    written = unexported_letters.write_file

    def cut_off(*arguments):
        written(*arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(unexported_letters, "write_file", cut_off)
    with pytest.raises(KeyboardInterrupt):
        state.dead_letters.export(str(folder))
    monkeypatch.undo()
    state.keep_wave(KeptWave([], [], failures(5, 8), {}))

    state.dead_letters.export(str(folder))

    assert positions(folder) == [f"p:{n}" for n in range(8)]


def test_a_folder_that_cannot_be_written_leaves_the_letters_where_they_are(state, tmp_path):
    (tmp_path / "file").write_text("")
    state.keep_wave(KeptWave([], [], failures(0, 5), {}))

    with pytest.raises(DeadLettersFault, match=rf"{tmp_path}/file/dead.*{state.folder}"):
        state.dead_letters.export(str(tmp_path / "file" / "dead"))
    assert state.dead_letters.count() == 5


def test_the_files_of_two_states_do_not_replace_each_other(state, tmp_path):
    folder = tmp_path / "dead"
    with open_state(tmp_path / "other", ids=10, statements=10) as other:
        for n, each in enumerate((state, other)):
            each.keep_wave(KeptWave([], [], failures(n, n + 1), {}))
            each.dead_letters.export(str(folder))

    assert sorted(positions(folder)) == ["p:0", "p:1"]


# edx2lrs dead-letters


def show(path, *options):
    return main(["dead-letters", "show", str(path), *options])


def test_show_groups_by_cause_and_consumer(tmp_path, capsys):
    write_file(str(tmp_path), "a.avro", [letter(STATEMENT), *(letter(failure) for failure in failures(0, 3))])

    assert show(tmp_path) == 0

    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "4 dead letters"
    assert [line for line in lines[1:] if line and not line.startswith(" ")] == [
        "not_json: 3",
        "rejected: 1 for campus",
    ]
    assert "  example     p:0" in lines
    assert "  answer      HTTP 400 after 2 attempts" in lines


def test_show_prints_personal_data_only_when_asked(tmp_path, capsys):
    write_file(str(tmp_path), "a.avro", [letter(STATEMENT), letter(RECORD)])

    show(tmp_path)
    assert_that(capsys.readouterr().out, all_of(not_(contains_string("bob")), not_(contains_string("secret"))))

    show(tmp_path, "--payload")
    shown = capsys.readouterr().out
    assert_that(shown, contains_string('  statement   {"actor":"bob"}'))
    assert_that(shown, contains_string("  said        bob has no verb"))
    assert_that(shown, contains_string('  record      {"secret'))


def test_show_says_what_cannot_be_sent_again(tmp_path, capsys):
    letters = [dead_letter(STATEMENT, "job", now(), "none"), dead_letter(REFUSED, "job", now(), "redacted")]
    write_file(str(tmp_path), "a.avro", letters)

    show(tmp_path, "--payload")

    shown = capsys.readouterr().out
    assert_that(shown, contains_string("  payload     not kept; it cannot be sent again"))
    assert_that(shown, contains_string("  payload     redacted: its structure without its values; it cannot be sent again"))
    assert_that(shown, contains_string('  record      {"name":"problem_check"'))
    assert_that(shown, not_(contains_string("  statement   \n")))


def test_show_keeps_a_terminal_safe_and_a_payload_short(tmp_path, capsys):
    failure = msgspec.structs.replace(RECORD, position="\x1b[2Ja:1", payload=b"\x1b[31m\xff\n" + b"x" * 10_000)
    write_file(str(tmp_path), "a.avro", [letter(failure)])

    show(tmp_path, "--payload")

    shown = capsys.readouterr().out
    assert_that(shown, all_of(not_(contains_string("\x1b")), contains_string("(10007 bytes)")))
    assert len(shown) < 1_500


def test_show_of_a_state_directory_has_what_is_exported_and_what_is_not(state, capsys):
    state.keep_wave(KeptWave([], [], [RECORD], {}))
    state.dead_letters.export(state.dead_letters_folder)
    state.keep_wave(KeptWave([], [], [STATEMENT], {}))

    assert show(state.folder) == 0
    assert_that(capsys.readouterr().out.splitlines()[0], equal_to("2 dead letters"))


def test_show_of_a_broken_file_says_so(tmp_path, capsys):
    (tmp_path / "a.avro").write_bytes(b"rubbish")

    assert show(tmp_path) == 1
    assert_that(capsys.readouterr().err, contains_string(f"{tmp_path}/a.avro"))


def test_show_of_nothing_is_wrong_usage(tmp_path, capsys):
    assert show(tmp_path / "nowhere") == 2
    assert_that(capsys.readouterr().err, contains_string("nowhere"))


# the other looks, and the filters


def dead_letters(*arguments):
    return main(["dead-letters", *(str(argument) for argument in arguments)])


def at(hour, failure=STATEMENT, **changes):
    changed = msgspec.structs.replace(failure, **changes)
    return dead_letter(changed, "job", datetime(2026, 3, 11, hour, tzinfo=timezone.utc))


VIDEO = b'{"name": "play_video", "context": {}, "event": "{}"}'
LETTERS = [
    at(6, position="/logs/a.log:7", event_name="problem_check"),
    at(7, consumer="other", cause="outage", position="/logs/a.log:8", event_name="play_video", payload_kind="statement"),
    at(8, RECORD),
    at(9, RECORD, payload=VIDEO, cause="no_time", position="/logs/b.log:1"),
]
FILTERED = [
    ("--consumer=campus", [0]),
    ("--consumer=campus --consumer=other", [0, 1]),
    ("--cause=outage", [1]),
    ("--stage=parse", [2, 3]),
    ("--event=play_video", [1, 3]),
    ("--since=2026-03-11T08:00:00Z", [2, 3]),
    ("--since=2026-03-11T10:00:00+02:00 --until=2026-03-11T09:00", [2]),
    ("--until=2026-03-11", []),
    ("--since=2026-03-11 --event=play_video --stage=deliver", [1]),
    (f"--id={LETTERS[2].id}", [2]),
]


@pytest.mark.parametrize(("options", "left"), FILTERED)
def test_letters_are_listed_by_what_is_asked_for(tmp_path, capsys, options, left):
    write_file(str(tmp_path), "a.avro", LETTERS)

    assert dead_letters("list", tmp_path, *options.split()) == 0

    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == [LETTERS[n].id for n in left]


def test_a_line_of_the_list_has_id_time_consumer_cause_and_position(tmp_path, capsys):
    write_file(str(tmp_path), "a.avro", [LETTERS[0], LETTERS[2]])

    dead_letters("list", tmp_path)

    assert [line.split() for line in capsys.readouterr().out.splitlines()] == [
        [LETTERS[0].id, "2026-03-11T06:00:00Z", "campus", "rejected", "/logs/a.log:7"],
        [LETTERS[2].id, "2026-03-11T08:00:00Z", "-", "not_json", "/logs/a.log:3"],
    ]


def test_the_list_as_json_has_all_but_what_is_personal(tmp_path, capsys):
    write_file(str(tmp_path), "a.avro", LETTERS)

    dead_letters("list", tmp_path, "--json")

    shown = capsys.readouterr().out
    listed = [json.loads(line) for line in shown.splitlines()]
    assert [(each["id"], each["event_name"]) for each in listed] == [
        (LETTERS[0].id, "problem_check"),
        (LETTERS[1].id, "play_video"),
        (LETTERS[2].id, None),
        (LETTERS[3].id, "play_video"),
    ]
    assert_that(shown, all_of(not_(contains_string("bob")), not_(contains_string("secret"))))


def test_stats_count_by_consumer_stage_cause_and_event(tmp_path, capsys):
    write_file(str(tmp_path), "a.avro", [*LETTERS, at(10, RECORD, position="/logs/c.log:1")])

    assert dead_letters("stats", tmp_path) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == ["letters", "consumer", "stage", "cause", "event", "first", "last"]
    assert lines[1] == ["2", "-", "parse", "not_json", "-", "2026-03-11", "08:00", "2026-03-11", "10:00"]
    assert ["1", "other", "deliver", "outage", "play_video", "2026-03-11", "07:00", "2026-03-11", "07:00"] in lines
    assert " ".join(lines[-1]) == "5 dead letters, 0 more were sent again"

    dead_letters("stats", tmp_path, "--cause=not_json", "--json")
    (group,) = json.loads(capsys.readouterr().out)["groups"]
    assert (group["letters"], group["stage"], group["first"]) == (2, "parse", "2026-03-11T08:00:00Z")


def test_letters_are_found_by_a_glob_too(tmp_path, capsys):
    for name, each in zip("abc", LETTERS, strict=False):
        write_file(str(tmp_path / name), "letters.avro", [each])

    assert dead_letters("list", f"{tmp_path}/[ab]/*.avro") == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == [LETTERS[0].id, LETTERS[1].id]


@pytest.mark.parametrize("option", ["--since=yesterday", "--until=2026-13-01", "--stages=parse", "--region_nmae=x"])
def test_an_option_that_means_nothing_is_wrong_usage(tmp_path, option):
    write_file(str(tmp_path), "a.avro", LETTERS)
    try:
        code = cli.main(["dead-letters", "list", str(tmp_path), option])
    except SystemExit as ended:  # argparse ends the process itself
        code = ended.code
    assert code == 2


def test_the_event_of_a_record_is_named_only_if_a_mapping_knows_it():
    own = at(1, RECORD, payload=b'{"name": "bob has no such event", "event": {}}')
    assert (own.event_name, LETTERS[3].event_name) == (None, "play_video")


# sent again


def test_what_is_marked_is_no_dead_letter_any_more(tmp_path, capsys):
    write_file(str(tmp_path), "a.avro", LETTERS)
    marks = [Mark(uuid.UUID(LETTERS[0].id).bytes, LETTERS[0].time), Mark(uuid.UUID(LETTERS[3].id).bytes, LETTERS[3].time)]
    (tmp_path / "sent-again-1.jsonl").write_bytes(dead_letter_marks.lines(marks[:1]))
    (tmp_path / "sent-again-2.jsonl").write_bytes(dead_letter_marks.lines(marks[1:]) + b'{"id": "cut of')

    assert list(read(str(tmp_path), pytest.fail)) == LETTERS[1:3]
    dead_letters("stats", tmp_path)
    assert_that(capsys.readouterr().out, contains_string("2 dead letters, 2 more were sent again"))


def test_what_failed_again_is_a_dead_letter_again_once_with_its_attempts(tmp_path):
    again = dead_letter(msgspec.structs.replace(STATEMENT, attempts=7), "job", LETTERS[0].time + timedelta(hours=20))
    first = at(6)
    assert again.id == first.id
    write_file(str(tmp_path), "a.avro", [again])
    write_file(str(tmp_path), "b.avro", [first])
    (tmp_path / "sent-again-1.jsonl").write_bytes(dead_letter_marks.lines([Mark(uuid.UUID(first.id).bytes, first.time)]))

    assert list(read(str(tmp_path), pytest.fail)) == [again]


# to a topic


class Publisher:
    """Takes what is published, as the client of Pub/Sub does."""

    published: ClassVar[list[tuple[str, bytes, dict[str, str]]]] = []

    def topic_path(self, project, topic):
        return f"projects/{project}/topics/{topic}"

    def publish(self, topic, data, timeout, **attributes):
        assert timeout > 0
        if "closed" in topic:
            raise PermissionError("may not publish")
        future = Future()
        future.set_result(str(len(self.published)))
        self.published.append((topic, data, attributes))
        return future

    def stop(self):
        pass


@pytest.fixture
def published(monkeypatch):
    pubsub = pytest.importorskip("google.cloud.pubsub_v1")
    monkeypatch.setattr(pubsub, "PublisherClient", Publisher)
    monkeypatch.setattr(Publisher, "published", [])
    return Publisher.published


def test_letters_for_a_topic_are_published_one_by_one_and_leave_the_state(state, published):
    state.keep_wave(KeptWave([], [], [RECORD, STATEMENT], {}))
    letters = list(state.dead_letters.read())

    state.dead_letters.export("pubsub://our-project/dead-letters")

    assert [topic for topic, _, _ in published] == ["projects/our-project/topics/dead-letters"] * 2
    schema = fastavro.parse_schema(SCHEMA)
    read_back = [fastavro.schemaless_reader(io.BytesIO(data), schema, schema) for _, data, _ in published]
    assert [msgspec.convert(each, DeadLetter) for each in read_back] == letters
    assert published[1][2] == {"id": letters[1].id, "stage": "deliver", "cause": "rejected", "consumer": "campus"}
    assert state.dead_letters.count() == 0


def test_what_a_topic_does_not_take_stays_in_the_state(state, published):
    state.keep_wave(KeptWave([], [], [RECORD], {}))

    with pytest.raises(DeadLettersFault, match=rf"pubsub://our-project/closed.*{state.folder}"):
        state.dead_letters.export("pubsub://our-project/closed")

    assert (state.dead_letters.count(), published) == (1, [])


@pytest.mark.parametrize("path", ["pubsub://our-project", "pubsub://our-project/", "pubsub:our-project/dead", "pubsub://a b/d"])
def test_an_address_that_is_no_topic_is_told_before_anything_is_read(path):
    with pytest.raises(UnfitError, match="pubsub://PROJECT/TOPIC"):
        new_folder(path, "/")
