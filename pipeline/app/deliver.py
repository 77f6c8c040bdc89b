"""Sends the statements that wait in a state directory, and reads nothing new."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from edx2lrs.io.sources.spec import LOCAL
from edx2lrs.io.state.state import look_at_state
from edx2lrs.io.state.terms import PROTOCOL
from edx2lrs.pipeline import report
from edx2lrs.pipeline.beam_options import local_arguments
from edx2lrs.pipeline.config.reading import load
from edx2lrs.pipeline.job import Control, JobResult
from edx2lrs.pipeline.local import run_lifecycle
from edx2lrs.pipeline.terms import terms_of
from edx2lrs.transforms.counters import Counted


@dataclass(frozen=True)
class DeliverRequest:
    """``state``: the state directory of an earlier run. ``send_held``: what waits under other terms than today's is sent, too."""

    config: str
    state: str
    report: str | None = None
    beam: tuple[str, ...] = ()
    send_held: bool = False


def plan(request: DeliverRequest) -> JobResult:
    """What would be sent, as the report of a dry run; the state directory is only read. Raises ``ConfigError``, ``OptionError``,
    ``StateError``."""
    local_arguments(request.beam)
    config = load(request.config)
    with look_at_state(Path(request.state)) as state:
        waiting = state.outbox.waiting_counts()
        held = state.outbox.held(terms_of(config))
        held = [each for each in held if not request.send_held or each.changed is None or PROTOCOL in each.changed]
        now = time.time()
        content = report.report(
            {Counted(name, "taken_over"): number for name, number in waiting.items()},
            state.ledger.totals(),
            {**{consumer.name: 0 for consumer in config.consumers}, **waiting},
            {name: max(0.0, now - since) for name, since in state.outbox.oldest().items()},
            {},
            runner=LOCAL, seconds=0.0, dead_letters="", state=request.state,
            held=held, dry_run={consumer.name: consumer.shown_url for consumer in config.consumers},
        )
    return JobResult(content)


def deliver(request: DeliverRequest, control: Control) -> JobResult:
    """Sends until all statements are settled, or until statements wait only for consumers that are down. Raises ``ConfigError``,
    ``SecretError``, ``StateError``, ``OSError``."""
    local_arguments(request.beam)
    config = load(request.config)
    run_lifecycle.use_for_temporary_files(request.state)
    with run_lifecycle.owned_state(request.state, config, create=False) as state:
        local_run = run_lifecycle.begun(config, state, request.report, Path(request.config).stem, control, send_held=request.send_held)
        with run_lifecycle.under_way(local_run, control):
            local_run.deliver()
        return run_lifecycle.ended(local_run, config)
