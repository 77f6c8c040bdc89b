"""`edx2lrs check`: what it says of a right configuration, and of a wrong one."""

from __future__ import annotations

from pathlib import Path

import pytest

from edx2lrs.pipeline.cli import main

CONFIG = """\
lms:
  root_url: https://lms.example.com
  external_ids: ids.csv
  id_key: env:SITE_KEY
consumers:
- name: campus
  protocol: xapi
  url: https://lrs.example.edu/xAPI?key=do-not-show
  auth: {scheme: basic, username: env:LRS_USER, password: env:LRS_PASSWORD}
  access: {orgs: {allow: [MITx]}, courses: {block: [/a/, /b/, /c/, /d/, /e/]}}
- name: mail
  protocol: xapi
  url: https://mail.example.edu/
  access: all
  actor: {id: mbox, unknown: hmac}
- name: hashed
  protocol: xapi
  url: https://hashed.example.edu/
  access: all
  actor: {id: mbox_sha1sum, sha1_of: address}
- name: apart
  protocol: caliper
  url: https://apart.example.edu/
  access: all
  actor: {id: hmac, key: env:APART_KEY}
- name: warehouse
  protocol: caliper
  url: https://cal.example.edu/
  access: all
"""
IDS = "user_id,username,external_id_type,external_user_id,email\n5,ann,XAPI,ann-x,ann@example.com\n"


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LRS_USER", "do-not-show-user")
    monkeypatch.setenv("LRS_PASSWORD", "do-not-show-password")
    monkeypatch.setenv("SITE_KEY", "do-not-show-site-key")
    monkeypatch.setenv("APART_KEY", "do-not-show-own-key")
    (tmp_path / "ids.csv").write_text(IDS)
    path = tmp_path / "c.yaml"
    path.write_text(CONFIG)
    return path


