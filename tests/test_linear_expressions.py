"""Every regular expression that sees a text of a record takes a time that is linear in the length of the text.

The expressions are found in the source; a new expression has to be put into one of the two tables."""

from __future__ import annotations

import ast
import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from edx2lrs.io.sources import columns, forms
from edx2lrs.io.sources.unfinished import is_unfinished
from edx2lrs.transforms.failure import Refusal
from edx2lrs.transforms.families.navigation.shared import target_iri
from edx2lrs.transforms.families.problem.response_format import numeric
from edx2lrs.transforms.formats import texts
from edx2lrs.transforms.formats.iri import escaped, escaped_url
from edx2lrs.transforms.formats.link_secrets import without_secrets
from edx2lrs.transforms.formats.times import canonical_time
from edx2lrs.transforms.keys import links
from edx2lrs.transforms.keys.course_key import normal_course_key, org_of
from edx2lrs.transforms.keys.problem_inputs import named_in_inputs, named_in_referrer
from edx2lrs.transforms.keys.usage_key import key_of_block, normal_usage_key, shown_by_block, usage_key
from edx2lrs.transforms.mapping.caliper_event import session
from edx2lrs.transforms.mapping.guard import Invalid
from edx2lrs.transforms.mapping.rows import Unmappable
from edx2lrs.transforms.matching import filter as filter_module
from edx2lrs.transforms.people import person_ids
from edx2lrs.transforms.people.actor import account_actor
from edx2lrs.transforms.records import fragments
from edx2lrs.transforms.records.line_events import events_of_line
from edx2lrs.transforms.records.log_line import lenient_object
from edx2lrs.transforms.records.old_records import time_of_log
from edx2lrs.transforms.validation import violations, xapi

ROOT = Path(__file__).parents[1]
FUNCTIONS = {"compile", "match", "fullmatch", "search", "sub", "subn", "split", "findall", "finditer"}
COURSE = "course-v1:O+C+R"
CSV = [columns._Csv(",", quote) for quote in ('""', '\\"')]
NO_TIME = Refusal("parse", "bad_time", "")

