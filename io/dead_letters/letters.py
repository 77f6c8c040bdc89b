"""Dead letters, as Avro files of one schema: what failed, with all that is needed to see the reason and to send it again."""

from __future__ import annotations

import contextlib
import glob
import hashlib
import io
import os
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timezone
from functools import cache
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from typing import IO, Any, NamedTuple

import fastavro
import msgspec

from edx2lrs.io.avro_records import AvroError, records
from edx2lrs.io.dead_letters import marks as dead_letter_marks
from edx2lrs.io.dead_letters.topic import TopicMessage, is_topic, publish
from edx2lrs.io.paths import file_systems, folder_of, is_remote, open_bytes, whole_file
from edx2lrs.transforms.config_types import PayloadForm
from edx2lrs.transforms.failure import Failure
from edx2lrs.transforms.formats.number_words import counted
from edx2lrs.transforms.privacy.redaction import with_payload
from edx2lrs.transforms.records.event_name import event_name

SCHEMA: dict[str, Any] = {
    "type": "record",
    "namespace": "edx2lrs.v1",
    "name": "DeadLetter",
    "doc": "A record that could not become statements, or a statement that a consumer did not take.",
    "fields": [
        {"name": "id", "type": "string", "doc": "UUID; the same failure has the same id, however often it is written."},
        {"name": "time", "type": {"type": "long", "logicalType": "timestamp-millis"}, "doc": "When it failed."},
        {"name": "stage", "type": "string", "doc": "The step that refused it."},
        {"name": "cause", "type": "string", "doc": "One word of the documented list."},
        {"name": "message", "type": "string", "doc": "Why, without any value of the record."},
        {"name": "consumer", "type": ["null", "string"], "default": None},
        {"name": "position", "type": "string", "doc": "path:line, or the id of the message."},
        {"name": "event_name", "type": ["null", "string"], "default": None, "doc": "Of the event, if a mapping knows it."},
        {"name": "payload_kind", "type": "string", "doc": "record: the original bytes; statement: the exact body."},
        {"name": "payload", "type": "bytes"},
        {
            "name": "payload_form", "type": "string", "default": "full",
            "doc": "full: as payload_kind says; redacted: its structure without its values; none: nothing.",
        },
        {"name": "statement_id", "type": ["null", "string"], "default": None},
        {"name": "http_status", "type": ["null", "int"], "default": None},
        {"name": "http_body", "type": ["null", "string"], "default": None, "doc": "The start of the consumer's answer."},
        {"name": "attempts", "type": "int", "default": 0},
        {
            "name": "attributes", "type": {"type": "map", "values": "string"}, "default": {},
            "doc": "Of the message, beside its body; with payload_form full alone.",
        },
        {"name": "terms", "type": ["null", "string"], "default": None, "doc": "Fingerprints of what decided about the statement."},
        {"name": "job_name", "type": "string", "default": ""},
        {"name": "edx2lrs_version", "type": "string", "default": ""},
    ],
}

_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "edx2lrs:dead-letter")
_BAD_NAMED = 10  # letters of a file
_parsed_schema = fastavro.parse_schema(SCHEMA)
_ids_and_times = fastavro.parse_schema({**SCHEMA, "fields": SCHEMA["fields"][:2]})


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """One dead letter; the fields of ``SCHEMA``. ``time`` is in UTC."""

    id: str
    time: datetime
    stage: str
    cause: str
    message: str
    position: str
    payload_kind: str
    payload: bytes
    payload_form: PayloadForm = "full"
    event_name: str | None = None
    consumer: str | None = None
    statement_id: str | None = None
    http_status: int | None = None
    http_body: str | None = None
    attempts: int = 0
    attributes: dict[str, str] = {}
    terms: str | None = None
    job_name: str = ""
    edx2lrs_version: str = ""


