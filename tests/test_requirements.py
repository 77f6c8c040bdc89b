"""What is installed: every file that a package index gives has to have a hash that is written in the checkout."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = sorted(ROOT.glob("requirements*.txt"))
INSTALLING = ["run_local.sh", ".ci/run", *(str(path.relative_to(ROOT)) for path in sorted(ROOT.glob("templates/*/Dockerfile")))]


def pins(path: Path) -> dict[str, list[str]]:
    """The lines of each pinned version, without comments."""
    text = re.sub(r"^#.*\n", "", path.read_text(encoding="utf-8"), flags=re.M).replace("\\\n", "")
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        name, equal, rest = line.partition("==")
        assert equal, line
        found[f"{name.strip()}=={rest.split()[0]}"] = rest.split("--hash=")[1:]
    return found


@pytest.mark.parametrize("path", FILES, ids=[path.name for path in FILES])
def test_every_pin_has_hashes_and_no_index_is_named(path: Path) -> None:
    for pin, hashes in pins(path).items():
        assert hashes, pin
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}\s*", each) for each in hashes), pin
    assert not re.search(r"^\s*(-i|--index|--extra-index|--find-links|--trusted)|://", path.read_text(encoding="utf-8"), re.M)


def test_files_that_name_a_package_agree_on_its_version() -> None:
    versions: dict[str, set[frozenset[str]]] = {}
    for path in FILES:
        for name in {pin.partition("==")[0] for pin in pins(path)}:
            versions.setdefault(name, set()).add(frozenset(pin for pin in pins(path) if pin.startswith(f"{name}==")))
    assert not [name for name, found in versions.items() if len(found) > 1]


def test_what_setup_asks_for_is_pinned() -> None:
    setup = (ROOT / "setup.py").read_text(encoding="utf-8")
    wanted = re.findall(r'^        "([A-Za-z0-9-]+)[><=]', setup.partition("extras_require")[0], re.M)
    pinned = {pin.partition("==")[0] for pin in pins(ROOT / "requirements.txt")}
    assert len(wanted) > 10
    assert {name.lower() for name in wanted} <= pinned
    tests = set(pins(ROOT / "requirements-test.txt"))
    exact = re.findall(r'^            "([A-Za-z0-9-]+==[^"]+)"', setup, re.M)
    assert {pin.lower() for pin in exact} <= tests


@pytest.mark.parametrize("name", INSTALLING)
def test_what_installs_requires_hashes(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8").replace("\\\n", " ")
    commands = re.findall(r"pip(?: |_)install [^&|;>]*", text)
    wanted = [command for command in commands if " -r " in command]
    assert wanted
    assert all("--require-hashes" in command for command in wanted)
    for command in set(commands) - set(wanted):
        assert '"$@"' in command or "--no-deps --no-build-isolation" in command, command
