"""Whether an engine can do what is asked; an option that cannot work is refused before the start, with the reason and the remedy."""

from __future__ import annotations

import os.path
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from edx2lrs.io.dead_letters.topic import is_topic
from edx2lrs.io.delivery.statement_files import is_place
from edx2lrs.io.paths import is_remote
from edx2lrs.io.secrets import references
from edx2lrs.io.sources.address import SourceUrl
from edx2lrs.io.sources.opening import names_of_one_reader, on, spec_of
from edx2lrs.io.sources.spec import FLINK, LOCAL, Engine, SourceSpec
from edx2lrs.pipeline import beam_options
from edx2lrs.pipeline.beam_options import values
from edx2lrs.pipeline.job import RunRequest
from edx2lrs.pipeline.run_options import OptionError
from edx2lrs.transforms.config_types import Config

NO_ID_LABEL = "for Beam's own Pub/Sub source, which reads on Dataflow alone (here it would lose messages); leave it out"


class Asked(NamedTuple):
    """What an engine was asked for."""

    engine: Engine
    request: RunRequest
    config: Config
    streams: Sequence[SourceUrl]


def check(asked: Asked) -> None:
    """Raises ``OptionError`` with everything that cannot work, one line each."""
    options = values(asked.request.beam)
    faults = [*beam_options.faults(asked.engine, asked.request.beam), *_of_request(asked), *_of_config(asked), *_of_streams(asked)]
    faults += _of_flink(asked, options) if asked.engine == FLINK else _of_dataflow(asked, options)
    if faults:
        raise OptionError("\n".join(faults))


def _of_request(asked: Asked) -> Iterator[str]:
    request, engine = asked.request, asked.engine
    if request.state:
        yield f"--state: for this machine; on {engine} the engine keeps the state: leave it out"
    if request.workers:
        remedy = "--parallelism" if engine == FLINK else "--num_workers and --max_num_workers"
        yield f"--workers: for this machine; on {engine} say {remedy}"
    if request.dry_run:
        yield f"--dry-run: for this machine, over files; on {engine} leave it out"
    if request.http:
        yield f"--http: for this machine; on {engine} look at the engine's own metrics (namespace edx2lrs)"
    if request.pubsub_id_label and not any(_takes_id_label(spec_of(url), engine) for url in asked.streams):
        yield f"--pubsub_id_label: {NO_ID_LABEL}"


def _of_config(asked: Asked) -> Iterator[str]:
    config, engine = asked.config, asked.engine
    if not config.dead_letters.path:
        yield f"dead_letters.path: missing, but {engine} has no state directory; name a folder that all workers reach"
    elif is_topic(config.dead_letters.path):
        yield f"dead_letters.path: a topic is for this machine; on {engine} name a folder"
    for consumer in config.consumers:
        if consumer.url.startswith("stdout:"):
            yield f"consumer {consumer.name}: url stdout: is for this machine; name an LRS or a folder"
        if consumer.log is True:
            yield f"consumer {consumer.name}: log: true is for this machine; name a folder that all workers reach"


def _takes_id_label(spec: SourceSpec, engine: Engine) -> bool:
    return spec.stream is not None and spec.stream.takes_id_label and engine in spec.engines and spec.engines[engine].by_beam


def _of_streams(asked: Asked) -> Iterator[str]:
    engine = asked.engine.removesuffix("Runner")
    for url in asked.streams:
        spec = spec_of(url)
        reading = spec.engines.get(asked.engine)
        if reading is None and set(spec.engines) == {LOCAL}:
            yield f"--input {url.name}: {spec.what} is read on its own machine; leave --runner out"
        elif reading is None:
            names = " and ".join(each.name for each in on(asked.engine))
            yield f"--input {url.name}: on {engine} {names} can be read; read this on a machine or on Flink"
        elif reading.options is not None and (other := sorted(set(url.options) - set(reading.options))):
            taken = f"Beam's {spec.name} source takes {' and '.join(reading.options)} alone"
            yield f"--input {url.name}: {', '.join(other)}: {taken}; read this on Flink"
        if asked.engine == FLINK and parallelism(asked.request.beam) > 1:
            for name in names_of_one_reader(url):
                yield f"--input {url.name}: {name}: one name, but --parallelism asks for several readers; leave it out"


