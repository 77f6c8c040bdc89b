"""Records with personal data of made-up people wherever nothing is declared: at any depth, in any shape, in every event that is
known. None of it (``UNDECLARED``) may come out anywhere: not in a statement, an error, a log line or a report.

What is declared may come out in statements; other canaries (``DECLARED``) stand there, and may not come out anywhere else."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from msgspec import inspect

from edx2lrs.transforms.families.declared_fields import members
from edx2lrs.transforms.families.source_events import SOURCE_EVENTS
from edx2lrs.transforms.fields import Context
from edx2lrs.transforms.records.parse import Envelope

FIXTURES = Path(__file__).parents[2] / "transforms" / "families"

UNDECLARED = re.compile(rb"kanarie|vogelzang|198\.51\.100\.|2001:db8:ca|c4n4ry|99 555 019|9915550190", re.IGNORECASE)
DECLARED = re.compile(rb"d3clared", re.IGNORECASE)
KEYS = (
    "email", "user_email", "e-mail", "full_name", "name_of_user", "ip", "host_ip", "token", "phone", "address", "extra", "",
    # names that are declared elsewhere: a search through the whole record would find them
    "username", "user_id", "session", "referer", "title", "display_name", "question", "answers", "id", "course_id", "org_id",
    "path", "grade", "success", "page", "agent", "accept_language", "event", "data", "context", "problem_id", "usage_key", "text",
)  # fmt: skip


def a_person(rng: random.Random) -> Any:
    """One thing about a person who must not be seen."""
    number = rng.randrange(10, 100)
    return rng.choice(
        [
            f"kanarie.{number}@example.net",
            f"Ånna Vogelzang-{number}",
            f"198.51.100.{number}",
            f"2001:db8:ca::{number}",
            f"Bearer c4n4ry{number}",
            f"+99 555 019 {number}",
            9915550190_00 + number,
            float(9915550190_00 + number) + 0.5,
            f"https://lms.example.com/u/vogelzang?mail=kanarie{number}@example.net",
            f"course-v1:Kanarie+{number}+2020",
            f"block-v1:Kanarie+C+R+type@problem+block@{number}",
        ]
    )


def hidden(rng: random.Random, depth: int = 0) -> Any:
    """A value of any shape with people in it."""
    shape = rng.randrange(7 if depth < 3 else 3)
    if shape < 3:
        return a_person(rng)
    if shape == 3:
        return [hidden(rng, depth + 1) for _ in range(rng.randrange(1, 4))]
    if shape == 4:
        return json.dumps(hidden(rng, depth + 1))
    return {key_of(rng): hidden(rng, depth + 1) for _ in range(rng.randrange(1, 4))}


def key_of(rng: random.Random) -> str:
    return str(a_person(rng)) if rng.random() < 0.1 else rng.choice(KEYS)


TEXT = inspect.StrType()
Declared = dict[str, inspect.Type]
"""What may be read of an object: the types of its fields by their names."""


@cache
def declared_by(*structs: type[msgspec.Struct]) -> Declared:
    described = [inspect.type_info(struct) for struct in structs]
    return {field.encode_name: field.type for each in described for field in each.fields}  # type: ignore[attr-defined]


def filled(value: dict[str, Any], declared: Declared, rng: random.Random, keep: tuple[str, ...] = ()) -> dict[str, Any]:
    """``value`` with people in every undeclared field, and more such fields, between and after the declared ones."""
    made: dict[str, Any] = {}
    for key, inner in value.items():
        if rng.random() < 0.3:
            add(made, declared, rng, keep)
        if key in keep:
            made[key] = inner
        elif key in declared:
            made[key] = within(inner, declared[key], rng)
        else:
            made[key] = hidden(rng)
    for _ in range(rng.randrange(3)):
        add(made, declared, rng, keep)
    return made


def add(made: dict[str, Any], declared: Declared, rng: random.Random, keep: tuple[str, ...]) -> None:
    key = key_of(rng)
    if key not in declared and key not in keep:
        made.setdefault(key, hidden(rng))


def within(value: Any, kind: inspect.Type, rng: random.Random) -> Any:
    """``value``, which is declared, with people in what is not declared of it."""
    for member in members(kind):
        if isinstance(member, inspect.StructType) and isinstance(value, dict):
            return filled(value, declared_by(member.cls), rng)
        if isinstance(member, inspect.DictType) and isinstance(value, dict):
            return {key: within(inner, member.value_type, rng) for key, inner in value.items()}
        if isinstance(member, inspect.ListType) and isinstance(value, list):
            return [within(inner, member.item_type, rng) for inner in value]
    return value


def in_the_wrong_place(part: dict[str, Any], declared: Declared, rng: random.Random) -> None:
    """In place of a declared value: one of another type with people in it, which has to be refused or left out; or a text, which
    may go where the value would go."""
    fields = [key for key in part if key in declared]
    if not fields:
        return
    key = rng.choice(fields)
    kinds = members(declared[key])
    if rng.random() < 0.5:
        part[key] = rng.choice(
            ["d3clared@example.net", "d3clared", "d3clared \ud800", "d3clared/a?b#c", "https://d3clared.example"]
        )
    elif not any(isinstance(kind, (inspect.AnyType, inspect.DictType)) for kind in kinds):
        part[key] = rng.choice([[a_person(rng)], {str(a_person(rng)): a_person(rng)}, {"id": [hidden(rng)]}])


def record_with_people(source: dict[str, Any], number: int, rng: random.Random) -> bytes:
    """A record of a fixture, in the shape that it has there, with people in it; some are broken. ``number`` makes its time."""
    record = {**json.loads(json.dumps(source)), "time": f"2026-03-01T10:00:{number % 60:02d}.{number:06d}+00:00"}
    record.pop("timestamp", None)
    known = SOURCE_EVENTS[record["name"]]
    part = "event" if "event" in record else "data"
    top, about = declared_by(Envelope), declared_by(Context, *([known.context] if known.context else []))
    payload = declared_by(known.data)
    payload = {**payload, **{old: payload[new] for old, new in known.old_fields.items()}}
    # A record whose context has no course: these places name the course.
    top, about, payload = {**top, "page": TEXT}, {**about, "page": TEXT}, {**payload, "course_id": TEXT}
    for key, declared in (("context", about), (part, payload)):
        value = record.get(key)
        text = isinstance(value, str)
        if text and value.startswith("{"):
            value = json.loads(value)
        if isinstance(value, dict):
            value = filled(value, declared, rng)
            if rng.random() < 0.15:
                in_the_wrong_place(value, declared, rng)
            record[key] = json.dumps(value, ensure_ascii=rng.random() < 0.5) if text else value
        elif text:  # what a browser sends: only the input's name is used
            record[key] = re.sub('=[^&"]*', f"=kanarie{rng.randrange(100)}@example.net&email=c4n4ry", value)
    if rng.random() < 0.03:
        record[rng.choice(["context", part])] = rng.choice([a_person(rng), [hidden(rng)], json.dumps([hidden(rng)])])
    record = filled(record, top, rng, ("context", part, "event"))
    if rng.random() < 0.05:
        in_the_wrong_place(record, top, rng)
    if part == "event" and rng.random() < 0.1:
        record["data"] = hidden(rng)
    return written(record, rng)


def written(record: dict[str, Any], rng: random.Random) -> bytes:
    """The record as a line: sometimes after a logger's prefix, with what only the slow reader takes, or broken."""
    how = rng.random()
    if how < 0.05:
        record["nothing"] = float("nan")
    elif how < 0.08:
        record["half a letter of kanarie"] = "\ud800 kanarie"
    line = json.dumps(record, ensure_ascii=how < 0.5).encode(errors="surrogatepass")
    if 0.08 < how < 0.12:
        return b"Mar  1 10:00:00 198.51.100.7 [tracking] [user kanarie@example.net] " + line
    if 0.12 < how < 0.15:
        return line[: rng.randrange(len(line))]
    if 0.15 < how < 0.17:
        return line[rng.randrange(len(line)) :]
    if 0.17 < how < 0.18:
        return line.replace(b"kanarie", b"kanarie\xff", 1)
    return line


def unknown_events(rng: random.Random) -> Iterator[bytes]:
    """Names that nobody knows may be about people too."""
    person = str(a_person(rng))
    yield json.dumps({"name": person, "event": hidden(rng), "time": person, "username": person}).encode()
    yield json.dumps({"event_type": f"/u/{person}", "event": hidden(rng), "context": hidden(rng)}).encode()
    yield json.dumps([hidden(rng)]).encode()
    yield str(a_person(rng)).encode()


def people(count: int, seed: int) -> Iterator[bytes]:
    """``count`` records of all names, in all shapes that the fixtures have."""
    rng = random.Random(seed)
    files = sorted(FIXTURES.glob("*/examples/*.json"))
    sources = [source for path in files for source in json.loads(path.read_text(encoding="utf-8"))["sources"]]
    by_name = {name: [source for source in sources if source["name"] == name] for name in SOURCE_EVENTS}
    assert all(by_name.values()), "an event without a fixture"
    names = list(by_name)
    for n in range(count):
        if n % 50 == 0:
            yield from unknown_events(rng)
        yield record_with_people(rng.choice(by_name[names[n % len(names)]]), n, rng)
