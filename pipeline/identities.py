"""The persons in a worker: the site's tables and keys are read once and given to every variant; newer tables are read when they
change."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from typing import Generic, NamedTuple, TypeVar

from edx2lrs.io.external_ids import open_external_ids, version_of
from edx2lrs.io.external_ids_database import ExternalIdTable
from edx2lrs.io.progress import OnProgress, silent
from edx2lrs.io.secrets import resolve
from edx2lrs.io.tables import TableError, read_course_names
from edx2lrs.transforms.config_types import ActorOptions, Lms
from edx2lrs.transforms.people.actor import CourseName
from edx2lrs.transforms.people.anonymise import Actors
from edx2lrs.transforms.people.course_names import CourseNames

LOOK_EVERY = 60.0
"""Seconds between looks at the tables."""

_LOG = logging.getLogger("edx2lrs.tables")
_Content = TypeVar("_Content")
_Made = TypeVar("_Made")


class Identities(NamedTuple):
    """``actors``: one finder for each of the wanted options, in their order. ``course_name``: the names of courses. ``table``: of
    external ids, where somebody needs the table."""

    actors: tuple[Actors, ...]
    course_name: CourseName
    table: ExternalIdTable | None = None


class KeptCurrent(Generic[_Made]):
    """What is made of the identities: ``current`` of those of now; ``newer`` gives another when a table has changed.

    Tables are looked at and read in a thread, where things are made of them too: no event waits for that. While a new version
    cannot be used, the one before stays in use.
    """

    def __init__(
        self, lms: Lms, options: Iterable[ActorOptions], make: Callable[[Identities], _Made], on_progress: OnProgress = silent,
        names_users: bool = False,
    ) -> None:
        """Called in the process that translates. ``options``: of the actors that are wanted. ``on_progress`` is told how far the
        compilation of a large table is. ``names_users``: whether rules name users by their usernames, so that the table is needed.

        Raises TableError, SecretError.
        """
        self._lms, self._options, self._make = lms, tuple(options), make
        self._keys = {each: resolve(each).encode() for each in {lms.id_key, *(each.key for each in self._options)} if each}
        emails = any(each.kind in ("mbox", "mbox_sha1sum") for each in self._options)
        needs_ids = names_users or any(each.kind != "hmac" for each in self._options)

        def read_ids(path: str, first: bool) -> ExternalIdTable | None:
            return open_external_ids(path, emails, on_progress if first else silent, patient=first)

        self._ids = _Table(lms.external_ids, read_ids) if needs_ids and lms.external_ids else None
        self._names = _Table(lms.course_names, lambda path, _: read_course_names(path)) if lms.course_names else None
        self.current = self._made()
        self._newer: _Made | None = None
        self._looking: threading.Thread | None = None
        self._next_look = time.monotonic() + LOOK_EVERY

    def newer(self) -> _Made | None:
        """The result for newer tables, once, or None. Takes no time: to be called for each bundle of events."""
        now = time.monotonic()
        if self._looking is not None and not self._looking.is_alive():
            self._looking, self._next_look = None, now + LOOK_EVERY
            if self._newer is not None:
                self.current, self._newer = self._newer, None
                return self.current
        if self._looking is None and now >= self._next_look and (self._ids or self._names):
            self._looking = threading.Thread(target=self._look, name="tables", daemon=True)
            self._looking.start()
        return None

    def _look(self) -> None:
        changed = [table.has_changed() for table in (self._ids, self._names) if table]
        if any(changed):
            self._newer = self._made()

    def _made(self) -> _Made:
        """The result for actors whose memory is empty."""
        table = self._ids.content if self._ids else None
        keys = [self._keys.get(each.key or self._lms.id_key or "") for each in self._options]
        actors = [Actors(each, self._lms.root_url, table, key) for each, key in zip(self._options, keys, strict=True)]
        return self._make(Identities(tuple(actors), self._names.content if self._names else CourseNames({}), table))


class _Table(Generic[_Content]):
    """The content of a table in the version that was last read."""

    def __init__(self, path: str, read: Callable[[str, bool], _Content | None]) -> None:
        """``read(path, first)`` gives None when the content cannot be had yet, except the first time. Raises TableError."""
        self._path, self._read = path, read
        self._version = version_of(path)
        content = read(path, True)
        assert content is not None
        self.content = content
        self._fault = ""

    def has_changed(self) -> bool:
        """Reads the table if it has another version; whether there is other content now. Never raises."""
        try:
            version = version_of(self._path)
            content = self._read(self._path, False) if version != self._version else None
        except TableError as error:
            if str(error) != self._fault:
                _LOG.warning("%s; the version from before stays in use", error)
            self._fault = str(error)
            return False
        self._fault = ""
        if content is None:
            return False
        self._version, self.content = version, content
        _LOG.info("%s has changed; the new version is in use", self._path)
        return True


def identities(lms: Lms, options: Iterable[ActorOptions], on_progress: OnProgress = silent) -> Identities:
    """The identities of now. Raises TableError, SecretError."""
    return KeptCurrent(lms, options, lambda made: made, on_progress).current
