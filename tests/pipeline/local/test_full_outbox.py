"""A consumer that is up but slow makes the reading pause: what waits for it stays bounded."""

import threading

from edx2lrs.io.state.errors import StateError
from edx2lrs.io.state.state import join_state
from testkit.configurations import consumer, yaml_of
from testkit.tracking_records import played

CONFIG = yaml_of(consumer("slow", rate={"concurrency": 1}), outbox={"statements": 100})
FILES, LINES = 8, 150


def test_reading_pauses_while_a_consumer_that_is_up_has_its_fill(edx2lrs, sandbox_with, config, tmp_path, assert_adds_up):
    slow = sandbox_with("--fault", "slow:1:0.3")
    for file in range(FILES):
        content = b"\n".join(played(file * LINES + number) for number in range(LINES))
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
