"""Terms: what decides who gets a statement and what stands in it makes other terms; how it is sent does not."""

from __future__ import annotations

import pytest

from edx2lrs.io.state.terms import changed_terms
from edx2lrs.pipeline.terms import terms_of
from edx2lrs.transforms.auth import BearerAuth
from edx2lrs.transforms.config_types import Access, AccessRule, ActorChoice, BatchOptions, Events, Retry
from testkit.configurations import config_of, consumer_of

SAME = terms_of(config_of(consumer_of()))["campus"]
OTHER = [
    ({"access": Access(orgs=AccessRule(allow=["A"]))}, "access"),
    ({"match_params": {"name": "play_video"}}, "match_params"),
    ({"redact": ["title"]}, "redact"),
    ({"override_args": {"version": "1.0.0"}}, "override_args"),
    ({"response_format": "standard"}, "response_format"),
    ({"actor": ActorChoice(type="LTI")}, "actor"),
    ({"actor": ActorChoice(key="env:OWN")}, "actor"),
    ({"url": "http://elsewhere"}, "url"),
]


@pytest.mark.parametrize(("options", "key"), OTHER)
def test_what_decides_makes_other_terms(options, key):
    assert changed_terms(SAME, terms_of(config_of(consumer_of(**options)))["campus"]) == (key,)


@pytest.mark.parametrize(
    "options", [{"auth": BearerAuth(token="env:X")}, {"batch": BatchOptions(size=1)}, {"retry": Retry(max_attempts=1)}, {"gzip": True}]
)
def test_how_it_is_sent_makes_the_same(options):
    assert terms_of(config_of(consumer_of(**options)))["campus"] == SAME


def test_events_and_the_site_are_terms_too():
    assert changed_terms(SAME, terms_of(config_of(events=Events(block=["x"])))["campus"]) == ("events",)
    assert changed_terms(SAME, terms_of(config_of(lms={"root_url": "https://other.example"}))["campus"]) == ("lms",)


def test_they_hold_no_value():
    assert "OrgA" not in terms_of(config_of(consumer_of(access=Access(orgs=AccessRule(allow=["OrgA"])))))["campus"]
