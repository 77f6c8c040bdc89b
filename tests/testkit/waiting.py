"""Waiting for a condition, and a port that nobody uses."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable


def until(
    condition: Callable[[], object],
    seconds: float = 40,
    what: str | Callable[[], object] = "it did not come to that",
    pause: float = 0.01,
) -> None:
    """Waits until ``condition`` is true; after ``seconds`` the test has failed, and says ``what``."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, what() if callable(what) else what
        time.sleep(pause)


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port: int = unused.getsockname()[1]
    return port
