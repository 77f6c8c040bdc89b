"""The options of Beam that mean something, by engine. Every other option is refused, with the nearest right name.

An option that is Beam's own has Beam's own name. Beam itself passes over what it does not know."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence

from edx2lrs.io.sources.files import use_options
from edx2lrs.io.sources.spec import DATAFLOW, FLINK, LOCAL, Engine
from edx2lrs.pipeline.run_options import OptionError

ENGINES: tuple[Engine, ...] = (LOCAL, FLINK, DATAFLOW)
_OWN = (
    "--config", "--input", "--state", "--workers", "--since", "--until", "--report", "--http", "--pubsub_id_label", "--strict",
    "--dry-run",
)
_FILE_SYSTEMS = (
    "S3Options", "HadoopFileSystemOptions", "AzureOptions",
    "--project", "--no_auth", "--impersonate_service_account", "--gcp_oauth_scope", "--gcp_oauth_scopes", "--gcs_custom_audit_entry",
    "--gcs_custom_audit_entries", "--enable_bucket_read_metric_counter", "--enable_bucket_write_metric_counter",
    "--no_gcsio_throttling_counter", "--enable_gcsio_blob_generation",
)
_WORKERS = ("StandardOptions", "StreamingOptions", "SetupOptions", "DebugOptions", "ProfilingOptions")
_ALLOWED: Mapping[Engine, tuple[str, ...]] = {
    LOCAL: (*_FILE_SYSTEMS, "--runner"),
    FLINK: (
        *_FILE_SYSTEMS, *_WORKERS, "PortableOptions", "JobServerOptions", "FlinkRunnerOptions",
        "--job_name", "--temp_location", "--staging_location", "--sdk_container_image", "--sdk_harness_container_image_overrides",
        "--default_sdk_harness_log_level", "--sdk_harness_log_level_overrides", "--max_cache_memory_usage_mb",
        "--element_processing_timeout_minutes",
    ),
    DATAFLOW: (*_FILE_SYSTEMS, *_WORKERS, "GoogleCloudOptions", "WorkerOptions", "CrossLanguageOptions"),
}
"""Names of options, and of classes in ``apache_beam.options.pipeline_options`` whose options all mean something."""
_JOB_SERVER_OF_FLINK = (
    "--allow_non_restored_state", "--attached_mode", "--auto_watermark_interval", "--checkpoint_timeout_millis",
    "--checkpointing_interval", "--checkpointing_mode", "--disable_metrics", "--execution_mode_for_batch", "--execution_retry_delay",
    "--externalized_checkpoints_enabled", "--fail_on_checkpointing_errors", "--faster_copy", "--finish_bundle_before_checkpointing",
    "--flink_conf_dir", "--force_unaligned_checkpoint_enabled", "--job_check_interval_in_secs", "--latency_tracking_interval",
    "--max_bundle_size", "--max_bundle_time_mills", "--min_pause_between_checkpoints", "--num_concurrent_checkpoints",
    "--number_of_execution_retries", "--object_reuse", "--operator_chaining", "--re_iterable_group_by_key_result",
    "--report_checkpoint_duration", "--retain_externalized_checkpoints_on_cancellation", "--savepoint_path",
    "--shutdown_sources_after_idle_ms", "--state_backend", "--state_backend_storage_path", "--unaligned_checkpoint_enabled",
    "--use_data_stream_for_batch",
)
"""Options that only the job server of Beam's Flink runner knows, so that Beam's own list lacks them (of Beam 2.70)."""
_MULTI = "Beam's local multi-threading loses data after a shuffle; leave it out and use --workers N"
_REASONS: Mapping[Engine, Mapping[str, str]] = {
    LOCAL: {
        "--direct_running_mode": _MULTI,
        "--direct_num_workers": _MULTI,
        "--streaming": "files are read as a batch, and a stream is told by its --input; leave it out",
    },
    FLINK: {},
    DATAFLOW: {},
}


def engine_of(arguments: Sequence[str]) -> Engine:
    """The engine that Beam's options name: this machine without ``--runner``. Raises ``OptionError``."""
    asked = values(arguments).get("runner", LOCAL)
    for engine in ENGINES:
        if asked.lower() in (engine.lower(), engine.lower().removesuffix("runner")):
            return engine
    raise OptionError(f"--runner={asked}: unknown here; there are {', '.join(ENGINES)}")


