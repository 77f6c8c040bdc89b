"""Check statements or events on standard input against xAPI 1.0.3 or Caliper 1.2: one line for each fault, with its clause.

The input is JSON lines (a statement, event, entity or envelope on each), a JSON array of them, or one JSON object over several
lines. ``--strict`` tells what the standards recommend (SHOULD) too. Exit codes: 0 all valid; 1 some are not; 2 wrong usage.
"""

from __future__ import annotations

import argparse
import json
import sys

from edx2lrs.pipeline.app.validate import STANDARDS, Validated, ValidateRequest, validate
from edx2lrs.pipeline.commands.outcomes import DONE, WRONG
from edx2lrs.transforms.validation.violations import Violation, path_text, sentence

_INVALID = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--as", dest="standard", required=True, choices=sorted(STANDARDS), help="the standard to check against")
    parser.add_argument("--strict", action="store_true", help="what the standard recommends counts too")
    parser.add_argument("--json", action="store_true", help="one JSON object per fault")


def main(arguments: argparse.Namespace) -> int:
    """Reads standard input; prints faults on standard output and a summary on standard error."""
    standard = STANDARDS[arguments.standard]
    seen = invalid = told = 0
    for validated in validate(ValidateRequest(sys.stdin.buffer, standard, arguments.strict)):
        seen += 1
        invalid += bool(validated.violations)
        told += len(validated.violations)
        for violation in validated.violations:
            print(_as_json(validated, violation) if arguments.json else f"{_where(validated)}{sentence(violation)}")
    if not seen:
        print("edx2lrs validate: there is nothing on standard input", file=sys.stderr)
        return WRONG
    noun = standard.nouns[seen != 1]
    summary = f"{invalid} not valid, {told} fault{'' if told == 1 else 's'}" if invalid else "all valid"
    print(f"edx2lrs validate: {seen} {noun}, {summary}", file=sys.stderr)
    return _INVALID if invalid else DONE


def _where(validated: Validated) -> str:
    document, identifier, _ = validated
    item = "" if document.item is None else f", item {document.item}"
    return f"line {document.line}{item}{f' ({identifier})' if identifier else ''}: "


def _as_json(validated: Validated, violation: Violation) -> str:
    document, identifier, _ = validated
    place = {"line": document.line, "item": document.item, "id": identifier}
    told = {name: value for name, value in violation._asdict().items() if name != "near"}
    return json.dumps({**place, **told, "path": path_text(violation.path)})
