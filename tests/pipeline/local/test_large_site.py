"""Sixty consumers with rules and options of all kinds: who gets what, by a plain reading of the rules, and a run that does so."""

from __future__ import annotations

import json
import random
import re
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from edx2lrs.pipeline.config.reading import load
from edx2lrs.pipeline.sandbox.store import Store
from edx2lrs.transforms.event import Event
from edx2lrs.transforms.families.source_events import SOURCE_EVENTS
from edx2lrs.transforms.matching.filter import EventFilter
from edx2lrs.transforms.matching.match import Matcher
from edx2lrs.transforms.records.parse import parse

GENERATE = Path(__file__).parents[3] / "templates" / "sample" / "generate.py"
CONSUMERS = 60
EVENTS = 4_000
COURSES = [f"{org}+C{number}+2026" for org in ("NorthX", "HarborX", "MITx", "Delft.X") for number in range(4)]
IN_THE_LOG = re.compile(r"(NorthX|HarborX)\+(BIO200|FR110|CS101)\+2024_T1")
ORGS = ["NorthX", "HarborX", "MITx", "Delft.X"]
HOSTS = ["lms.example.com", "Campus.example.com", "lab.example.com:8000"]
ENTERPRISES = ["0f8a6b2e-3a5c-4b8e-9a55-0c6a0d6f1e10", "1C2D3E4F-0000-4000-8000-000000000001"]
NAMES = ["problem_check", "play_video", "/^edx\\.grades\\./", "/_video$/", "/enrollment/", "/voted$/", "edx.forum.thread.viewed"]
PEOPLE = ["ada", "fatou", "elif", "hugo", "dmitri", "/^[a-f]/", "/-9$/", 5, 8, 10, 39]
VIDEO = {"xapi": "https://w3id.org/xapi/video/activity-type/video", "caliper": "VideoObject"}
FIRST = datetime(2026, 3, 1, tzinfo=timezone.utc)


# A large site


def large_site(seed: int) -> dict[str, Any]:
    """A configuration, as it stands in its file."""
    chance = random.Random(seed)
    consumers = [one_consumer(chance, number) for number in range(CONSUMERS)]
    consumers[1] = {**consumers[0], "name": "c01", "match_params": {"name": "/video/"}}  # two with one URL
    return {
        "lms": {
            "root_url": "https://lms.example.com",
            "sites": {"campus.example.com": "https://campus.example.com"},
            "external_ids": "external_ids.csv",
            "course_names": "course_names.csv",
            "id_key": "env:EDX2LRS_ID_KEY",
        },
        "events": {"block": ["/^edx\\.forum\\..*deleted/", "page_close"]},
        "consumers": consumers,
    }


def one_consumer(chance: random.Random, number: int) -> dict[str, Any]:
    protocol = ("xapi", "caliper")[number % 2 if number > 1 else 0]
    name = f"c{number:02}"
    common = {
        "name": name,
        "protocol": protocol,
        "url": f"http://ADDRESS/c{number if number > 1 else 0:02}/{'xAPI' if protocol == 'xapi' else 'caliper'}",
        "auth": {"scheme": "basic", "username": "env:SANDBOX_USER", "password": "env:SANDBOX_PASSWORD"}
        if protocol == "xapi"
        else {"scheme": "bearer", "token": "env:SANDBOX_TOKEN"},
        "access": "all" if number % 6 == 0 else access(chance, protocol),
        "match_params": match_params(chance) if number % 3 else {},
        "actor": chance.choice([{"id": "external_id", "unknown": "hmac"}, {"id": "hmac"}, {"id": "hmac", "key": "env:SANDBOX_TOKEN"}]),
        "batch": {"size": chance.choice([1, 10, 50, 100]), "interval": chance.choice(["0.2s", "1m"]), "bytes": 250_000},
        "gzip": chance.random() < 0.3,
        "redact": chance.choice([[], ["response"], ["response", "title"]]),
        "headers": chance.choice([{}, {"X-Tenant": name}, {"X-Api-Key": "env:SANDBOX_TOKEN"}]),
        "rate": {"concurrency": chance.choice([1, 4])},
    }
    return common | chance.choice([{}, {"override_args": override(protocol, name)}])