# The file, and the name that the expression is assigned to or the function that holds it: what reads texts with the expression.
SEE_RECORDS: dict[str, list[Callable[[str], Any]]] = {
    "transforms/families/navigation/shared.py _has_scheme": [lambda text: target_iri("https://x", False, text, None)],
    "transforms/families/problem/response_format.py _is_number": [lambda text: numeric(text, None)],
    "transforms/formats/link_secrets.py _TOKEN_FOLLOWS": [lambda text: without_secrets(f"/{text}", False)],
    "transforms/formats/link_secrets.py _is_secret": [lambda text: without_secrets(f"/?{text}", False)],
    "transforms/formats/iri.py _PARTS": [escaped_url],
    "transforms/formats/iri.py _NOT_IN_A_PATH": [escaped],
    "transforms/formats/texts.py _iri": [texts.is_iri],
    "transforms/formats/texts.py is_mailto": [texts.is_mailto],
    "transforms/formats/texts.py is_language": [texts.is_language],
    "transforms/formats/texts.py _duration": [texts.is_duration],
    "transforms/formats/texts.py _last_fraction": [texts.is_duration],
    "transforms/formats/texts.py is_uuid": [texts.is_uuid],
    "transforms/formats/texts.py is_uuid_of_rfc_4122": [texts.is_uuid_of_rfc_4122],
    "transforms/formats/texts.py is_urn_uuid": [texts.is_urn_uuid],
    "transforms/formats/texts.py is_blank_node": [texts.is_blank_node],
    "transforms/formats/texts.py is_sha1": [texts.is_sha1],
    "transforms/formats/texts.py is_sha2": [texts.is_sha2],
    "transforms/formats/texts.py is_media_type": [texts.is_media_type],
    "transforms/formats/texts.py _timestamp": [texts.is_timestamp],
    "transforms/formats/texts.py _instant": [texts.is_instant],
    "transforms/formats/times.py _is_usual": [canonical_time],
    "transforms/formats/times.py _HOUR_24": [canonical_time],
    "transforms/keys/course_key.py _COURSE_KEY": [normal_course_key],
    "transforms/keys/course_key.py _ORG": [org_of],
    "transforms/keys/links.py _KEY": [lambda text: list(links.keys_in(text)), lambda text: links.shown_by_link(text, COURSE)],
    "transforms/keys/links.py _OLD_COURSE": [lambda text: links.shown_by_link(text, "O/C/R")],
    "transforms/keys/links.py _may_hold_keys": [lambda text: links.shown_by_link(text, None)],
    "transforms/keys/links.py _SLASHES": [links.course_in],
    "transforms/keys/problem_inputs.py _ACTIVATE_BLOCK": [lambda text: named_in_referrer(text, "problem"), named_in_inputs],
    "transforms/keys/usage_key.py _USAGE_KEY": [usage_key, lambda text: shown_by_block(text, COURSE)],
    "transforms/keys/usage_key.py _STATE": [normal_usage_key],
    "transforms/keys/usage_key.py _NO_WORD": [lambda text: key_of_block("O/C/R", "video", text)],
    "transforms/keys/usage_key.py _is_name": [lambda text: shown_by_block(text, None)],
    "transforms/keys/usage_key.py _org_and_number": [lambda text: shown_by_block(text, COURSE)],
    "transforms/mapping/caliper_event.py _is_plain": [lambda text: session("https://x", text)],
    "transforms/people/person_ids.py _has_number_form": [person_ids._has_number_form],
    "transforms/people/person_ids.py _whole_number": [person_ids._whole_number],
    "transforms/people/person_ids.py _has_name_form": [person_ids._has_name_form],
    "transforms/people/actor.py _is_plain": [lambda text: account_actor("https://x", text)],
    "transforms/validation/violations.py _plain": [lambda text: violations.path_text((text,))],
    "transforms/validation/violations.py _word": [lambda text: violations.wrong_word(text, "", "")],
    "transforms/validation/xapi.py version": [xapi.version],
    "transforms/validation/xapi.py _too_precise": [xapi._too_precise],
    "transforms/validation/xapi.py _ORDER_MATTERS": [xapi._are_steps],
    "transforms/validation/xapi.py _PATTERN_OF": [found for found, _ in xapi._PATTERN_OF.values()],
}
SEE_LINES: dict[str, list[Callable[[str], Any]]] = {
    "transforms/records/line_events.py _structured": [lambda text: events_of_line(text.encode())],
    "transforms/records/line_events.py _STRUCTURED_OR_OBJECT": [lambda text: events_of_line(text.encode())],
    "transforms/records/line_events.py _MORE": [lambda text: events_of_line(text.encode())],
    "transforms/records/log_line.py _OBJECT_START": [lambda text: lenient_object(text.encode())],
    "transforms/records/log_line.py _JSON_PUNCTUATION": [lambda text: lenient_object(text.encode())],
    "transforms/records/log_line.py _is_not_space": [lambda text: lenient_object(text.encode())],
    "transforms/matching/filter.py _LIKE_A_NAME": [filter_module._LIKE_A_NAME.fullmatch],
    "transforms/records/fragments.py _cri": [lambda text: fragments._cri(text.encode())],
    "io/sources/forms.py _begins_with_values": [lambda text: forms._begins_with_values(text.encode())],
    "io/sources/forms.py _frame": [lambda text: forms._frame.match(text.encode())],
    "io/sources/forms.py _NOT_SPACE": [lambda text: forms._NOT_SPACE.search(text.encode())],
    "io/sources/forms.py _BETWEEN_VALUES": [lambda text: forms._BETWEEN_VALUES.match(text.encode())],
    "io/sources/forms.py _FIRST_VALUE": [lambda text: forms._FIRST_VALUE.search(text.encode())],
    "io/sources/forms.py _values": [lambda text: list(forms._values(iter([text.encode()])))],
    "io/sources/columns.py _json_in_quotes": [lambda text: columns._json_in_quotes(text.encode())],
    "io/sources/columns.py _Csv": [each for csv in CSV for each in (csv.fields, csv.quotes)],
    "io/sources/unfinished.py _TEXT": [lambda text: is_unfinished(text.encode())],
    "transforms/records/old_records.py _has_no_zone": [lambda text: time_of_log(NO_TIME, text, None)],
}
SEE_NO_RECORDS = {
    "transforms/formats/durations.py": "durations of the configuration",
    "transforms/matching/patterns.py": "expressions of the configuration: they look at 500 characters at most (test_match)",
    "transforms/matching/time_window.py": "options of a command",
    "transforms/privacy/name_likeness.py": "names of declared fields",
    "io/dead_letters/topic.py": "the configuration",
    "io/delivery/redaction.py": "the excerpt of an answer",
    "io/delivery/retry_after.py": "a header of an answer, whose length the HTTP client bounds",
    "io/delivery/statement_files.py": "the configuration",
    "io/external_ids_database.py": "tables of the site",
    "io/secrets.py": "the configuration",
    "io/sources/address.py": "options of a command",
    "io/sources/content.py": "a few first bytes of a file",
    "io/sources/file_names.py": "names of files",
    "io/sources/kafka.py": "options of a command",
    "io/sources/local_files.py": "options of a command and names of files",
    "io/sources/path_dates.py": "names of files",
    "io/sources/pubsub.py": "options of a command",
    "io/sources/log_parts.py": "names of files",
    "io/proxies.py": "settings of the environment",
    "pipeline/local/metrics.py": "options of a command",
    "pipeline/source_records.py": "positions of dead letters",
    "pipeline/sandbox/application.py": "requests to the sandbox",
    "transforms/mapping/evaluate.py": "names of the mappings' own tables",
    "io/tables.py": "tables of the site",
    "pipeline/app/import_erb.py": "settings of event-routing-backends",
    "pipeline/config/kinds.py": "the configuration",
    "pipeline/config/values.py": "the configuration",
    "pipeline/config/yaml_nodes.py": "the configuration",
    "pipeline/from_erb/routers.py": "settings of event-routing-backends",
    "pipeline/from_erb/settings.py": "settings of event-routing-backends",
    "pipeline/reference/lms_backend.py": "a file of this repository",
    "pipeline/sandbox/statements.py": "requests to the sandbox",
}


