"""The events that are known and what they become, in both protocols: those of edx2lrs and of other installed packages.

An example file has an event in several shapes and what it becomes; examples are there in a checkout, not in every installation.
"""

from __future__ import annotations

import argparse
import sys

import orjson

from edx2lrs.pipeline.app.event_coverage import as_json, as_markdown, as_text, coverage


def add_arguments(parser: argparse.ArgumentParser) -> None:
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--markdown", action="store_true", help="as a Markdown table, as in docs/events.md")
    form.add_argument("--json", action="store_true", help="as JSON, with whole IRIs")


def main(arguments: argparse.Namespace) -> int:
    """Prints the table; gives 0."""
    rows = coverage()
    if arguments.json:
        sys.stdout.write(orjson.dumps(as_json(rows), option=orjson.OPT_INDENT_2).decode() + "\n")
    else:
        sys.stdout.write(as_markdown(rows) if arguments.markdown else as_text(rows))
    return 0
