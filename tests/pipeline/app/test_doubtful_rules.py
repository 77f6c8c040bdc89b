"""What a configuration may say, and probably does not mean."""

from __future__ import annotations

from typing import Any

import pytest

from edx2lrs.pipeline.app.doubtful_rules import doubtful_rules, short_keys
from edx2lrs.transforms.config_types import Access, AccessRule, ActorChoice, Events
from testkit.configurations import config_of, consumer_of

COURSE = "course-v1:MITx+6.00x+2026"


def access(**rules: Any) -> dict[str, Any]:
    return {"access": Access(**{name: AccessRule(**rule) for name, rule in rules.items()})}


def wants(**wishes: Any) -> dict[str, Any]:
    return {"match_params": {path.replace("__", "."): wish for path, wish in wishes.items()}}


FINE = {
    "everything": {},
    "a known event": wants(name=["problem_check", "/_video$/"]),
    "another field": wants(username="/nobody here/", referer="/x/"),
    "a course": access(courses={"allow": [COURSE, "MITx/6.00x/2012", "/MITx/"]}),
    "a wish for a course": wants(context__course_id=[COURSE, {"not": "/x/"}]),
    "an org, a site": access(orgs={"allow": ["MITx"]}, sites={"block": ["lms.example.com:8000"]}),
    "an enterprise": access(enterprises={"allow": ["0f8a6b2e-3a5c-4b8e-9a55-0c6a0d6f1e10"]}),
    "any value": wants(name={"exists": True}),
}


@pytest.mark.parametrize("options", FINE.values(), ids=FINE)
def test_what_may_be_meant(options: dict[str, Any]) -> None:
    assert list(doubtful_rules(config_of(consumer_of(**options)))) == []


DOUBTFUL = {
    "a misspelt event": (wants(name="problem_chek"), "has problem_chek, an event that no mapping has; did you mean problem_check?"),
    "an event in another case": (wants(name=["Problem_Check"]), "did you mean problem_check?"),
    "an event that nobody knows": (wants(name="what.is.this"), "`edx2lrs events` prints those that have one"),
    "an event that is not wanted": (wants(name={"not": ["problem_chek"]}), "did you mean problem_check?"),
    "an expression without an event": (wants(name="/^vidoe/"), "fits the name of no event"),
    "an event without a mapping": (wants(name="edx.video.language_menu.shown"), "an event that has no xapi mapping"),
    "nothing is let in": (access(orgs={"allow": []}), "access.orgs.allow of campus is an empty list: the consumer sees nothing"),
    "half an expression": (wants(referer="/forum"), "has /forum, which is an exact text"),
    "another half of one": (access(orgs={"allow": ["^MIT/"]}), "has ^MIT/, which is an exact text"),
    "no course key": (access(courses={"allow": ["MITx"]}), "has MITx, which is no course key"),
    "a wish for no course key": (wants(context__course_id="6.00x"), "has 6.00x, which is no course key"),
    "a course as an organisation": (access(orgs={"block": [COURSE]}), "which is no organisation"),
    "an address as a site": (access(sites={"allow": ["https://lms.example.com"]}), "which is no host"),
    "no enterprise": (access(enterprises={"allow": ["Acme"]}), "which is no UUID"),
    "names alike": (access(orgs={"allow": ["MITx", "mitx"]}), "has MITx and mitx, which differ by case alone"),
}


@pytest.mark.parametrize(("options", "words"), DOUBTFUL.values(), ids=DOUBTFUL)
def test_what_is_probably_not_meant_is_one_line(options: dict[str, Any], words: str) -> None:
    (said,) = doubtful_rules(config_of(consumer_of(**options)))
    assert words in said
    assert "campus" in said


def test_events_of_the_file_are_looked_at_too() -> None:
    said = list(doubtful_rules(config_of(events=Events(allow=[], block=["pause_vidoe", "/^edx"]))))
    assert [line.split(",")[0].split(" is ")[0] for line in said] == [
        "events.allow",
        "events.block has pause_vidoe",
        "events.block has /^edx",
    ]


def test_a_key_that_can_be_guessed_is_told_and_never_shown() -> None:
    config = config_of(consumer_of(actor=ActorChoice(id="hmac", key="env:OWN")), lms={"id_key": "env:KEY"})
    secrets = {"env:KEY": "0123456789abcde", "env:OWN": "0123456789abcdef"}
    (said,) = short_keys(config, secrets.__getitem__)
    assert said.startswith("lms.id_key has fewer than 16 bytes")
    assert "0123" not in said
    secrets["env:OWN"] = "short"
    assert [line.split(" has ")[0] for line in short_keys(config, secrets.__getitem__)] == ["lms.id_key", "actor.key of campus"]
