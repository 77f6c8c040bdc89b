"""Makes a configuration of a site's event-routing-backends: its router rows, and its settings. Printed on standard output; what
could not be carried over is said there in comments, and on standard error.

Rows come from `manage.py lms dumpdata event_routing_backends`, or from CSV with the columns backend_name, route_url, auth_scheme,
auth_key, username, password, configurations, enabled, change_date and id. Secrets in them are never printed.
"""

from __future__ import annotations

import argparse
import sys

from edx2lrs.pipeline.app.import_erb import ImportRequest, import_erb
from edx2lrs.pipeline.commands.outcomes import DONE, IN_PART


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("rows", metavar="ROUTERS", help="the router rows: JSON of dumpdata, or CSV")
    parser.add_argument("--settings", metavar="FILE", help="the settings of the LMS, as YAML or JSON")
    parser.add_argument("--external-ids", metavar="TABLE", help="the table of external ids, which erb's ids of persons need")


def main(arguments: argparse.Namespace) -> int:
    """Prints the configuration; 1 when a router was left out, 2 when nothing could be read."""
    made = import_erb(ImportRequest(arguments.rows, arguments.settings, arguments.external_ids))
    for line in made.document:
        print(line)
    for line in made.to_know:
        print(line, file=sys.stderr)
    return IN_PART if made.left_out else DONE
