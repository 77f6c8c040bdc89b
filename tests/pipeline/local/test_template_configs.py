"""The configurations of templates/config, run over a part of the sample logs into the sandbox."""

from __future__ import annotations

import gzip
import re
from pathlib import Path
from typing import Any

import pytest

TEMPLATES = Path(__file__).parents[3] / "templates" / "config"
ENVIRONMENT = {
    "LRS_USER": "sandbox",
    "LRS_PASSWORD": "sandbox",
    "LRS_TOKEN": "sandbox",
    "ADAPTIVE_ID_KEY": "another key of the tests",
}


@pytest.fixture
def log(tmp_path: Path, sample_logs: Path) -> Path:
    lines = (sample_logs / "tracking.log-20240312").read_bytes().splitlines(keepends=True)
    path = tmp_path / "tracking.log"
    path.write_bytes(b"".join(lines[:300]))
    return path


def at(address: str, folder: Path, text: str) -> str:
    """The configuration with every LRS at the sandbox and the bucket as a folder, without TLS, and the tables beside it."""

    def moved(found: re.Match[str]) -> str:
        name, protocol = found[1], found[2]
        path = "xAPI" if protocol == "xapi" else "caliper"
        return f"- name: {name}\n    protocol: {protocol}\n    url: http://{address}/{name}/{path}\n"

    text = re.sub(r"\n    tls: .*", "", text)
    text = re.sub(r"- name: (\S+)\n    protocol: (\S+)\n    url: \S+\n", moved, text)
    return text.replace("../sample/", "").replace("gs://bucket", f"file://{folder}")


@pytest.mark.parametrize("name", ["minimal", "full"])
def test_a_template_delivers(
    edx2lrs: Any, sandbox: Any, config: Any, log: Path, assert_adds_up: Any, name: str, tmp_path: Path
) -> None:
    text = (TEMPLATES / f"{name}.yaml").read_text(encoding="utf-8")
    path = config(sandbox.address, at(sandbox.address, tmp_path, text))
    result = edx2lrs("run", "--config", path, "--input", log, "--state", "state", env=ENVIRONMENT)
    # the sample's table has no e-mail addresses: one consumer of the full one gets nothing but dead letters
    assert result.code == (0 if name == "minimal" else 1), result.text
    assert_adds_up(result.report)
    delivered = {consumer: part["delivered"] for consumer, part in result.report["consumers"].items()}
    written = sum(gzip.decompress(path.read_bytes()).count(b"\n") for path in tmp_path.glob("statements/**/*.gz"))
    assert delivered == {consumer: written if consumer == "archive" else sandbox.stored(consumer) for consumer in delivered}
    assert all(delivered[consumer] for consumer in (["lrs"] if name == "minimal" else ["adaptive", "warehouse", "archive"]))
