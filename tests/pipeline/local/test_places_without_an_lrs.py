"""A run whose consumers are files and standard output."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from testkit.configurations import consumer, yaml_of

CONFIG = yaml_of(
    consumer("archive", url="file://FOLDER/out/all.jsonl.gz", log=True),
    consumer("shown", "caliper", url="stdout:"),
)


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


IN_A_STORE = yaml_of(
    consumer("archive", url="STORE/out/all.jsonl.gz"),
    consumer("events", "caliper", url="STORE/events", batch={"size": 1000}),
    consumer("campus", log="STORE/statement-logs"),
    dead_letters={"path": "STORE/dead"},
)


@pytest.mark.engine
def test_an_object_store_holds_all_statements_the_log_and_the_dead_letters(
    store: Any, edx2lrs: Any, config: Any, sandbox: Any, sample_logs: Path, assert_adds_up: Any, tmp_path: Path
) -> None:
    (tmp_path / "tracking.log").write_bytes((sample_logs / "tracking.log-20240312").read_bytes() + b"no event\n")
    path = config(sandbox.address, IN_A_STORE.replace("STORE", store.url))
    run = ("run", "--config", path, "--input", "tracking.log", "--state", "state", *store.options)
    result = edx2lrs(*run, env={"EDX2LRS_ID_KEY": "k", **store.environment})
    assert result.code == 0, result.text
    assert_adds_up(result.report)
    delivered = {name: part["delivered"] for name, part in result.report["consumers"].items()}
    ids = {folder: ids_in(store.objects(folder)) for folder in ("out/all-", "events/events-", "statement-logs/campus/")}
    assert {folder: len(set(found)) == len(found) for folder, found in ids.items()} == dict.fromkeys(ids, True)
    assert len(ids["out/all-"]) == delivered["archive"] > 100
    assert len(ids["events/events-"]) == delivered["events"] > 100
    assert len(ids["statement-logs/campus/"]) == delivered["campus"] == sandbox.stored("campus")
    assert store.objects("dead/")


def ids_in(objects: dict[str, bytes]) -> list[str]:
    texts = [gzip.decompress(body) if name.endswith(".gz") else body for name, body in objects.items()]
    return [json.loads(line)["id"] for text in texts for line in text.splitlines()]


@pytest.mark.engine
def test_the_configuration_and_its_tables_may_lie_in_an_object_store(
    store: Any, edx2lrs: Any, config: Any, sandbox: Any, sample_logs: Path
) -> None:
    path = config(sandbox.address)
    for file in (path, *path.parent.glob("*.csv")):
        store.put(f"site/{file.name}", file.read_bytes())
        file.unlink()
    run = ("run", "--config", f"{store.url}/site/edx2lrs.yaml", "--input", sample_logs, "--state", "state", *store.options)
    result = edx2lrs(*run, env=store.environment)
    assert result.code == 0, result.text
    assert all(part["delivered"] > 100 for part in result.report["consumers"].values())
    again = edx2lrs("deliver", "--config", f"{store.url}/site/edx2lrs.yaml", "--state", "state", *store.options, env=store.environment)
    assert again.code == 0, again.text
