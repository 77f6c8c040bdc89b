"""The management command that exports the tables, in a real Django over SQLite with the LMS's tables."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from edx2lrs.io.tables import external_id_rows, read_course_names

pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(not os.environ.get("EDX2LRS_PEERS"), reason="EDX2LRS_PEERS is not set: nothing is to be installed"),
]
FOLDER = Path(__file__).parents[3] / "templates" / "lms"
SET_UP = f"""
import sys
sys.path.insert(0, {str(FOLDER)!r})
import django
from django.conf import settings
settings.configure(DATABASES={{"default": {{"ENGINE": "django.db.backends.sqlite3", "NAME": "lms.db"}}}}, USE_TZ=True)
django.setup()
import export_for_edx2lrs as export
from django.core.management import call_command
from django.db import connection
export.ROWS = 2
def sql(*statements):
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
"""
TABLES = """
sql(
    "CREATE TABLE auth_user (id INTEGER PRIMARY KEY, username TEXT, email TEXT)",
    "CREATE TABLE external_user_ids_externalidtype (id INTEGER PRIMARY KEY, name TEXT)",
    "CREATE TABLE external_user_ids_externalid (id INTEGER PRIMARY KEY, modified TEXT, external_user_id TEXT,"
    " external_id_type_id INTEGER, user_id INTEGER)",
    "CREATE TABLE course_overviews_courseoverview (id TEXT PRIMARY KEY, modified TEXT, display_name TEXT)",
    "INSERT INTO auth_user VALUES (1, 'ann', 'ann@example.com'), (2, 'bob', ''), (3, 'cleo', 'cleo@example.com')",
    "INSERT INTO external_user_ids_externalidtype VALUES (1, 'xapi'), (2, 'caliper'), (3, 'mb_coaching')",
    "INSERT INTO course_overviews_courseoverview VALUES ('course-v1:A+B+C', '2026-03-01 00:00:00', 'Old name')",
)
for number, (user, kind) in enumerate([(1, 1), (1, 2), (2, 1), (3, 3)], 1):
    sql(f"INSERT INTO external_user_ids_externalid VALUES ({number}, '2026-03-01 00:00:00', '{number:032x}', {kind}, {user})")
"""


@pytest.fixture
def lms(lms_python, tmp_path):
    def run(program: str) -> subprocess.CompletedProcess[str]:
        command = [lms_python, "-c", SET_UP + program]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)

    assert run(TABLES).returncode == 0
    return run


def rows(path):
    return [line for line in path.read_text().splitlines() if line]


def test_a_whole_export_and_what_came_since(lms, tmp_path):
    whole = lms("call_command(export.Command(), '.')")
    assert whole.returncode == 0, whole.stderr
    ids = tmp_path / "external_ids.jsonl"
    assert len(rows(ids)) == 3  # none of a type that nobody asked for
    assert "example.com" not in ids.read_text()
    assert ids.stat().st_mode & 0o777 == 0o600
    assert read_course_names(str(tmp_path / "course_names.jsonl"))("course-v1:A+B+C") == "Old name"

    later = lms(
        "sql(\"INSERT INTO external_user_ids_externalid VALUES (5, '2026-03-11 09:00:00', '%032x', 1, 3)\" % 5,"
        " \"UPDATE course_overviews_courseoverview SET display_name = 'New name', modified = '2026-03-11 09:00:00'\")\n"
        "call_command(export.Command(), '.', since='2026-03-11T10:00:00+02:00')"
    )
    assert "external_ids.jsonl: 1 rows written" in later.stdout, later.stderr
    assert len(rows(ids)) == 4
    assert read_course_names(str(tmp_path / "course_names.jsonl"))("course-v1:A+B+C") == "New name"
    kinds = sorted((row.user_id, row.type) for _, row in external_id_rows(str(ids), False))
    assert kinds == [(1, "CALIPER"), (1, "XAPI"), (2, "XAPI"), (3, "XAPI")]
    assert not list(tmp_path.glob("*.new"))


def test_addresses_only_when_asked_for_and_never_in_part(lms, tmp_path):
    assert lms("call_command(export.Command(), '.', emails=True)").returncode == 0
    assert '"email": "ann@example.com"' in (tmp_path / "external_ids.jsonl").read_text()
    wrong = lms("call_command(export.Command(), '.', emails=True, since='2026-03-11')")
    assert "leave one of them out" in wrong.stderr
    assert "expected a date" in lms("call_command(export.Command(), '.', since='yesterday')").stderr
    assert "cannot be written" in lms("call_command(export.Command(), 'no-such-folder')").stderr
