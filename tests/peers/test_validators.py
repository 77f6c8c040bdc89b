"""``edx2lrs validate`` beside other validators: over valid documents with one thing changed, it differs where a clause says so.

Runs where EDX2LRS_PEERS names a folder with ``validate_xapi.sh``, which installs Learning Locker's and Ralph's validators
(``--setup ll|ralph``) in $PEER_DIR, and with ``validate_caliper.py``.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from edx2lrs.transforms.validation.caliper import caliper_violations
from edx2lrs.transforms.validation.violations import sentence
from edx2lrs.transforms.validation.xapi import statement_violations
from testkit import mutants
from testkit import valid_documents as valid
from testkit.loading import module_at

PEERS = Path(os.environ.get("EDX2LRS_PEERS", ""))
INSTALLED = Path(os.environ.get("PEER_DIR") or Path(os.environ.get("TMPDIR", "/tmp")) / "xapi-validate")
HERE = Path(__file__).parent
FIXTURES = sorted((HERE.parents[1] / "transforms" / "families").glob("*/examples/*.json"))

pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(not os.environ.get("EDX2LRS_PEERS"), reason="EDX2LRS_PEERS does not name the folder of the peers"),
]


class Known(NamedTuple):
    """A kind of difference: what the one that refuses says of it, and why the other accepts it."""

    said: str
    why: str


LEARNING_LOCKER = """
const validate = require('@learninglocker/xapi-validation').default;
for (const line of require('fs').readFileSync(0, 'utf8').split('\\n').filter(line => line)) {
  let said;
  try {
    said = validate(JSON.parse(line)).map(w => `${w.constructor.name} ${w.path.slice(1).join('.')} = ${JSON.stringify(w.data)}`);
  } catch (error) { said = null; }
  console.log(JSON.stringify(said));
}
"""
RALPH = """
import json, sys
from pydantic import ValidationError
from ralph.models.xapi.base.statements import BaseXapiStatement
for line in sys.stdin:
    try:
        BaseXapiStatement.model_validate(json.loads(line))
        said = []
    except ValidationError as error:
        errors = error.errors(include_url=False)
        deepest = max(len(each["loc"]) for each in errors)  # of a union, the member that went furthest
        errors = [each for each in errors if len(each["loc"]) == deepest]
        said = [f"{e['type']} {'.'.join(map(str, e['loc']))} = {json.dumps(e['input'])}" for e in errors]
    except Exception:
        said = None
    print(json.dumps(said))
