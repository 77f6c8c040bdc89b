"""Reading a configuration: every fault at once, with its line, its key and its fix; and what a right one gives."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from edx2lrs.pipeline.config.faults import ConfigError
from edx2lrs.pipeline.config.reading import load, load_site, read_structure
from edx2lrs.transforms.auth import BasicAuth
from edx2lrs.transforms.config_types import Access, AccessRule, UserRule

SITE = "lms: {root_url: https://lms.example.com, id_key: env:SITE_KEY}\n"
CONSUMER = "consumers:\n- {name: campus, protocol: xapi, url: https://lrs.example.edu/xAPI, access: all"
SECRET = "hunter2-do-not-show"


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SITE_KEY", "a key of the site")
    monkeypatch.setenv("LRS_PASSWORD", SECRET)
    monkeypatch.delenv("NOT_SET", raising=False)
    monkeypatch.setenv("EMPTY", "")
    monkeypatch.setenv("TWO_LINES", "hunter2\nhunter3")


@pytest.fixture
def write(tmp_path: Path):
    def written(text: str | bytes) -> str:
        path = tmp_path / "c.yaml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return str(path)

    return written


def faults_of(path: str) -> list[str]:
    """The faults as lines, without the file's folder."""
    with pytest.raises(ConfigError) as raised:
        load(path)
    assert str(raised.value).splitlines() == [fault.text() for fault in raised.value.faults]
    return [fault.text().removeprefix(os.path.dirname(path) + "/") for fault in raised.value.faults]


def consumer(**more: str) -> str:
    """A right configuration but for the options of its one consumer, on line 3 and after."""
    return SITE + CONSUMER + "".join(f",\n   {key}: {value}" for key, value in more.items()) + "}\n"


def test_an_unknown_key_is_named_with_its_line_and_what_was_meant(write) -> None:
    path = write(consumer(batch="{sise: 10}"))
    assert faults_of(path) == ["c.yaml:4: consumers[0].batch.sise: unknown key; did you mean size?"]


def test_known_keys_stand_in_the_order_in_which_people_write_them(write) -> None:
    with_unknown_keys, no_mapping = write(consumer(zzzqqq="1", auth="{zzzqqq: 1}")), SITE + "consumers: [7]\n"
    found = faults_of(with_unknown_keys)
    assert any(line.endswith("auth.zzzqqq: unknown key; known here: scheme, username, password, token") for line in found)
    assert any("[0].zzzqqq: unknown key; known here: name, protocol, url, access, " in line for line in found)
    assert "a mapping with the keys name, protocol, url, access, " in faults_of(write(no_mapping))[0]


ONE_FAULT = {
    "unknown key at the top": ("evnts: {}", "c.yaml:4: evnts: unknown key; did you mean events?"),
    "unknown key like no other": ("zzz: 1", "c.yaml:4: zzz: unknown key; known here: lms, consumers, events,"),
    "number for a list": ("events: {allow: 5}", "c.yaml:4: events.allow: found a number, expected a list"),
    "text for a list": ("events: {allow: a}", "c.yaml:4: events.allow: found text, expected a list; write it as ["),
    "nothing for a list": ("events:\n  allow:\n", "c.yaml:5: events.allow: found nothing, expected a list"),
    "nothing for a block": ("events:", "c.yaml:4: events: found nothing, expected a mapping with the keys allow, block"),
    "number for a name": ("events: {block: [5]}", "c.yaml:4: events.block[0]: found a number, expected a name or /regex/;"),
    "bad regex": ("events: {block: [ok,\n '/(/']}", "c.yaml:5: events.block[1]: a bad regular expression: missing )"),
    "empty regex": ("events: {block: [//]}", "c.yaml:4: events.block[0]: a bad regular expression: empty expression"),
    "text for a number": ("dedup: {ids: many}", "c.yaml:4: dedup.ids: found text, expected a whole number"),
    "boolean for a number": ("dedup: {ids: true}", "c.yaml:4: dedup.ids: found true or false, expected a whole number"),
    "fraction": ("dedup: {ids: 1.5}", "c.yaml:4: dedup.ids: found a number, expected a whole number"),
    "number out of range": ("dedup: {ids: 0}", "c.yaml:4: dedup.ids: found 0, expected a whole number from 1 on"),
    "endless number": (f"dedup: {{ids: {'9' * 5000}}}", "c.yaml:4: dedup.ids: "),
    "duplicate key": ("dedup: {ids: 1, ids: 2}", "c.yaml:4: dedup.ids: given twice, first on line 4; keep one of them"),
    "tag": ("dedup: {ids: !!python/name:os.system x}", "c.yaml:4: dedup.ids: found a YAML tag, expected plain text"),
    "wrong tag": ("dedup: {ids: !!int x}", "c.yaml:4: dedup.ids: found a value that its YAML tag does not fit"),
}


