"""A management command of the LMS: writes the tables of external ids and course names that edx2lrs reads. One file; put it into
the folder ``management/commands`` of any app of the LMS, such as ``lms/djangoapps/courseware/management/commands``.

    ./manage.py lms export_for_edx2lrs /data/edx2lrs                           # everything
    ./manage.py lms export_for_edx2lrs /data/edx2lrs --since 2026-03-11        # what changed since, added to the tables there

It reads with plain SQL, some thousand rows at a time, and replaces a table in one step when it is whole. An incremental export
adds the ids that are new; it removes nobody and takes over no new username, so make a whole one now and then.
"""

import json
import os
import shutil
from datetime import datetime, timezone

from django.core.management.base import BaseCommand, CommandError
from django.db import connections

IDS = """
SELECT e.id, u.id, u.username, t.name, e.external_user_id{email}
FROM external_user_ids_externalid e
JOIN external_user_ids_externalidtype t ON t.id = e.external_id_type_id
JOIN auth_user u ON u.id = e.user_id
WHERE t.name IN ({types}) AND e.modified >= %s AND e.id > %s ORDER BY e.id LIMIT {rows}
"""
COURSES = """
SELECT id, id, display_name FROM course_overviews_courseoverview
WHERE modified >= %s AND id > %s ORDER BY id LIMIT {rows}
"""
ROWS = 10_000
BEGINNING = datetime(1970, 1, 1)


class Command(BaseCommand):
    help = "Writes external_ids.jsonl and course_names.jsonl for edx2lrs into a folder."

    def add_arguments(self, parser):
        parser.add_argument("folder", help="where the tables are written; it has to be there")
        parser.add_argument("--since", help="add what changed since this date or time (ISO 8601; without a zone: UTC)")
        parser.add_argument("--types", default="xapi,caliper,lti", help="types of ids, with commas between")
        parser.add_argument("--emails", action="store_true", help="with the users' e-mail addresses; whole exports only")
        parser.add_argument("--database", default="default", help="the Django database to read from, such as read_replica")

    def handle(self, folder, since, types, emails, database, **_options):
        if since and emails:
            raise CommandError("--emails: an address that changed is not found by --since; leave one of them out")
        moment = _moment(since) if since else BEGINNING
        names = [name.strip().lower() for name in types.split(",")]
        ids = IDS.format(types=", ".join(["%s"] * len(names)), email=", u.email" if emails else "", rows=ROWS)
        keys = ["user_id", "username", "external_id_type", "external_user_id"] + ["email"] * emails
        for file, sql, arguments, first, columns in (
            ("external_ids.jsonl", ids, [*names, moment], 0, keys),
            ("course_names.jsonl", COURSES.format(rows=ROWS), [moment], "", ["course_id", "display_name"]),
        ):
            path = os.path.join(folder, file)
            try:
                number = _write(path, columns, _rows(connections[database], sql, arguments, first), add=bool(since))
            except OSError as error:
                raise CommandError(f"{path}: cannot be written: {error.strerror}") from error
            self.stdout.write(f"{path}: {number} rows written")


def _moment(text):
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        raise CommandError(f"--since {text}: expected a date or a time such as 2026-03-11T08:00:00Z") from None
    return moment.astimezone(timezone.utc).replace(tzinfo=None) if moment.tzinfo else moment


def _rows(connection, sql, arguments, after):
    """Page by page, each after the last key of the one before: MySQL's client would hold them all."""
    with connection.cursor() as cursor:
        while True:
            cursor.execute(sql, [*arguments, after])
            rows = cursor.fetchall()
            for key, *values in rows:
                after = key
                yield values
            if len(rows) < ROWS:
                return


def _write(path, columns, rows, add):
    """Beside the table, then in its place: nobody reads half of it. Readable by this user alone."""
    new, number = path + ".new", 0
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        if add and os.path.exists(path):
            with open(path, "rb") as table:
                shutil.copyfileobj(table, file)
        for row in rows:
            file.write(json.dumps(dict(zip(columns, row, strict=True)), default=str).encode() + b"\n")
            number += 1
    os.replace(new, path)
    return number
