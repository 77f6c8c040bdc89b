"""Events of another installed package: the example of the docs works, and what is wrong with a package is said in one line."""

from __future__ import annotations

import configparser
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from edx2lrs.transforms.families.event_checks import checked_events
from edx2lrs.transforms.families.mapping_checks import check_mappings
from edx2lrs.transforms.families.mappings import KINDS, PROTOCOLS
from edx2lrs.transforms.families.packages import Package, module_of, packages
from edx2lrs.transforms.families.source_events import PACKAGES, SOURCE_EVENTS
from testkit.configurations import consumer, yaml_of

EXAMPLE = Path(__file__).parents[3] / "docs" / "examples" / "own_events"
TURNED = json.loads((EXAMPLE / "acme_flashcards/examples/acme.flashcard.turned.json").read_text(encoding="utf-8"))["sources"][0]
PLAY = {"name": "play_video", "context": {"user_id": 5, "course_id": "course-v1:edX+D+1"}, "event": {"id": "v"}}
PLAYED = json.dumps({**PLAY, "time": "2023-05-23T13:53:13+00:00"})


def metadata(folder: Path, name: str, version: str, entry_points: str) -> None:
    """What an installer leaves of a distribution."""
    info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    (info / "entry_points.txt").write_text(f"[edx2lrs.mappings]\n{entry_points}\n")


def python(*arguments: str, path: list[Path], text: str = "") -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, path)), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, *arguments]
    return subprocess.run(command, input=text, capture_output=True, text=True, timeout=60, env=environment)


def edx2lrs(*arguments: str, path: list[Path], text: str = "") -> subprocess.CompletedProcess[str]:
    return python("-m", "edx2lrs.pipeline", *arguments, path=path, text=text)


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The example as if installed, by its own pyproject.toml."""
    project = configparser.ConfigParser()
    project.read(EXAMPLE / "pyproject.toml", encoding="utf-8")
    entry_points = [
        f"{name} = {value.strip(chr(34))}" for name, value in project['project.entry-points."edx2lrs.mappings"'].items()
    ]
    folder = tmp_path_factory.mktemp("installed")
    name, version = (project["project"][key].strip('"') for key in ("name", "version"))
    metadata(folder, name, version, "\n".join(entry_points))
    return [folder, EXAMPLE]


def test_its_events_are_translated_into_both_protocols(example: list[Path]) -> None:
    text = f"{json.dumps(TURNED)}\n{PLAYED}\n"
    xapi = edx2lrs("translate", "--to", "xapi", path=example, text=text)
    verbs = [json.loads(line)["verb"]["display"]["en"] for line in xapi.stdout.splitlines()]
    assert verbs == ["answered", "played"]
    caliper = edx2lrs("translate", "--to", "caliper", path=example, text=text)
    assert [json.loads(line)["type"] for line in caliper.stdout.splitlines()] == ["AssessmentItemEvent", "MediaEvent"]


def test_without_it_its_events_are_unknown() -> None:
    done = edx2lrs("translate", "--to", "xapi", "--trace", path=[], text=json.dumps(TURNED))
    assert json.loads(done.stdout)["skipped"] == "unknown_event"


def test_its_events_have_a_row_among_ours_and_are_explained(example: list[Path]) -> None:
    rows = {row["name"]: row for row in json.loads(edx2lrs("events", "--json", path=example).stdout)}
    assert rows["play_video"]["package"] is None
    assert rows["acme.flashcard.turned"] == {
        "name": "acme.flashcard.turned",
        "family": "flashcards",
        "xapi": [
            {
                "verb": "http://adlnet.gov/expapi/verbs/answered",
                "activity_type": "http://adlnet.gov/expapi/activities/cmi.interaction",
            }
        ],
        "caliper": [{"type": "AssessmentItemEvent", "action": "Completed"}],
        "since": "1.0",
        "package": "acme-flashcards 1.0",
        "example": "docs/examples/own_events/acme_flashcards/examples/acme.flashcard.turned.json",
        "alias_of": None,
    }
    explained = edx2lrs("explain", path=example, text=json.dumps(TURNED)).stdout
    assert "family flashcards, from acme-flashcards 1.0;" in explained
    assert "data.card                    a text" in explained


def test_its_own_tests_pass_and_its_modules_may_be_imported_first(example: list[Path]) -> None:
    done = python("-m", "pytest", "-q", "-p", "no:cacheprovider", str(EXAMPLE / "tests"), path=example)
    assert done.returncode == 0, done.stdout
    first = (
        "import acme_flashcards.xapi; from edx2lrs.transforms.families.mappings import mappings; "
        "print('acme.flashcard.turned' in mappings('xapi'))"
    )
    assert python("-c", first, path=example).stdout == "True\n"


def test_the_page_shows_the_example_as_it_is() -> None:
    page = (EXAMPLE.parent.parent / "own-events.md").read_text(encoding="utf-8")
    blocks = [part.partition("```")[0] for part in page.split("```python\n")[1:]]
    assert len(blocks) == 2
    for block, module in zip(blocks, ("events", "xapi"), strict=True):
        lines = (EXAMPLE / f"acme_flashcards/{module}.py").read_text(encoding="utf-8").splitlines()
        assert [line for line in block.splitlines() if line not in lines] == []
    entry_point = page.split("```toml\n")[1].partition("```")[0]
    assert entry_point in (EXAMPLE / "pyproject.toml").read_text(encoding="utf-8")
    for path in re.findall(r"`((?:acme_flashcards|tests)/[\w/.]*|pyproject.toml)`", page):
        assert (EXAMPLE / path).exists(), path


EVENTS = """
from edx2lrs.transforms.fields import EventData, Scalar, SourceEvent
class Data(EventData, gc=False):
    id: Scalar = None
