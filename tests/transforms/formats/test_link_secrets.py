"""Secrets never stay in an address; with ``redact: [url]`` nothing but the page does."""

from __future__ import annotations

import json

import pytest

from edx2lrs.pipeline.reference.examples_site import translator_of_examples
from edx2lrs.transforms.config_types import Protocol
from edx2lrs.transforms.event import Event
from edx2lrs.transforms.families.mappings import PROTOCOLS
from edx2lrs.transforms.formats.link_secrets import without_secrets
from edx2lrs.transforms.records.parse import parse

LINKS = {
    "https://ann:PASSWORD@host.example/a": ("https://host.example/a", "https://host.example/a"),
    "https://ann@host.example:8443/a?b=c#d": ("https://host.example:8443/a?b=c#d", "https://host.example:8443/a"),
    "//ann:PASSWORD@host.example/a": ("//host.example/a", "//host.example/a"),
    "https://lms/password_reset_confirm/abc-TOKEN/?x=1": ("https://lms/password_reset_confirm/?x=1", "https://lms/password_reset_confirm/"),
    "https://apps.lms/authn/password_reset_confirm/TOKEN": ("https://apps.lms/authn/password_reset_confirm/",) * 2,
    "https://lms/activate/TOKEN": ("https://lms/activate/",) * 2,
    "https://lms/notification_prefs/unsubscribe/TOKEN/": ("https://lms/notification_prefs/unsubscribe/",) * 2,
    "https://lms/a?access_token=T&b=1&sessionid=T": ("https://lms/a?b=1", "https://lms/a"),
    "https://lms/a?Password=T#id_token=T&c": ("https://lms/a#c", "https://lms/a"),
    "https://lms/a?page=2#part": ("https://lms/a?page=2#part", "https://lms/a"),
    "https://lms/activate_course/x": ("https://lms/activate_course/x",) * 2,
    "https://lms/a?": ("https://lms/a?",) * 2,
    "mailto:ann@host.example": ("mailto:ann@host.example",) * 2,
    "https://[broken": ("https://[broken",) * 2,
    "javascript:void(0)": ("javascript:void(0)",) * 2,
}


@pytest.mark.parametrize(("url", "kept", "plain"), [(url, *kept) for url, kept in LINKS.items()])
def test_an_address_without_secrets(url: str, kept: str, plain: str) -> None:
    assert without_secrets(url, False) == kept
    assert without_secrets(url, True) == plain


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    ("target", "page", "redact", "shown"),
    [
        ("https://ann:PASSWORD@host.example/x?token=TOKEN&a=b", "", [], "https://host.example/x?a=b"),
        ("https://host.example/x?a=b", "", ["url"], "https://host.example/x"),
        ("#answers", "https://lms.example.com/page?sessionid=TOKEN", [], "https://lms.example.com/page#answers"),
        ("#answers", "https://lms.example.com/page?q=1", ["url"], "https://lms.example.com/page"),
        ("/activate/TOKEN", "", [], "https://lms.example.com/activate/"),
    ],
)
def test_a_link_in_a_statement(protocol: Protocol, target: str, page: str, redact: list[str], shown: str) -> None:
    data = {"target_url": target, "current_url": page}
    record = {"name": "edx.ui.lms.link_clicked", "event_source": "browser", "time": "2026-01-01T00:00:00Z", "event": data}
    context = {"user_id": 5, "course_id": "course-v1:edX+DemoX+2020"}
    event = parse(json.dumps({**record, "context": context}).encode())
    assert isinstance(event, Event)
    made = translator_of_examples(protocol, redact=redact).translate(event)
    assert isinstance(made, tuple)
    assert json.loads(made[0].body)["object"]["id"] == shown
