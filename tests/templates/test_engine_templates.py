"""The templates for Dataflow and Flink, held against the project: they cannot be built here."""

from __future__ import annotations

import argparse
import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from edx2lrs.io.sources.opening import streams
from edx2lrs.pipeline import beam_options
from edx2lrs.pipeline.commands.run import add_arguments, request_of
from edx2lrs.pipeline.engines.options import Asked, check
from edx2lrs.pipeline.reference.flex_template import metadata
from edx2lrs.transforms.config_types import Config, DeadLetters, Lms

ROOT = Path(__file__).parents[2]
TEMPLATES = ROOT / "templates"
IMAGES = ("dataflow", "flink")


def lines(image):
    return (TEMPLATES / image / "Dockerfile").read_text(encoding="utf-8").splitlines()


def copied(image):
    """What COPY takes out of the repository, with the place in the image."""
    found = {}
    for line in lines(image):
        if line.startswith("COPY ") and "--from" not in line:
            *sources, destination = line.split()[1:]
            found.update(dict.fromkeys(sources, destination))
    return found


def pinned_beam():
    (version,) = re.findall(r"^apache-beam==(\S+)", (ROOT / "requirements.txt").read_text(encoding="utf-8"), re.M)
    return version


def test_a_launch_can_pass_every_parameter_on():
    names = {parameter["name"] for parameter in metadata()["parameters"]}
    assert {"config", "input", "report", "since", "until", "sdk_container_image"} <= names
    assert not names & {"state", "workers", "http"}
    assert metadata()["supportsAtLeastOnce"]
    examples = {"config": "gs://b/c.yaml", "input": "pubsub://project-1/events", "sdk_container_image": "host/p/edx2lrs:1"}
    for parameter in metadata()["parameters"]:
        if parameter["name"] in examples:
            assert re.search(parameter["regexes"][0], examples[parameter["name"]])


@pytest.mark.parametrize("image", IMAGES)
def test_an_image_has_all_that_is_installed_and_nothing_that_is_not_there(image):
    for source in copied(image):
        assert (ROOT / source).exists(), source
    needed = {"requirements.txt", "setup.py", "io", "pipeline", "transforms"}
    assert needed <= set(copied(image))


@pytest.mark.parametrize("image", IMAGES)
def test_an_image_has_the_beam_that_the_project_is_pinned_to(image):
    text = "\n".join(lines(image))
    versions = set(re.findall(r"(?:_sdk:|service-|job-server[/-]|\$FLINK-job-server-)(\d+\.\d+\.\d+)", text))
    assert versions == {pinned_beam()}


def test_the_launcher_finds_what_it_starts():
    text = "\n".join(lines("dataflow"))
    (started,) = re.findall(r"FLEX_TEMPLATE_PYTHON_PY_FILE=(\S+)", text)
    (workdir,) = re.findall(r"^WORKDIR (\S+)", text, re.M)
    assert started == f"{workdir}/{copied('dataflow')['templates/dataflow/main.py']}"
    assert "COPY --from=launcher /opt/google/dataflow/python_template_launcher" in text
    assert "ENTRYPOINT" not in text  # the workers start with that of Beam's image


def test_options_of_the_flink_script_are_known():
    script = (TEMPLATES / "flink" / "run.sh").read_text(encoding="utf-8")
    asked = set(re.findall(r"--([a-z_]+)=", script))
    assert list(beam_options.faults("FlinkRunner", [f"--{name}=1" for name in asked])) == []
    assert {"checkpointing_interval", "max_bundle_size", "max_bundle_time_mills", "savepoint_path"} <= asked


@pytest.fixture
def started(tmp_path):
    """What a script starts: the arguments of each program that is no shell's, which do nothing here."""
    for name in ("edx2lrs", "docker", "gcloud"):
        program = tmp_path / name
        program.write_text(f'#!/bin/sh\nprintf \'%s\\n\' {name} "$@" "" >> {tmp_path}/said\n', encoding="utf-8")
        program.chmod(0o755)

    def run(script, *arguments, **environment):
        (tmp_path / "said").write_text("", encoding="utf-8")
        environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", **environment}
        subprocess.run(["bash", str(TEMPLATES / script), *arguments], env=environment, check=True, timeout=30)
        return [each.split("\n") for each in (tmp_path / "said").read_text(encoding="utf-8").strip().split("\n\n")]

    return run


