"""A consumer that is up but slow makes the reading pause: what waits for it stays bounded."""

import json
import threading

from edx2lrs.io.state.errors import StateError
from edx2lrs.io.state.state import join_state

CONFIG = """\
lms: {root_url: "https://lms.example.com", id_key: "env:EDX2LRS_ID_KEY"}
outbox: {statements: 100}
consumers:
  - name: slow
    protocol: xapi
    url: http://ADDRESS/slow/xAPI
    auth: {scheme: basic, username: "env:SANDBOX_USER", password: "env:SANDBOX_PASSWORD"}
    access: all
    rate: {concurrency: 1}
"""
FILES, LINES = 8, 150


def line(number):
    return json.dumps(
        {
            "name": "play_video",
            "event_source": "browser",
            "time": f"2026-03-01T10:00:00.{number:06d}+00:00",
            "username": "bob",
            "context": {"course_id": "course-v1:NorthX+CS101+2024_T1", "user_id": 5},
            "event": {"id": "b42", "currentTime": 1.5},
        }
    ).encode()


def test_reading_pauses_while_a_consumer_that_is_up_has_its_fill(edx2lrs, sandbox_with, config, tmp_path, assert_adds_up):
    slow = sandbox_with("--fault", "slow:1:0.3")
    for file in range(FILES):
        content = b"\n".join(line(file * LINES + number) for number in range(LINES))
        (tmp_path / f"tracking-{file}.log").write_bytes(content)
    results = []
    run = ("run", "--config", config(slow.address, CONFIG), "--input", "*.log", "--state", "state", "--workers", 1)
    job = threading.Thread(target=lambda: results.append(edx2lrs(*run)))
    job.start()
    most = 0
    while job.is_alive():
        job.join(0.05)
        try:
            with join_state(tmp_path / "state") as state:
                most = max(most, state.outbox.waiting("slow"))
        except StateError:  # not there yet
            continue
    assert results[0].code == 0, results[0].text
    assert_adds_up(results[0].report)
    assert slow.stored("slow") == FILES * LINES
    assert 100 <= most < 100 + 2 * LINES
