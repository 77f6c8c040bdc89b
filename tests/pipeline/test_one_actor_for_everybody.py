"""A consumer whose override_args replace the actor: no part of a statement tells persons apart, and no id leads back to a person."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

import orjson
import pytest

from edx2lrs.pipeline.compiled_config import CompiledConfig
from edx2lrs.transforms.config_types import Config, Consumer, Dialect, Lms, Protocol
from edx2lrs.transforms.event import Event
from edx2lrs.transforms.failure import Refusal
from edx2lrs.transforms.families.examples import examples_of, read_example
from edx2lrs.transforms.families.packages import packages
from edx2lrs.transforms.mapping.statement import Statement
from edx2lrs.transforms.records.parse import parse

ACTORS: dict[Protocol, dict[str, Any]] = {
    "xapi": {"actor": {"objectType": "Agent", "account": {"homePage": "https://lms.example.com", "name": "nobody"}}},
    "caliper": {"event": {"actor": {"id": "https://lms.example.com/user/nobody", "type": "Person"}}},
}
EXAMPLES = [path for package in packages() if package.is_built_in for path in examples_of(package)]
TABLE = "user_id,username,external_id_type,external_user_id,email\n" + "".join(
    f"{n},{name},{kind},{name}-id,{name}@example.com\n" for n, name in ((5, "ann"), (6, "bob")) for kind in ("XAPI", "CALIPER")
)


@pytest.fixture
def lms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lms:
    monkeypatch.setenv("ONE", "a key of the site that is long enough")
    monkeypatch.setenv("OTHER", "another key of the site")
    (tmp_path / "ids.csv").write_text(TABLE)
    return Lms(root_url="https://lms.example.com", external_ids=str(tmp_path / "ids.csv"), id_key="env:ONE")


def statements(lms: Lms, protocol: Protocol, dialect: Dialect, event: Event, *, replaced: bool = True) -> tuple[Statement, ...]:
    override_args = ACTORS[protocol] if replaced else {}
    one = Consumer(name="c", protocol=protocol, url="https://x", access="all", override_args=override_args, dialect=dialect)
    ((translator, _),) = CompiledConfig(Config(lms=lms, consumers=[one])).translators_for((0,))
    made = translator.translate(event)
    assert not isinstance(made, Refusal), made
    return made or ()


def without_ids(made: tuple[Statement, ...]) -> Any:
    """The statements without their own ids, which also stand where one refers to another."""
    text = b"\n".join(statement.body for statement in made)
    for statement in made:
        text = text.replace(statement.id.encode(), b"ID")
    return text


@pytest.mark.parametrize("dialect", ["standard", "erb"])
@pytest.mark.parametrize("protocol", ["xapi", "caliper"])
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_statements_of_two_persons_differ_in_their_ids_alone(path: Path, protocol: Protocol, dialect: Dialect, lms: Lms) -> None:
    event = parse(orjson.dumps(read_example(path).sources[0]))
    assert isinstance(event, Event)
    made = []
    for user_id, username, session in ((5, "ann", "session-of-ann"), (6, "bob", "session-of-bob"), (None, None, "session-of-eve")):
        event.user_id, event.username, event.session = user_id, username, session
        made.append(statements(lms, protocol, dialect, event))
        body = b"".join(statement.body for statement in made[-1])
        assert not any(word in body for word in (b"ann-id", b"bob-id", b"session-of", b"/sessions/"))
    assert without_ids(made[0]) == without_ids(made[1]) == without_ids(made[2])
    ids = [statement.id for each in made for statement in each]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("protocol", ["xapi", "caliper"])
def test_an_id_depends_on_the_key(protocol: Protocol, lms: Lms) -> None:
    source = {"name": "play_video", "time": "2023-05-23T13:53:13+00:00", "event": {"id": "v"}}
    event = parse(orjson.dumps({**source, "context": {"user_id": 5, "course_id": "a/b/c"}}))
    assert isinstance(event, Event)
    other = Lms(root_url=lms.root_url, external_ids=lms.external_ids, id_key="env:OTHER")
    without = Lms(root_url=lms.root_url, external_ids=lms.external_ids)
    ids = {statements(each, protocol, "erb", event)[0].id for each in (lms, other, without)}
    ids.add(statements(lms, protocol, "erb", event, replaced=False)[0].id)
    assert len(ids) == 4
    (again,) = statements(lms, protocol, "erb", event)
    assert again.id in ids


def test_an_address_cannot_be_found_by_trying(lms: Lms) -> None:
    event = parse(b'{"name": "play_video", "time": 0, "event": {"id": "v"}, "context": {"user_id": 5, "course_id": "a/b/c"}}')
    assert isinstance(event, Event)
    (made,) = statements(lms, "xapi", "erb", event)
    body = json.loads(made.body)
    guesses = (
        {"objectType": "Agent", "account": {"name": "ann-id", "homePage": "https://lms.example.com"}},
        {"objectType": "Agent", "mbox": "mailto:ann@example.com"},
        body["actor"],
    )
    verb = uuid.uuid5(uuid.NAMESPACE_DNS, json.dumps(body["verb"]))
    assert made.id not in {str(uuid.uuid5(verb, f"{json.dumps(guess)}-{event.time}")) for guess in guesses}
