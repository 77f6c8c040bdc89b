"""Only the options of Beam that mean something on an engine pass; every other is refused, with the nearest right name."""

from __future__ import annotations

import pytest

from edx2lrs.pipeline.beam_options import engine_of, faults, follow, local_arguments
from edx2lrs.pipeline.run_options import OptionError

S3 = ("--s3_endpoint_url=http://127.0.0.1:9", "--s3_access_key_id", "key", "--s3_disable_ssl", "--s3_verify", "no")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--dry_run=1",), "--dry_run: an option of Beam that means nothing here; did you mean --dry-run?"),
        (("--dry-rum",), "--dry-rum: unknown option; did you mean --dry-run?"),
        (("-dry-run",), "-dry-run: unknown option; did you mean --dry-run?"),
        (("--s3-endpoint-url=x",), "--s3-endpoint-url: unknown option; did you mean --s3_endpoint_url?"),
        (("--s3_endpoint=x",), "--s3_endpoint: unknown option; did you mean --s3_endpoint_url?"),
        (("--wait_until_finish_duration=1",), "means nothing here"),
        (("--experiments=x",), "--experiments: an option of Beam that means nothing here"),
        (("--temp_location=gs://b/t",), "means nothing here"),
        (("--no_dry_run",), "--no_dry_run: unknown option; did you mean --dry-run?"),
        (("--direct_num_workers=2",), "--workers N"),
        (("--streaming",), "leave it out"),
        ((*S3, "b.log"), "'b.log': unexpected; an input is given as --input b.log"),
        (("--s3_disable_ssl", "b.log"), "'b.log': unexpected"),
        (("--s3_verify=no", "b.log"), "'b.log': unexpected"),
        (("--runner=FlinkRunner",), "leave --runner out"),
        (("--runner=SparkRunner",), "--runner=SparkRunner: unknown here"),
    ],
)
def test_what_this_machine_cannot_follow_is_refused(arguments, words):
    with pytest.raises(OptionError) as refused:
        local_arguments(arguments)
    assert words in str(refused.value)
    with pytest.raises(OptionError):
        follow(arguments)


@pytest.mark.parametrize("runner", [(), ("--runner=DirectRunner",), ("--runner", "direct")])
def test_options_of_file_systems_pass(runner):
    assert local_arguments((*S3, "--project=p", *runner)) == (*S3, "--project=p", *runner)


ON_ENGINES = {
    "FlinkRunner": (
        "--flink_master=127.0.0.1:9", "--parallelism", "2", "--checkpointing_interval=1000", "--object_reuse", "--streaming",
        "--environment_type=DOCKER", "--environment_cache_millis=1", "--flink_job_server_jar=a.jar", "--experiments=x", "--job_name=n",
        "--sdk_container_image=i", *S3,
    ),
    "DataflowRunner": (
        "--project=p", "--region=r", "--temp_location=gs://b/t", "--sdk_container_image=i", "--max_num_workers", "3", "--update",
        "--experiments=x", "--dataflow_service_options=y", "--job_name=n", "--service_account_email=a", "--no_use_public_ips",
        "--update_compatibility_version=2.70", "--labels=a=b", *S3,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("engine", "arguments"), ON_ENGINES.items(), ids=ON_ENGINES)
def test_options_of_an_engine_pass_there_and_nowhere_else(engine, arguments):
    assert engine_of([f"--runner={engine}", *arguments]) == engine
    assert list(faults(engine, [f"--runner={engine}", *arguments])) == []
    assert list(faults("DirectRunner", arguments))


@pytest.mark.parametrize("engine", ON_ENGINES)
def test_options_of_tests_and_of_other_runners_mean_nothing_on_an_engine(engine):
    said = list(faults(engine, ["--dry_run", "--spark_version=3", "--direct_num_workers=2", "--on_success_matcher=x", "--paralel=2"]))
    assert len(said) == 5
    assert all(engine in line for line in said)
