"""The formats of texts, on both sides."""

from __future__ import annotations

import pytest

from edx2lrs.transforms.formats import texts as formats

GOOD: dict[str, list[str]] = {
    "is_iri": [
        *("http://x.org", "https://x.org:8080/a/b?c=d&e=/?#f", "urn:uuid:5", "tag:a,2024:b", "mailto:a@b", "http://[::1]/a"),
        *("https://x.org/é/%C3%A9", "https://a:b@x.org/", "x-y.z+1:a", "http://x.org/block-v1:edX+DemoX+2020+type@a", "a:/b"),
        *("http://[v1.a]/", "https://x.org/(a)!*';,", "http://中文.org/人?\ue000", "file:///etc"),
    ],
    "is_mailto": ["mailto:a@b", "mailto:a.b+c@x-y.example.org", "mailto:ü@exämple.org", "mailto:a%20b@c.org", "mailto:o'n@x.org"],
    "is_language": [
        *("en", "de-CH-1996", "zh-Hant-TW", "es-419", "x-private", "i-klingon", "en-US-x-a", "sl-rozaj-biske", "yue", "EN-us"),
        *("zh-cmn-Hans-CN", "de-a-value", "zh-min-nan", "und"),
    ],
    "is_duration": ["P1Y", "PT0S", "P1Y2M3DT4H5M6S", "P2W", "P0.5W", "PT1.5H", "PT1,5S", "P1M", "PT1M", "P1DT1S", "P0D"],
    "is_timestamp": [
        *(
            "2024-03-11T06:00:00Z",
            "2024-02-29T00:00:00.123456789+05:30",
            "2024-03-11T23:59:60-00:30",
            "0001-01-01T00:00:00+00:00",
        ),
    ],
    "is_instant": ["2024-03-11T06:00:00.123Z"],
    "is_uuid": ["12eedb5d-ab0e-5845-a05f-a1f1b2f7b753", "12EEDB5D-AB0E-5845-A05F-A1F1B2F7B753"],
    "is_media_type": ["text/plain", "application/vnd.a+json; charset=utf-8", 'text/plain;a="b c"', "font/woff"],
    "is_blank_node": ["_:a"],
}
BAD: dict[str, list[str]] = {
    "is_iri": [
        *(
            "",
            "x.org",
            "//x.org",
            "/a",
            "http:",
            "1a:b",
            "http://x.org/a b",
            "http://x.org/<a>",
            'http://x.org/"',
            "http://x.org/{a}",
        ),
        *(
            "http://x.org/a|b",
            "http://x.org/%zz",
            "http://x.org/%",
            "http://x.org/a#b#c",
            "http://x.org/[a]",
            "http://x.org/a?b[]=c",
        ),
        *("http://x.org/a\n", "http://x.org/\x7f", "http://x.org/\ud800", "http://x.org/\ue000", "http://x:y/", " http://x.org"),
        *("http://[bad]/x", "http://[1.2.3.4]/", "http://[::1", "http://[v1]/"),
    ],
    "is_mailto": [
        *("a@b", "mailto:", "mailto:a", "mailto:@b", "mailto:a@", "mailto:a b@c", "mailto:a@b@c", "mailto:.a@b", "mailto:a.@b"),
        *("mailto:a..b@c", "mailto:a@b..c", "mailto:a@-b", "MAILTO:a@b", "mailto:a@b?subject=c", "mailto:a@b\n"),
    ],
    "is_language": [
        "",
        "e",
        "en_US",
        "en-",
        "-en",
        "123",
        "abcdefghi",
        "en-a",
        "x-",
        "en-US-US",
        "en-verylongword",
        "en\n",
        "éé",
    ],
    "is_duration": [
        *("", "P", "PT", "P1", "1Y", "P1YT", "P1W1D", "P1D1W", "PT1M1H", "P1.5Y2M", "-P1D", "P-1D", "p1d", "PT1S ", "P16559.14S"),
        *("P0003-06-04T12:30:05", "PT\u0661S", "PT1.S"),
    ],
    "is_timestamp": [
        *("2024-03-11T06:00:00", "2024-03-11", "2024-03-11T06:00Z", "2024-03-11T06Z", "2024-03-11T06:00:00+0530"),
        *("2024-03-11T06:00:00+05", "20240311T060000Z", "2024-03-11T06:00:00-00:00", "2024-02-30T06:00:00Z"),
        *("2024-03-11T24:00:00Z", "2024-03-11t06:00:00z", "2024-03-11 06:00:00Z", "2024-W10-1T06:00:00Z", "2024-13-01T06:00:00Z"),
        *(
            "2024-03-11T06:00:00,5Z",
            "2024-03-11T06:00:00.Z",
            "2024-03-11T06:60:00Z",
            "2024-03-11T06:00:00+24:00",
            "\u0662024-03-11T06:00:00Z",
        ),
        "2024-03-11T06:00:00Z\n",
    ],
    "is_instant": ["2024-03-11T06:00:00Z", "2024-03-11T06:00:00.12Z", "2024-03-11T06:00:00.1234Z", "2023-02-29T06:00:00.123Z"],
    "is_uuid": [
        "{12eedb5d-ab0e-5845-a05f-a1f1b2f7b753}",
        "12eedb5dab0e5845a05fa1f1b2f7b753",
        "12eedb5d-ab0e-5845-a05f-a1f1b2f7b75g",
    ],
    "is_media_type": ["text", "text/", "/plain", "text/plain;", "text plain/x"],
    "is_blank_node": ["_:", "a", "_: a"],
}


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in GOOD.items() for text in texts])
def test_has_the_format(name: str, text: str) -> None:
    assert getattr(formats, name)(text)


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in BAD.items() for text in texts])
def test_has_not_the_format(name: str, text: str) -> None:
    assert not getattr(formats, name)(text)


@pytest.mark.parametrize("name", sorted(GOOD))
def test_a_long_text_takes_no_longer_than_its_length(name: str) -> None:
    """Every format's beginning, 200,000 times, with an end that does not fit: what takes the square of it would not come back."""
    for text in GOOD[name]:
        for piece in (text[-1], text[-2:], text):
            assert not getattr(formats, name)(text + piece * 200_000 + "\n")
