"""docs/library.md: its examples run, and bring no Beam along."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from edx2lrs import transforms
from edx2lrs.transforms import ActorOptions, Actors, CourseNames, Refusal, Translator, translate_record

PAGE = Path(__file__).parents[2] / "docs" / "library.md"
EXAMPLES = [part.partition("```")[0] for part in PAGE.read_text(encoding="utf-8").split("```python\n")[1:]]
ROOT = "https://lms.example.com"
PLAY: dict[str, Any] = {
    "name": "play_video",
    "timestamp": "2023-05-23T13:53:13+00:00",
    "context": {"user_id": 5, "course_id": "course-v1:edX+DemoX+2020"},
    "data": {"id": "v"},
}


def run(program: str) -> str:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_examples_run_without_beam() -> None:
    heavy = "import sys\nprint(sorted({'apache_beam', 'requests', 'fastavro', 'numpy'} & set(sys.modules)))"
    first, *rest, imported = run("\n".join([*EXAMPLES, heavy])).splitlines()
    id_, body = first.split(" ", 1)
    statement = json.loads(body)
    assert statement["id"] == id_
    assert statement["verb"]["display"] == {"en": "played"}
    assert statement["context"]["contextActivities"]["parent"][0]["definition"]["name"] == {"en-US": "Demonstration"}
    assert [line.count("Statement(") for line in rest] == [1, 1]
    assert imported == "[]"


def test_importing_the_package_imports_nothing_else() -> None:
    program = "import sys; import edx2lrs.transforms; print([name for name in sys.modules if name.startswith('edx2lrs')])"
    assert run(program) == "['edx2lrs', 'edx2lrs.transforms']\n"


def test_every_public_name_is_there() -> None:
    for name in transforms.__all__:
        assert getattr(transforms, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'Translater'"):
        _ = transforms.Translater  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def translator() -> Translator:
    return Translator("xapi", ROOT, Actors(ActorOptions("hmac", "XAPI", "dead_letter"), ROOT, None, b"key"), CourseNames({}))


def test_a_line_a_dict_and_a_dict_with_a_datetime_are_one_event(translator: Translator) -> None:
    live = {**PLAY, "timestamp": datetime(2023, 5, 23, 13, 53, 13, tzinfo=timezone.utc)}
    line = b"May 23 13:53:13 host [tracking] " + json.dumps(PLAY).encode()
    made = [translate_record(record, translator) for record in (line, PLAY, live)]
    assert isinstance(made[0], tuple)
    assert made[0] == made[1] == made[2]


REFUSED: dict[str, Any] = {
    "not_json": {**PLAY, "data": {"id": object()}},
    "no_time": {**PLAY, "timestamp": None},
    "missing": {**PLAY, "data": {}},
    "no_actor": {**PLAY, "context": {"course_id": "course-v1:edX+DemoX+2020"}},
}


@pytest.mark.parametrize(("cause", "record"), REFUSED.items())
def test_what_cannot_be_translated_has_its_reason(translator: Translator, cause: str, record: dict[str, Any]) -> None:
    refusal = translate_record(record, translator)
    assert isinstance(refusal, Refusal)
    assert refusal.cause == cause


def test_an_unknown_event_is_nothing(translator: Translator) -> None:
    assert translate_record({**PLAY, "name": "unheard.of"}, translator) is None