@pytest.mark.parametrize(("command", "given"), [("batch", "s3://bucket/logs/*.gz"), ("stream", "kafka://broker:9092/events?group=g")])
def test_what_the_flink_script_starts_is_not_refused(started, command, given):
    ((_, run, *arguments),) = started("flink/run.sh", command, given, "--savepoint_path=/s", JOB_SERVER_JAR=__file__)
    assert run == "run"
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    known, of_beam = parser.parse_known_args(arguments)
    assert known.input == [given]
    config = Config(lms=Lms(root_url="https://lms.example.com"), consumers=[], dead_letters=DeadLetters(path="/dead"))
    known.beam = of_beam
    check(Asked("FlinkRunner", request_of(known), config, streams(known.input)))


GCLOUD = {"PROJECT": "project-1", "REGION": "europe-west1", "BUCKET": "bucket", "IMAGE": "host/project/edx2lrs:1"}


def test_the_dataflow_script_builds_an_image_and_a_template_that_names_it(started):
    build, push, template = started("dataflow/build_and_run.sh", "build", **GCLOUD)
    assert build == ["docker", "build", "-f", "templates/dataflow/Dockerfile", "-t", GCLOUD["IMAGE"], "."]
    assert push == ["docker", "push", GCLOUD["IMAGE"]]
    assert template[:5] == ["gcloud", "dataflow", "flex-template", "build", "gs://bucket/templates/edx2lrs.json"]
    said = dict(zip(template[5::2], template[6::2], strict=True))
    assert (said["--image"], said["--metadata-file"]) == (GCLOUD["IMAGE"], "templates/dataflow/metadata.json")


@pytest.mark.parametrize(
    ("command", "environment", "extra"),
    [
        ("batch", {}, []),
        ("stream", {}, ["--enable-streaming-engine"]),
        (
            "stream",
            {"AT_LEAST_ONCE": "1"},
            ["--enable-streaming-engine", "--additional-experiments", "streaming_mode_at_least_once"],
        ),
        ("update", {}, ["--enable-streaming-engine", "--update"]),
    ],
)
def test_the_dataflow_script_launches_with_parameters_that_the_template_has(started, command, environment, extra):
    given = "gs://bucket/a/*.gz,gs://bucket/b/*.gz" if command == "batch" else "pubsub://project-1/events"
    arguments = (command, "live", "gs://bucket/c.yaml", given, "report=gs://bucket/report.json")
    (said,) = started("dataflow/build_and_run.sh", *arguments, **GCLOUD, **environment)
    assert said[:5] == ["gcloud", "dataflow", "flex-template", "run", "live"]
    place = said.index("--parameters")
    assert said[place + 2 :] == extra
    separator, _, joined = said[place + 1].removeprefix("^").partition("^")
    parameters = dict(each.split("=", 1) for each in joined.split(separator))
    assert parameters["input"] == given
    known = {each["name"]: each for each in metadata()["parameters"]}
    for name, value in parameters.items():
        assert re.search(known[name]["regexes"][0], value)
    assert {name for name, each in known.items() if not each["isOptional"]} <= set(parameters)


def test_the_cluster_restarts_for_ever_and_its_pools_are_where_jobs_look_for_them():
    config = yaml.safe_load((TEMPLATES / "flink" / "config.yaml").read_text(encoding="utf-8"))
    assert config["restart-strategy.type"] == "exponential-delay"
    assert not [key for key in config if "attempts" in key]  # no number of them is Flink's default
    assert config["execution.checkpointing.dir"]
    services = yaml.safe_load((TEMPLATES / "flink" / "compose.yaml").read_text(encoding="utf-8"))["services"]
    managers = [name for name in services if name.startswith("taskmanager")]
    pools = {service["network_mode"] for service in services.values() if "network_mode" in service}
    assert pools == {f"service:{name}" for name in managers}
