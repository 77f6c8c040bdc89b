"""How a state directory stands, whether a run is at work on it or not."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edx2lrs.io.state.pieces import Progressed
from edx2lrs.io.state.state import join_state
from edx2lrs.pipeline.report import report


@dataclass(frozen=True)
class Status:
    """``all_runs``: what all runs of the directory did together, in the sums of the report. ``files``: the input of the last run over
    files. ``cut_off``: consumers whose circuit is open. ``dead_letters``: those that are in no file yet."""

    all_runs: Mapping[str, Any]
    files: Progressed
    cut_off: list[str]
    dead_letters: int


def status(folder: str) -> Status:
    """Of the state directory ``folder``. Raises ``StateError``."""
    with join_state(Path(folder)) as state:
        totals = state.ledger.totals()
        now = time.time()
        ages = {name: max(0.0, now - since) for name, since in state.outbox.oldest().items()}
        waiting = state.outbox.waiting_counts()
        told = report({}, totals, waiting, ages, {}, runner="", seconds=0.0, dead_letters="", state=folder)
        return Status(told["all_runs"], state.pieces.progress(), sorted(state.outbox.open_circuits()), state.dead_letters.count())