def test_each_consumer_is_shown_with_a_line_for_each_rule(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wanted = "  match_params: {name: [problem_check, /_video$/], context.org_id: {not: [A, B]}}\n  batch: {size: 1, interval: 0.2s}\n"
    access = "  access: {orgs: {allow: [MITx]}, courses: {block: [/a/, /b/, /c/, /d/, /e/]}}\n"
    text = CONFIG.replace(access, f"{access}{wanted}  redact: [title]\n")
    config.write_text(text.replace("consumers:\n", "events: {block: [pause_video]}\nconsumers:\n"))
    assert main(["check", str(config)]) == 0
    usual = "           batches  100 statements or 900,000 bytes at most, sent after 60 s at the latest"
    assert capsys.readouterr().out.partition("\n\n")[0].splitlines() == [
        "campus     xapi     https://lrs.example.edu/xAPI?...",
        "           sees     courses all but /a/, /b/, /c/ and 2 more",
        "           sees     orgs MITx",
        "           wants    name: problem_check or /_video$/",
        "           wants    context.org_id: a value that is not A or B",
        "           without  title",
        "           batches  1 statement or 900,000 bytes at most, sent after 0.2 s at the latest",
        "mail       xapi     https://mail.example.edu/",
        "           sees     everything",
        usual,
        "hashed     xapi     https://hashed.example.edu/",
        "           sees     everything",
        usual,
        "apart      caliper  https://apart.example.edu/",
        "           sees     everything",
        usual,
        "warehouse  caliper  https://cal.example.edu/",
        "           sees     everything",
        usual,
        "for all  events all but pause_video",
    ]


def test_a_name_that_differs_by_case(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config.write_text(CONFIG.replace("name: mail", "name: Campus"))
    assert main(["check", str(config)]) == 0
    assert "warning: the consumers campus and Campus differ by case alone: give one of them another name" in capsys.readouterr().err


def test_a_table_of_who_sees_persons_how(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["check", str(config)])
    assert capsys.readouterr().out.partition("\n\n")[2].splitlines() == [
        "consumer   protocol  persons by                   type     key     unknown users",
        "campus     xapi      external_id                  XAPI     site's  dead letter",
        "mail       xapi      mbox                         XAPI     site's  hmac",
        "hashed     xapi      mbox_sha1sum of the address  XAPI     site's  dead letter",
        "apart      caliper   hmac                         CALIPER  own     -",
        "warehouse  caliper   external_id                  CALIPER  site's  dead letter",
    ]


def test_without_a_key_there_is_none(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config.write_text(CONFIG.replace("  id_key: env:SITE_KEY\n", "").replace(", unknown: hmac", ""))
    assert main(["check", str(config)]) == 0
    printed = capsys.readouterr()
    rows = [line.split() for line in printed.out.partition("\n\n")[2].splitlines()]
    assert [(row[0], "none" in row) for row in rows[1:]] == [
        ("campus", True),
        ("mail", True),
        ("hashed", True),
        ("apart", False),
        ("warehouse", True),
    ]
    assert "warning: without lms.id_key the events of anonymous visitors become dead letters" in printed.err.splitlines()


MAIL = "  access: all\n  actor: {id: mbox, "


def about_users(config: Path, text: str, capsys: pytest.CaptureFixture[str]) -> list[str]:
    config.write_text(text)
    main(["check", str(config)])
    return [line for line in capsys.readouterr().err.splitlines() if "users of mail" in line or "nobody" in line]


def test_users_in_rules_who_are_told_by_name(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    named = CONFIG.replace(MAIL, MAIL.replace("all", "{users: {allow: [ann, zed, 5], block: [/^test/]}}"))
    said = about_users(config, named, capsys)
    assert [line.split(" of mail ")[1].split(",")[0] for line in said] == ["names zed", "has /^test/"]


def test_users_in_rules_without_a_table(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    named = CONFIG.replace(MAIL, MAIL.replace("all", "{users: {allow: [ann]}}")).replace("  external_ids: ids.csv\n", "")
    without = named.replace("{id: mbox, unknown: hmac}", "{id: hmac}").replace("{id: mbox_sha1sum, sha1_of: address}", "{id: hmac}")
    assert about_users(config, without, capsys) == [
        "warning: access.users of mail goes by the usernames that events have: without lms.external_ids, name user ids"
    ]


def test_one_actor_for_everybody(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own_key = "  actor: {id: hmac, key: env:APART_KEY}"
    replaced = f"  override_args: {{event: {{actor: {{id: 'https://x.example/nobody', type: Person}}}}}}\n{own_key}"
    config.write_text(CONFIG.replace(own_key, replaced))
    assert main(["check", str(config)]) == 0
    (said,) = [line for line in capsys.readouterr().err.splitlines() if "one actor" in line]
    assert said.startswith("warning: apart gets one actor for everybody and no sessions; a key makes the ids;")


def test_a_user_in_a_rule_who_is_nobody(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (said,) = about_users(config, CONFIG.replace(MAIL, MAIL.replace("all", "{users: {allow: [ann, 'None']}}")), capsys)
    assert "a word that stands for nobody in records" in said


def test_warnings(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["check", str(config)])
    assert capsys.readouterr().err.splitlines() == [
        "warning: the user's e-mail address goes to mail, https://mail.example.edu/",
        "warning: the user's e-mail address, hashed so that who knows an address can tell it, goes to hashed, "
        "https://hashed.example.edu/",
        f"warning: warehouse needs ids of type CALIPER, and {config.parent}/ids.csv has XAPI",
    ]


def test_credentials_that_can_be_read_on_the_way(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config.write_text(CONFIG.replace("https://lrs.example.edu", "http://lrs.example.edu"))
    main(["check", str(config)])
    (line,) = [line for line in capsys.readouterr().err.splitlines() if "can be read" in line]
    assert line == "warning: the credentials of campus can be read on the way to http://lrs.example.edu/xAPI?...; give an https:// url"


def test_further_rules_are_shown_and_unknown_activity_types_told(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rules = "{users: {block: [ann, 5]}, activity_types: {allow: [Attempt, Atempt, /x/]}}"
    first, all_ = CONFIG.rsplit("access: all", 1)
    config.write_text(f"{first}access: {rules}{all_}")
    main(["check", str(config)])
    printed = capsys.readouterr()
    assert "  sees     users all but ann, 5\n" in printed.out
    assert "  sees     activity types Attempt, Atempt, /x/\n" in printed.out
    assert "warning: warehouse names the activity type Atempt, which no caliper mapping makes" in printed.err
    assert "type Attempt," not in printed.err


def test_no_secret_is_shown(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["check", str(config)])
    assert "do-not-show" not in "".join(capsys.readouterr())


def test_every_fault_and_exit_code_2(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config.write_text(CONFIG.replace("access: all", "acess: all"))
    assert main(["check", str(config)]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert [line.split(": ", 2)[1] for line in printed.err.splitlines()] == [
        "consumers[1].access",
        "consumers[1].acess",
        "consumers[2].access",
        "consumers[2].acess",
        "consumers[3].access",
        "consumers[3].acess",
        "consumers[4].access",
        "consumers[4].acess",
    ]


def test_a_broken_table_is_found_here(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (config.parent / "ids.csv").write_text(IDS + "x,bob,XAPI,bob-x,\n")
    assert main(["check", str(config)]) == 2
    assert capsys.readouterr().err.startswith(f"{config.parent}/ids.csv: line 3, column user_id: found text")


def test_a_missing_file_is_no_traceback(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(tmp_path / "none.yaml")]) == 2
    assert "none.yaml: the configuration cannot be read: No such file or directory" in capsys.readouterr().err


def test_the_structure_alone_needs_no_secret_and_no_table(
    config: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LRS_USER", "LRS_PASSWORD", "SITE_KEY", "APART_KEY"):
        monkeypatch.delenv(name)
    (config.parent / "ids.csv").unlink()
    assert main(["check", str(config), "--structure"]) == 0
    printed = capsys.readouterr()
    assert "warehouse  caliper   external_id                  CALIPER  site's  dead letter" in printed.out.splitlines()
    assert [line for line in printed.err.splitlines() if line.startswith("not checked: ")] == [
        f"not checked: lms.external_ids: {config.parent}/ids.csv",
        "not checked: lms.id_key: env:SITE_KEY",
        "not checked: consumers[0].auth.username: env:LRS_USER",
        "not checked: consumers[0].auth.password: env:LRS_PASSWORD",
        "not checked: consumers[3].actor.key: env:APART_KEY",
    ]


def test_without_its_secrets_a_configuration_is_wrong_and_each_is_named(
    config: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LRS_PASSWORD")
    assert main(["check", str(config)]) == 2
    (fault,) = capsys.readouterr().err.splitlines()
    assert "consumers[0].auth.password: environment variable LRS_PASSWORD is not set" in fault


def test_a_wrong_structure_is_found_without_secrets(
    config: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LRS_PASSWORD")
    config.write_text(CONFIG.replace("protocol: caliper", "protocol: calliper", 1))
    assert main(["check", str(config), "--structure"]) == 2
    (fault,) = capsys.readouterr().err.splitlines()
    assert "consumers[3].protocol: found calliper, expected caliper or xapi; did you mean caliper?" in fault
