"""An archive of gz files to xAPI and Caliper JSON lines: ``python benchmarks/archive.py workers|memory|erb [--megabytes N]``.

workers: two workers against one, the best of --rounds turns each; the start of the processes is included.
memory: the peak memory of the process tree on 2 GB of text against that on 100 MB in gz files, and on 600 MB in one plain file.
erb: two workers against event-routing-backends' transformation alone, in one process without any input or output.
    EDX2LRS_PEERS names a folder with ``erb_up.sh``, which prints a Python that has it, and ``erb_oracle.py``.
"""

import argparse
import gzip
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from job import GENERATE, tree_memory

CONFIG = """\
lms: {{root_url: https://lms.example.com, id_key: "env:EDX2LRS_BENCHMARK_KEY"}}
outbox: {{statements: 200000}}
consumers:
  - &files
    name: xapi
    protocol: xapi
    url: file://{out}/xapi/statements.jsonl
    access: all
    batch: {{size: 10000, bytes: 8000000}}
    rate: {{concurrency: 1}}
  - <<: *files
    name: caliper
    protocol: caliper
    url: file://{out}/caliper/events.jsonl
"""


def text(folder: Path, megabytes: int, mix: str) -> list[Path]:
    """Plain logs of 10 MB each, no event twice: the sample's, whose year differs from file to file."""
    sample = folder / "sample.log"
    if not sample.exists():
        command = [sys.executable, GENERATE, "--events", "10500", "--mix", mix, "--out", sample]
        subprocess.run(command, check=True)
    lines = sample.read_bytes()
    number = max(1, megabytes * 1_000_000 // len(lines))
    logs = []
    for copy in range(number):
        day = f"{1900 + copy // 12:04}-{1 + copy % 12:02}-11".encode()
        log = folder / f"tracking-{copy:04}.log"
        log.write_bytes(lines.replace(b'"2024-03-11', b'"' + day).replace(b'"2024-03-12', b'"' + day[:-1] + b"2"))
        logs.append(log)
    return logs


def archive(folder: Path, megabytes: int, packed: bool, mix: str = "typical") -> Path:
    """A folder with the text as gz files, or as one plain file."""
    logs = folder / f"{'gz' if packed else 'plain'}-{megabytes}"
    logs.mkdir()
    for log in text(folder, megabytes, mix):
        if packed:
            (logs / f"{log.name}.gz").write_bytes(gzip.compress(log.read_bytes(), 6))
        else:
            with (logs / "tracking.log").open("ab") as whole:
                whole.write(log.read_bytes())
        log.unlink()
    return logs


def run(folder: Path, logs: Path, workers: int) -> tuple[dict, float, int]:
    """The report, seconds from start to end, and the peak memory of the processes."""
    with tempfile.TemporaryDirectory(dir=folder) as name:
        here = Path(name)
        (here / "c.yaml").write_text(CONFIG.format(out=here), encoding="utf-8")
        command = [sys.executable, "-m", "edx2lrs.pipeline", "run", "--config", "c.yaml", "--input", logs]
        command += ["--state", "state", "--report", "report.json", "--workers", str(workers)]
        environment = {**os.environ, "EDX2LRS_BENCHMARK_KEY": "benchmark"}
        began, used = time.perf_counter(), sum(os.times()[2:4])
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=here)
        peak, ended = 0, threading.Event()

        def watch() -> None:
            nonlocal peak
            while not ended.wait(0.2):
                peak = max(peak, tree_memory(process.pid))

        watcher = threading.Thread(target=watch)
        watcher.start()
        code = process.wait()
        seconds = time.perf_counter() - began
        ended.set()
        watcher.join()
        if code:
            sys.exit(f"the job ended with {code}")
        report = json.loads((here / "report.json").read_text(encoding="utf-8"))
        report["processor_seconds"] = sum(os.times()[2:4]) - used
        waiting = sum(consumer["waiting"] for consumer in report["consumers"].values())
        assert not waiting, f"{waiting} statements wait"
        return report, seconds, peak


def said(report: dict, seconds: float) -> str:
    made = {name: consumer["delivered"] for name, consumer in report["consumers"].items()}
    read, used = report["records"]["read"], report["processor_seconds"]
    rates = f"{seconds:.1f} s ({read / seconds:,.0f}/s), {used:.1f} s of processor ({read / used:,.0f}/s)"
    return f"{read:,} lines in {rates}, {made}"


def workers(folder: Path, megabytes: int, rounds: int, mix: str) -> None:
    logs = archive(folder, megabytes, packed=True, mix=mix)
    best: dict[int, float] = {}
    for _ in range(rounds):
        for number in (1, 2):  # turn by turn: what else the machine does meets both
            report, seconds, _ = run(folder, logs, number)
            best[number] = min(seconds, best.get(number, seconds))
            print(f"{number} workers: {said(report, seconds)}", flush=True)
    print(f"two workers are {best[1] / best[2]:.2f} times as fast as one")


def memory(folder: Path, megabytes: int) -> None:
    for packed in (True, False):
        peaks = []
        smallest = 100 if packed else 600  # a plain file of two parts and more keeps both workers busy
        for size in (smallest, megabytes):
            report, seconds, peak = run(folder, archive(folder, size, packed), 2)
            print(f"{'gz' if packed else 'plain'}, {size} MB: {said(report, seconds)}, {peak / 1e6:.0f} MB", flush=True)
            peaks.append(peak)
        print(f"peak on {megabytes} MB of text = {peaks[1] / peaks[0]:.2f} times that on {smallest} MB")


def erb(folder: Path, megabytes: int, rounds: int, mix: str) -> None:
    peers = Path(os.environ["EDX2LRS_PEERS"])
    python = subprocess.run(["bash", peers / "erb_up.sh"], check=True, capture_output=True, text=True).stdout.strip()
    events = folder / "events.log"
    command = [sys.executable, GENERATE, "--events", "2000", "--mix", mix, "--out", events]
    subprocess.run(command, check=True)
    logs = archive(folder, megabytes, packed=True, mix=mix)
    for _ in range(rounds):
        with events.open("rb") as lines:
            oracle = [python, peers / "erb_oracle.py", "--bench", "1"]
            answer = subprocess.run(oracle, stdin=lines, check=True, capture_output=True, text=True)
        printed = answer.stdout.strip() or answer.stderr.strip()
        report, seconds, _ = run(folder, logs, 2)
        print(f"{printed}\n2 workers: {said(report, seconds)}", flush=True)
        rate = re.search(r"both transform .* cpu (\d+) events/s|both transform .*?(\d+) events/s", printed)
        if rate:
            theirs = int(rate[1] or rate[2])
            print(f"two workers: {report['records']['read'] / seconds / theirs:.1f} times erb's transformation to both")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["workers", "memory", "erb"])
    parser.add_argument("--megabytes", type=int, default=0, help="of text")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--mix", choices=["typical", "dense"], default="typical", help="dense: every line is an event that is known")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if arguments.what == "workers":
            workers(folder, arguments.megabytes or 300, arguments.rounds, arguments.mix)
        elif arguments.what == "memory":
            memory(folder, arguments.megabytes or 2_000)
        else:
            erb(folder, arguments.megabytes or 300, arguments.rounds, arguments.mix)


if __name__ == "__main__":
    main()
