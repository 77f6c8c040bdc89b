"""The pipeline for files as Flink gets it, on Beam's own runner: it makes the same statements as `edx2lrs translate`."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path

import apache_beam as beam
import pytest
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from hamcrest import assert_that, has_entries

from edx2lrs.io.dead_letters.letters import read
from edx2lrs.io.sources.files import FoundFile
from edx2lrs.pipeline.alerts import LOGGER
from edx2lrs.pipeline.compiled_config import JobSpec
from edx2lrs.pipeline.engines.count_tallies import ReportPlace, totals_of
from edx2lrs.pipeline.engines.graph import Plan, build
from edx2lrs.pipeline.engines.read_distributed import ReadParts, parts_of
from edx2lrs.transforms.counters import Counted
from testkit.configurations import consumer, yaml_of
from testkit.tracking_records import records_in

SAMPLE = Path(__file__).parents[3] / "templates" / "sample"
CONFIG = yaml_of(
    consumer(url="file://FOLDER/out/"),
    consumer(
        "nobody",
        "caliper",
        url="http://127.0.0.1:9/",
        match_params={"name": "problem_check"},
        on_outage="dead_letter",
        max_wait="0.5s",
        retry={"base_delay": "0.1s", "max_delay": "0.2s"},
    ),
    lms={"external_ids": "SAMPLE/external_ids.csv", "course_names": "SAMPLE/course_names.csv"},
    dead_letters={"path": "FOLDER/dead"},
)


@pytest.fixture
def config(tmp_path, monkeypatch):
    monkeypatch.setenv("EDX2LRS_ID_KEY", "a key of the tests")
    path = tmp_path / "c.yaml"
    path.write_text(CONFIG.replace("SAMPLE", str(SAMPLE)).replace("FOLDER", str(tmp_path)), encoding="utf-8")
    return path


def text_of(path):
    data = path.read_bytes()
    return gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data


def statements_of_translate(config):
    lines = b"".join(text_of(path) for path in sorted((SAMPLE / "logs").iterdir()))
    command = [sys.executable, "-m", "edx2lrs.pipeline", "translate", "--to", "xapi", "--config", str(config)]
    made = subprocess.run(command, input=lines, capture_output=True, check=True).stdout
    return {json.loads(line)["id"]: json.loads(line) for line in made.splitlines()}


def test_a_batch_delivers_what_translate_makes_and_accounts_for_every_record(config, tmp_path, caplog, assert_adds_up):
    place = ReportPlace(str(tmp_path / "report.json"), "FlinkRunner", str(tmp_path / "dead"))
    pipeline = beam.Pipeline(runner=FnApiRunner())
    inputs = [str(SAMPLE / "logs")]
    build(pipeline, Plan("FlinkRunner", JobSpec(str(config)), "test", inputs, [], str(tmp_path / "dead"), place))
    result = pipeline.run()
    result.wait_until_finish()

    lines = [line for path in (tmp_path / "out").iterdir() for line in path.read_bytes().splitlines()]
    arrived = {json.loads(line)["id"]: json.loads(line) for line in lines}
    assert arrived == statements_of_translate(config)
    assert len(arrived) == len(lines)

    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    records = report["records"]
    assert records["read"] == sum(records_in(text_of(path)) for path in (SAMPLE / "logs").iterdir())
    assert_adds_up(report)
    campus, nobody = report["consumers"]["campus"], report["consumers"]["nobody"]
    assert (campus["delivered"], campus["waiting"]) == (len(arrived), 0)
    assert_that(campus, has_entries(conflicts=0, already_stored=0, dead=has_entries(statements={})))
    assert_that(nobody, has_entries(delivered=0, conflicts=0, already_stored=0, waiting=0))
    assert list(nobody["dead"]["statements"]) == ["outage"]

    letters = list(read(str(tmp_path / "dead"), print))
    assert len(letters) == sum(records["dead"].values()) + nobody["dead"]["statements"]["outage"]
    assert {letter.job_name for letter in letters} == {"test"}
    totals = totals_of(result)
    assert totals[Counted("campus", "delivered")] == campus["delivered"]
    assert totals[Counted("", "read")] == records["read"]
    spread = {(each.key.metric.namespace, each.key.metric.name): each.result for each in result.metrics().query()["distributions"]}
    assert spread["edx2lrs.consumer.campus", "waiting"].min == 0
    assert spread["edx2lrs.consumer.campus", "waiting"].max > 0
    assert spread["edx2lrs.consumer.nobody", "oldest_age"].max >= 0

    told = [json.loads(record.message) for record in caplog.records if record.name == LOGGER]
    assert {(each["alert"], each["consumer"]) for each in told} == {("circuit", "nobody")}


def test_a_large_file_is_read_in_parts_each_line_once(tmp_path):
    path = tmp_path / "tracking.log"
    lines = [f'{{"number": {number}, "pad": "{"x" * (number % 97)}"}}' for number in range(3_000)]
    path.write_text("\n".join(lines), encoding="utf-8")
    parts = list(parts_of(FoundFile(str(path), path.stat().st_size), 10_000))
    assert len(parts) > 10
    step, bodies = ReadParts(), []
    step.start_bundle()
    for part in parts:
        for output in step.process(part):
            bodies += [record.body.decode() for record in output]
    assert bodies == lines
    assert step.tally[Counted("", "read")] == 3_000
    assert step.tally[Counted("", "bytes")] == path.stat().st_size


def test_a_compressed_file_is_one_part_and_one_that_is_gone_is_a_dead_letter(tmp_path):
    path = tmp_path / "tracking.log.gz"
    path.write_bytes(gzip.compress(b"{}\n" * 50_000, 0))
    assert list(parts_of(FoundFile(str(path), path.stat().st_size), 10_000)) == [(str(path), 0, -1)]
    path.unlink()
    step = ReadParts()
    step.start_bundle()
    (output,) = step.process((str(path), 0, -1))
    assert (output.tag, output.value.cause) == ("failures", "unreadable")
    assert step.tally == {Counted("", "read"): 1, Counted("", "dead", "unreadable"): 1}
