"""A machine on which nothing but the state directory can be written, as a container with a read-only root file system."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing

import pytest

from edx2lrs.pipeline.local.run_lifecycle import use_for_temporary_files
from edx2lrs.pipeline.run_options import OptionError
from testkit.configurations import consumer, yaml_of
from testkit.tracking_records import played


@pytest.fixture
def nowhere(monkeypatch, tmp_path):  # noqa: ARG001 - made while there is a place
    """No folder of the machine can be written."""
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(tempfile, "_candidate_tempdir_list", lambda: ["/nonexistent"])
    monkeypatch.setenv("TMPDIR", "/nonexistent")
    yield
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("PRAGMA temp_store_directory = ''")


@pytest.mark.usefixtures("nowhere")
def test_temporary_files_are_in_the_state_directory(tmp_path):
    use_for_temporary_files(str(tmp_path / "it's a state"))
    assert tempfile.gettempdir() == os.environ["TMPDIR"] == str(tmp_path / "it's a state" / "tmp")
    assert (tmp_path / "it's a state" / "tmp").stat().st_mode & 0o777 == 0o700


@pytest.mark.usefixtures("nowhere")
def test_without_a_state_directory_it_is_asked_for():
    with pytest.raises(OptionError, match="--state: missing"):
        use_for_temporary_files(None)


def test_where_there_is_a_place_nothing_changes(tmp_path):
    before = tempfile.gettempdir()
    use_for_temporary_files(str(tmp_path / "state"))
    assert tempfile.gettempdir() == before
    assert list(tmp_path.iterdir()) == []


MOUNTS = "mount -o bind,ro / / 2>/dev/null; mount -o remount,bind,ro / && mount -t tmpfs none rw"
CAN_MOUNT = shutil.which("unshare") is not None and os.geteuid() == 0


@pytest.mark.skipif(not CAN_MOUNT, reason="wants the right to mount")
def test_a_run_needs_the_state_directory_alone(tmp_path):
    (tmp_path / "rw").mkdir()
    (tmp_path / "t.log").write_bytes(played(1))
    (tmp_path / "c.yaml").write_text(yaml_of(consumer("one", url=f"file://{tmp_path}/rw/out", auth=None)), encoding="utf-8")
    run = f"{sys.executable} -m edx2lrs.pipeline run --config c.yaml --input t.log --state rw/state --workers 1"
    environment = {"HOME": "/nonexistent", "PATH": os.environ["PATH"], "EDX2LRS_ID_KEY": "a key of the tests"}
    script = f"{MOUNTS} || exit 77; {run} && cat rw/out/*"
    command = ["unshare", "-m", "sh", "-c", script]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    if done.returncode == 77 or "unshare failed" in done.stderr:
        pytest.skip("this machine forbids to mount")
    assert done.returncode == 0, done.stderr
    assert '"verb"' in done.stdout