@pytest.mark.parametrize(("text", "expected"), ONE_FAULT.values(), ids=ONE_FAULT.keys())
def test_faults_of_the_whole_file(write, text: str, expected: str) -> None:
    found = faults_of(write(consumer() + text + "\n"))
    assert [line[: len(expected)] for line in found] == [expected]


CONSUMER_FAULTS = [
    ("url: lrs.example.edu/x", "url: found an address without a scheme"),
    ("url: ftp://x/y", "url: found an address with another scheme"),
    ("url: 'https:///x'", "url: found an address without a host"),
    ("url: https://h:99999/", "url: found a broken address"),
    ("url: 'https://h/a b'", "url: found an address with white space"),
    ("protocol: xAPI", "protocol: found xAPI, expected caliper or xapi; did you mean xapi?"),
    ("access: everything", "access: found text, expected"),
    ("access: {}", "access: found an empty access, which opens nothing, expected"),
    ("access: {orgs: {}}", "access.orgs: found an empty rule, expected allow, block or both"),
    ("access: {orgs: {allow: }}", "access.orgs.allow: found nothing, expected a list"),
    ("name: my lrs", "name: found a name with other characters"),
    ("name: 5", "name: found a number, expected text; put it in quotes"),
    ("timeout: soon", "timeout: found text that is no duration, expected a duration above 0"),
    ("timeout: 0s", "timeout: found 0s, expected a duration above 0"),
    ("timeout: -1", "timeout: found -1, expected a duration above 0"),
    ("timeout: 1:30", "timeout: found text that is no duration"),
    (
        "match_params: {context.orgid: x}",
        "match_params.context.orgid: a path that no event has; did you mean context.org_id?",
    ),
    (
        "match_params: {context: {org_id: x}}",
        "match_params.context: a path that no event has; write it in one: context.org_id:",
    ),
    ("match_params: {name: [a, '/[/']}", "match_params.name[1]: a bad regular expression"),
    ("match_params: {name: []}", "match_params.name: found an empty list"),
    ("match_params: {name: }", "match_params.name: found nothing, expected text, /regex/, a number"),
    ("match_params: {name: {nto: x}}", "match_params.name.nto: unknown key; write {not: ...}"),
    ("match_params: {name: {}}", "match_params.name: found a mapping with 0 keys, expected {not: ...} or {exists: true}"),
    ("match_params: {name: {not: x, exists: true}}", "match_params.name: found a mapping with 2 keys"),
    ("match_params: {name: {not: []}}", "match_params.name.not: found an empty list, expected at least one value"),
    ("match_params: {name: {not: [a, '/[/']}}", "match_params.name.not[1]: a bad regular expression"),
    ("match_params: {name: {not: {not: x}}}", "match_params.name.not: found a mapping, expected text"),
    ("match_params: {name: {exists: 1}}", "match_params.name.exists: found a number, expected true or false"),
    ("match_params: {name: [{not: a}, {not: b}]}", "match_params.name: several not: in one list, which match everything"),
    (
        "match_params: {data.submission: x}",
        "match_params.data.submission: found a value for an object or an array, expected {exists: true}",
    ),
    ("access: {users: {allow: [0]}}", "access.users.allow[0]: found a number out of range, expected a user id"),
    ("access: {users: {block: [true]}}", "access.users.block[0]: found true or false, expected a username"),
    ("access: {users: {}}", "access.users: found an empty rule, expected allow, block or both"),
    ("access: {sites: {allow: [5]}}", "access.sites.allow[0]: found a number, expected a name or /regex/"),
    ("headers: {X-A: a, x-a: b}", "headers.x-a: X-A again; keep one of them"),
    ("headers: {X-Experience-API-Version: 2.0.0}", "headers.X-Experience-API-Version: a header that edx2lrs sets itself"),
    ("headers: {Transfer-Encoding: chunked}", "headers.Transfer-Encoding: a header that edx2lrs sets itself"),
    ('headers: {X-A: "a\\nb"}', "headers.X-A: found a header with line breaks"),
    ("auth: {scheme: bearer, token: env:TWO_LINES}", "auth.token: found a secret with line breaks"),
    ("headers: {X-Api-Key: env:TWO_LINES}", "headers.X-Api-Key: found a secret with line breaks"),
    ("override_args: [1]", "override_args: found a list, expected a mapping of properties to values"),
    ("override_args: {id: x}", "override_args.id: a property that cannot be replaced: every statement has an id of its own"),
    ("override_args: {contxt: {}}", "override_args.contxt: no property of an xAPI statement; did you mean context?"),
    ("override_args: {context.platform: x}", "override_args.context.platform: no property of an xAPI statement"),
    ("override_args: {actor: {name: x}}", "override_args.actor: found none of them, expected exactly one of mbox"),
    ("override_args: {result: }", "override_args.result: found null, expected a result (xAPI 1.0.3"),
    ("override_args: {version: 2.0.0}", "override_args.version: found a text, expected 1.0.x"),
    (
        "override_args: {verb: {id: 'http://adlnet.gov/expapi/verbs/voided'}}",
        "override_args.verb: found the verb that voids statements, expected another",
    ),
    (
        "override_args: {context: {platform: x}, object: {objectType: Agent, mbox: 'mailto:a@b'}}",
        "override_args.context.platform: found a property of statements about an Activity",
    ),
    (
        "auth: {scheme: basic, username: env:LRS_PASSWORD}",
        "auth.password: found nothing, expected a reference such as env:NAME; scheme basic needs username and password",
    ),
    ("auth: {scheme: bearer}", "auth.token: found nothing"),
    ("auth: {token: env:LRS_PASSWORD}", "auth.token: found token without a scheme, expected scheme: bearer"),
    ("auth: {scheme: bearer, token: env:NOT_SET}", "auth.token: environment variable NOT_SET is not set; set it"),
    ("auth: {scheme: bearer, token: env:EMPTY}", "auth.token: environment variable EMPTY is empty"),
    ("auth: {scheme: bearer, token: 'file:/no/such'}", "auth.token: file /no/such cannot be read: No such file"),
    ("headers: {authorization: x}", "headers.authorization: a header that edx2lrs sets itself; use auth"),
    ("actor: {id: mbox}", "actor.id: found mbox without a table, expected lms.external_ids"),
    ("actor: {id: external_id}", "actor.id: found external_id without a table, expected lms.external_ids; without a table"),
    ("actor: {sha1_of: address}", "actor.sha1_of: found sha1_of with nothing to hash, expected actor.id: mbox_sha1sum"),
    ("actor: {key: do-not-show}", "actor.key: found text that is no reference, expected env:NAME"),
    ("actor: {key: env:NOT_SET}", "actor.key: environment variable NOT_SET is not set; set it"),
    ("max_wait: 5m", "max_wait: found max_wait with on_outage: wait"),
    ("sensor: 'urn:x'", "sensor: sensor with protocol: xapi; remove it"),
    (
        "retry: {base_delay: 10s, max_delay: 1s}",
        "retry.base_delay: found base_delay 10 s above max_delay 1 s, expected at most max_delay",
    ),
]


