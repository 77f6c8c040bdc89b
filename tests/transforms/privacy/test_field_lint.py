"""`edx2lrs lint-fields`: names that resemble personal data are found in every spelling, and nobody's ordinary names are."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from edx2lrs.pipeline.cli import main
from edx2lrs.transforms.families.declared_fields import field_key, own_fields, structs_of
from edx2lrs.transforms.families.source_events import SOURCE_EVENTS
from edx2lrs.transforms.fields import Context, EventData, Scalar, SourceEvent, SubmittedText
from edx2lrs.transforms.mapping.rows import Constant, Row
from edx2lrs.transforms.mapping.xapi_statement import StatementMapping
from edx2lrs.transforms.privacy import field_destinations, field_lint
from edx2lrs.transforms.privacy.name_likeness import resemblance
from edx2lrs.transforms.privacy.personal_fields import NOT_PERSONAL, PERSONAL
from edx2lrs.transforms.records.parse import Envelope

ROOT = Path(__file__).parents[3]
FIXTURES = sorted((ROOT / "transforms" / "families").glob("*/examples/*.json"))

RESEMBLE = {
    "an e-mail address": "email userEmail e_mail e-mail eMail E_MAIL emial emal em4il emails mail mail_addr mailAddress mbox"
    " user.email prénom_email contactemail http://example.com/extensions/email",
    "a person's name": "full_name fullname FullName first_name firstName frist_name last-name lastname surname nickname"
    " name_of_student studentName user_display_name username userName usernames uname login author_name",
    "a postal address": "address addresses adress street_address postcode postal_code zip zipCode city",
    "a phone number": "phone phoneNumber telephone telefone mobile_number cellPhone contact_no fax",
    "a birth date or age": "birth dob DOB birthdate date_of_birth yearOfBirth birthday age",
    "a gender": "gender gnder sex",
    "an IP address": "ip IP ip_addr ipAddr IPAddress client_ip clientIp userip ipv4 remote_addr",
    "a place": "geo geoip geo_ip geoLocation latitude lat lng longitude",
    "a password": "password passwd passwrd pa55word pwd user_password",
    "a token or secret": "token auth_token accessToken secret client_secret api_key apikey cookie csrftoken",
    "a state's or bank's number": "ssn social_security_number passport credit_card",
    "a person's id": "user_id userId target_user_id student_id learnerid",
}
ORDINARY = """
    description recipe script transcript subscription zipped name display_name course_name exam_name filename rename
    block_id problem_id module_id usage_key attempts success grade max_grade current_time currentTime old_speed duration id
    question answer response_type correct submission language page image message usage percentage stage manager score
    weighted_earned attempt_code course_id org_id mode event_type sequence target_tab current_url query total_results
    commentable_id discussion group_id team_id thread_type vote_value letter_grade time_taken passed revision render sender
    extensions definition contextActivities maxScore isPartOf assignee homePage account last_frame time_frame first_time
    multiplechoiceresponse https://w3id.org/xapi/video/extensions/cc-enabled
