"""docs/configuration.md: in step with the options, and its example is a right configuration."""

from __future__ import annotations

from pathlib import Path

import pytest

from edx2lrs.pipeline.config.reading import load
from edx2lrs.pipeline.config.reference import in_step, reference
from edx2lrs.transforms.config_types import Consumer

PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"


def test_the_page_is_in_step() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert in_step(page) == page, "run: python -m edx2lrs.pipeline.reference"


def test_every_option_has_a_row_with_a_meaning() -> None:
    rows = [line.strip("|").split("|") for line in reference().splitlines() if line.startswith("| `")]
    assert all(row[-1].strip() for row in rows)
    assert {f"`{name}`" for name in Consumer.__struct_fields__} <= {row[0].strip() for row in rows}


def test_a_page_without_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="lacks"):
        in_step("# Configuration\n")


def test_the_example_is_right(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("EDX2LRS_ID_KEY", "LRS_USER", "LRS_PASSWORD"):
        monkeypatch.setenv(name, "x")
    (tmp_path / "token").write_text("x")
    for name in ("external_ids.csv", "courses.csv"):
        (tmp_path / name).write_text("")
    example = PAGE.read_text(encoding="utf-8").partition("```yaml\n")[2].partition("```")[0]
    path = tmp_path / "c.yaml"
    path.write_text(example.replace("gs://bucket/", "").replace("/run/secrets/", ""))
    assert [consumer.name for consumer in load(str(path)).consumers] == ["campus", "warehouse"]
