"""All sources: which of them an ``--input`` names, and opening it. A new source is named here, in ``SPECS``, and nowhere else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from edx2lrs.io.sources import files, kafka, pubsub, redis_streams, tail
from edx2lrs.io.sources.address import SourceUrl, SourceUrlError, shown
from edx2lrs.io.sources.source import Source
from edx2lrs.io.sources.spec import Engine, SourceSpec, Stream, Unit

SPECS: tuple[SourceSpec, ...] = (files.SPEC, pubsub.SPEC, tail.SPEC, kafka.SPEC, redis_streams.SPEC)


def streams(inputs: Sequence[str]) -> list[SourceUrl]:
    """The streams that ``inputs`` (``--input``) name; none when they are files. Raises ``SourceUrlError``."""
    given = [text for text in inputs if _named(text)]
    if given and len(given) < len(inputs):
        file = next(text for text in inputs if not _named(text))
        raise SourceUrlError(f"--input {file}: files beside the stream {shown(given[0])}; read them in a run of their own")
    found = [parse(text) for text in given]
    for index, url in enumerate(found):
        if url in found[:index]:
            raise SourceUrlError(f"--input {url.name}: given twice; name it once, and --workers for more processes")
    return found


def parse(text: str) -> SourceUrl:
    """The stream that ``text`` names. Raises ``SourceUrlError``."""
    spec = _named(text)
    if spec is None:
        raise SourceUrlError(f"--input {shown(text)}: is no stream; a stream is written {', '.join(forms())}")
    return _stream(spec).read(text)


def spec_of(url: SourceUrl) -> SourceSpec:
    return next(spec for spec in SPECS if any(scheme.startswith(f"{url.scheme}:") for scheme in spec.schemes))


def check_options(url: SourceUrl) -> None:
    """Raises ``SourceUrlError`` for options that the source does not have, or with values that it cannot use."""
    check = _stream(spec_of(url)).check
    if check is not None:
        check(url)


def open_source(url: SourceUrl, worker: str, position: str | None = None) -> Source:
    """``worker``: the name of the process. ``position``: of a source without a memory. Raises ``SourceError``, ``SourceUrlError``."""
    return _stream(spec_of(url)).open(url, worker, position)


def unit_of(url: SourceUrl) -> Unit:
    """In what the source says how far behind it is."""
    return _stream(spec_of(url)).behind_in


def names_of_one_reader(url: SourceUrl) -> list[str]:
    """The options of ``url`` that give its reader a name, which several readers cannot have."""
    return sorted(option.name for option in spec_of(url).options if option.names_reader and option.name in url.options)


def on(engine: Engine) -> Iterator[SourceSpec]:
    """The streams that ``engine`` reads."""
    return (spec for spec in SPECS if spec.stream and engine in spec.engines)


def forms() -> list[str]:
    """How the address of each stream is written."""
    return [spec.form for spec in SPECS if spec.stream]


def _named(text: str) -> SourceSpec | None:
    return next((spec for spec in SPECS for scheme in spec.schemes if text.lower().startswith(scheme)), None)


def _stream(spec: SourceSpec) -> Stream:
    assert spec.stream is not None  # files have no address
    return spec.stream