@pytest.mark.parametrize(("option", "expected"), CONSUMER_FAULTS, ids=[option for option, _ in CONSUMER_FAULTS])
def test_faults_of_a_consumer(write, option: str, expected: str) -> None:
    own = {"name": "campus", "protocol": "xapi", "url": "https://lrs.example.edu/xAPI", "access": "all"}
    others = ", ".join(f"{key}: {value}" for key, value in own.items() if key != option.partition(":")[0])
    found = faults_of(write(SITE + f"consumers:\n- {{{others},\n   {option}}}\n"))
    expected = f"c.yaml:4: consumers[0].{expected}"
    assert [line[: len(expected)] for line in found] == [expected]


def test_caliper_has_no_mailbox_actors(write) -> None:
    found = faults_of(write(consumer(actor="{id: mbox}").replace("xapi", "caliper")))
    assert found == [
        "c.yaml:4: consumers[0].actor.id: found mbox with protocol: caliper, expected external_id or hmac",
    ]


CALIPER_OVERRIDES = [
    ("{sensor: https://x/}", "sensor: found an unknown key, expected envelope or event; write envelope: {sensor: ...}"),
    ("{evnt: {}}", "evnt: found an unknown key, expected envelope or event; did you mean event?"),
    ("{envelope: 5}", "envelope: found a value that is no mapping"),
    ("{envelope: {data: []}}", "envelope.data: a property that every envelope has its own of; remove it"),
    ("{envelope: {sendTime: x}}", "envelope.sendTime: a property that every envelope has its own of"),
    ("{envelope: {sensr: x}}", "envelope.sensr: no property of a Caliper envelope; did you mean sensor?"),
    ("{envelope: {sensor: ''}}", "envelope.sensor: found nothing, expected a value"),
    ("{envelope: {dataVersion: v1}}", 'envelope.dataVersion: found "v1", expected'),
    ("{event: {actor: {id: 'https://x', type: Group}}}", "event.actor.type: found another entity, expected Person"),
    ("{event: {id: x}}", "event.id: a property that every event has its own of"),
    (
        "{event: {edApp: {type: Person, id: 'https://x'}}}",
        'event.edApp.type: found "Person", expected SoftwareApplication (Caliper 1.2',
    ),
    ("{event: {group: {id: 'https://x', type: Group, nam: x}}}", "event.group.nam: found an unknown property"),
]


