"""Options of `run` that cannot work on this machine, reported before anything is read."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator, Sequence

from edx2lrs.io.sources.files import use_options
from edx2lrs.transforms.matching.time_window import TimeWindow


class OptionError(Exception):
    """An option that cannot work here. The message names the option, and what to do instead."""


def check_report(path: str | None) -> None:
    """Whether the report can be written, before hours of work. Raises ``OptionError``."""
    folder = os.path.dirname(os.path.abspath(path)) if path else None
    if folder and not os.path.isdir(folder):
        raise OptionError(f"--report {path}: there is no folder {folder}; make it, or name another")
    if folder and (not os.access(folder, os.W_OK) or os.path.isdir(path or "")):
        raise OptionError(f"--report {path}: cannot be written; name another file")


def time_window(since: str | None, until: str | None, of_stream: bool) -> TimeWindow:
    """``--since`` and ``--until``, as canonical times. Raises ``OptionError``."""
    if of_stream and (since or until):
        raise OptionError("--since and --until: for files; a stream is read from where it stands: leave them out")
    if since and until and since >= until:
        raise OptionError(f"--since {since} is not before --until {until}: no event can be between them")
    return TimeWindow(since, until)


def local_beam_arguments(arguments: Sequence[str]) -> tuple[str, ...]:
    """Beam's options of the command line, when the local engine can follow them. Raises ``OptionError``."""
    if not arguments:
        return ()
    from apache_beam.options.pipeline_options import PipelineOptions  # Beam takes a second to import

    for stray in strays(arguments):
        raise OptionError(f"{stray!r}: unexpected; an input is given as --input {stray}")
    known = PipelineOptions([]).get_all_options()
    for argument in arguments:
        name = argument.split("=", 1)[0]
        if argument.startswith("--") and name[2:].replace("-", "_") not in known:
            raise OptionError(f"{name}: unknown option{_meant(name, known)}")
    asked = PipelineOptions(list(arguments)).get_all_options()
    if asked["runner"] not in (None, "DirectRunner"):
        raise OptionError(f"--runner={asked['runner']}: this version runs on this machine only; leave --runner out")
    if asked["direct_running_mode"] != "in_memory" or asked["direct_num_workers"] != 1:
        raise OptionError(
            "--direct_running_mode and --direct_num_workers: Beam's local multi-threading loses data after a shuffle;"
            " leave them out and use --workers N"
        )
    if asked["streaming"]:
        raise OptionError("--streaming: files are read as a batch; leave it out")
    return tuple(arguments)


def strays(arguments: Sequence[str]) -> Iterator[str]:
    """Arguments that belong to no option, such as the rest of a glob that a shell expanded."""
    for before, argument in zip(("", *arguments), arguments, strict=False):
        if not argument.startswith("-") and ("=" in before or not before.startswith("-")):
            yield argument


def follow_beam_options(arguments: Sequence[str]) -> None:
    """Lets file systems follow Beam's options of the command line; without any no Beam is needed. Raises ``OptionError``."""
    if arguments:
        use_options(local_beam_arguments(arguments))


def _meant(name: str, known: dict[str, object]) -> str:
    own = ["config", "input", "state", "workers", "since", "until", "report", "strict"]
    close = difflib.get_close_matches(name[2:].replace("-", "_"), [*own, *known], n=1)
    return f"; did you mean --{close[0]}?" if close else "; `edx2lrs run --help` lists them, and Beam's options are known too"