def access(chance: random.Random, protocol: str) -> dict[str, Any]:
    choices: dict[str, tuple[list[Any], int]] = {
        "courses": ([*(f"course-v1:{key}" for key in COURSES), "/MITx/", "/^course-v1:N/"], 6),
        "orgs": ([*ORGS, "/X$/"], 2),
        "users": (PEOPLE, 4),
        "sites": ([*map(str.lower, HOSTS), "/^campus/"], 2),
        "enterprises": ([*map(str.lower, ENTERPRISES)], 1),
        "activity_types": ([VIDEO[protocol], "/[vV]ideo/"], 1),
    }
    given = chance.sample(sorted(choices), chance.choice([1, 1, 2, 3]))
    return {kind: rule(chance, *choices[kind]) for kind in given}


def rule(chance: random.Random, values: list[Any], most: int) -> dict[str, list[Any]]:
    allow, block = chance.sample(values, chance.randint(1, most)), chance.sample(values, 1)
    return chance.choice([{"allow": allow}, {"block": block}, {"allow": allow, "block": block}])


def match_params(chance: random.Random) -> dict[str, Any]:
    choices: dict[str, Any] = {
        "name": chance.sample(NAMES, 3),
        "context.course_id": [f"course-v1:{chance.choice(COURSES)}", "/HarborX|NorthX/"],
        "context.org_id": [{"not": chance.sample(ORGS, 2)}, {"exists": False}],
        "context.user_id": {"not": chance.sample([5, 8, 9, 10], 2)},
        "context.username": {"exists": True},
        "username": chance.choice([{"not": "/^a/"}, [{"exists": False}, "/a/"]]),
        "event_source": chance.choice(["server", {"not": "server"}, ["browser", "mobile"]]),
        "context.enterprise_uuid": {"exists": chance.random() < 0.3},
        "host": {"not": [HOSTS[1]]},
        "data.problem_id": chance.choice([{"exists": False}, {"exists": True}]),
        "data.user_id": [{"exists": False}, {"not": 5}],
        "data.mode": [{"exists": False}, "verified"],
        "data.undo_vote": [{"exists": False}, True],
        "data.current_tab": [{"exists": False}, 1, 2.0, 3],
        "data.answers": {"exists": chance.random() < 0.2},
    }
    given = chance.sample(sorted(choices), chance.choice([1, 1, 2, 3]))
    return {path: choices[path] for path in given}


def override(protocol: str, name: str) -> dict[str, Any]:
    return {"context": {"platform": name}} if protocol == "xapi" else {"envelope": {"sensor": f"https://lms.example.com/{name}"}}


def records(log: Path, seed: int) -> Iterator[dict[str, Any]]:
    """Those of ``log`` in more courses, sites and enterprises, one a second."""
    chance = random.Random(seed)
    for number, line in enumerate(log.read_text(encoding="utf-8").splitlines()):
        record = json.loads(IN_THE_LOG.sub(chance.choice(COURSES), line))
        record["time"] = (FIRST + timedelta(seconds=number, microseconds=123456)).isoformat()
        record.pop("timestamp", None)
        record["host"] = chance.choice(HOSTS)
        context = record["context"]
        context["org_id"] = chance.choice([None, "", *ORGS])  # whatever the course says
        context["enterprise_uuid"] = chance.choice(["", *ENTERPRISES])
        if isinstance(record["event"], dict) and "course_id" in record["event"] and chance.random() < 0.1:
            record["event"]["course_id"] = f"course-v1:{chance.choice(COURSES)}"
        yield record


# The rules, as they read


def payload_of(record: dict[str, Any]) -> dict[str, Any]:
    payload = record["event"]
    found = json.loads(payload) if isinstance(payload, str) and payload.startswith("{") else payload
    return found if isinstance(found, dict) else {}


