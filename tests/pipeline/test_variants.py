"""Which consumers share their statements, and what persons are made from in a worker."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from edx2lrs.io.secrets import SecretError
from edx2lrs.io.tables import TableError
from edx2lrs.pipeline.identities import identities
from edx2lrs.pipeline.variants import variants
from edx2lrs.transforms.config_types import ActorChoice, ActorOptions, Config, Consumer, Lms, TranslationOptions
from edx2lrs.transforms.event import Event
from edx2lrs.transforms.people.actor import Actor as Person

SITE = Lms(root_url="https://lms.example.com", id_key="env:SITE_KEY")
SITE_WITH_TABLE = Lms(root_url="https://lms.example.com", external_ids="ids.csv", id_key="env:SITE_KEY")


def consumer(protocol: str = "xapi", actor: ActorChoice = ActorChoice(), **options: Any) -> Consumer:  # noqa: B008 -- immutable
    return Consumer(name="c", protocol=protocol, url="https://x", access="all", actor=actor, **options)  # type: ignore[arg-type]


def test_defaults_are_external_ids_of_the_protocols_type_where_there_is_a_table() -> None:
    made = variants(Config(lms=SITE_WITH_TABLE, consumers=[consumer(), consumer("caliper")]))
    assert made == [
        ("xapi", ActorOptions("external_id", "XAPI", "dead_letter"), TranslationOptions(), (0,)),
        ("caliper", ActorOptions("external_id", "CALIPER", "dead_letter"), TranslationOptions(), (1,)),
    ]


def test_defaults_are_hmac_ids_where_there_is_none() -> None:
    made = variants(Config(lms=SITE, consumers=[consumer()]))
    assert made == [("xapi", ActorOptions("hmac", "XAPI", "dead_letter"), TranslationOptions(), (0,))]


def test_consumers_with_the_same_options_share_a_variant() -> None:
    mbox = ActorChoice(id="mbox")
    consumers = [consumer(), consumer("caliper"), consumer(actor=mbox), consumer(actor=ActorChoice(type="XAPI")), consumer(actor=mbox)]
    made = variants(Config(lms=SITE_WITH_TABLE, consumers=consumers))
    assert [variant.consumers for variant in made] == [(0, 3), (1,), (2, 4)]


def test_consumers_with_another_redaction_are_other_variants() -> None:
    orders = ([], ["title", "response"], ["response", "title"], ["title"])
    consumers = [consumer(redact=redact) for redact in orders]
    made = variants(Config(lms=SITE, consumers=consumers))
    assert [(variant.options.redact, variant.consumers) for variant in made] == [
        ([], (0,)),
        (["response", "title"], (1, 2)),
        (["title"], (3,)),
    ]


def test_consumers_with_other_overrides_are_other_variants() -> None:
    overrides: list[dict[str, Any]] = [{"result": {"completion": True}}, {}, {"result": {"completion": True}}]
    made = variants(Config(lms=SITE, consumers=[msgspec.structs.replace(consumer(), override_args=each) for each in overrides]))
    assert [variant.consumers for variant in made] == [(0, 2), (1,)]


def test_overrides_of_the_envelope_make_no_other_variant() -> None:
    overrides: list[dict[str, Any]] = [{"envelope": {"sensor": "https://x"}}, {}, {"event": {"edApp": "https://x"}}]
    consumers = [msgspec.structs.replace(consumer("caliper"), override_args=each) for each in overrides]
    made = variants(Config(lms=SITE, consumers=consumers))
    assert [(variant.consumers, variant.options.override_args) for variant in made] == [((0, 1), {}), ((2,), {"edApp": "https://x"})]


def test_consumers_with_keys_of_their_own_are_variants_of_their_own() -> None:
    keys = ["env:A", None, "env:B", "env:A", "env:SITE_KEY"]
    made = variants(Config(lms=SITE, consumers=[consumer(actor=ActorChoice(key=key)) for key in keys]))
    assert [(variant.actor.key, variant.consumers) for variant in made] == [("env:A", (0, 3)), (None, (1, 4)), ("env:B", (2,))]


def test_another_hash_of_the_address_is_another_variant() -> None:
    both = [ActorChoice(id="mbox_sha1sum"), ActorChoice(id="mbox_sha1sum", sha1_of="address")]
    made = variants(Config(lms=SITE_WITH_TABLE, consumers=[consumer(actor=actor) for actor in both]))
    assert [(variant.actor.sha1_of, variant.consumers) for variant in made] == [("mailto", (0,)), ("address", (1,))]


def test_what_cannot_differ_makes_no_variants() -> None:
    consumers = [consumer(actor=ActorChoice(unknown="hmac")), consumer(actor=ActorChoice(id="hmac"))]
    assert [variant.consumers for variant in variants(Config(lms=SITE, consumers=consumers))] == [(0, 1)]


def test_each_variant_names_people_its_own_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SITE_KEY", "a key")
    ids, courses = tmp_path / "ids.csv", tmp_path / "courses.csv"
    ids.write_text("user_id,username,external_id_type,external_user_id,email\n5,ann,XAPI,ann-x,a@b\n5,ann,CALIPER,ann-c,\n")
    courses.write_text("course_id,display_name\nc1,Algebra\n")
    lms = Lms(root_url="https://l", external_ids=str(ids), course_names=str(courses), id_key="env:SITE_KEY")
    consumers = [consumer(), consumer("caliper"), consumer(actor=ActorChoice(id="mbox"))]
    known = identities(lms, [variant.actor for variant in variants(Config(lms=lms, consumers=consumers))])
    people = [find(Event("x", user_id=5)) for find in known.actors]
    assert [person.anonymous_id for person in people if isinstance(person, Person)] == ["ann-x", "ann-c", ""]
    assert isinstance(people[2], Person)
    assert json.loads(people[2].xapi)["mbox"] == "mailto:a@b"
    assert (known.course_name("c1"), known.course_name("c2")) == ("Algebra", None)


def test_a_site_without_course_names_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SITE_KEY", "a key")
    assert identities(SITE, []).course_name("c1") is None


def test_what_is_missing_in_a_worker_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SITE_KEY", raising=False)
    with pytest.raises(SecretError, match="SITE_KEY is not set"):
        identities(SITE, [ActorOptions("hmac", "XAPI", "dead_letter")])
    monkeypatch.setenv("SITE_KEY", "a key")
    with pytest.raises(TableError, match=r"ids\.csv: cannot be read"):
        identities(SITE_WITH_TABLE, [ActorOptions("external_id", "XAPI", "dead_letter")])


def test_another_format_of_responses_is_another_variant_in_xapi_alone() -> None:
    formats = [consumer(protocol, response_format=form) for protocol in ("xapi", "caliper") for form in ("erb", "standard")]
    made = variants(Config(lms=SITE, consumers=formats))
    said = [(variant.options.response_format, variant.consumers) for variant in made]
    assert said == [("erb", (0,)), ("standard", (1,)), ("erb", (2, 3))]
