"""A consumer with ``redact`` gets neither answers nor titles; another one of the same run gets both."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

from testkit.configurations import consumer, yaml_of

CONFIG = yaml_of(consumer("all"), consumer("less", redact=["title", "response"]), consumer("forum", redact=["response"]))
CONTEXT = {"user_id": 5, "course_id": "course-v1:edX+DemoX+2020", "path": "/api/discussion/v1/threads/"}
ANSWER, TITLE = "forty-two, I think", "why is it always forty-two?"
PROBLEM = {
    "problem_id": "block-v1:edX+DemoX+2020+type@problem+block@p1",
    "attempts": 1,
    "success": "correct",
    "grade": 1,
    "max_grade": 1,
    "answers": {"p1_2_1": ANSWER},
    "submission": {"p1_2_1": {"question": "What?", "answer": ANSWER, "response_type": "stringresponse", "correct": True}},
}
THREAD = {"id": "5f2a", "title": TITLE, "commentable_id": "general"}


def line(name: str, second: int, event: Any) -> str:
    time = f"2026-03-01T10:00:{second:02d}.000001+00:00"
    return json.dumps(
        {"name": name, "event": event, "context": CONTEXT, "time": time, "event_source": "server", "username": "bob"}
    )


def test_answers_and_titles_go_to_those_alone_who_may_have_them(
    edx2lrs: Any, sandbox: Any, config: Callable[..., Path], tmp_path: Path
) -> None:
    lines = [line("problem_check", 1, PROBLEM), line("edx.forum.thread.created", 2, THREAD)]
    (tmp_path / "tracking.log").write_text("\n".join(lines), encoding="utf-8")
    path = config(sandbox.address, CONFIG)
    checked = edx2lrs("check", path)
    without = [text.split() for text in checked.out.splitlines() if text.strip().startswith("without ")]
    assert without == [["without", "response", "and", "title"], ["without", "response"]]
    result = edx2lrs("run", "--config", path, "--input", "tracking.log", "--state", "state")
    assert result.code == 0, result.text
    sandbox.stop()
    with sqlite3.connect(tmp_path / "lrs.db") as database:
        rows = database.execute("SELECT name, body FROM records JOIN consumers ON consumers.id = records.consumer").fetchall()
    got = {name: " ".join(bytes(body).decode() for consumer, body in rows if consumer == name) for name, _ in rows}
    assert {name: (ANSWER in text, TITLE in text) for name, text in got.items()} == {
        "all": (True, True),
        "less": (False, False),
        "forum": (False, True),
    }
    assert all(len(text) > 500 for text in got.values())