"""

NO_IRI = Known(
    r"expected an absolute IRI", "2.2 asks for valid IRIs; the peer looks for a scheme only, or takes a line's end too"
)
NO_TIME = Known(r"expected a time as in RFC 3339", "4.5 asks for ISO 8601, and (SHOULD*) for RFC 3339 with a zone")
NO_DURATION = Known(
    r"expected a duration", "4.6: ISO 8601:2004, 4.4.3.2 has no sign, no weeks with days, nothing after an empty T"
)
NO_UUID = Known(
    r"found a text, expected a UUID", "4.4: the standard text form, without braces, urn: or with its hyphens left out"
)
NO_MBOX = Known(
    r"mailto: and an e-mail address", "2.4.2.3: mailto: in lower case, then an address, whose dots stand between words"
)
NO_PATTERN = Known(r"correctResponsesPattern\[0\]: ", "2.4.4.1, Response Patterns: the text has the form of its interaction type")
NO_TYPE = Known(r"expected a value: a (Group|StatementRef) has one", "2.4.2.2 and 2.4.4.3: objectType is required")
EMPTY = Known(r"found an empty text", "part one, 3.0: required properties contain values; 2.2 for those with a format")
NESTED_GROUP = Known(r'found "Group", expected an Agent', "2.4.2.2: a Group has no Groups as members")
NEGATIVE = Known(r"a whole number, 0 or more", "2.4.11: a length in octets")

# What we refuse and a peer does not
STRICTER = {
    "ll": [
        *(NO_IRI, NO_TIME, NO_DURATION, NO_UUID, NO_MBOX, NO_PATTERN, NO_TYPE, EMPTY, NESTED_GROUP, NEGATIVE),
        Known(r"expected an absolute URI", "2.4.2.3: an OpenID is a URI"),
        Known(r"expected 1\.0\.x", "2.4.10: refuse what does not start with 1.0."),
        Known(r"the 40 hexadecimal digits of a SHA-1", "2.4.2.3: a SHA-1 has 40 of them"),
    ],
    "ralph": [
        *(NO_IRI, NO_TIME, NO_DURATION, NO_UUID, NO_MBOX, NO_PATTERN, NEGATIVE),
        Known(r"score\.(raw|min): found a number", "2.4.5.1: min < max, min <= raw <= max, when one of them is 0 too"),
        Known(r"found null", "2.2: no null but in extensions"),
        Known(r"found a (number|boolean), expected", "2.2: a text where a text is required"),
        Known(r"found (a|an empty) text, expected a (whole )?number", "2.2: a number where a number is required"),
        Known(r"expected an absolute URI", "2.4.2.3: an OpenID is a URI"),
        Known(r"an Internet media type", "2.4.11: the peer takes any text"),
        Known(r"found a list of components", "2.4.4.1: the component lists of each interaction type"),
        Known(r"expected a language tag", "4.2: en_US is no tag of RFC 5646"),
        Known(r"the members of a Group without an identifier", "2.4.2.2: an anonymous Group lists its members"),
        Known(r"^object\.(id: found nothing|mbox: found an unknown)", "2.4.4.2: an Agent as object says so by its objectType"),
        Known(r"authority\.member: ", "2.4.9: two Agents, one with an account"),
    ],
    "caliper": [
        Known(
            r"found an unknown property", "Entity: others belong in extensions; the peer does not look at entities' properties"
        ),
        Known(
            r"expected (a text|an array of|a number|a whole number|a boolean|an object|to leave)",
            "the entities' entries: the peer does not look at the types of their values",
        ),
        Known(
            r", or its IRI \(", "Entity: each is an object with id and type, or an IRI; the peer looks where it knows the type"
        ),
        Known(r"expected a (SystemIdentifier|TextPositionSelector) ", "their own entries"),
        Known(r" in the \w+ Profile", "Profiles: each lists the objects of its events"),
        Known(r" for (Completed|LoggedIn|TimedOut)", "the events' entries: what an action narrows"),
        Known(r"\.type: found (\"\w+\"|nothing), expected", "the entities' entries: of which type their parts are"),
        Known(r"expected an absolute IRI or a blank node", "Identifiers: valid by RFC 3987"),
        Known(
            r"^data\[1\]\.\w+: found (nothing|a text, expected urn:uuid)",
            "Envelope: a SystemIdentifier is no event, and no entity",
        ),
        Known(r"expected a duration", "ISO 8601: weeks stand alone, a null is none"),
        Known(r"expected YYYY-MM", "the entities' entries: the value MUST have this form, so it is not null"),
        Known(r"expected an action of Questionnaire\w+|expected an action of SurveyInvitationEvent", "their own entries"),
        Known(
            r"expected (a role of Caliper|\"Active\" or|one of AccountUserName|one of AssessmentsPassed)", "their lists of terms"
        ),
        Known(r"a profile that has ", "Profiles: each lists its events"),
        Known(r"@context: ", "JSON-LD Context: a described entity has one too, and so have nested ones if they have any"),
        Known(r"a value: \w+( \w+)? has one", "the entries of AggregateMeasure and SystemIdentifier"),
    ],
}
# What a peer refuses and we do not
LAXER = {
    "ll": [
        Known(r"mbox = \"mailto:a@localhost", "RFC 5321: a host's name may have one word"),
        Known(r"mbox = \"mailto:.*ü", "RFC 6531: addresses beyond ASCII; 2.4.2.3 asks for a mailto IRI"),
        Known(r"= \"00000000-", "4.4: the variant of RFC 4122 is recommended"),
        Known(r"= \".*-00:30\"", "4.5: a zone of half an hour west"),
        Known(r"= \".*:60(\.000)?Z\"", "4.5: RFC 3339 has leap seconds"),
        Known(r"version = \"1\.0\.\d[a-z]+\"", "2.4.10: accept what starts with 1.0."),
        Known(
            r"duration = \"(P1\.5Y|PT1\.5H|PT0,5S)\"",
            "ISO 8601:2004, 4.4.3.2: the last part may have a fraction, after a comma too",
        ),
        Known(r"contentType = ", "RFC 6838: other types at the top (font), # in a name, and upper case"),
        Known(
            r"RestrictedKeysWarning authority = ", "2.4.9 asks for a Group with two Agents: it may have a name or an identifier"
        ),
    ],
    "ralph": [
        Known(r"no_empty_value .* = (\"\"|\{\})", "2.2: an empty object is better left out, an empty text is a text"),
        Known(r"string_too_short .* = \"\"", "the same"),
        Known(r"value_error .*(\[key\]|language) = ", "2.2: well-formed tags will do, the register of languages is not asked"),
        Known(r"mbox = \"mailto:a@localhost\"", "RFC 5321: a host's name may have one word"),
        Known(r"mbox_sha1sum = |mbox_sha1sum\": \"A", "2.4.2.3: hexadecimal digits of either case"),
        Known(r"datetime_\w+ .*:60(\.000)?Z", "4.5: RFC 3339 has leap seconds"),
        Known(r"version = \"1\.0\.\d[a-z]+\"", "2.4.10: accept what starts with 1.0."),
        Known(r"string_pattern_mismatch .*\.id = ", "2.4.4.1: a component's id SHOULD have no white space"),
    ],
    "caliper": [
        Known(r"ViewEvent\.object\.type: Result", "Grading Profile: a Result is viewed"),
        Known(r"not an ISO 8601 duration", "ISO 8601: the last part may have a fraction"),
        Known(r"extensions: not an object", "Event and Entity: null SHOULD be left out"),
        Known(r"messageParameters: ", "LtiSession: messageParameters is a map, and no entity"),
    ],
}


def fixtures(protocol: str) -> list[Any]:
    return [document for path in FIXTURES for document in json.loads(path.read_text(encoding="utf-8"))[protocol]]


@cache
def statements() -> list[Any]:
    return [mutant for statement in (*valid.STATEMENTS, *fixtures("xapi")[::12]) for mutant in mutants.mutants(statement)]


def learning_locker(lines: str) -> list[list[str] | None]:
    subprocess.run([PEERS / "validate_xapi.sh", "--setup", "ll"], check=True, timeout=300, capture_output=True)
    environment = {**os.environ, "NODE_PATH": str(INSTALLED / "node_modules")}
    return answers(["node", "-e", LEARNING_LOCKER], lines, environment)


def ralph(lines: str) -> list[list[str] | None]:
    subprocess.run([PEERS / "validate_xapi.sh", "--setup", "ralph"], check=True, timeout=300, capture_output=True)
    return answers([str(INSTALLED / "venv" / "bin" / "python"), "-c", RALPH], lines, dict(os.environ))


def caliper_judge(peer: Any, document: Any) -> list[str] | None:
    try:
        return list((peer.envelope if "data" in document else peer.event)(document))
    except (TypeError, AttributeError):
        return None


def required_by_the_peer(judged: list[str] | None) -> list[str] | None:
    return judged and [said for said in judged if not said.startswith("should ")]


def answers(command: list[str], lines: str, environment: dict[str, str]) -> list[list[str] | None]:
    with tempfile.TemporaryFile("w+", encoding="utf-8") as source:
        source.write(lines)
        source.seek(0)
        done = subprocess.run(command, stdin=source, capture_output=True, text=True, env=environment, check=True, timeout=120)
    return [json.loads(line) for line in done.stdout.splitlines()]


def differences(own: Iterable[list[str]], others: Iterable[list[str] | None], peer: str) -> Iterator[tuple[Known | None, str]]:
    """What is said of each document that one of the two refuses, and the entry that explains it. A peer that breaks down over a
    document (None) says nothing."""
    for ours, theirs in zip(own, others, strict=True):
        if theirs is None or bool(ours) == bool(theirs):
            continue
        table = STRICTER[peer] if ours else LAXER[peer]
        told = [(next((kind for kind in table if re.search(kind.said, said)), None), said) for said in ours or theirs]
        if theirs and any(known for known, _ in told):  # it says many things of a union, and one of them is the reason
            told = [(known, said) for known, said in told if known]
        yield from ((known, f"{'stricter' if ours else 'laxer'}: {said[:200]}") for known, said in told)


def check(peer: str, own: Iterable[list[str]], others: Iterable[list[str] | None]) -> None:
    """No difference without an entry, and no entry without a difference."""
    found = list(differences(own, others, peer))
    assert not sorted({said for known, said in found if known is None})
    assert not [known for known in (*STRICTER[peer], *LAXER[peer]) if known not in {each for each, _ in found}]


def required(faults: Any) -> list[str]:
    return [sentence(fault) for fault in faults if fault.required]


@pytest.mark.parametrize(("peer", "ask"), [("ll", learning_locker), ("ralph", ralph)])
def test_statements_are_judged_as_a_peer_judges_them_or_a_clause_says_why_not(peer: str, ask: Any) -> None:
    documents = statements()
    theirs = ask("".join(json.dumps(document) + "\n" for document in documents))
    ours = [required(statement_violations(document)) for document in documents]
    assert len(documents) > 5_000
    check(peer, ours, theirs)


def test_caliper_is_judged_as_a_peer_judges_it_or_a_clause_says_why_not() -> None:
    peer: Any = module_at(PEERS / "validate_caliper.py")
    bases = (*valid.EVENTS, valid.ENVELOPE, *fixtures("caliper")[::12])
    documents = [mutant for document in bases for mutant in mutants.mutants(document)]
    theirs = [caliper_judge(peer, document) for document in documents]
    ours = [caliper_violations(document) for document in documents]
    assert len(documents) > 5_000
    check("caliper", map(required, ours), map(required_by_the_peer, theirs))
    strict = differences([list(map(sentence, faults)) for faults in ours], theirs, "caliper")
    assert not [said for known, said in strict if known is None and said.startswith("laxer")]
