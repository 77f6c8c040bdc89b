"""What each source says of itself, and that nobody else says it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from edx2lrs.io.sources.opening import SPECS, check_options, parse, spec_of

ROOT = Path(__file__).parents[3]
STREAMS = [spec for spec in SPECS if spec.stream]
OTHER_THINGS = {"io/dead_letters/topic.py", "pipeline/config/kinds.py", "transforms/config_types.py"}  # a topic that dead letters go to


@pytest.fixture(params=STREAMS, ids=lambda spec: spec.name)
def spec(request):
    return request.param


def test_its_example_is_an_address_of_it(spec):
    url = parse(spec.example)
    check_options(url)
    assert spec_of(url) is spec


def test_what_an_engine_takes_of_its_options_are_options_of_it(spec):
    names = {option.name for option in spec.options}
    for reading in spec.engines.values():
        assert set(reading.options or ()) <= names
        assert not reading.by_beam or spec.stream.by_beam


def test_defaults_are_values_of_their_options(spec):
    for option in spec.options:
        if option.default is not None:
            option.kind.read(option.default)


def test_no_other_file_names_its_schemes(spec):
    names = "|".join(scheme.partition(":")[0] for scheme in spec.schemes)
    is_named = re.compile(rf"\b(?:{names}):|\"(?:{names})\"").search
    files = [path for floor in ("io", "pipeline", "transforms") for path in (ROOT / floor).rglob("*.py")]
    named = {path.relative_to(ROOT).as_posix() for path in files if is_named(path.read_text(encoding="utf-8"))}
    own = spec.stream.open.__module__.removeprefix("edx2lrs.").replace(".", "/")
    assert {name for name in named if not name.startswith(own)} <= OTHER_THINGS


def test_no_client_library_is_imported_before_a_source_is_opened():
    program = "import sys, edx2lrs.io.sources.opening; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    for library in ("google.cloud.pubsub_v1", "confluent_kafka", "redis", "apache_beam"):
        assert library not in done.stdout.split()
