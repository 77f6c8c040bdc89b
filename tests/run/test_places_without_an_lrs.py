"""A run whose consumers are files and standard output."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

CONFIG = """\
lms: {root_url: https://courses.example.com, id_key: env:EDX2LRS_ID_KEY}
consumers:
- {name: archive, protocol: xapi, url: 'file://FOLDER/out/all.jsonl.gz', access: all, log: true}
- {name: shown, protocol: caliper, url: 'stdout:', access: all}
"""


def test_statements_alone_are_on_standard_output_and_in_whole_files(
    edx2lrs: Any, config: Any, sample_logs: Path, assert_adds_up: Any, tmp_path: Path
) -> None:
    log = tmp_path / "tracking.log"
    log.write_bytes(b"".join((sample_logs / "tracking.log-20240312").read_bytes().splitlines(keepends=True)[:300]))
    path = config("", CONFIG.replace("FOLDER", str(tmp_path)))
    result = edx2lrs("run", "--config", path, "--input", log, "--state", "state", env={"EDX2LRS_ID_KEY": "k"})
    assert result.code == 0, result.text
    assert_adds_up(result.report)
    delivered = {name: part["delivered"] for name, part in result.report["consumers"].items()}
    assert len([json.loads(line)["@context"] for line in result.out.splitlines()]) == delivered["shown"] > 0
    assert "dead letters" in result.err  # the summary is for a person
    lines = [line for file in (tmp_path / "out").iterdir() for line in gzip.decompress(file.read_bytes()).splitlines()]
    assert len({json.loads(line)["id"] for line in lines}) == len(lines) == delivered["archive"] > 0
    logged = (tmp_path / "state" / "statement-logs" / "archive" / "xapi_tracking.jsonl").read_bytes().splitlines()
    assert sorted(logged) == sorted(lines)
