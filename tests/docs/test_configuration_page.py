"""docs/configuration.md: every option has a meaning, and the example is a right configuration."""

from __future__ import annotations

from pathlib import Path

import pytest

from edx2lrs.pipeline.config.reading import load
from edx2lrs.pipeline.config.reference import reference
from edx2lrs.transforms.config_types import Consumer

PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"


def test_every_option_has_a_row_with_a_meaning() -> None:
    rows = [line.strip("|").split("|") for line in reference().splitlines() if line.startswith("| `")]
    assert all(row[-1].strip() for row in rows)
    assert {f"`{name}`" for name in Consumer.__struct_fields__} <= {row[0].strip() for row in rows}


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