@pytest.mark.parametrize(("overrides", "expected"), CALIPER_OVERRIDES)
def test_overrides_of_caliper(write, overrides: str, expected: str) -> None:
    found = faults_of(write(consumer(override_args=overrides).replace("xapi", "caliper")))
    expected = f"c.yaml:4: consumers[0].override_args.{expected}"
    assert [line[: len(expected)] for line in found] == [expected]


def test_overrides_that_the_standards_allow(write) -> None:
    context = "{platform: Campus, extensions: {'https://x/y': [1, {a: true}]}}"
    made = load(write(consumer(override_args=f"{{context: {context}, authority: {{mbox: 'mailto:a@b'}}}}")))
    assert made.consumers[0].override_args == {
        "context": {"platform": "Campus", "extensions": {"https://x/y": [1, {"a": True}]}},
        "authority": {"mbox": "mailto:a@b"},
    }
    event = "{edApp: 'https://x/app', group: {id: 'https://x/g', type: CourseOffering, courseNumber: '1'}}"
    overrides = f"{{envelope: {{sensor: 'https://x/s'}}, event: {event}}}"
    made = load(write(consumer(override_args=overrides).replace("xapi", "caliper")))
    assert made.consumers[0].override_args["envelope"] == {"sensor": "https://x/s"}


def test_a_sensor_is_an_iri(write) -> None:
    found = faults_of(write(consumer(sensor="campus").replace("xapi", "caliper")))
    assert found == [
        "c.yaml:4: consumers[0].sensor: found text that is no IRI, expected an IRI such as https://lms.example.com/sensors/1"
    ]


def test_one_sensor_is_enough(write) -> None:
    overrides = "{envelope: {sensor: 'https://x/s'}}"
    found = faults_of(write(consumer(sensor="https://x/s", override_args=overrides).replace("xapi", "caliper")))
    assert found == ["c.yaml:4: consumers[0].sensor: a sensor here and in override_args.envelope; keep one of them"]


SITES = {
    "{a.example.com: https://a.example.com/}": "sites.a.example.com: found a root with a slash at its end",
    "{'https://a.example.com': https://a.example.com}": "sites.https://a.example.com: found no host, expected the event's host",
    "{a.b: https://a.b, A.b: https://a.b}": "sites.A.b: a.b again; keep one of them",
    "[a.b]": "sites: found a list, expected a mapping of hosts",
}