def _of_flink(asked: Asked, options: Mapping[str, str]) -> Iterator[str]:
    jar = options.get("flink_job_server_jar", "")
    if jar and not is_remote(jar) and not os.path.isfile(jar):
        yield f"--flink_job_server_jar={jar}: no such file; leave it out, and --flink_version says which one Beam fetches"
    if not asked.streams:
        if options.get("streaming", "false").lower() not in ("false", "no", "0"):
            yield "--streaming: files are read as a batch; leave it out"
        return
    if _number(options, "checkpointing_interval", -1) <= 0:
        yield (
            "--checkpointing_interval: missing, but needed for a stream: without checkpoints Flink never says what is kept, so"
            " that nothing is ever settled at the source; say --checkpointing_interval=10000 (milliseconds)"
        )
    if _number(options, "num_concurrent_checkpoints", 1) > 1:
        yield "--num_concurrent_checkpoints: more than 1 would settle messages before they are kept; leave it out"
    if "max_bundle_size" not in options or "max_bundle_time_mills" not in options:
        yield (
            "--max_bundle_size and --max_bundle_time_mills: missing, but with Flink's defaults nothing leaves a source; say"
            " --max_bundle_size=1 --max_bundle_time_mills=200 (\"mills\" is its real name)"
        )


def _of_dataflow(asked: Asked, options: Mapping[str, str]) -> Iterator[str]:
    for name in ("project", "region", "temp_location"):
        if not options.get(name):
            yield f"--{name}: missing, but needed on Dataflow"
    if not any(options.get(name) for name in ("sdk_container_image", "setup_file", "extra_package", "extra_packages")):
        yield "--sdk_container_image: missing, so that workers would lack edx2lrs; name the image of templates/dataflow"
    if not is_remote(asked.request.config):
        yield f"--config {asked.request.config}: Dataflow's workers cannot read it; copy it to gs:// and name that"
    places = {"dead_letters.path": asked.config.dead_letters.path, "--report": asked.request.report}
    places |= {"lms.external_ids": asked.config.lms.external_ids, "lms.course_names": asked.config.lms.course_names}
    places |= {f"consumer {each.name}: url": each.url for each in asked.config.consumers if is_place(each.url)}
    for name, place in places.items():
        if place and (not is_remote(place) or place.startswith("file:")):
            yield f"{name} {place}: a folder of one machine; Dataflow's workers need one on gs://"
    if any(not reference.startswith("secret://") for reference in references(asked.config)):
        yield "env: and file: references: no worker of Dataflow has them; use secret://projects/PROJECT/secrets/NAME"
    for given in () if asked.streams else asked.request.inputs:
        if not is_remote(given):
            yield f"--input {given}: Dataflow's workers cannot read it; copy it to gs:// and name that"


def parallelism(arguments: Sequence[str]) -> int:
    """How many readers a stream has on Flink: one for each of its tasks."""
    return max(1, _number(values(arguments), "parallelism", 1))


def of_runner(engine: str, arguments: Sequence[str], streaming: bool) -> list[str]:
    """Beam's options as given, and what a stream on Flink needs beside. A timer's bundle that is open when a checkpoint begins would
    else keep what it gave until the next bundle of its task: in a quiet hour, for an hour."""
    return [*arguments, "--finish_bundle_before_checkpointing"] if engine == FLINK and streaming else list(arguments)


def _number(options: Mapping[str, str], name: str, default: int) -> int:
    try:
        return int(options.get(name, default))
    except ValueError:
        raise OptionError(f"--{name}={options[name]}: expected a whole number") from None