"""


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, names in RESEMBLE.items() for name in names.split()])
def test_personal_data_is_found_in_every_spelling(kind: str, name: str) -> None:
    assert resemblance(name) == kind


@pytest.mark.parametrize("name", ORDINARY.split())
def test_ordinary_names_resemble_nothing(name: str) -> None:
    assert resemblance(name) is None


def test_all_that_is_declared_and_mapped_is_reviewed(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["lint-fields"])
    assert (capsys.readouterr().out, code) == ("", 0)


def test_the_keys_of_finished_statements_are_reviewed() -> None:
    """Also of what no table shows: what functions, actors and courses bring."""
    found = []
    for path in FIXTURES:
        twins = json.loads(path.read_text(encoding="utf-8"))
        family = SOURCE_EVENTS[twins["sources"][0]["name"]].family
        for protocol in ("xapi", "caliper"):
            found += field_lint.of_statements(protocol, family, twins[protocol])
    assert [finding.text() for finding in found if finding.key not in field_lint.reviewed()] == []


def test_the_reviewed_lists_name_only_what_is_there() -> None:
    structs = [Envelope, Context, SubmittedText]
    for source in SOURCE_EVENTS.values():
        structs += [*structs_of(source.data), *(structs_of(source.context) if source.context else ())]
    declared = {field_key(owner, name) for struct in structs for owner, name in own_fields(struct)}
    keys = {finding.key for finding in field_lint.findings(())}
    assert {*PERSONAL, *NOT_PERSONAL} <= declared | keys
    assert not PERSONAL.keys() & NOT_PERSONAL.keys()
    assert all(len(reason) > 10 for reason in (*PERSONAL.values(), *NOT_PERSONAL.values()))


class Hall(msgspec.Struct):
    telefone: Scalar = None


class HallData(EventData):
    userEmail: Scalar = None  # noqa: N815
    halls: list[Hall] | None = None
    place: Scalar = msgspec.field(name="geoip", default=None)


def gendered(_: object) -> dict[str, str]:
    return {"gender": "x"}


def printed(value: object) -> bytes:
    return b'{"object":"x","home_town":%b}' % str(value).encode()


def test_a_declared_field_is_found_at_any_depth_and_by_its_name_in_the_record(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(SOURCE_EVENTS, "acme.hall", SourceEvent("hall", HallData))
    assert main(["lint-fields"]) == 1
    lines = capsys.readouterr().out.splitlines()
    found = [line.partition(";")[0].partition(": ")[2] for line in lines]
    assert found == [
        "userEmail resembles an e-mail address",
        "geoip resembles a place",
        "telefone resembles a phone number",
    ]
    assert "HallData.userEmail' with a reason" in lines[0]


def test_a_key_of_a_statement_is_found_wherever_it_is_made(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """In a row, in a constant, and in what functions make of the examples."""
    rows = (
        Row(("object", "definition", "extensions", "https://example.com/ext/e-mail"), "data.id"),
        Constant(("object", "definition", "extra"), {"birthday": "today"}),
        Row(("result", "extensions"), "data.id", gendered),
        Row(("context", "extensions"), "data.id", printed),
    )
    found: dict[str, Any] = {"xapi": {"play_video": StatementMapping({"id": "x"}, rows)}, "caliper": {}}
    monkeypatch.setattr(field_destinations, "mappings", lambda protocol: found[protocol])
    example = tmp_path / "play_video.json"
    made = {"result": {"extensions": gendered(1)}, "context": {"extensions": json.loads(printed(1))}}
    example.write_text(json.dumps({"sources": [], "xapi": [made], "caliper": []}))
    monkeypatch.setattr(field_lint, "packages", lambda: [None])
    monkeypatch.setattr(field_lint, "examples_of", lambda _: [example])
    findings = field_lint.findings({**PERSONAL, **NOT_PERSONAL})
    assert [(finding.where, finding.name, finding.key) for finding in findings] == [
        (where, name, f"xapi.video: {name}")
        for where, name in (
            ("xapi mapping of play_video", "https://example.com/ext/e-mail"),
            ("xapi mapping of play_video", "birthday"),
            ("xapi statements of family video", "gender"),
            ("xapi statements of family video", "home_town"),
        )
    ]


def test_a_package_of_own_events_is_looked_at_and_has_lists_of_its_own(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "docs" / "examples" / "own_events" / "acme_flashcards", tmp_path / "acme_flashcards")
    info = tmp_path / "acme_flashcards-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-flashcards\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[edx2lrs.mappings]\nflashcards = acme_flashcards\n")
    events = tmp_path / "acme_flashcards" / "events.py"
    declared = events.read_text(encoding="utf-8").replace("    card: Scalar", "    phone_no: Scalar = None\n    card: Scalar")

    def lint(text: str) -> tuple[int, str]:
        events.write_text(text, encoding="utf-8")
        command = [sys.executable, "-m", "edx2lrs.pipeline", "lint-fields"]
        environment = {**os.environ, "PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
        return done.returncode, done.stdout + done.stderr

    example = tmp_path / "acme_flashcards" / "examples" / "acme.flashcard.turned.json"
    code, said = lint(declared)
    assert code == 1
    assert said.startswith("acme_flashcards.events.CardTurnedData: phone_no resembles a phone number; ")
    reviewed = f'{declared}\nNOT_PERSONAL = {{"acme_flashcards.events.CardTurnedData.phone_no": "that of the card"}}\n'
    assert lint(reviewed) == (0, "")
    text = example.read_text(encoding="utf-8")
    example.write_text(text.replace('"known": true', '"known": true, "userEmail": "x"'), encoding="utf-8")
    assert lint(reviewed)[1].startswith("caliper statements of family flashcards: userEmail resembles an e-mail address; ")
    example.unlink()
    code, said = lint(reviewed)
    assert code == 0
    assert said.startswith("edx2lrs lint-fields: acme.flashcard.turned: no example, so that the keys which functions of the rows make ")