@pytest.mark.parametrize(("sites", "expected"), SITES.items())
def test_faults_of_sites(write, sites: str, expected: str) -> None:
    found = faults_of(write(SITE.replace("id_key", f"sites: {sites}, id_key") + CONSUMER + "}"))
    assert [line[: len(expected) + 14] for line in found] == [f"c.yaml:1: lms.{expected}"]


def test_hosts_of_sites_are_told_apart_without_case(write) -> None:
    made = load(write(SITE.replace("id_key", "sites: {A.example.com: https://a.example.com}, id_key") + CONSUMER + "}"))
    assert made.lms.sites == {"a.example.com": "https://a.example.com"}


SECRETS = [
    {"auth": f"{{scheme: basic, username: env:SITE_KEY, password: {SECRET}}}"},
    {"auth": f"{{scheme: bearer, token: 'env:{SECRET}!'}}"},
    {"auth": f"{{scheme: {SECRET}}}"},
    {"auth": f"{{scheme: bearer, tokn: {SECRET}}}"},
    {"auth": f"[{SECRET}]"},
    {"headers": f"{{X-Api-Key: {SECRET}}}"},
    {"headers": f"{{Authorization: {SECRET}}}"},
    {"url": f"'https://user:{SECRET}@lrs.example.edu/'"},
    {"url": f"'lrs.example.edu/?token={SECRET}'"},
    {"url": f"'https://lrs.example.edu:{SECRET}/'"},
    {"pasword": SECRET},
    {"timeout": SECRET},
]


@pytest.mark.parametrize("options", SECRETS, ids=str)
def test_what_may_be_a_secret_is_never_shown(write, options: dict[str, str]) -> None:
    text = "".join(faults_of(write(consumer(**options))))
    assert SECRET not in text
    assert "consumers[0]." + next(iter(options)) in text


def test_all_faults_are_said_at_once_in_the_order_of_their_lines(write) -> None:
    path = write(
        dedent("""\
        lms:
          root_url: https://lms.example.com/
          external_ids: missing.csv
        consumers:
        - name: a
          protocol: xapi
          url: lrs
          auth: {scheme: basic, username: env:NOT_SET}
        - name: a
          protocol: calliper
          url: https://x
          access: {courses: {allow: [1]}}
          batch: {size: 0, interval: x}
        - just text
        extra: 1
        """)
    )
    places = [line.split(": ", 2)[:2] for line in faults_of(path)]
    assert places == [
        ["c.yaml:2", "lms.root_url"],
        ["c.yaml:3", "lms.external_ids"],
        ["c.yaml:5", "consumers[0].access"],
        ["c.yaml:7", "consumers[0].url"],
        ["c.yaml:8", "consumers[0].auth.password"],
        ["c.yaml:8", "consumers[0].auth.username"],
        ["c.yaml:9", "consumers[1].name"],
        ["c.yaml:10", "consumers[1].protocol"],
        ["c.yaml:12", "consumers[1].access.courses.allow[0]"],
        ["c.yaml:13", "consumers[1].batch.interval"],
        ["c.yaml:13", "consumers[1].batch.size"],
        ["c.yaml:14", "consumers[2]"],
        ["c.yaml:15", "extra"],
    ]


@pytest.mark.parametrize("match_params", ["", ", match_params: {name: x}"])
def test_a_consumer_without_access_is_told_how_to_say_all(write, match_params: str) -> None:
    found = faults_of(write(SITE + f"consumers: [{{name: a, protocol: xapi, url: 'http://x'{match_params}}}]"))
    assert len(found) == 1
    assert found[0].startswith("c.yaml:2: consumers[0].access: found nothing")
    assert found[0].endswith("to let the consumer see everything, write access: all")