def values(arguments: Sequence[str]) -> dict[str, str]:
    """Beam's options by name, without hyphens; a flag has the value ``true``."""
    found: dict[str, str] = {}
    for argument, following in zip(arguments, [*arguments[1:], "--"], strict=False):
        name, given, value = argument.partition("=")
        if argument.startswith("--"):
            found[name[2:]] = value if given else ("true" if following.startswith("--") else following)
    return found


def faults(engine: Engine, arguments: Sequence[str]) -> Iterator[str]:
    """A line for each argument that is no option of ``engine``, and no value of such an option."""
    if not arguments:
        return
    takes_value, allowed = _known(engine)
    after_option = False
    for argument in arguments:
        name, given, _ = argument.partition("=")
        if argument.startswith("-"):
            after_option = takes_value.get(name, True) and not given
            if name not in allowed:
                yield _refusal(name, engine, name in takes_value, allowed)
            continue
        if not after_option:
            yield f"{argument!r}: unexpected; an input is given as --input {argument}"
        after_option = False


def local_arguments(arguments: Sequence[str]) -> tuple[str, ...]:
    """Beam's options of the command line, which this machine can follow. Raises ``OptionError``."""
    if (engine := engine_of(arguments)) != LOCAL:
        raise OptionError(f"--runner={engine}: this command works on this machine only; leave --runner out")
    for fault in faults(LOCAL, arguments):
        raise OptionError(fault)
    return tuple(arguments)


def follow(arguments: Sequence[str], engine: Engine = LOCAL) -> None:
    """Lets file systems follow Beam's options of the command line; without any no Beam is needed. Raises ``OptionError``."""
    if engine == LOCAL:
        local_arguments(arguments)
    for fault in faults(engine, arguments):
        raise OptionError(fault)
    if arguments:
        use_options(arguments)


def _known(engine: Engine) -> tuple[dict[str, bool], set[str]]:
    """All options of Beam, whether each takes a value; and those that mean something on ``engine``."""
    from apache_beam.options import pipeline_options  # Beam takes a second to import

    takes_value: dict[str, bool] = {}
    allowed: set[str] = set()
    for block in pipeline_options.PipelineOptions.__subclasses__():
        parser = pipeline_options._BeamArgumentParser(add_help=False)
        block._add_argparse_args(parser)
        options = {name: action.nargs != 0 for action in parser._actions for name in action.option_strings}
        takes_value |= options
        allowed |= {name for name in options if name in _ALLOWED[engine] or block.__name__ in _ALLOWED[engine]}
    if engine == FLINK:
        takes_value |= dict.fromkeys(_JOB_SERVER_OF_FLINK, True)
        allowed |= {*_JOB_SERVER_OF_FLINK}
    return takes_value, allowed


def _refusal(name: str, engine: Engine, is_of_beam: bool, allowed: set[str]) -> str:
    if reason := _REASONS[engine].get(name):
        return f"{name}: {reason}"
    known = {each.strip("-").replace("-", "_"): each for each in (*_OWN, *allowed)}
    close = difflib.get_close_matches(name.strip("-").replace("-", "_"), known, 1)
    right = known[close[0]] if close else None
    what = "an option of Beam that means nothing here" if is_of_beam else "unknown option"
    place = "" if engine == LOCAL else f" on {engine}"
    return f"{name}: {what}{place}; {f'did you mean {right}?' if right else 'leave it out'}"
