"""Tables of the sources and of their options, told by the SPEC of each source."""

from __future__ import annotations

from edx2lrs.io.sources.opening import SPECS
from edx2lrs.io.sources.options import Option
from edx2lrs.io.sources.spec import DATAFLOW, FLINK, LOCAL, OnEngine
from edx2lrs.pipeline import page_parts

STREAMS = [spec for spec in SPECS if spec.stream]
_ENGINES = ((LOCAL, "This machine"), (FLINK, "Flink"), (DATAFLOW, "Dataflow"))


def streams() -> str:
    """Which streams there are: address, source, processes, engines."""
    head = ("`--input`", "Source", "Processes (`--workers N`, default 1)", *(name for _, name in _ENGINES))
    rows = [
        (f"`{spec.form}`", spec.what, spec.sharing.words, *(_read_by(spec.engines.get(engine)) for engine, _ in _ENGINES))
        for spec in STREAMS
    ]
    return page_parts.table(head, rows)


def options() -> str:
    """The options of addresses: of which source, value, default, meaning. Options that are the same in several sources are a row."""
    found: dict[Option, list[str]] = {}
    with_options = [spec for spec in STREAMS if spec.options]
    for spec in with_options:
        for option in spec.options:
            found.setdefault(option, []).append(spec.name)
    rows = [
        (f"`{option.name}`", ", ".join(names), option.kind.words, f"`{option.default}`" if option.default else "", option.meaning)
        for option, names in found.items()
    ]
    return page_parts.table(("Option", "For", "Value", "Default", "Meaning"), rows)


def in_step(page: str) -> str:
    """The page with the tables between its marks written anew. Raises ValueError for a page without such marks."""
    return page_parts.in_step(page, "edx2lrs.pipeline.reference.sources", {"streams": streams, "stream options": options})


def _read_by(reading: OnEngine | None) -> str:
    if reading is None:
        return "no"
    options = "" if reading.options is None else f", with the options {' and '.join(f'`{name}`' for name in reading.options)} alone"
    return f"Beam's source{options}" if reading.by_beam else "yes"