def test_a_table_in_a_bucket_is_told_which_extra_it_needs(write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edx2lrs.pipeline.config.needs.check_readable", lambda path: "No such bucket" if "://" in path else None)
    found = faults_of(write(SITE.replace("lms: {", "lms: {external_ids: 'gs://b/ids.csv', ") + CONSUMER + "}\n"))
    assert found == [
        "c.yaml:1: lms.external_ids: file gs://b/ids.csv cannot be read: No such bucket; gs:// needs the extra gcp"
        " (pip install '.[gcp]'), s3:// needs the extra aws (pip install '.[aws]')"
    ]


def test_a_root_with_a_slash_at_its_end_is_refused_with_the_right_one(write) -> None:
    found = faults_of(write("lms: {root_url: https://lms.example.com/, id_key: env:SITE_KEY}\n" + CONSUMER + "}"))
    assert found[0].endswith("write https://lms.example.com")


def test_without_a_table_actors_need_the_sites_key(write) -> None:
    found = faults_of(write("lms: {root_url: https://lms.example.com}\n" + CONSUMER + "}"))
    assert found == [
        "c.yaml:3: consumers[0].actor.id: found actors by hmac, since there is no lms.external_ids, without a key, "
        "expected lms.id_key: env:NAME or file:PATH"
    ]


def test_unknown_users_by_hmac_need_the_sites_key(write, tmp_path: Path) -> None:
    (tmp_path / "ids.csv").write_text("user_id,username,external_id_type,external_user_id\n")
    text = "lms: {root_url: https://lms.example.com, external_ids: ids.csv}\n" + CONSUMER + ", actor: {unknown: hmac}}"
    assert faults_of(write(text))[0].startswith("c.yaml:3: consumers[0].actor.unknown: found actor.unknown: hmac without")


OWN_KEYS = {
    "{key: env:SITE_KEY}": "key with external ids, since there is lms.external_ids,",
    "{id: external_id, key: env:SITE_KEY}": "key with id: external_id",
    "{id: mbox, unknown: hmac, key: env:SITE_KEY}": "key with id: mbox",
}


@pytest.mark.parametrize(("actor", "found"), OWN_KEYS.items())
def test_a_key_of_ones_own_is_for_hmac_ids_alone(write, tmp_path: Path, actor: str, found: str) -> None:
    (tmp_path / "ids.csv").write_text("user_id,username,external_id_type,external_user_id\n")
    site = "lms: {root_url: https://lms.example.com, external_ids: ids.csv, id_key: env:SITE_KEY}\n"
    assert faults_of(write(f"{site}{CONSUMER}, actor: {actor}}}")) == [
        f"c.yaml:3: consumers[0].actor.key: found {found}, expected actor.id: hmac; "
        "ids and addresses from the table are the same for every consumer"
    ]


def test_a_key_of_ones_own_does_where_the_site_has_none(write) -> None:
    made = load(write("lms: {root_url: https://lms.example.com}\n" + CONSUMER + ", actor: {key: env:SITE_KEY}}"))
    assert made.consumers[0].actor.key == "env:SITE_KEY"


NO_CONFIGURATION = {
    "empty": ("", 1, "an empty configuration"),
    "only comments": ("# nothing\n", 1, "an empty configuration"),
    "empty mapping": ("{}", 1, "an empty configuration"),
    "text": ("hello", 1, "found text, expected a mapping"),
    "list": ("- a\n- b", 1, "found a list, expected a mapping"),
    "two documents": (SITE + "---\n" + SITE, 2, "not YAML"),
    "broken": ("lms:\n  root_url: [1, 2\nconsumers: x\n", 3, "not YAML"),
    "tab": ("lms:\n\troot_url: x\n", 2, "not YAML"),
    "unknown alias": ("lms: *nobody\n", 1, "not YAML"),
    "latin 1": ("lms:\n  root_url: h\xe4h".encode("latin-1"), 2, "found bytes that are not UTF-8"),
    "binary": (b"\x00\x01\x02", 1, "not YAML"),
    "UTF-16": ("lms: x".encode("utf-16"), 1, "found bytes that are not UTF-8"),
    "deep": ("[" * 100_000, 1, "levels"),
}


@pytest.mark.parametrize(("text", "line", "words"), NO_CONFIGURATION.values(), ids=NO_CONFIGURATION.keys())
def test_what_is_no_configuration_is_one_clear_fault(write, text: str | bytes, line: int, words: str) -> None:
    found = faults_of(write(text))
    assert len(found) == 1
    assert found[0].startswith(f"c.yaml:{line}: ")
    assert words in found[0]


def test_a_missing_file_is_one_fault(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as raised:
        load(str(tmp_path / "none.yaml"))
    assert str(raised.value) == f"{tmp_path}/none.yaml: the configuration cannot be read: No such file or directory"


def test_a_folder_is_one_fault(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        load(str(tmp_path))


@pytest.mark.parametrize("bomb", ["a: &a [*a]\n", "a: &a {<<: *a}\n", "a: &a {b: *a}\n"])
def test_an_alias_inside_itself_is_a_fault(write, bomb: str) -> None:
    assert any("an alias inside of what it stands for" in line for line in faults_of(write(bomb + consumer())))


def test_a_billion_laughs_end_soon(write) -> None:
    levels = "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 40))
    assert len(faults_of(write("a0: &a0 [x]\n" + levels + consumer()))) == 40


DURATIONS = {"60s": 60.0, "0.2s": 0.2, "5m": 300.0, "100ms": 0.1, "2h": 7200.0, "1d": 86400.0, "7": 7.0, "0.5": 0.5, "60 s": 60}


@pytest.mark.parametrize(("text", "seconds"), DURATIONS.items())
def test_durations_are_seconds(write, text: str, seconds: float) -> None:
    assert load(write(consumer(timeout=text))).consumers[0].timeout == pytest.approx(seconds)


def test_a_full_consumer(write) -> None:
    options = {
        "auth": "{scheme: basic, username: env:SITE_KEY, password: env:LRS_PASSWORD}",
        "match_params": '{context.org_id: MITx, name: [problem_check, "/^edx\\\\.video\\\\./"], data.attempts: 3,'
        " host: {not: x}, session: [{exists: false}, s]}",
        "access": "{courses: {allow: [course-v1:edX+DemoX+2026], block: ['/Secret/']}, orgs: {block: [Other]},"
        " users: {block: [ann, 5]}}",
        "batch": "{size: 1, interval: 0.2s}",
        "retry": "{max_attempts: 3, max_delay: 5m}",
        "headers": "{X-Tenant: campus, X-Api-Key: env:LRS_PASSWORD}",
        "on_outage": "dead_letter",
        "max_wait": "1h",
    }
    text = consumer(**options).replace(", access: all", "")
    made = load(write(text)).consumers[0]
    assert made.auth == BasicAuth(username="env:SITE_KEY", password="env:LRS_PASSWORD")
    assert made.match_params == {
        "context.org_id": "MITx",
        "name": ["problem_check", "/^edx\\.video\\./"],
        "data.attempts": 3,
        "host": {"not": ["x"]},
        "session": [{"exists": False}, "s"],
    }
    assert made.access == Access(
        courses=AccessRule(allow=["course-v1:edX+DemoX+2026"], block=["/Secret/"]),
        orgs=AccessRule(block=["Other"]),
        users=UserRule(block=["ann", 5]),
    )
    assert (made.batch.size, made.batch.interval, made.batch.bytes) == (1, 0.2, 900_000)
    assert (made.retry.max_attempts, made.retry.base_delay, made.retry.max_delay) == (3, 0.5, 300.0)
    assert made.headers == {"X-Tenant": "campus", "X-Api-Key": "env:LRS_PASSWORD"}
    assert (made.on_outage, made.max_wait, made.timeout) == ("dead_letter", 3600.0, 30.0)


def test_plain_words_stay_text_as_in_yaml_1_2(write) -> None:
    made = load(write(consumer(match_params="{context.org_id: [NO, on, 2026-01-01, 007, 1:30, null_]}")))
    assert made.consumers[0].match_params["context.org_id"] == ["NO", "on", "2026-01-01", "007", "1:30", "null_"]


def test_values_are_not_expanded(write) -> None:
    assert load(write(consumer(headers="{X-Tenant: '${SITE_KEY} $SITE_KEY'}"))).consumers[0].headers == {
        "X-Tenant": "${SITE_KEY} $SITE_KEY"
    }


def test_aliases_and_merges_spare_repetition(write) -> None:
    text = SITE + dedent("""\
        consumers:
        - &first {name: a, protocol: xapi, url: http://x, access: all, timeout: 5s}
        - {<<: *first, name: b}
        - {<<: [*first, {timeout: 9s}], name: c}
        """)
    made = load(write(text)).consumers
    assert [(each.name, each.url, each.timeout) for each in made] == [
        ("a", "http://x", 5),
        ("b", "http://x", 5),
        ("c", "http://x", 5),
    ]


def test_relative_paths_start_from_the_configurations_folder(write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ids.csv").write_text("user_id,username,external_id_type,external_user_id\n")
    (tmp_path / "key").write_text("a secret\n")
    site = "lms: {root_url: https://lms.example.com, external_ids: ids.csv, id_key: file:key}\n"
    path = write(site + CONSUMER + "}\ndead_letters: {path: dead}\n")
    monkeypatch.chdir("/")
    config = load(path)
    assert (config.lms.external_ids, config.lms.id_key) == (str(tmp_path / "ids.csv"), f"file:{tmp_path}/key")
    assert config.dead_letters.path == str(tmp_path / "dead")


def test_the_site_alone_needs_no_consumers(write) -> None:
    assert load_site(write(SITE)).root_url == "https://lms.example.com"
    assert load_site(write(SITE + "consumers: [{name: 5}]\nnonsense: 1\n")).id_key == "env:SITE_KEY"


def test_the_site_says_what_ids_are_made_from(write) -> None:
    with pytest.raises(ConfigError, match=r":1: lms: found neither external_ids nor id_key, expected"):
        load_site(write("lms: {root_url: https://lms.example.com}"))


@pytest.mark.parametrize("text", ["lms: {root_url: lms.example.com}", "consumers: []", "lms: {rooturl: https://x}", ""])
def test_the_site_has_to_be_right(write, text: str) -> None:
    with pytest.raises(ConfigError):
        load_site(write(text))


def test_the_loader_imports_no_beam() -> None:
    heavy = ("apache_beam", "requests", "fastavro")
    code = f"import sys, edx2lrs.pipeline.config.reading; print([m for m in {heavy} if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_structure_is_read_without_secrets_tables_and_certificates(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(
        "lms: {root_url: https://lms.example.com, external_ids: s3://bucket/ids.csv, id_key: env:NOT_SET}\n"
        "consumers:\n"
        "- name: campus\n"
        "  protocol: xapi\n"
        "  url: https://lrs.example.edu/xAPI\n"
        "  auth: {scheme: bearer, token: secret://projects/p/secrets/token}\n"
        "  headers: {X-Plain: text, X-Secret: file:no-such-file}\n"
        "  tls: {ca: no-ca.pem, cert: no.pem}\n"
        "  access: all\n"
    )
    structure = read_structure(str(path))
    assert structure.config.consumers[0].name == "campus"
    assert [(need.line, need.key, need.name) for need in structure.needs] == [
        (1, "lms.external_ids", "s3://bucket/ids.csv"),
        (1, "lms.id_key", "env:NOT_SET"),
        (6, "consumers[0].auth.token", "secret://projects/p/secrets/token"),
        (7, "consumers[0].headers.X-Secret", f"file:{tmp_path}/no-such-file"),
        (8, "consumers[0].tls.ca", f"{tmp_path}/no-ca.pem"),
        (8, "consumers[0].tls.cert", f"{tmp_path}/no.pem"),
        (8, "consumers[0].tls.ca", f"{tmp_path}/no-ca.pem"),
        (8, "consumers[0].tls.cert", f"{tmp_path}/no.pem"),
    ]


def test_faults_of_structure_are_said_without_secrets(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text("lms: {root_url: https://lms.example.com, id_key: env:NOT_SET, external_idz: a.csv}\nconsumers: []\n")
    with pytest.raises(ConfigError) as raised:
        read_structure(str(path))
    assert [fault.key for fault in raised.value.faults] == ["lms.external_idz", "consumers"]


def test_aspects_needs_xapi_and_external_ids(write) -> None:
    (found,) = faults_of(write(SITE + CONSUMER.replace("xapi", "caliper") + ", dialect: aspects}\n"))
    assert found == (
        "c.yaml:3: consumers[0].dialect: found aspects with protocol: caliper, expected protocol: xapi; Aspects reads no Caliper events"
    )
    (found,) = faults_of(write(SITE + CONSUMER + ", dialect: aspects}\n"))
    assert found == (
        "c.yaml:3: consumers[0].actor.id: found hmac with dialect: aspects, expected external_id;"
        " Aspects joins persons by the external id; add lms.external_ids"
    )