def name_of(record: dict[str, Any]) -> str:
    return str(record.get("name") or record["event_type"])


def person_of(record: dict[str, Any]) -> tuple[Any, Any]:
    there, name = record["context"].get("user_id") or None, record["username"] or None
    in_data = payload_of(record).get("user_id")
    return (there, name) if in_data in (None, there) else (in_data, None)


def in_list(value: Any, patterns: list[Any]) -> bool:
    def one(pattern: Any) -> bool:
        if isinstance(pattern, str) and len(pattern) > 2 and pattern[0] == pattern[-1] == "/":
            return isinstance(value, str) and re.search(pattern[1:-1], value) is not None
        return value == pattern and isinstance(value, bool) == isinstance(pattern, bool)

    return any(map(one, patterns))


def passes(rule: dict[str, list[Any]] | None, *values: Any) -> bool:
    """One allowed, if the rule allows some, and none blocked."""
    if rule is None:
        return True
    there = [value for value in values if value not in (None, "")]
    if any(in_list(value, rule.get("block", [])) for value in there):
        return False
    return bool(there) and ("allow" not in rule or any(in_list(value, rule["allow"]) for value in there))


def is_known(rule: dict[str, list[Any]] | None, person: tuple[Any, Any]) -> bool:
    """Who is to be kept out by an id or a name has to be known by it."""
    blocked = (rule or {}).get("block", [])
    return all(person[0 if isinstance(each, int) else 1] for each in blocked)


def is_wanted(wanted: Any, value: Any) -> bool:
    if isinstance(wanted, list):
        return any(is_wanted(each, value) for each in wanted)
    if isinstance(wanted, dict) and "exists" in wanted:
        return wanted["exists"] == (value not in (None, ""))
    if value in (None, "") or isinstance(value, (list, dict)):
        return False
    if isinstance(wanted, dict):
        no = wanted["not"]
        return not in_list(value, no if isinstance(no, list) else [no])
    return in_list(value, [wanted])


def value_at(record: dict[str, Any], path: str) -> Any:
    if path == "name":
        return name_of(record)
    if path.rpartition(".")[2] in ("user_id", "username") and not path.startswith("data."):
        return person_of(record)[path.endswith("username")]
    if path.startswith("data."):
        return payload_of(record).get(path.removeprefix("data."))
    return record["context"].get(path.removeprefix("context.")) if path.startswith("context.") else record.get(path)


def type_of(name: str, protocol: str) -> str | None:
    """What its statements are about. xAPI has none of language menus."""
    if "language_menu" in name and protocol == "xapi":
        return None
    return VIDEO[protocol] if "video" in name or "transcript" in name else "something else"


def gets(consumer: dict[str, Any], record: dict[str, Any], blocked: list[str]) -> bool:
    name = name_of(record)
    if name not in SOURCE_EVENTS or in_list(name, blocked):
        return False
    if not all(is_wanted(wanted, value_at(record, path)) for path, wanted in consumer["match_params"].items()):
        return False
    rules = consumer["access"]
    if rules == "all":
        return True
    context = record["context"]
    enrolled = payload_of(record).get("course_id") if name.startswith("edx.course.") else None
    courses = {course for course in (context["course_id"], enrolled) if course} or {None}
    kind = type_of(name, consumer["protocol"])
    person = person_of(record)
    return (
        all(passes(rules.get("courses"), course) for course in courses)
        and all(passes(rules.get("orgs"), re.split(r"[:+]", course)[1] if course else None) for course in courses)
        and passes(rules.get("users"), *person)
        and is_known(rules.get("users"), person)
        and passes(rules.get("sites"), record["host"].lower())
        and passes(rules.get("enterprises"), context["enterprise_uuid"].lower())
        and passes(rules.get("activity_types"), kind)
    )