def dead_letter(
    failure: Failure, job_name: str, when: datetime, form: PayloadForm = "full", terms: str | None = None
) -> DeadLetter:
    """The dead letter of ``failure``, which ``job_name`` met at ``when``. Its id is the same for every ``form`` of payload.
    ``terms``: of a statement, those that it was made under."""
    name = failure.event_name if failure.payload_kind == "statement" else event_name(failure.payload)
    letter = str(letter_id(failure))
    failure = with_payload(failure, form)
    fields = msgspec.structs.asdict(failure) | {
        "message": _utf8(failure.message),
        "position": _utf8(failure.position),
        "event_name": name,
        "http_body": None if failure.http_body is None else _utf8(failure.http_body),
        "attributes": {_utf8(key): _utf8(value) for key, value in failure.attributes.items()} if form == "full" else {},
    }
    return DeadLetter(id=letter, time=when, payload_form=form, terms=terms, job_name=job_name, edx2lrs_version=_version(), **fields)


def letter_id(failure: Failure) -> uuid.UUID:
    """The id of the failure's dead letter: of where and what it was, in which step and for which consumer and statement. How often it
    was tried and what was answered do not count: the same failure is never two letters."""
    digest = hashlib.sha256(failure.payload).hexdigest()
    parts = (_utf8(failure.position), digest, failure.stage, failure.consumer, failure.statement_id)
    return uuid.uuid5(_NAMESPACE, msgspec.json.encode(parts).decode())


def _utf8(text: str) -> str:
    """With escapes for half surrogate pairs, which names of files and answers of consumers may hold, and UTF-8 cannot."""
    return text.encode(errors="backslashreplace").decode()


@cache
def _version() -> str:
    return version("edx2lrs")


class DeadLettersMissing(Exception):
    """A path has no dead letters; the text names the path."""


def write_file(folder: str, name: str, letters: Iterable[DeadLetter]) -> str:
    """Write ``letters`` as the Avro file ``name`` in ``folder``, whole or not at all; gives its path. An older one is replaced. Where
    ``folder`` is a topic, publish them there. A local file is on disk (fsync) when this returns. Raises ``OSError``, or what Beam's
    file system or the topic raises."""
    if is_topic(folder):
        publish(folder, map(_message, letters))
        return folder
    if is_remote(folder):
        path = f"{folder.rstrip('/')}/{name}"
        with file_systems().create(path, "application/octet-stream") as file:  # object stores show a file when it is closed
            _write(file, letters)
        return path
    path = str(Path(folder) / name)
    with whole_file(path, private=True) as file:
        _write(file, letters)
    return path


def _message(letter: DeadLetter) -> TopicMessage:
    """A letter for a topic; the attributes are for filters of subscriptions."""
    data = io.BytesIO()
    fastavro.schemaless_writer(data, _parsed_schema, msgspec.structs.asdict(letter))
    fields = ("id", "stage", "cause", "consumer", "event_name")
    return TopicMessage(data.getvalue(), {name: value for name in fields if (value := getattr(letter, name))})


def _write(file: IO[bytes], letters: Iterable[DeadLetter]) -> None:
    fastavro.writer(file, _parsed_schema, (msgspec.structs.asdict(letter) for letter in letters), codec="deflate")


class PlacedLetter(NamedTuple):
    """A letter, and the folder that it lies in, where a mark is to stand ("": a state directory's own, and in no file yet)."""

    letter: DeadLetter
    folder: str


def _none() -> Iterable[DeadLetter]:
    return ()


def read(path: str, warn: Callable[[str], None], sent_again: Callable[[DeadLetter], None] | None = None) -> Iterator[DeadLetter]:
    """``find`` for those who do not ask where the letters lie."""
    return (found.letter for found in find(files(path), warn, sent_again))


