"""No command lets a record, a letter or a file's name speak to the terminal or to a log."""

from __future__ import annotations

import io
import json
import logging

import pytest
from msgspec.structs import replace

from edx2lrs.io.dead_letters.letters import dead_letter, now, write_file
from edx2lrs.io.delivery.statement_files import StandardOutput
from edx2lrs.pipeline import log_lines
from edx2lrs.pipeline.cli import main
from edx2lrs.transforms.failure import Failure
from testkit.tracking_records import record

EVIL = "\x1b]0;PWN\x07\x1b[2J\nFORGED\x9b2J\x7f\u202e\u2028"


def shows_nothing_evil(text):
    assert text.replace("\n", "").isprintable()
    assert not any(line.startswith("FORGED") for line in text.split("\n"))


@pytest.fixture
def letters(tmp_path):
    failure = Failure("translate", "unknown_user", "who", "log:1", json.dumps(record("play_video", {"id": EVIL})).encode(), "record")
    evil = replace(
        dead_letter(failure, "job", now()), stage=f"translate{EVIL}", cause=EVIL, message=EVIL, consumer=EVIL, position=EVIL,
        event_name=EVIL, payload_kind=f"statement{EVIL}", statement_id=EVIL, http_body=EVIL, http_status=400, edx2lrs_version=EVIL,
        job_name=EVIL,
    )
    write_file(str(tmp_path / "letters"), "a.avro", [evil])
    return str(tmp_path / "letters")


@pytest.mark.parametrize(
    "arguments", [["list"], ["list", "--json"], ["show"], ["show", "--payload"], ["show", "--full"], ["stats"], ["stats", "--json"]]
)
def test_letters_are_shown_and_not_obeyed(arguments, letters, capsys):
    main(["dead-letters", arguments[0], letters, *arguments[1:]])

    told = capsys.readouterr()
    shows_nothing_evil(told.out + told.err)
    if "--json" in arguments:
        found = json.loads(told.out)
        assert found.get("consumer", found.get("groups", [{}])[0].get("consumer")) == EVIL


@pytest.mark.parametrize("arguments", [[], ["--values"], ["--json"]])
def test_an_event_is_explained_and_not_obeyed(arguments, monkeypatch, capsys):
    for event in (record(EVIL, {}), record("play_video", {"id": EVIL}), record("play_video", {}, time=EVIL)):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(json.dumps(event).encode())))
        main(["explain", *arguments])
        shows_nothing_evil(capsys.readouterr().out)


def test_a_log_line_is_one_line_of_text(capsys):
    log_lines.set_up_logging()
    formatter = next(h.formatter for h in logging.getLogger("edx2lrs.alert").handlers)
    shows_nothing_evil(formatter.format(logging.LogRecord("edx2lrs", logging.WARNING, "", 0, "%s", (EVIL,), None)))
    capsys.readouterr()


class Terminal(io.BytesIO):
    def isatty(self):
        return True


def test_statements_on_a_terminal_are_the_same_json():
    body = json.dumps({"id": EVIL}, ensure_ascii=False).encode()
    terminal, pipe = Terminal(), io.BytesIO()
    StandardOutput(terminal).post(body)
    StandardOutput(pipe).post(body)

    shows_nothing_evil(terminal.getvalue().decode())
    assert json.loads(terminal.getvalue()) == json.loads(pipe.getvalue())
    assert pipe.getvalue() == body + b"\n"


def test_an_error_of_a_command_is_printed_and_not_obeyed(capsys):
    assert main(["dead-letters", "list", f"nowhere{EVIL}"]) == 2
    assert capsys.readouterr().err.replace("\n", "").isprintable()