# The tests


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a log of a large site and its tables."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, GENERATE, "--events", str(EVENTS), "--out", folder, "--seed", "9"]
    subprocess.run(list(map(str, command)), check=True)
    made = [json.dumps(record) + "\n" for record in records(folder / "tracking.log", 9)]
    (folder / "tracking.log").write_text("".join(made), encoding="utf-8")
    return folder


@pytest.fixture
def configured(config: Callable[..., Path], site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Writes the site's configuration, with its tables beside it."""
    for name in ("SANDBOX_USER", "SANDBOX_PASSWORD", "SANDBOX_TOKEN", "EDX2LRS_ID_KEY"):
        monkeypatch.setenv(name, "sandbox")

    def write(content: dict[str, Any], address: str = "127.0.0.1:9") -> Path:
        path = config(address, json.dumps(content, indent=1))
        for table in site.glob("*.csv"):
            (tmp_path / table.name).write_bytes(table.read_bytes())
        return path

    return write


def read(site: Path) -> list[bytes]:
    return (site / "tracking.log").read_bytes().splitlines()


@pytest.mark.parametrize("seed", range(3))
def test_who_gets_what_is_what_the_rules_say(configured: Callable[..., Path], site: Path, seed: int) -> None:
    written = large_site(seed)
    started = time.process_time()
    loaded = load(str(configured(written)))
    assert time.process_time() - started < 1.0
    match, wanted = Matcher(loaded.consumers), EventFilter(loaded.events)
    got: Counter[str] = Counter()
    for line in read(site):
        event, record = parse(line), json.loads(line)
        assert isinstance(event, Event)
        found = {loaded.consumers[place].name for place in match(event)} if wanted(event) is None else set()
        expected = {each["name"] for each in written["consumers"] if gets(each, record, written["events"]["block"])}
        assert found == expected, line
        got.update(found)
    assert len(got) > 40
    assert len(set(got.values())) > 30


def test_a_run_delivers_exactly_that(
    edx2lrs: Any, sandbox: Any, configured: Callable[..., Path], site: Path, tmp_path: Path, assert_adds_up: Any
) -> None:
    written = large_site(1)
    path = configured(written, sandbox.address)
    lines = read(site)[:1_000]
    (tmp_path / "tracking.log").write_bytes(b"".join(line + b"\n" for line in lines))
    result = edx2lrs("run", "--config", path, "--input", "tracking.log", "--state", "state")
    sandbox.stop()
    assert result.code == 0, result.text
    assert_adds_up(result.report)

    expected: dict[str, set[str]] = defaultdict(set)
    for line in lines:
        record = json.loads(line)
        for each in written["consumers"]:
            if gets(each, record, written["events"]["block"]):
                expected[each["url"].split("/")[3]].add(record["time"][:19])
    with Store(tmp_path / "lrs.db") as store:
        arrived = {name: times(store, name) for name in store.counts()}
    made = {protocol: translatable(protocol, lines, tmp_path) for protocol in ("xapi", "caliper")}
    assert arrived == {name: found for name, all_ in expected.items() if (found := all_ & made[protocol_of(written, name)])}
    assert len(arrived) > 40


def times(store: Store, name: str) -> set[str]:
    """When what the LRS has happened, to the second."""
    bodies = [json.loads(record.body) for record in store.find(name, 1_000_000)]
    return {(body.get("timestamp") or body["eventTime"])[:19] for body in bodies}


def protocol_of(written: dict[str, Any], name: str) -> str:
    return next(str(each["protocol"]) for each in written["consumers"] if each["url"].split("/")[3] == name)


def translatable(protocol: str, lines: list[bytes], folder: Path) -> set[str]:
    """The times of the records of which anything can be made, whoever is to get it."""
    command = [sys.executable, "-m", "edx2lrs.pipeline", "translate", "--to", protocol, "--config", "edx2lrs.yaml", "--trace"]
    done = subprocess.run(command, input=b"\n".join(lines), capture_output=True, check=False, cwd=folder)
    traced = zip(lines, done.stdout.splitlines(), strict=True)
    return {json.loads(line)["time"][:19] for line, trace in traced if json.loads(trace)["statements"]}
