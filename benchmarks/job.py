"""The whole job, from files to answers: ``python benchmarks/job.py throughput|memory|wave [--events N] [--url URL]``.

throughput: statements a second delivered to a null LRS in batches of 100, and the ratio to orjson loads + dumps of the same lines
    in one process, in the same run.
memory: peak memory of the process tree on ten times the lines, as a ratio.
wave: the fixed cost of a wave, as the time of the smallest wave.
"""

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import orjson

HERE = Path(__file__).parent
GENERATE = HERE.parent / "templates" / "sample" / "generate.py"
CONFIG = """\
lms: {{root_url: https://lms.example.com, id_key: "env:EDX2LRS_BENCHMARK_KEY"}}
consumers:
  - {{name: null-lrs, protocol: xapi, url: {url}, access: all, batch: {{size: 100}}, rate: {{concurrency: 2}}}}
"""


def make_logs(folder: Path, events: int, mix: str, files: int = 4) -> Path:
    """A folder of ``files`` logs with ``events`` lines together, as rotation leaves them."""
    logs = folder / f"{mix}-{events}"
    logs.mkdir()
    for seed in range(files):
        number = [sys.executable, GENERATE, "--events", str(events // files), "--seed", str(seed), "--mix", mix]
        subprocess.run([*number, "--out", logs / f"tracking-{seed}.log"], check=True)
    return logs


def tree_memory(pid: int) -> int:
    """Proportional set size in bytes of ``pid`` and all its descendants."""
    total, pids = 0, [pid]
    while pids:
        current = pids.pop()
        try:
            rollup = Path(f"/proc/{current}/smaps_rollup").read_text(encoding="ascii")
            total += next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:")) * 1024
            for task in Path(f"/proc/{current}/task").iterdir():
                pids += map(int, (task / "children").read_text(encoding="ascii").split())
        except (OSError, StopIteration):
            continue
    return total


def run_job(folder: Path, logs: Path, url: str) -> tuple[dict, float, int]:
    """The run's report, its seconds, and the peak memory of its processes."""
    config = folder / "c.yaml"
    config.write_text(CONFIG.format(url=url), encoding="utf-8")
    with tempfile.TemporaryDirectory(dir=folder) as state:
        report = Path(state) / "report.json"
        command = [sys.executable, "-m", "edx2lrs.pipeline", "run", "--config", config, "--input", logs]
        command += ["--state", f"{state}/state", "--report", report]
        began = time.perf_counter()
        environment = {**os.environ, "EDX2LRS_BENCHMARK_KEY": "benchmark"}
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, cwd=folder)
        peak, ended = 0, threading.Event()

        def watch() -> None:
            nonlocal peak
            while not ended.wait(0.1):
                peak = max(peak, tree_memory(process.pid))

        watcher = threading.Thread(target=watch)
        watcher.start()
        code = process.wait()
        seconds = time.perf_counter() - began
        ended.set()
        watcher.join()
        if code:
            sys.exit(f"the job ended with {code}")
        return json.loads(report.read_text(encoding="utf-8")), seconds, peak


def orjson_seconds(logs: Path) -> float:
    began = time.perf_counter()
    for log in logs.iterdir():
        for line in log.open("rb"):
            with contextlib.suppress(orjson.JSONDecodeError):
                orjson.dumps(orjson.loads(line))
    return time.perf_counter() - began


def throughput(folder: Path, url: str, events: int) -> None:
    for mix in ("dense", "typical"):
        logs = make_logs(folder, events, mix)
        report, seconds, _ = run_job(folder, logs, url)
        done = report["consumers"]["null-lrs"]["delivered"]
        plain = orjson_seconds(logs)
        print(
            f"{mix}: {report['records']['read']:,} lines, {done:,} statements delivered in {seconds:.1f} s"
            f" = {done / seconds:,.0f}/s, {report['records']['read'] / seconds:,.0f} lines/s;"
            f" {seconds / plain:.1f} times orjson loads + dumps of the lines",
            flush=True,
        )


def memory(folder: Path, url: str, events: int) -> None:
    peaks = [run_job(folder, make_logs(folder, number, "typical"), url)[2] for number in (events // 10, events)]
    print(f"peak on {events:,} lines = {peaks[1] / peaks[0]:.2f} times that on {events // 10:,} ({peaks[1] / 1e6:.0f} MB)")


def wave_cost(folder: Path) -> None:
    from edx2lrs.io.sources.file_reader import FileReader
    from edx2lrs.io.sources.files import find
    from edx2lrs.io.state.pieces import PieceKey
    from edx2lrs.io.state.state import open_state
    from edx2lrs.pipeline.compiled_config import JobSpec
    from edx2lrs.pipeline.local.input_pieces import register
    from edx2lrs.pipeline.local.wave import Stretch, Wave
    from edx2lrs.pipeline.local.wave_runner import WaveRunner

    os.environ["EDX2LRS_BENCHMARK_KEY"] = "benchmark"
    config = folder / "c.yaml"
    config.write_text(CONFIG.format(url="http://127.0.0.1:9/xAPI"), encoding="utf-8")
    log = make_logs(folder, 400, "typical", 1) / "tracking-0.log"
    with open_state(folder / "state", ids=1000, statements=1000) as state:
        state.ledger.begin_run("DirectRunner", ["null-lrs"], "benchmark")
        register(find([str(log)]), state.pieces)
        runner = WaveRunner(JobSpec(str(config)))
        reader, times = FileReader(str(log)), []
        for _ in range(20):
            chunk = reader.poll(1, 5)
            began = time.perf_counter()
            one = Wave([Stretch(PieceKey(str(log)), chunk)])
            state.keep_wave(runner.run(one))
            times.append(time.perf_counter() - began)
    print(f"a wave of 5 lines: median {sorted(times[5:])[len(times[5:]) // 2]:.3f} s, longest {max(times[5:]):.3f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["throughput", "memory", "wave"])
    parser.add_argument("--events", type=int, default=0)
    parser.add_argument("--url", help="of a null LRS; default: one is started")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if arguments.what == "wave":
            wave_cost(folder)
            return
        server = None if arguments.url else subprocess.Popen([sys.executable, HERE / "null_lrs.py"], stdout=subprocess.PIPE, text=True)
        url = arguments.url or server.stdout.readline().strip()
        try:
            if arguments.what == "throughput":
                throughput(folder, url, arguments.events or 300_000)
            else:
                memory(folder, url, arguments.events or 1_000_000)
        finally:
            if server:
                server.kill()


if __name__ == "__main__":
    main()
