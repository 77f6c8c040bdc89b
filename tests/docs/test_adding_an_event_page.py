"""docs/adding-an-event.md, followed step by step in a copy of the tree."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
PAGE = CHECKOUT / "docs" / "adding-an-event.md"
STEP = re.compile(r"^`((?:transforms|tests)/[^`]+)`[^`]*?:?\n[^`]*?```(python|json)\n(.*?)```", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The copy, with all steps of the page done."""
    root = tmp_path_factory.mktemp("tree") / "edx2lrs"
    tests = ("tests/transforms", "tests/pipeline/reference", "tests/testkit")
    for folder in ("transforms", "pipeline", "io", "docs", "templates", *tests):
        shutil.copytree(CHECKOUT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(CHECKOUT / "README.md", root)
    steps = STEP.findall(PAGE.read_text(encoding="utf-8"))
    assert [kind for _, kind, _ in steps] == ["python"] * 3 + ["json"]
    for name, _, block in steps:
        path = root / name
        assert not path.exists(), f"{name} is there already; the page needs another example"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block, encoding="utf-8")
    (root / "transforms/families/bookmark/__init__.py").touch()
    written = run(root, "edx2lrs.pipeline.reference")
    assert (written.returncode, written.stderr) == (0, "")
    family = "transforms/families/bookmark"
    pages = ["README.md", "docs/dialects.md", "docs/events.md", "docs/fields.md"]
    backend = "templates/lms/edx2lrs_pubsub_backend.py"
    expected = [*pages, backend, f"{family}/examples/edx.bookmark.added.json", f"{family}/mapping_versions.json"]
    assert sorted(line.removeprefix(f"wrote {root}/") for line in written.stdout.splitlines()) == expected
    return root


def run(tree: Path, *arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(tree.parent), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", *arguments]
    return subprocess.run(command, cwd=tree, env=environment, input=text, capture_output=True, text=True, timeout=120)


def test_the_tests_of_the_new_event_pass(tree: Path) -> None:
    tests = [f"tests/transforms/families/test_{name}.py" for name in ("examples", "tables", "packages")]
    tests.append("tests/pipeline/reference/test_generated_files.py")
    options = ["-q", "-k", "bookmark", "-p", "no:cacheprovider", "--import-mode=importlib", "--rootdir=.", "-c", os.devnull]
    options += ["-o", f"pythonpath={tree / 'tests'}"]
    done = run(tree, "pytest", *options, *tests)
    assert done.returncode == 0, done.stdout
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed
    assert int(passed[1]) >= 2 * 2 + 2 + 2  # two shapes and two protocols; two tables; two generated files


def test_the_new_event_is_known_everywhere(tree: Path) -> None:
    fixture = json.loads((tree / "transforms/families/bookmark/examples/edx.bookmark.added.json").read_text(encoding="utf-8"))
    assert fixture["xapi"][0]["id"] == "e1cafc42-e23a-5bc7-89dd-7b97502440b7"
    assert fixture["caliper"][0]["id"] == "urn:uuid:259c8c27-cbdb-576d-b176-b0b58e8a967c"
    event = json.dumps(fixture["sources"][0])
    for protocol in ("xapi", "caliper"):
        made = run(tree, "edx2lrs.pipeline", "translate", "--to", protocol, text=event)
        assert json.loads(made.stdout)["object"]["id"].endswith("block@intro")
        assert run(tree, "edx2lrs.pipeline", "validate", "--as", protocol, text=made.stdout).returncode == 0
    assert "edx.bookmark.added" in run(tree, "edx2lrs.pipeline", "events").stdout
    assert run(tree, "edx2lrs.pipeline", "lint-fields").returncode == 0