def expressions() -> Iterator[str]:
    """Each place of the product that makes or uses an expression: its file, and the name at the top of the file."""
    for floor in ("transforms", "io", "pipeline"):
        for path in sorted((ROOT / floor).rglob("*.py")):
            for statement in ast.parse(path.read_text(encoding="utf-8")).body:
                if any(map(is_expression, ast.walk(statement))):
                    yield f"{path.relative_to(ROOT).as_posix()} {name_of(statement)}"


def is_expression(node: ast.AST) -> bool:
    called = node.func if isinstance(node, ast.Call) else None
    return isinstance(called, ast.Attribute) and ast.unparse(called.value) == "re" and called.attr in FUNCTIONS


def name_of(statement: ast.stmt) -> str:
    target = statement.targets[0] if isinstance(statement, ast.Assign) else getattr(statement, "target", statement)
    return getattr(target, "id", "") or getattr(target, "name", "")


def test_every_expression_of_the_product_is_in_a_table() -> None:
    found = set(expressions())
    known = {place for place in found if place.split(" ")[0] in SEE_NO_RECORDS}
    assert found - known == set(SEE_RECORDS) | set(SEE_LINES)
    assert {place.split(" ")[0] for place in known} == set(SEE_NO_RECORDS)


BEGINNINGS = (
    "", "1", "P", "input_", "mailto:", "mailto:a@", "a/b", "a/b;c=", "http://", "http://a:", "http://a/?", "urn:", "_:", "course-v1:",
    "lib:", "block-v1:O+C+R+type@", "block-v1:O+C+R", "i4x:", "lb:", "x?activate_block_id=", "2023-01-01T", "2023-01-01T00:00:00.",
    "en-", "1.0.0", "{order_matters=true}", "[.]", "a ", "<1>1 - [a ",
)
REPEATED = (
    "a", "1", "_1", "_", " ", "\n", "-a", "-a1b2c", ".", ".1", "a.", "a@", "@", "+", "+a", "/", "/a", ":", "a:", "%", "%41", "#", "?",
    "&", "=", "a=", ";", "; a=b", "[", "]", "{", "{}", "{ ", '"', '\\"', '"a":', "a[.]", "[.]", "[,]", "a[.]b[,]", "00", "1T24", "e1",
    "lib:", "i4x:/", "i4x-", "courses/", "/courses/a", "/courses/a/b", "course-v1:", "block-v1:", "+branch@b", "+version@a",
    "activate_block_id=", "ä", ' a="b"', "[a b",
)
ENDINGS = ("", "!", "[,]x")
NOTICED = 0.003  # seconds; a quadratic time for 4,000 characters is longer


def seconds(read: Callable[[str], Any], text: str) -> float:
    start = time.process_time()
    with suppress(Unmappable, Invalid):
        read(text)
    return time.process_time() - start


@pytest.mark.parametrize("place", [*SEE_RECORDS, *SEE_LINES])
def test_a_text_of_twice_the_length_takes_twice_the_time(place: str) -> None:
    for read in {**SEE_RECORDS, **SEE_LINES}[place]:
        for beginning, repeated, ending in itertools.product(BEGINNINGS, REPEATED, ENDINGS):
            texts_of = [beginning + repeated * (length // len(repeated)) + ending for length in (4_000, 8_000, 32_000)]
            if seconds(read, texts_of[0]) > NOTICED:
                short, long = (min(seconds(read, text) for _ in range(3)) for text in texts_of[1:])
                assert long < 7 * max(short, NOTICED), (beginning, repeated, ending, short, long)
