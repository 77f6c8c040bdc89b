"""Translation alone, bytes in, bytes out, in one process: ``python benchmarks/translate.py [--events N]``.

Prints the time for blocks of lines of all mapped events, as ``edx2lrs translate`` takes them, for each protocol in each dialect,
and for both protocols at once, and its ratio to orjson loads + dumps of the same lines, measured turn by turn in the same run; then
the share of each stage in an xAPI statement's time. Where EDX2LRS_PEERS names the folder with ``erb_up.sh`` and ``erb_oracle.py``,
the ratio to event-routing-backends too.
"""

import argparse
import gc
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import orjson

from edx2lrs.pipeline.app.translate import EXAMPLE_KEY, EXAMPLE_ROOT, example_translator, translated_block
from edx2lrs.transforms.config_types import ActorOptions, Protocol
from edx2lrs.transforms.event import Event
from edx2lrs.transforms.failure import Refusal
from edx2lrs.transforms.families.mappings import mappings
from edx2lrs.transforms.mapping.guard import XAPI_CHECKS
from edx2lrs.transforms.mapping.row_compiler import Options
from edx2lrs.transforms.mapping.rows import dialects_of
from edx2lrs.transforms.mapping.statement_id import verb_ids
from edx2lrs.transforms.mapping.xapi_statement import compile_mapping, course_as_seen
from edx2lrs.transforms.people.anonymise import Actors
from edx2lrs.transforms.records.parse import parse
from edx2lrs.transforms.translate import Translator

GENERATE = Path(__file__).parents[1] / "templates" / "sample" / "generate.py"
ROUNDS = 25
LINES_IN_A_PIECE = 1024
LINES_IN_A_BLOCK = 256
Functions = dict[str, Callable[[], object]]
PROTOCOLS: tuple[Protocol, ...] = ("xapi", "caliper")
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


def blocks(lines: list[bytes]) -> list[bytes]:
    return [b"\n".join(lines[start : start + LINES_IN_A_BLOCK]) for start in range(0, len(lines), LINES_IN_A_BLOCK)]


def best_seconds(functions_of: Callable[[list[bytes]], Functions], lines: list[bytes]) -> dict[str, float]:
    """The seconds of each function over all lines: for each piece of them the best of several rounds, in which all functions take
    turns. So what else the machine does disturbs none, or all."""
    total: Counter[str] = Counter()
    for start in range(0, len(lines), LINES_IN_A_PIECE):
        functions = functions_of(lines[start : start + LINES_IN_A_PIECE])
        best = dict.fromkeys(functions, float("inf"))
        for _ in range(ROUNDS):
            for name, function in functions.items():
                began = time.process_time()
                function()
                best[name] = min(best[name], time.process_time() - began)
        total.update(best)  # type: ignore[arg-type]  # seconds
    return dict(total)


def each(function: Callable[[Any], object], items: list[Any]) -> Callable[[], None]:
    """A function that calls ``function`` with each of ``items`` and keeps no result."""

    def run() -> None:
        for item in items:
            function(item)

    return run


def stages(lines: list[bytes]) -> Functions:
    """What happens to an event on its way to xAPI, one stage at a time, with the input of each made beforehand."""
    options = ActorOptions("hmac", "XAPI", "dead_letter")
    actor_of = Actors(options, EXAMPLE_ROOT, None, EXAMPLE_KEY)
    compiled = Options({"root": EXAMPLE_ROOT, "transformer_version": "edx2lrs@benchmark"}, XAPI_CHECKS)
    makers = {name: compile_mapping(mapping, compiled, "erb") for name, mapping in mappings("xapi").items()}
    courses = {}
    inputs = []
    for event in map(parse, lines):
        if isinstance(event, Refusal) or event.name not in makers:
            continue
        actor = actor_of(event)
        if isinstance(actor, Refusal) or event.course_id is None:
            continue
        course = courses.get(event.course_id) or course_as_seen(EXAMPLE_ROOT, event.course_id, None)
        courses[event.course_id] = course
        inputs.append((event, actor, course))
    names = [f"{actor.hash_text}-{event.time}" for event, actor, _ in inputs]

    def build() -> None:
        for event, actor, course in inputs:
            makers[event.name](event, actor, course)

    return {
        "parse": each(parse, lines),
        "find the actor": each(actor_of, [event for event, _, _ in inputs]),
        "print and guard, with ids": build,
        "  of which ids": each(verb_ids("a verb"), names),
    }


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
    translators = {
        protocol if dialect == "standard" else f"{protocol} ({dialect})": example_translator(protocol, dialect)
        for protocol in PROTOCOLS
        for dialect in dialects_of(protocol)
    }
    usual = [translators[protocol] for protocol in PROTOCOLS]
    gc.freeze()  # the collector need not look at what only the benchmark keeps

    def functions_of(piece: list[bytes]) -> Functions:
        return {
            "orjson": each(through_orjson, piece),
            **{name: each(partial(translated_block, translator=made), blocks(piece)) for name, made in translators.items()},
            "both": each(partial(both_at_once, translators=usual), blocks(piece)),
            **stages(piece),
        }

    best = best_seconds(functions_of, lines)
    names = Counter(getattr(parse(line), "name", "refused") for line in lines)
    print(f"{len(lines)} lines of {len(names)} event names, {sum(map(len, lines)) // len(lines)} bytes each on average")
    print(f"{'orjson loads + dumps':24}{microseconds(best['orjson'], lines)}")
    for name, translator in translators.items():
        statements = sum(translated_block(block, translator).data.count(b"\n") for block in blocks(lines))
        ratio = f"{best[name] / best['orjson']:.2f} times orjson, {statements} statements"
        erb = erb_seconds_per_event(lines, name) if name in PROTOCOLS else None
        compared = f", {erb / best[name] * len(lines):.0f} times as fast as erb" if erb else ""
        print(f"{'translate to ' + name:24}{microseconds(best[name], lines)}, {ratio}{compared}")
    print(f"{'both protocols at once':24}{microseconds(best['both'], lines)}, {best['both'] / best['orjson']:.2f} times orjson")
    for name in stages([]):
        print(f"{name:24}{microseconds(best[name], lines)}, {best[name] / best['xapi']:4.0%} of xapi")


def both_at_once(block: bytes, translators: list[Translator]) -> list[bytes]:
    """As the job does it: a batch is parsed once, then translated for each protocol; one output for each."""
    events = [event for event in map(parse, BytesIO(block)) if type(event) is not Refusal]
    return [b"\n".join(bodies(events, translator)) for translator in translators]


def bodies(events: list[Event], translator: Translator) -> list[bytes]:
    translate = translator.translate
    made = [statements for statements in map(translate, events) if type(statements) is tuple]
    return [statement.body for statements in made for statement in statements]


def through_orjson(line: bytes) -> None:
    orjson.dumps(orjson.loads(line))


def microseconds(seconds: float, lines: list[bytes]) -> str:
    return f"{seconds / len(lines) * 1e6:6.2f} us a line"


if __name__ == "__main__":
    main()
