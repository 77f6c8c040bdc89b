"""``edx2lrs validate``: what it reads, what it says, and its exit code."""

from __future__ import annotations

import io
import json
import sys
from typing import Any, NamedTuple

import pytest

from edx2lrs.pipeline.cli import main

UUID = "12eedb5d-ab0e-5845-a05f-a1f1b2f7b753"
VALID = {
    "id": UUID,
    "actor": {"mbox": "mailto:a@example.com"},
    "verb": {"id": "http://x.org/v", "display": {"en": "did"}},
    "object": {"id": "https://x.org/a"},
}
WRONG = {**VALID, "result": {"score": {"scaled": 2}}}
SCORE = "result.score.scaled: found a number, expected a number from -1 to 1 (xAPI 1.0.3, 2.4.5.1)"
EVENT = {
    "@context": "http://purl.imsglobal.org/ctx/caliper/v1p2",
    "id": f"urn:uuid:{UUID}",
    "type": "ViewEvent",
    "actor": "https://x.org/u",
    "action": "Viewed",
    "object": "https://x.org/o",
    "eventTime": "2024-03-11T06:00:00.123Z",
}


class Said(NamedTuple):
    code: int
    lines: list[str]
    summary: str


@pytest.fixture
def validate(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    def run(text: str | bytes, *options: str, standard: str = "xapi") -> Said:
        source = text if isinstance(text, bytes) else text.encode()
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(source)))
        code = main(["validate", "--as", standard, *options])
        output = capsys.readouterr()
        return Said(code, output.out.splitlines(), output.err.strip())

    return run


def lines(*documents: Any) -> str:
    return "".join(json.dumps(document) + "\n" for document in documents)


def test_lines_that_are_valid(validate: Any) -> None:
    assert validate(lines(VALID, VALID)) == (0, [], "edx2lrs validate: 2 statements, all valid")


def test_each_fault_is_one_line_with_its_place_id_and_clause(validate: Any) -> None:
    said = validate(lines(VALID) + "\n" + lines(WRONG))
    assert said == (1, [f"line 3 ({UUID}): {SCORE}"], "edx2lrs validate: 2 statements, 1 not valid, 1 fault")


def test_an_array_on_a_line(validate: Any) -> None:
    said = validate(lines([VALID, WRONG], VALID))
    assert said == (1, [f"line 1, item 1 ({UUID}): {SCORE}"], "edx2lrs validate: 3 statements, 1 not valid, 1 fault")


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "with a byte order mark"])
def test_one_statement_over_several_lines(validate: Any, mark: bytes) -> None:
    said = validate(mark + json.dumps(WRONG, indent=2).encode())
    assert said == (1, [f"line 1 ({UUID}): {SCORE}"], "edx2lrs validate: 1 statement, 1 not valid, 1 fault")


def test_an_array_over_several_lines(validate: Any) -> None:
    said = validate("\n\n" + json.dumps([VALID, WRONG], indent=2))
    assert said.lines == [f"line 3, item 1 ({UUID}): {SCORE}"]


@pytest.mark.parametrize("position", [0, 1, 2])
def test_a_line_that_is_no_json_is_a_fault_and_the_others_are_checked(validate: Any, position: int) -> None:
    documents = [lines(WRONG), lines(WRONG)]
    documents.insert(position, '{"id": "secret\n')
    said = validate("".join(documents))
    assert said.code == 1
    assert [line.split(" (")[0].split(":")[0] for line in said.lines] == ["line 1", "line 2", "line 3"]
    assert said.lines[position] == f"line {position + 1}: found 14 bytes that are no JSON, expected a JSON object (RFC 8259)"


@pytest.mark.parametrize("text", [b'{"a": NaN}', b'{"a": "\xff"}', b"[" * 5_000, b'{"a": 1}}', b"{"])
def test_what_is_no_json(validate: Any, text: bytes) -> None:
    said = validate(text)
    assert said.code == 1
    assert "no JSON" in said.lines[0]


@pytest.mark.parametrize("text", ["", "\n \n"])
def test_nothing_to_read_is_wrong_usage(validate: Any, text: str) -> None:
    assert validate(text) == (2, [], "edx2lrs validate: there is nothing on standard input")


@pytest.mark.parametrize("arguments", [[], ["--as", "scorm"], ["--as", "xapi", "file.json"]])
def test_wrong_usage(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["validate", *arguments])
    assert ended.value.code == 2


def test_an_empty_array_has_nothing_in_it(validate: Any) -> None:
    assert validate("[]").code == 2


def test_a_property_that_comes_twice_is_a_fault_at_any_depth(validate: Any) -> None:
    text = lines(VALID).replace('"id": "http://x.org/v"', '"id": "http://x.org/v", "id": "http://x.org/w"')
    text = text.replace('"verb"', '"verb": {}, "verb"')
    said = validate(text)
    assert said.lines == [
        f"line 1 ({UUID}): verb: found the property more than once, expected it once (xAPI 1.0.3, 2.2)",
        f"line 1 ({UUID}): verb.id: found the property more than once, expected it once (xAPI 1.0.3, 2.2)",
    ]


def test_strict_tells_what_is_recommended(validate: Any) -> None:
    without_display = {**VALID, "verb": {"id": "http://x.org/v"}}
    assert validate(lines(without_display)).code == 0
    said = validate(lines(without_display), "--strict")
    assert (said.code, said.lines) == (
        1,
        [f"line 1 ({UUID}): verb.display: found nothing, recommended a value in a verb (xAPI 1.0.3, 2.4.3)"],
    )


def test_faults_for_machines(validate: Any) -> None:
    said = validate(lines([WRONG]), "--json")
    assert [json.loads(line) for line in said.lines] == [
        {
            "line": 1,
            "item": 0,
            "id": UUID,
            "path": "result.score.scaled",
            "found": "a number",
            "expected": "a number from -1 to 1",
            "clause": "xAPI 1.0.3, 2.4.5.1",
            "required": True,
        }
    ]


def test_caliper_events_and_envelopes(validate: Any) -> None:
    envelope = {
        "sensor": "https://x.org",
        "sendTime": "2024-03-11T06:00:00.123Z",
        "dataVersion": "http://purl.imsglobal.org/ctx/caliper/v1p2",
        "data": [EVENT, {**EVENT, "action": "Watched"}],
    }
    said = validate(lines(EVENT, envelope), standard="caliper")
    assert said == (
        1,
        ['line 2: data[1].action: found "Watched", expected an action of ViewEvent: Viewed (Caliper 1.2, ViewEvent)'],
        "edx2lrs validate: 2 documents, 1 not valid, 1 fault",
    )


def test_keys_that_a_terminal_would_obey_are_shown_in_quotes(validate: Any) -> None:
    said = validate(lines({**VALID, "\x1b[2J": 1, "id": "\x1b[2J"}))
    assert "\x1b" not in "".join(said.lines)
