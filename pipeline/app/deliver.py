"""Sends the statements that wait in a state directory, and reads nothing new."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from edx2lrs.pipeline.config.reading import load
from edx2lrs.pipeline.job import Control, JobResult
from edx2lrs.pipeline.local import run_lifecycle


@dataclass(frozen=True)
class DeliverRequest:
    """``state``: the state directory of an earlier run."""

    config: str
    state: str
    report: str | None = None


def deliver(request: DeliverRequest, control: Control) -> JobResult:
    """Sends until all statements are settled, or until statements wait only for consumers that are down. Raises ``ConfigError``,
    ``SecretError``, ``StateError``, ``OSError``."""
    config = load(request.config)
    with run_lifecycle.owned_state(request.state, config, create=False) as state:
        local_run = run_lifecycle.begun(config, state, request.report, Path(request.config).stem, control)
        with run_lifecycle.under_way(local_run, control):
            local_run.deliver()
        return run_lifecycle.ended(local_run, config)
