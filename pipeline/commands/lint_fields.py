"""Looks for names of declared fields and of statements' keys that resemble personal data and that nobody has reviewed.

Packages of a site's own events are looked at too. 0 when there is none, else 1 and a line for each."""

from __future__ import annotations

import argparse

from edx2lrs.transforms.privacy.field_lint import findings, reviewed


def add_arguments(_: argparse.ArgumentParser) -> None:
    """``edx2lrs lint-fields`` has no arguments."""


def main(_: argparse.Namespace) -> int:
    """Prints what was found; gives 1 when that is something."""
    found = findings(reviewed())
    for finding in found:
        print(finding.text())
    return 1 if found else 0
