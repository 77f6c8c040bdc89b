"""``python -m edx2lrs.pipeline.reference``: generated files are in step with the code; no mapping changes by accident."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from edx2lrs.pipeline import page_parts
from edx2lrs.pipeline.reference import lms_backend
from edx2lrs.pipeline.reference.__main__ import CHECKOUT, generated

GENERATED = generated([])
EXAMPLE = CHECKOUT / "docs" / "examples" / "own_events"


@pytest.mark.parametrize("path", GENERATED.files, ids=lambda path: str(path.relative_to(CHECKOUT)))
def test_a_generated_file_is_in_step(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == GENERATED.files[path], "run: python -m edx2lrs.pipeline.reference"


def test_nothing_is_left_to_mend() -> None:
    assert GENERATED.faults == []


def test_a_backend_without_its_list_of_names_is_refused() -> None:
    with pytest.raises(ValueError, match="NAMES"):
        lms_backend.in_step("NAMES = set()\n")


def test_a_page_without_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="no marks"):
        page_parts.in_step("# Events\n", "edx2lrs.pipeline.app.event_coverage", {"events": str})


Write = Callable[[], subprocess.CompletedProcess[str]]


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """The flashcards of the docs as an installed package."""
    shutil.copytree(EXAMPLE / "acme_flashcards", tmp_path / "acme_flashcards")
    info = tmp_path / "acme_flashcards-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-flashcards\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[edx2lrs.mappings]\nflashcards = acme_flashcards\n")
    return tmp_path / "acme_flashcards"


@pytest.fixture
def write(package: Path) -> Write:
    """Runs the command for the package."""

    def run() -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "PYTHONPATH": str(package.parent), "PYTHONDONTWRITEBYTECODE": "1"}
        command = [sys.executable, "-m", "edx2lrs.pipeline.reference", "acme_flashcards"]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)

    return run


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_ids_that_an_example_lacks_are_filled_in(package: Path, write: Write) -> None:
    path = package / "examples" / "acme.flashcard.turned.json"
    text = path.read_text(encoding="utf-8")
    example = json.loads(text)
    for protocol in ("xapi", "caliper"):
        del example[protocol][0]["id"]
    path.write_text(json.dumps(example))
    (package / "mapping_versions.json").unlink()
    assert (write().returncode, path.read_text(encoding="utf-8")) == (0, text)
    assert (package / "mapping_versions.json").read_bytes() == (EXAMPLE / "acme_flashcards/mapping_versions.json").read_bytes()
    assert write().stdout == ""


def test_a_changed_mapping_needs_a_changed_example_and_a_new_version(package: Path, write: Write) -> None:
    versions = (package / "mapping_versions.json").read_text()
    change(package / "xapi.py", '"other"', '"choice"')
    done = write()
    assert done.returncode == 1
    assert "xapi: the mapping makes something else:\n--- the example\n+++ what the mapping makes" in done.stderr
    assert '-        "interactionType": "other",\n+        "interactionType": "choice",' in done.stderr
    change(package / "examples" / "acme.flashcard.turned.json", '"interactionType": "other"', '"interactionType": "choice"')
    done = write()
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "acme_flashcards.xapi: the statements of the example acme.flashcard.turned changed; "
        "raise MAPPING_VERSION in acme_flashcards.xapi (it is 1), or take the change back\n"
    )
    assert (package / "mapping_versions.json").read_text() == versions
    change(package / "xapi.py", "MAPPING_VERSION = 1", "MAPPING_VERSION = 2")
    assert write().returncode == 0
    assert json.loads((package / "mapping_versions.json").read_text())["xapi"]["version"] == 2


def test_a_new_example_needs_no_new_version(package: Path, write: Write) -> None:
    examples = package / "examples"
    shutil.copy(examples / "acme.flashcard.turned.json", examples / "acme.flashcard.turned (again).json")
    assert write().returncode == 0
    assert len(json.loads((package / "mapping_versions.json").read_text())["xapi"]["examples"]) == 2


def test_a_package_that_is_not_installed_is_named(package: Path, write: Write) -> None:
    shutil.rmtree(next(package.parent.glob("*.dist-info")))
    done = write()
    assert (done.returncode, done.stderr) == (
        2,
        "edx2lrs.pipeline.reference: found acme_flashcards, expected a package of own events that is installed\n",
    )
