"""Who is who, in a worker: the site's tables and key, read once and handed to every variant."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from edx2lrs.io.secrets import resolve
from edx2lrs.io.tables import read_course_names, read_external_ids
from edx2lrs.transforms.actor import ActorOf, CourseName
from edx2lrs.transforms.anonymise import Actors
from edx2lrs.transforms.config_types import ActorOptions, Lms
from edx2lrs.transforms.course_names import CourseNames


class Identities(NamedTuple):
    """``actors``: one finder for each of the options asked for, in their order. ``course_name``: the names of
    courses."""

    actors: tuple[ActorOf, ...]
    course_name: CourseName


def identities(lms: Lms, options: Iterable[ActorOptions]) -> Identities:
    """Reads the tables and the key that the options need: once for all of them. Called in the process that translates.

    Raises TableError, SecretError.
    """
    options = list(options)
    needs_table = any(each.kind != "hmac" for each in options)
    table = read_external_ids(lms.external_ids) if needs_table and lms.external_ids else None
    key = resolve(lms.id_key).encode() if lms.id_key else None
    names = read_course_names(lms.course_names) if lms.course_names else CourseNames({})
    return Identities(tuple(Actors(each, lms.root_url, table, key) for each in options), names)
