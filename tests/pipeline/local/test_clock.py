"""The clock of the machine is set while a job runs: nothing waits for as long as it was set back."""

from __future__ import annotations

import os
import re
import threading
from multiprocessing import Pipe
from pathlib import Path

import edx2lrs.io
import edx2lrs.pipeline
from edx2lrs.pipeline.local.worker_messages import STOP
from edx2lrs.pipeline.local.worker_process import _follow

ROOMS = [path for package in (edx2lrs.io, edx2lrs.pipeline) for path in package.__path__]


def test_no_process_waits_for_another_by_the_wall_clock():
    """An event, lock or queue of multiprocessing waits until a moment of the wall clock; pipes do not."""
    of_processes = r"(multiprocessing|[Cc]ontext)\.(Event|Condition|Semaphore|Lock|RLock|Queue|Barrier)\b"
    wall = re.compile(rf"{of_processes}|multiprocessing\.synchronize")
    found = [str(path) for room in ROOMS for path in Path(room).rglob("*.py") if wall.search(path.read_text(encoding="utf-8"))]
    assert found == []


def test_a_worker_hears_that_it_is_to_stop_and_ends_with_its_parent(monkeypatch):
    ended: list[int] = []
    monkeypatch.setattr(os, "_exit", ended.append)
    ours, theirs = Pipe()
    stopping = threading.Event()
    thread = threading.Thread(target=_follow, args=(theirs, stopping))
    thread.start()
    ours.send(STOP)
    assert stopping.wait(10)
    assert ended == []
    ours.close()
    thread.join(10)
    assert ended == [1]