EVENTS = {"own.event": SourceEvent("own", Data)}
"""
CONTEXT = """
import msgspec
class Context(msgspec.Struct):
    module: Scalar = None
"""
XAPI = """
from edx2lrs.transforms.mapping.rows import Row
from edx2lrs.transforms.mapping.xapi_statement import StatementMapping
from edx2lrs.transforms.mapping.xapi_vocabulary import PLAYED
MAPPING_VERSION = 1
ROWS = (Row(("object", "id"), "data.id", required=True),)
MAPPINGS = {"own.event": StatementMapping(PLAYED, ROWS)}
"""


CALIPER = """
from edx2lrs.transforms.mapping.caliper_event import EventMapping
from edx2lrs.transforms.mapping.rows import Constant, Row
MAPPING_VERSION = 1
ROWS = (
    Row(("object", "id"), "data.id", required=True),
    Constant(("object", "type"), "DigitalResource"),
    Row(("object", "name"), "data.id"),
)
MAPPINGS = {"own.event": EventMapping("Event", "Started", ROWS)}
"""


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., list[Path]]:
    """Installs a package of own events; gives the path that Python needs."""

    def make(name: str, events: str = EVENTS, xapi: str | None = XAPI, value: str = "", caliper: str | None = None) -> list[Path]:
        folder = tmp_path / name
        folder.mkdir(parents=True)
        for module, text in (("__init__", ""), ("events", events), ("xapi", xapi), ("caliper", caliper)):
            if text is not None:
                (folder / f"{module}.py").write_text(text)
        metadata(tmp_path, f"{name}-dist", "2.0", f"{name} = {value or name}")
        return [tmp_path]

    return make


VARIANTS = (
    "import Row\n",
    "import Derived, Row, VariantMapping\nfrom edx2lrs.transforms.mapping.caliper_event import EventMapping\n",
)

WRONG = {
    "events cannot be imported": (
        {"events": "import no_such_module"},
        "own.events: cannot be imported: ModuleNotFoundError: No module named 'no_such_module'",
    ),
    "syntax": ({"xapi": "def"}, "own.xapi: cannot be imported: SyntaxError: invalid syntax"),
    "crash": ({"events": "1 / 0"}, "own.events: cannot be imported: ZeroDivisionError: division by zero"),
    "no package": ({"value": "elsewhere"}, "elsewhere.events: cannot be imported: ModuleNotFoundError: No module named"),
    "an object": ({"value": "own:EVENTS"}, "entry point own of edx2lrs.mappings: found own:EVENTS, expected the name of"),
    "no EVENTS": ({"events": ""}, "own.events: EVENTS: found nothing, expected a dict of event names to SourceEvent"),
    "no SourceEvent": ({"events": "EVENTS = {'own.event': 1}"}, "EVENTS: found 'own.event': int, expected a name: SourceEvent"),
    "no EventData": (
        {"events": EVENTS.replace("Data(EventData, gc=False)", "Data")},
        "EVENTS: own.event: found data Data, expected a subclass of EventData",
    ),
    "undecodable": ({"events": EVENTS.replace("id: Scalar", "id: list | set")}, "own.event: Data cannot be read: Type unions"),
    "a field without a default": (
        {"events": EVENTS.replace("(EventData, gc=False)", "(EventData, kw_only=True)").replace(" = None", "")},
        "own.event: Data cannot be read: Missing required argument 'id'",
    ),
    "a field of context with another type": (
        {"events": EVENTS.replace("Data)", "Data, Context)").replace("EVENTS", f"{CONTEXT}EVENTS")},
        "own.event: context.module is declared with another type by another event; use that one",
    ),
    "a name of ours": (
        {"events": EVENTS.replace("own.event", "play_video")},
        "edx2lrs and own-dist 2.0 both have events named play_video; remove one of them, or put play_video into REPLACES",
    ),
    "replaces nothing": ({"events": EVENTS + "REPLACES = {'own.event'}"}, "REPLACES: nobody else has own.event; remove it there"),
    "replaces what it lacks": ({"events": EVENTS + "REPLACES = {'play_video'}"}, "REPLACES: found 'play_video', which EVENTS"),
    "a text for REPLACES": ({"events": EVENTS + "REPLACES = 'play_video'"}, "REPLACES: found str, expected a set of names"),
    "a text for aliases": (
        {"events": EVENTS.replace("Data)", "Data, aliases='old')")},
        "EVENTS: own.event: found aliases str, expected a tuple of names",
    ),
    "an alias that is a name": (
        {"events": EVENTS.replace("Data)", "Data, aliases=('own.event',))")},
        "EVENTS: own.event: the alias own.event is declared twice; remove one of the two",
    ),
    "no mapping": ({"xapi": XAPI.replace('{"own.event"', '{} and {"own.event"')}, "EVENTS: own.event has no mapping; add one"),
    "no MAPPINGS": (
        {"xapi": "MAPPINGS = ['own.event']"},
        "own.xapi: MAPPINGS: found list, expected a dict of event names to mappings",
    ),
    "no version": ({"xapi": XAPI.replace("VERSION = 1", "VERSION = 'one'")}, "own.xapi: MAPPING_VERSION: expected a whole"),
    "a mapping without an event": (
        {"xapi": XAPI + "MAPPINGS['other'] = MAPPINGS['own.event']"},
        "own.xapi: MAPPINGS: found 'other', which EVENTS of own.events lacks; add it there",
    ),
    "no mapping's type": (
        {"xapi": XAPI + "MAPPINGS = {'own.event': ROWS}"},
        "MAPPINGS: own.event: found tuple, expected StatementMapping or",
    ),
    "a row reads what is not declared": (
        {"xapi": XAPI.replace("data.id", "data.title")},
        "MAPPINGS: own.event: a row reads data.title, which no event has; declare it in own.events",
    ),
    "a row reads a struct": (
        {
            "events": EVENTS.replace("Data)", "Data, ProblemContext)").replace(
                "EVENTS", "from edx2lrs.transforms.families.problem.events import ProblemContext\nEVENTS"
            ),
            "xapi": XAPI.replace("data.id", "context.module"),
        },
        "a row reads context.module, which is a struct; name its fields: context.module.display_name, context.module.usage_key",
    ),
    "a choice does not say what it reads": (
        {
            "xapi": XAPI.replace("StatementMapping(PLAYED", "VariantMapping(len, {}) or (PLAYED").replace(
                "import StatementMapping", "import StatementMapping, VariantMapping"
            )
        },
        "MAPPINGS: own.event: choose: found builtin_function_or_method, expected Derived((the paths that it reads,), function)",
    ),
    "a choice reads a path that is no tuple": (
        {"xapi": XAPI.replace("StatementMapping(PLAYED, ROWS)", "VariantMapping(Derived('data.id', str), {})").replace(*VARIANTS)},
        "MAPPINGS: own.event: choose: found Derived, expected Derived((the paths that it reads,), function)",
    ),
    "a variant of the other protocol": (
        {
            "xapi": XAPI.replace(
                "StatementMapping(PLAYED, ROWS)", "VariantMapping(Derived(('data.id',), str), {'a': EventMapping('', '', ())})"
            ).replace(*VARIANTS)
        },
        "MAPPINGS: own.event: found EventMapping, expected StatementMapping or GroupMapping or VariantMapping",
    ),
    "a row reads a person": ({"xapi": XAPI.replace("data.id", "data.user_id")}, "own.event: a row reads data.user_id, which no"),
    "a lambda in a row": (
        {"xapi": XAPI.replace('"data.id", required', '"data.id", lambda value: value, required')},
        "own.xapi: MAPPINGS: own.event: the row for object.id: found a lambda, expected a function with a name; write def",
    ),
    "a lambda in a choice": (
        {
            "xapi": XAPI.replace(
                "StatementMapping(PLAYED, ROWS)", "VariantMapping(Derived(('data.id',), lambda value: 'a'), {'a': EventMapping})"
            ).replace(*VARIANTS)
        },
        "own.xapi: MAPPINGS: own.event: choose: found a lambda, expected a function with a name",
    ),
    "no function": (
        {"xapi": XAPI.replace('"data.id", required', '"data.id", "str", required')},
        "the row for object.id: found str, expected a function",
    ),
    "rows in a list": (
        {"xapi": XAPI.replace("required=True),)", "required=True),]").replace("ROWS = (", "ROWS = [")},
        "found list for rows, expected a tuple of Row and Constant",
    ),
    "no row among the rows": (
        {"xapi": XAPI.replace("required=True),)", "required=True), 5)")},
        "found int among the rows, expected Row(...) or Constant(...)",
    ),
    "a text for a destination": (
        {"xapi": XAPI.replace('("object", "id")', '"object.id"')},
        "found the destination 'object.id', expected a tuple of keys such as ('object', 'id')",
    ),
    "no source": ({"xapi": XAPI.replace('"data.id"', "()")}, "the row for object.id: expected a source"),
    "a misspelt destination": (
        {"xapi": XAPI.replace("required=True),)", 'required=True), Row(("result", "respons"), "data.id"))')},
        "found the destination result.respons, expected no such property in a result (xAPI 1.0.3, 2.2); write response",
    ),
    "a misspelt destination at the top": (
        {"xapi": XAPI.replace("required=True),)", 'required=True), Row(("reslt", "response"), "data.id"))')},
        "found the destination reslt, expected no such property in a statement (xAPI 1.0.3, 2.2); write result",
    ),
    "a destination in another case": (
        {"xapi": XAPI.replace("required=True),)", 'required=True), Row(("object", "Definition", "type"), "data.id"))')},
        "found the destination object.Definition, expected definition, in this case of letters (xAPI 1.0.3, 2.2); write definition",
    ),
    "an extension without an IRI": (
        {"xapi": XAPI.replace("required=True),)", 'required=True), Row(("result", "extensions", "grade"), "data.id"))')},
        "found the destination result.extensions.grade, expected keys that are absolute IRIs",
    ),
    "a destination within another": (
        {"xapi": XAPI.replace("required=True),)", 'required=True), Row(("object",), "data.id"))')},
        "the destination object is within another destination, or holds another one",
    ),
    "a misspelt destination in Caliper": (
        {"xapi": None, "caliper": CALIPER.replace("name", "nmae")},
        "own.caliper: MAPPINGS: own.event: found the destination object.nmae, expected no such property in",
    ),
    "an unknown part in Caliper": (
        {"xapi": None, "caliper": CALIPER.replace('("object", "name")', '("targt", "name")')},
        "found the destination targt, expected no such property in",
    ),
    "no object": ({"xapi": XAPI.replace('"id"), "data.id"', '"name"), "data.id"')}, "own.event: no row for object.id; add Row("),
}


@pytest.mark.parametrize(("parts", "said"), WRONG.values(), ids=WRONG.keys())
def test_what_is_wrong_with_a_package_is_one_line_and_exit_code_2(
    make: Callable[..., list[Path]], parts: dict[str, str | None], said: str
) -> None:
    protocol = "caliper" if "caliper" in parts else "xapi"
    done = edx2lrs("translate", "--to", protocol, path=make("own", **parts), text=PLAYED)
    assert (done.returncode, done.stdout) == (2, "")
    *_, line = done.stderr.splitlines()
    assert line.startswith("edx2lrs translate: ")
    assert "own-dist 2.0" in line
    assert said in line
    assert "Traceback" not in done.stderr


def test_names_of_functions_that_are_words_of_python_do_no_harm(make: Callable[..., list[Path]]) -> None:
    """A name that a generated function uses itself, and a partial, whose function has the name of a variable there."""
    named = "def made_1(value):\n    return f'https://x.example/{value}'\n"
    functions = f"from functools import partial\n{named}made = partial(made_1)\nROWS ="
    own = XAPI.replace("ROWS =", functions).replace('"data.id", req', '"data.id", made, req').replace(
        "required=True),)", 'required=True), Row(("result", "response"), "data.id", made_1))'
    )
    event = {**json.loads(PLAYED), "name": "own.event", "event": {"id": "a"}}
    done = edx2lrs("translate", "--to", "xapi", path=make("own", xapi=own), text=json.dumps(event))
    statement = json.loads(done.stdout)
    assert (statement["object"]["id"], statement["result"]["response"]) == ("https://x.example/a", "https://x.example/a")


def test_a_function_that_crashes_is_a_refusal_that_tells_no_value(make: Callable[..., list[Path]]) -> None:
    function = "def made(value):\n    return value.no_such_thing\n\nROWS ="
    broken = XAPI.replace("ROWS =", function).replace('"data.id", req', '"data.id", made, req')
    event = {**json.loads(PLAYED), "name": "own.event", "event": {"id": "a-secret"}}
    explained = edx2lrs("explain", path=make("own", xapi=broken), text=json.dumps(event))
    assert explained.returncode == 0
    assert "refused: crash: unexpected AttributeError in the mapping of this event;" in explained.stdout
    assert "a-secret" not in explained.stdout


@pytest.mark.parametrize("command", [["check", "c.yaml"], ["run", "--config", "c.yaml", "--input", "none"], ["events"]])
def test_every_command_that_needs_the_events_says_so(make: Callable[..., list[Path]], tmp_path: Path, command: list[str]) -> None:
    config = tmp_path / "c.yaml"
    config.write_text(yaml_of(consumer(url="https://lrs.example/"), lms={"id_key": "env:PATH"}))
    (tmp_path / "none").write_text("")
    command = [str(tmp_path / word) if word in ("c.yaml", "none") else word for word in command]
    done = edx2lrs(*command, path=make("own", xapi="def"))
    assert done.returncode == 2
    assert done.stderr.endswith("own-dist 2.0: own.xapi: cannot be imported: SyntaxError: invalid syntax (xapi.py, line 1)\n")
    assert "Traceback" not in done.stderr


def test_a_package_replaces_an_event_of_ours_by_saying_so(make: Callable[..., list[Path]]) -> None:
    events = EVENTS.replace("own.event", "play_video") + "REPLACES = {'play_video'}"
    path = make("own", events, XAPI.replace("own.event", "play_video").replace("PLAYED", "PAUSED"))
    for protocol, verbs in (("xapi", ["paused"]), ("caliper", [])):
        done = edx2lrs("translate", "--to", protocol, path=path, text=PLAYED.replace('"v"', '"https://v.example/1"'))
        assert [json.loads(line)["verb"]["display"]["en"] for line in done.stdout.splitlines()] == verbs


OUR_ROWS = """
from edx2lrs.transforms.mapping.xapi_statement import StatementMapping
from edx2lrs.transforms.families.video.xapi import AT_A_MOMENT
from edx2lrs.transforms.mapping.xapi_vocabulary import INITIALIZED
MAPPING_VERSION = 1
MAPPINGS = {"play_video": StatementMapping(INITIALIZED, AT_A_MOMENT)}
"""
OUR_CALIPER = """
from edx2lrs.transforms.families.video import caliper as video
MAPPING_VERSION = 1
MAPPINGS = {"play_video": video.MAPPINGS["play_video"]}
"""


def test_a_package_that_replaces_can_keep_what_it_likes_of_ours(make: Callable[..., list[Path]]) -> None:
    events = (
        "from edx2lrs.transforms.fields import SourceEvent\nfrom edx2lrs.transforms.families.video.events import VideoMomentData\n"
        "EVENTS = {'play_video': SourceEvent('video', VideoMomentData)}\nREPLACES = {'play_video'}\n"
    )
    path = make("own", events, OUR_ROWS, caliper=OUR_CALIPER)
    xapi, caliper = (edx2lrs("translate", "--to", protocol, path=path, text=PLAYED).stdout for protocol in ("xapi", "caliper"))
    assert json.loads(xapi)["verb"]["display"] == {"en": "initialized"}
    assert json.loads(xapi)["object"] == json.loads(edx2lrs("translate", "--to", "xapi", path=[], text=PLAYED).stdout)["object"]
    assert caliper == edx2lrs("translate", "--to", "caliper", path=[], text=PLAYED).stdout


def test_two_packages_with_one_name_are_both_named(make: Callable[..., list[Path]]) -> None:
    make("own")
    done = edx2lrs("events", path=make("other"))
    assert done.returncode == 2
    assert done.stderr == (
        "edx2lrs events: other-dist 2.0 and own-dist 2.0 both have events named own.event; "
        "remove one of them, or put own.event into REPLACES of the one that is to win\n"
    )


def test_of_two_packages_the_one_that_replaces_wins_and_two_cannot(make: Callable[..., list[Path]]) -> None:
    make("own")
    path = make("other", EVENTS + "REPLACES = {'own.event'}")
    rows = {row["name"]: row["package"] for row in json.loads(edx2lrs("events", "--json", path=path).stdout)}
    assert rows["own.event"] == "other-dist 2.0"
    path = make("third", EVENTS + "REPLACES = {'own.event'}")
    assert "other-dist 2.0 and third-dist 2.0 both have events named own.event; remove one" in edx2lrs("events", path=path).stderr


def test_names_like_those_of_personal_data_are_found_here_too(example: list[Path], make: Callable[..., list[Path]]) -> None:
    assert edx2lrs("lint-fields", path=example).returncode == 0
    events = EVENTS.replace("id: Scalar = None", "id: Scalar = None\n    email: Scalar = None")
    path = make("own", events)
    done = edx2lrs("lint-fields", path=path)
    assert done.returncode == 1
    assert done.stdout.startswith("own.events.Data: email resembles ")
    reviewed = "NOT_PERSONAL = {'own.events.Data.email': 'the address of the help desk'}"
    (path[0] / "own/events.py").write_text(events + reviewed)
    assert edx2lrs("lint-fields", path=path).returncode == 0


@pytest.mark.parametrize("package", [package for package in packages() if package.is_built_in], ids=lambda package: package.module)
def test_the_families_of_edx2lrs_pass_the_checks_of_own_packages(package: Package) -> None:
    module = module_of(package, "events")
    events = getattr(module, "EVENTS", None)
    others = [event for name, event in SOURCE_EVENTS.items() if PACKAGES[name] != package]
    assert checked_events(package, events, others) == events
    assert {event.family for event in events.values()} <= {package.module.rpartition(".")[2]}
    for protocol in PROTOCOLS:
        check_mappings(package, protocol, KINDS[protocol])


def test_a_name_and_its_alias_have_one_mapping_and_keep_their_names(make: Callable[..., list[Path]]) -> None:
    path = make("own", EVENTS.replace("Data)", 'Data, aliases=("own.event.old",))'))
    record = json.dumps({**PLAY, "time": "2023-05-23T13:53:13Z", "name": "own.event", "event": {"id": "https://v.example/1"}})
    text = f"{record}\n{record.replace('own.event', 'own.event.old')}\n"
    made = edx2lrs("translate", "--to", "xapi", path=path, text=text).stdout.splitlines()
    assert len(made) == 2
    assert made[0] == made[1]
    rows = {row["name"]: row["alias_of"] for row in json.loads(edx2lrs("events", "--json", path=path).stdout)}
    assert (rows["own.event"], rows["own.event.old"], rows["edx.video.played"]) == (None, "own.event", "play_video")
    assert "own.event.old (= own.event)" in edx2lrs("events", path=path).stdout
