"""Files are read and sent while processes are killed at random: the parent, a worker, or all; into an LRS with faults. Every statement
arrives, the LRS has none that it should not have, and the sums close."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from edx2lrs.io.dead_letters.letters import read
from testkit.configurations import consumer, yaml_of
from testkit.tracking_records import played
from testkit.waiting import until

CONFIG = yaml_of(
    consumer("campus", batch={"size": 20}, retry={"base_delay": "10ms", "max_delay": "200ms"}),
    consumer("warehouse", "caliper", batch={"size": 20}, retry={"base_delay": "10ms", "max_delay": "200ms"}),
)
SECRETS = {"SANDBOX_USER": "sandbox", "SANDBOX_PASSWORD": "sandbox", "EDX2LRS_ID_KEY": "a key of the tests"}
FILES, LINES, JUNK = 6, 400, 3


def workers_of(parent: int) -> list[int]:
    """The processes that a process has started; it may have ended."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            content = status.read_text()
        except OSError:
            continue
        if content.rpartition(")")[2].split()[1] == str(parent):
            found.append(int(status.parent.name))
    return found


@pytest.mark.parametrize("seed", range(2))
def test_all_arrives_and_adds_up_after_kills(seed, sandbox_with, config, tmp_path, edx2lrs, assert_adds_up):
    chance = random.Random(seed)
    faulty = sandbox_with("--seed", str(seed), "--fault", "429:0.03", "--fault", "503:0.05", "--fault", "reset:0.05")
    path = config(faulty.address, CONFIG)
    (tmp_path / "logs").mkdir()
    for file in range(FILES):
        lines = [played(file * LINES + number) for number in range(LINES)]
        lines[file::150] = [b"no event"] * len(lines[file::150])
        (tmp_path / "logs" / f"{file}.log").write_bytes(b"\n".join(lines))
    junk = FILES * JUNK
    total = FILES * LINES - junk
    run = ("run", "--config", path, "--input", "logs", "--state", "state", "--workers", 2)
    for _ in range(5):
        job = subprocess.Popen(
            [sys.executable, "-m", "edx2lrs.pipeline", *map(str, run)],
            cwd=tmp_path, env={**os.environ, **SECRETS}, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True,
        )
        begun = faulty.stored("campus")
        until(lambda job=job, begun=begun: job.poll() is not None or workers_of(job.pid) or faulty.stored("campus") > begun, 60)
        time.sleep(chance.uniform(0.0, 6.0))  # somewhere between the start of the workers and the last request
        victims = chance.choice([[job.pid], workers_of(job.pid)[:1] or [job.pid], [job.pid, *workers_of(job.pid)]])
        for victim in victims:
            with contextlib.suppress(ProcessLookupError):
                os.kill(victim, signal.SIGKILL)
        if job.pid not in victims:
            time.sleep(1.0)
            job.kill()
        assert b"Traceback" not in (job.communicate(timeout=60)[1] or b"")
    for _ in range(5):
        result = edx2lrs(*run)
        assert result.code in (0, 1), result.text
        if not any(part["waiting"] for part in result.report["consumers"].values()):
            break
    everything = result.report["all_runs"]
    assert_adds_up(result.report)
    assert_adds_up(everything)
    assert (everything["records"]["read"], everything["records"]["matched"]) == (total + junk, total)
    for name in ("campus", "warehouse"):
        part = everything["consumers"][name]
        assert (faulty.stored(name), part["statements"], part["duplicates"], part["waiting"]) == (total, total, 0, 0)
        assert part["dead"] == {"records": {}, "statements": {}}
    letters = [letter.cause for letter in read(str(tmp_path / "state" / "dead-letters"), pytest.fail)]
    assert letters == ["not_json"] * junk
