"""The templates for Dataflow and Flink, held against the project: they cannot be built here."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from edx2lrs.pipeline.engines.flex_template import metadata
from edx2lrs.pipeline.engines.flink_options import NAMES

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


def test_the_metadata_of_the_flex_template_is_in_step_with_the_options():
    written = json.loads((TEMPLATES / "dataflow" / "metadata.json").read_text(encoding="utf-8"))
    assert written == metadata(), "python -m edx2lrs.pipeline.engines.flex_template > templates/dataflow/metadata.json"


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
    setup = (ROOT / "setup.py").read_text(encoding="utf-8")
    packages = {name.split(".")[1] for name in re.findall(r'"(edx2lrs\.[a-z.]+)"', setup)}
    assert needed <= set(copied(image))
    assert packages <= set(copied(image))


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
    beam = {"runner", "flink_master", "flink_job_server_jar", "parallelism", "environment_type", "environment_config"}
    assert asked <= NAMES | beam | {"environment_cache_millis"}
    assert {"checkpointing_interval", "max_bundle_size", "max_bundle_time_mills", "savepoint_path"} <= asked


@pytest.mark.parametrize("script", ["dataflow/build_and_run.sh", "flink/run.sh"])
def test_scripts_are_bash(script):
    subprocess.run(["bash", "-n", str(TEMPLATES / script)], check=True)


def test_the_cluster_restarts_for_ever_and_its_pools_are_where_jobs_look_for_them():
    config = yaml.safe_load((TEMPLATES / "flink" / "config.yaml").read_text(encoding="utf-8"))
    assert config["restart-strategy.type"] == "exponential-delay"
    assert config["restart-strategy.exponential-delay.attempts-before-reset-backoff"] == "infinite"
    assert config["execution.checkpointing.dir"]
    services = yaml.safe_load((TEMPLATES / "flink" / "compose.yaml").read_text(encoding="utf-8"))["services"]
    managers = [name for name in services if name.startswith("taskmanager")]
    pools = {service["network_mode"] for service in services.values() if "network_mode" in service}
    assert pools == {f"service:{name}" for name in managers}
