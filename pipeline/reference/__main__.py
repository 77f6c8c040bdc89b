"""``python -m edx2lrs.pipeline.reference [PACKAGE ...]``: writes every file that is made of the code.

Without a package, in a checkout: ids and versions of all families of edx2lrs, the table of families in README.md, in ``docs/``
edx2lrs.schema.json and the pages that hold such tables, and two files of ``templates/``: Dataflow's metadata.json, and the names
of events in the LMS's Pub/Sub backend. With packages of own events: their ids and versions alone.
Gives 1 where a person has something to mend, and says what. 2: wrong usage."""

from __future__ import annotations

import sys
from pathlib import Path

from edx2lrs import transforms
from edx2lrs.pipeline import page_parts
from edx2lrs.pipeline.app import event_coverage
from edx2lrs.pipeline.config import reference, schema
from edx2lrs.pipeline.reference import accounting, dialects, fields, flex_template, lms_backend, sources
from edx2lrs.pipeline.reference.families import Generated, family
from edx2lrs.transforms.families.packages import OwnEventsError, packages

CHECKOUT = Path(transforms.__file__ or "").parent.parent


def pages() -> dict[Path, str]:
    """Every page of the checkout that is made of the code, with the text that the page has to have."""

    def read(page: str) -> str:
        return (CHECKOUT / page).read_text(encoding="utf-8")

    options = {"options": reference.reference}
    found = {
        "README.md": event_coverage.in_step(read("README.md")),
        "docs/dialects.md": dialects.in_step(read("docs/dialects.md")),
        "docs/events.md": event_coverage.in_step(read("docs/events.md")),
        "docs/fields.md": fields.page(),
        "docs/streams.md": accounting.in_step(sources.in_step(read("docs/streams.md"))),
        "docs/event-bus.md": sources.in_step(read("docs/event-bus.md")),
        "docs/state.md": accounting.in_step(read("docs/state.md")),
        "docs/dead-letters.md": accounting.in_step(read("docs/dead-letters.md")),
        "docs/configuration.md": page_parts.in_step(read("docs/configuration.md"), reference.__name__, options),
        "docs/edx2lrs.schema.json": schema.text(),
        "templates/dataflow/metadata.json": flex_template.text(),
        lms_backend.PATH: lms_backend.in_step(read(lms_backend.PATH)),
    }
    return {CHECKOUT / page: text for page, text in found.items()}


def generated(names: list[str]) -> Generated:
    """The generated files of the named packages, or of the checkout. Raises LookupError for a package that is not installed."""
    known = {package.module: package for package in packages()}
    missing = [name for name in names if name not in known]
    if missing:
        raise LookupError(f"found {missing[0]}, expected a package of own events that is installed")
    if not names and not (CHECKOUT / "docs" / "events.md").exists():
        raise LookupError("found no checkout of edx2lrs; name a package of own events")
    made = [family(package) for package in known.values() if (package.module in names if names else package.is_built_in)]
    files = {path: text for each in made for path, text in each.files.items()}
    return Generated({**files, **({} if names else pages())}, [fault for each in made for fault in each.faults])


def main(names: list[str]) -> int:
    """Writes the files that are out of step, and prints their names and the faults."""
    try:
        found = generated(names)
    except (LookupError, OwnEventsError) as error:
        print(f"edx2lrs.pipeline.reference: {error}", file=sys.stderr)
        return 2
    for path, text in found.files.items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            print(f"wrote {path}")
    for fault in found.faults:
        print(fault, file=sys.stderr)
    return 1 if found.faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
