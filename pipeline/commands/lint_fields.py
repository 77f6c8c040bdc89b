"""Looks for names of declared fields and of statements' keys that resemble personal data and that nobody has reviewed.

Packages of a site's own events are looked at too. 0 when there is none, else 1 and a line for each."""

from __future__ import annotations

import argparse
import sys

from edx2lrs.transforms.privacy.field_lint import findings, reviewed, without_example


def add_arguments(_: argparse.ArgumentParser) -> None:
    """``edx2lrs lint-fields`` has no arguments."""


def main(_: argparse.Namespace) -> int:
    """Prints the findings; gives 1 if there are findings."""
    found = findings(reviewed())
    for finding in found:
        print(finding.text())
    unseen = without_example()
    if unseen:
        what = f"{', '.join(unseen)}: no example, so that the keys which functions of the rows make were not looked at"
        print(f"edx2lrs lint-fields: {what}; add one to examples/ of the package", file=sys.stderr)
    return 1 if found else 0
