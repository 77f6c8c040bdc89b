"""Who is seen as whom: external ids, HMAC ids, mailboxes, anonymous visitors."""

from __future__ import annotations

import hashlib
import hmac
import json
import uuid
from types import SimpleNamespace
from typing import Any

import pytest

from edx2lrs.io.external_ids_database import in_memory
from edx2lrs.io.tables import ExternalIdRow
from edx2lrs.transforms.config_types import ActorOptions
from edx2lrs.transforms.event import Event
from edx2lrs.transforms.failure import Refusal
from edx2lrs.transforms.library import translate_record
from edx2lrs.transforms.people.actor import Actor, mailbox_actor
from edx2lrs.transforms.people.anonymise import REMEMBERED, Actors, uuid8
from edx2lrs.transforms.people.external_ids import ExternalIds
from edx2lrs.transforms.translate import Translator

ROOT = "https://lms.example.com"
KEY = b"a key of the site"
ANN = "2b6bb4a1-2d2d-4dbf-9d0d-4b8d7ce4a111"


def table() -> ExternalIds:
    rows = [
        ExternalIdRow(5, "ann", "XAPI", ANN, "ann@example.com"),
        ExternalIdRow(5, "ann", "CALIPER", "ann-caliper", None),
        ExternalIdRow(6, "2023", "XAPI", "numeric-name", None),
        ExternalIdRow(2023, "eve", "XAPI", "eve-id", "no address"),
        ExternalIdRow(None, "bob", "XAPI", "bob-id", "mailto:bob@example.com"),
    ]
    return in_memory(enumerate(rows))


def actors(kind: str = "external_id", unknown: str = "dead_letter", id_type: str = "XAPI", key: bytes | None = KEY) -> Actors:
    return Actors(ActorOptions(kind, id_type, unknown), ROOT, table(), key)  # type: ignore[arg-type]


def event(user_id: Any = None, username: Any = None, session: Any = None) -> Event:
    return SimpleNamespace(user_id=user_id, username=username, session=session)  # type: ignore[return-value]


def name_of(found: Actor | Refusal) -> str:
    return found.anonymous_id if isinstance(found, Actor) else found.cause


def by_hmac(text: str, key: bytes = KEY) -> str:
    """The id as the documentation states it: 16 bytes of HMAC-SHA256 with version 8 and variant of RFC 9562."""
    data = bytearray(hmac.new(key, text.encode(), hashlib.sha256).digest()[:16])
    data[6] = data[6] & 0x0F | 0x80
    data[8] = data[8] & 0x3F | 0x80
    return str(uuid.UUID(bytes=bytes(data)))


def test_an_account_on_the_site_with_the_text_that_ids_are_made_of() -> None:
    found = actors()(event(user_id=5, username="ann"))
    assert isinstance(found, Actor)
    assert json.loads(found.xapi) == {"objectType": "Agent", "account": {"homePage": ROOT, "name": ANN}}
    assert found.hash_text == f'{{"objectType": "Agent", "account": {{"name": "{ANN}", "homePage": "{ROOT}"}}}}'
    assert found.anonymous_id == ANN


WHO = {
    "by id": (event(5), ANN),
    "id before name": (event(5, "bob"), ANN),
    "by name": (event(None, "ann"), ANN),
    "a name of digits is no id": (event(None, "2023"), "numeric-name"),
    "an id is no name": (event(2023), "eve-id"),
    "known by name only": (event(77, "bob"), "bob-id"),
    "unknown id with the name of another": (event(77, "ann"), "unknown_user"),
    "unknown id": (event(77), "unknown_user"),
    "unknown name": (event(None, "ANN"), "unknown_user"),
    "negative": (event(-5), "unknown_user"),
    "nobody at all": (event(), "no_actor"),
    "empty everything": (event(0, "", ""), "no_actor"),
    "anonymous visitor": (event(None, None, "s1"), by_hmac("XAPI:session:s1")),
    "0 as user of a session": (event(0, "", "s1"), by_hmac("XAPI:session:s1")),
}  # fmt: skip


@pytest.mark.parametrize(("someone", "expected"), WHO.values(), ids=WHO.keys())
def test_who_is_meant(someone: Event, expected: str) -> None:
    find = actors()
    assert [name_of(find(someone)) for _ in range(2)] == [expected, expected]


def test_equal_values_of_other_types_are_not_mixed_up_by_the_memory() -> None:
    find = actors("hmac")
    names = [name_of(find(event(None, None, session))) for session in ("1", 1, 1.0)]
    assert names == [by_hmac("XAPI:session:1"), by_hmac("XAPI:session:1"), by_hmac("XAPI:session:1.0")]


def test_the_type_of_id_is_the_one_asked_for() -> None:
    assert name_of(actors(id_type="CALIPER")(event(5))) == "ann-caliper"
    assert name_of(actors(id_type="CALIPER")(event(6))) == "unknown_user"
    assert name_of(actors(id_type="LTI")(event(5))) == "unknown_user"


HASHED = {
    "id": (event(5, "ann"), "XAPI:id:5"),
    "name": (event(None, "bob"), "XAPI:name:bob"),
    "name of digits": (event(None, "5"), "XAPI:name:5"),
    "other scripts": (event(None, "Zoë"), "XAPI:name:Zoë"),
    "session": (event(None, None, "abc"), "XAPI:session:abc"),
}


