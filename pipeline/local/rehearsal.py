"""A dry run over files: the whole job but its senders, over a copy of the state directory that keeps counts alone."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from edx2lrs.io.state.database import copy
from edx2lrs.io.state.integrity import FILE_NAME
from edx2lrs.io.state.state import State, open_state
from edx2lrs.pipeline.run_options import OptionError
from edx2lrs.transforms.config_types import Config

_NO_BOUND = 2**62  # statements that may wait: nobody sends them


@contextmanager
def rehearsed_state(folder: str | None, config: Config) -> Iterator[State]:
    """A copy of the state directory ``folder`` (an empty one, where there is none yet), which is removed at the end. ``folder`` is
    only read. Raises ``StateUnusable``, ``StateFault``, ``OptionError``."""
    try:
        tempfile.gettempdir()
    except OSError:
        raise OptionError("--dry-run: no folder for temporary files can be written; name one that can, as TMPDIR=/var/tmp") from None
    with tempfile.TemporaryDirectory(prefix="edx2lrs-dry-run-") as place:
        if folder and (Path(folder) / FILE_NAME).exists():
            copy(Path(folder), Path(place))
        with open_state(Path(place), ids=config.dedup.ids, statements=_NO_BOUND, payload_form="none") as state:
            state.rehearse()
            yield state


def without_bound(config: Config) -> Config:
    """``config`` for the workers of a dry run, who need not wait for senders."""
    return msgspec.structs.replace(config, outbox=msgspec.structs.replace(config.outbox, statements=_NO_BOUND))
