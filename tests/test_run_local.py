"""run_local.sh before anything is installed: what is missing is said in one line, and a rerun heals what was left half made.

Python is played by a small script, so that nothing is downloaded.
"""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PYTHON = """\
#!/bin/bash
case "$*" in
  *version_info*) exit {right_version} ;;
  *ensurepip*) exit {has_venv} ;;
  --version) echo "Python {version}" ;;
  "-m venv .venv")
    mkdir -p .venv/bin
    printf '#!/bin/bash\\nexit 0\\n' >.venv/bin/python
    printf '#!/bin/bash\\necho "edx2lrs $*"\\n' >.venv/bin/edx2lrs
    chmod +x .venv/bin/* ;;
esac
"""


@pytest.fixture
def run_local(tmp_path):
    """Runs a copy of the script where the only Python is the one described."""
    for name in ("run_local.sh", "requirements.txt", "setup.py"):
        shutil.copy(ROOT / name, tmp_path / name)
    tools = tmp_path / "tools"
    tools.mkdir()
    for tool in ("bash", "cat", "chmod", "cksum", "cp", "dirname", "mkdir", "rm", "sed", "tail"):
        (tools / tool).symlink_to(shutil.which(tool) or tool)

    def run(*arguments, version="3.12.1", right_version=True, has_venv=True, python=True):
        if python:
            script = PYTHON.format(version=version, right_version=int(not right_version), has_venv=int(not has_venv))
            (tools / "python3").write_text(script, encoding="utf-8")
            (tools / "python3").chmod(0o755)
        environment = {"PATH": str(tools), "HOME": str(tmp_path)}
        return subprocess.run(
            [tools / "bash", tmp_path / "run_local.sh", *arguments], env=environment, capture_output=True, text=True, check=False
        )

    return run


@pytest.mark.parametrize(
    ("situation", "words"),
    [
        ({"python": False}, ["no Python found", "3.10 to 3.13"]),
        ({"right_version": False, "version": "3.8.18"}, ["Python 3.8.18", "3.10 to 3.13", "PYTHON="]),
        ({"has_venv": False}, ["no venv module", "apt install python3-venv"]),
    ],
)
def test_what_is_missing_is_one_clear_line(run_local, situation, words):
    result = run_local("check", "c.yaml", **situation)
    assert result.returncode == 2
    (line,) = result.stderr.splitlines()
    assert all(word in line for word in words)


def test_a_command_is_passed_on_and_the_second_run_installs_nothing(run_local):
    first = run_local("check", "c.yaml")
    second = run_local("check", "c.yaml")
    assert (first.returncode, first.stdout) == (0, "edx2lrs check c.yaml\n")
    assert "installing" in first.stderr
    assert (second.stdout, second.stderr) == ("edx2lrs check c.yaml\n", "")


def test_a_half_made_environment_is_made_again(run_local, tmp_path):
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    result = run_local("check", "c.yaml")
    assert (result.returncode, result.stdout) == (0, "edx2lrs check c.yaml\n")
    assert ".venv is half made" in result.stderr


def test_other_requirements_are_installed_into_the_environment_that_is_there(run_local, tmp_path):
    run_local("check", "c.yaml")
    with (tmp_path / "requirements.txt").open("a", encoding="utf-8") as file:
        file.write("# changed\n")
    again = run_local("check", "c.yaml")
    assert "installing" in again.stderr
    assert "making .venv" not in again.stderr
