"""The configuration of a job that streams: read again now and then, and taken over when it has changed and is right."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable

import msgspec

from edx2lrs.io.paths import open_bytes
from edx2lrs.pipeline.config.faults import ConfigError
from edx2lrs.pipeline.config.reading import load
from edx2lrs.transforms.config_types import Config

LOOK_EVERY = 60.0
"""Seconds between looks at the file."""
RENEWED = ("events", "consumers")
"""What counts while the job runs. The rest (the site, the state directory's bounds) counts from the next start on."""
_LOG = logging.getLogger("edx2lrs")


class ConfigWatch:
    """Looks at the file at ``path``, local or of any Beam file system. ``current``: the newest configuration that was right."""

    def __init__(
        self, path: str, current: Config, clock: Callable[[], float] = time.monotonic, load: Callable[[str], Config] = load
    ) -> None:
        """``current`` is what the job has begun with, just read from ``path``."""
        self._path, self.current = path, current
        self._clock, self._load = clock, load
        self._next_look = clock() + LOOK_EVERY
        self._seen: bytes | None = None
        self._said = ""

    def is_due(self) -> bool:
        """Whether it is time for a look."""
        return self._clock() >= self._next_look

    def newer(self) -> Config | None:
        """The configuration when it has become another one, once; else None. Never raises: what cannot be used is logged, once.

        A file that was wrong is read again at the next look, even unchanged: what it names may be there then."""
        if not self.is_due():
            return None
        self._next_look = self._clock() + LOOK_EVERY
        try:
            with open_bytes(self._path) as file:
                digest = hashlib.sha256(file.read()).digest()
            if digest == self._seen:
                self._said = ""  # what is wrong from now on is said, even if it was said before
                return None
            read = self._load(self._path)
        except (OSError, ConfigError) as error:
            reason = error if isinstance(error, ConfigError) else f"{self._path}: {error.strerror or error}"
            self._say(f"the configuration cannot be used; the one from before stays in use:\n{reason}")
            return None
        self._seen = digest
        return self._taken_over(read)

    def refuse(self, before: Config, reason: str) -> None:
        """Goes back to ``before``, since nothing can be made of the newer one yet; it is read again at the next look."""
        self.current, self._seen = before, None
        self._say(f"the configuration cannot be used; the one from before stays in use:\n{reason}")

    def _taken_over(self, read: Config) -> Config | None:
        renewed = msgspec.structs.replace(self.current, **{name: getattr(read, name) for name in RENEWED})
        other = [name for name in read.__struct_fields__ if getattr(read, name) != getattr(renewed, name)]
        if other:
            self._say(f"{self._path}: {', '.join(other)}: changes of these count when the job is started again")
        if renewed == self.current:
            return None
        self.current = renewed
        _LOG.info("%s has changed; it is in use from now on", self._path)
        return renewed

    def _say(self, message: str) -> None:
        if message != self._said:
            _LOG.warning("%s", message)
        self._said = message