def find(
    names: Sequence[str],
    warn: Callable[[str], None],
    sent_again: Callable[[DeadLetter], None] | None = None,
    unexported: Callable[[], Iterable[DeadLetter]] = _none,
    own_folder: str = "",
) -> Iterator[PlacedLetter]:
    """Every dead letter that is still to be sent, once: of the files ``names``, in their order, then of ``unexported``, which are to
    lie in ``own_folder``. Of a letter that failed again, the last one; ``sent_again`` is called with those that a replay has marked.

    Of a broken file what can be read is given, then ``warn`` is called with a line for a person."""
    folders = {folder_of(name) for name in names} | ({own_folder} if own_folder else set())
    marks = dead_letter_marks.read(sorted(folders))
    newest: dict[bytes, datetime] = {}
    for name in names:
        for id_, when in _read_times(name):
            newest[id_] = max(when, newest.get(id_, when))
    for letter in unexported():
        id_ = uuid.UUID(letter.id).bytes
        newest[id_] = max(letter.time, newest.get(id_, letter.time))
    in_files = (PlacedLetter(letter, folder_of(name)) for name in names for letter in _read_file(name, warn))
    for found in chain(in_files, (PlacedLetter(letter, own_folder) for letter in unexported())):
        letter = found.letter
        id_ = uuid.UUID(letter.id).bytes
        if newest.get(id_) != letter.time:
            continue
        del newest[id_]
        if id_ not in marks or letter.time > marks[id_]:
            yield found
        elif sent_again is not None:
            sent_again(letter)


def folder_of_letters(path: str) -> str:
    """The folder that ``path`` names, or that its files lie in; of a pattern for several folders, a name for them."""
    if is_remote(path):
        return folder_of(_remote_pattern(path))
    return os.path.abspath(path) if os.path.isdir(path) else folder_of(path)


def _remote_pattern(path: str) -> str:
    return path if path.endswith(".avro") or any(sign in path for sign in "*?[") else f"{path.rstrip('/')}/*.avro"


def files(path: str) -> list[str]:
    """The files of dead letters at ``path``, by name. Raises ``DeadLettersMissing``."""
    if is_remote(path):
        try:
            found = sorted(file.path for match in file_systems().match([_remote_pattern(path)]) for file in match.metadata_list)
        except Exception as error:  # file systems raise what their clients raise
            raise DeadLettersMissing(f"{path}: cannot be listed: {str(error).splitlines()[0][:200]}") from None
    elif os.path.isdir(path):
        return sorted(str(file) for file in Path(path).glob("*.avro"))
    else:
        found = [path] if os.path.exists(path) else sorted(glob.glob(path))
    if not found:
        raise DeadLettersMissing(f"{path}: there are no dead letters (*.avro); name a folder of them, a file or a glob")
    return found


def _read_times(name: str) -> Iterator[tuple[bytes, datetime]]:
    """Id and time of each letter. ``_read_file`` reports a file that breaks off, and letters that are none of ours."""
    with contextlib.suppress(Exception), open_bytes(name) as file:
        for record in records(file, _ids_and_times):
            with contextlib.suppress(ValueError):
                yield uuid.UUID(record["id"]).bytes, record["time"]


def _read_file(name: str, warn: Callable[[str], None]) -> Iterator[DeadLetter]:
    number = bad = 0
    try:
        with open_bytes(name) as file:
            for number, record in enumerate(records(file, _parsed_schema), 1):
                letter = _letter_of(record)
                if letter is not None:
                    yield letter
                    continue
                bad += 1
                if bad <= _BAD_NAMED:
                    warn(f"{name}: its letter {number} is none that edx2lrs writes (id, time or a word); it is left out")
    except GeneratorExit:
        raise
    except Exception as error:  # fastavro raises a dozen kinds for bytes that are no Avro
        why = str(error) if isinstance(error, AvroError) else type(error).__name__
        whole = f"{why} after {counted(number, 'letter')}"
        warn(f"{name}: not a whole file of dead letters ({whole}); these are shown, the rest cannot be read")
    if bad > _BAD_NAMED:
        warn(f"{name}: {bad} of its {counted(number, 'letter')} are none that edx2lrs writes; they are left out")


def _letter_of(record: Any) -> DeadLetter | None:
    """None: no letter of ours."""
    try:
        letter = msgspec.convert(record, DeadLetter)
        uuid.UUID(letter.id)
    except ValueError:  # also what msgspec raises
        return None
    return letter if 1970 <= letter.time.year < 3000 and 0 <= letter.attempts < 2**31 else None


def now() -> datetime:
    """The time in UTC, to the millisecond as the files hold it."""
    moment = datetime.now(timezone.utc)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