@pytest.mark.parametrize(("someone", "text"), HASHED.values(), ids=HASHED.keys())
def test_hmac_ids(someone: Event, text: str) -> None:
    assert name_of(actors("hmac")(someone)) == by_hmac(text)
    assert name_of(actors("hmac", id_type="CALIPER")(someone)) == by_hmac(text.replace("XAPI", "CALIPER"))
    assert name_of(actors("hmac", key=b"other")(someone)) == by_hmac(text, b"other")


def test_uuid8_has_version_and_variant() -> None:
    assert str(uuid8(bytes(16))) == "00000000-0000-8000-8000-000000000000"
    assert str(uuid8(b"\xff" * 16)) == "ffffffff-ffff-8fff-bfff-ffffffffffff"


def test_unknown_users_by_hmac_if_the_configuration_says_so() -> None:
    find = actors(unknown="hmac")
    assert name_of(find(event(5))) == ANN
    assert name_of(find(event(77))) == by_hmac("XAPI:id:77")
    assert name_of(actors("mbox", unknown="hmac")(event(77))) == by_hmac("XAPI:id:77")


def test_mbox() -> None:
    found = actors("mbox")(event(5))
    assert isinstance(found, Actor)
    assert json.loads(found.xapi) == {"objectType": "Agent", "mbox": "mailto:ann@example.com"}
    assert found.hash_text == '{"objectType": "Agent", "mbox": "mailto:ann@example.com"}'


def test_the_sha1_is_of_the_mailto_iri() -> None:
    found = actors("mbox_sha1sum")(event(None, "bob"))
    assert isinstance(found, Actor)
    assert json.loads(found.xapi) == {"objectType": "Agent", "mbox_sha1sum": hashlib.sha1(b"mailto:bob@example.com").hexdigest()}
    assert json.loads(found.hash_text) == json.loads(found.xapi)


def test_the_sha1_may_be_of_the_bare_address() -> None:
    find = Actors(ActorOptions("mbox_sha1sum", "XAPI", "dead_letter", sha1_of="address"), ROOT, table(), KEY)
    assert [find(event(5)), find(event(None, "bob"))] == [
        mailbox_actor("mbox_sha1sum", hashlib.sha1(address).hexdigest()) for address in (b"ann@example.com", b"bob@example.com")
    ]


@pytest.mark.parametrize("someone", [event(6), event(77), event(2023)], ids=["no address", "unknown", "no valid address"])
def test_without_an_address_there_is_no_mailbox(someone: Event) -> None:
    assert name_of(actors("mbox")(someone)) == "no_email"


def test_anonymous_visitors_are_told_apart_and_never_by_mailbox() -> None:
    find = actors("mbox")
    names = {name_of(find(event(None, None, session))) for session in ("s1", "s2", "s1")}
    assert names == {by_hmac("XAPI:session:s1"), by_hmac("XAPI:session:s2")}


def test_without_a_key_an_anonymous_visitor_is_refused_and_told_why() -> None:
    found = actors(key=None)(event(None, None, "s1"))
    assert isinstance(found, Refusal)
    assert (found.stage, found.cause) == ("translate", "no_actor")
    assert "lms.id_key" in found.message


def test_refusals_hold_no_values() -> None:
    for kind in ("external_id", "mbox"):
        found = actors(kind)(event(987654, "secret-name", "secret-session"))
        assert isinstance(found, Refusal)
        assert not any(value in found.message for value in ("987654", "secret"))


@pytest.mark.parametrize(("kind", "unknown", "words"), [("hmac", "dead_letter", "id_key"), ("external_id", "hmac", "id_key")])
def test_hmac_without_a_key_is_refused_at_once(kind: str, unknown: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        actors(kind, unknown, key=None)


def test_external_ids_without_a_table_are_refused_at_once() -> None:
    with pytest.raises(ValueError, match="external_ids"):
        Actors(ActorOptions("external_id", "XAPI", "dead_letter"), ROOT, None, KEY)


def test_a_person_is_made_once_and_the_memory_is_bounded() -> None:
    find = actors("hmac")
    first = find(event(1))
    assert find(event(1)) is first
    for user_id in range(2, REMEMBERED + 2):
        find(event(user_id))
    assert find(event(1)) is not first
    assert find(event(1)) == first


def test_a_key_of_ones_own_stands_for_sessions_too() -> None:
    own = Actors(ActorOptions("hmac", "XAPI", "dead_letter", key="env:OWN"), ROOT, None, b"own")
    assert own.session_of is not None
    assert own.session_of("s1") == by_hmac("XAPI:session-id:s1", b"own")
    assert actors("hmac").session_of is None
    translator = Translator("xapi", ROOT, own, {}.get, session_of=own.session_of)
    line = b'{"name": "play_video", "time": 0, "session": "s1", "event": {"id": "v"}, "context": {"user_id": 5, "course_id": "a/b/c"}}'
    made = translate_record(line, translator)
    assert isinstance(made, tuple)
    assert b"s1" not in made[0].body
    assert by_hmac("XAPI:session-id:s1", b"own").encode() in made[0].body
