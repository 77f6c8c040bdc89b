"""Translation alone, bytes in, bytes out, in one process: ``python benchmarks/translate.py [--events N]``.

Prints the time for parse + translate of lines of the three families (enrolment, video, problems), for each protocol, and its
ratio to orjson loads + dumps of the same lines, measured turn by turn in the same run. Where EDX2LRS_PEERS names the folder with
``erb_up.sh`` and ``erb_oracle.py``, the ratio to event-routing-backends too.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import orjson

from edx2lrs.pipeline.translate_command import example_translator
from edx2lrs.transforms.failure import Refusal
from edx2lrs.transforms.parse import parse

GENERATE = Path(__file__).parents[1] / "templates" / "sample" / "generate.py"
ROUNDS = 9
ERB_LINES = 500


def sample_lines(events: int) -> list[bytes]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "dense.log"
        command = [
            sys.executable,
            GENERATE,
            "--events",
            str(events),
            "--seed",
            "1",
            "--mix",
            "dense",
            "--learners",
            "1000",
            "--out",
            path,
        ]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return [line for line in path.read_bytes().split(b"\n") if line]


def translate_with(protocol: str) -> Callable[[bytes], int]:
    translate = example_translator(protocol).translate  # type: ignore[arg-type]

    def one(line: bytes) -> int:
        event = parse(line)
        if isinstance(event, Refusal) or event.data is None:
            return 0
        statements = translate(event)
        return 0 if statements is None or isinstance(statements, Refusal) else len(statements)

    return one


def through_orjson(line: bytes) -> int:
    orjson.dumps(orjson.loads(line))
    return 1


def parse_alone(line: bytes) -> int:
    parse(line)
    return 1


def best_seconds(functions: dict[str, Callable[[bytes], int]], lines: list[bytes]) -> dict[str, float]:
    """The best of several rounds for each function; rounds alternate, so that all see the same machine."""
    best = dict.fromkeys(functions, float("inf"))
    for _ in range(ROUNDS):
        for name, function in functions.items():
            began = time.process_time()
            for line in lines:
                function(line)
            best[name] = min(best[name], time.process_time() - began)
    return best


def erb_seconds_per_event(lines: list[bytes], protocol: str) -> float | None:
    peers = os.environ.get("EDX2LRS_PEERS")
    if not peers:
        return None
    python = subprocess.run([f"{peers}/erb_up.sh"], capture_output=True, text=True, check=True).stdout.strip()
    command = [python, f"{peers}/erb_oracle.py", "--bench", "1"]
    done = subprocess.run(command, input=b"\n".join(lines[:ERB_LINES]), capture_output=True, check=True)
    rate = re.search(rf"{protocol} processor .* cpu (\d+) events/s", done.stdout.decode())
    return 1 / float(rate[1]) if rate else None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=10_000)
    lines = sample_lines(parser.parse_args().events)
    functions = {"xapi": translate_with("xapi"), "caliper": translate_with("caliper")}
    made = {name: sum(map(function, lines)) for name, function in functions.items()}
    best = best_seconds({"orjson": through_orjson, "parse": parse_alone, **functions}, lines)
    names = Counter(getattr(parse(line), "name", "refused") for line in lines)
    print(f"{len(lines)} lines of {len(names)} event names, {sum(map(len, lines)) // len(lines)} bytes each on average")
    print(f"{'orjson loads + dumps':26}{microseconds(best['orjson'], lines)}")
    print(f"{'parse alone':26}{microseconds(best['parse'], lines)}, {best['parse'] / best['orjson']:.2f} times orjson")
    for name, statements in made.items():
        ratio = f"{best[name] / best['orjson']:.2f} times orjson, {statements} statements"
        erb = erb_seconds_per_event(lines, name)
        compared = f", {erb / best[name] * len(lines):.0f} times as fast as erb" if erb else ""
        print(f"{'parse + translate ' + name:26}{microseconds(best[name], lines)}, {ratio}{compared}")


def microseconds(seconds: float, lines: list[bytes]) -> str:
    return f"{seconds / len(lines) * 1e6:6.2f} us a line"


if __name__ == "__main__":
    main()
