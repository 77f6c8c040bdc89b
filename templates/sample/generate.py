#!/usr/bin/env python3
"""Writes tracking logs as an Open edX site does; the same arguments give the same bytes. Standard library only.

generate.py                                     writes the sample set anew, beside this file
generate.py --events 1000000 --out big.log.gz   a log of any size, gz or plain by its name
generate.py --events 1000000 --out folder/      folder/tracking.log, and the two tables that go with it
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from itertools import chain, islice
from pathlib import Path
from typing import IO

from made_up_events import MIXES, stream
from made_up_site import Site, made_up_site
from made_up_visit import Chance, Fields

HERE = Path(__file__).resolve().parent
SEED = 20240311
LEARNERS = 40
FIRST_DAY = datetime(2024, 3, 11, 6, tzinfo=timezone.utc)
DAY = timedelta(days=1)
OVERLAP = 100
PER_DAY = 1300
DOCKER = 850  # of the third day's lines; the rest went through Windows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, metavar="N", help="lines to write")
    parser.add_argument("--out", type=Path, help="a file, or a folder")
    parser.add_argument("--seed", type=int, default=SEED, help="default: %(default)s")
    parser.add_argument("--mix", choices=sorted(MIXES), default="typical", help="dense: events that have a mapping alone")
    parser.add_argument("--learners", type=int, default=LEARNERS, help="default: %(default)s")
    arguments = parser.parse_args()
    if arguments.events is None:
        write_sample_set(arguments.out or HERE)
    elif arguments.out is None or arguments.events < 0 or arguments.learners < 1:
        parser.error("--events needs --out, and counts are not negative")
    else:
        write_log(arguments.out, arguments.events, arguments.seed, arguments.mix, arguments.learners)


def write_log(out: Path, events: int, seed: int, mix: str, learners: int) -> None:
    """``events`` lines, one every 1.7 seconds on average, written as they are made. A folder gets the tables too."""
    site = made_up_site(seed, learners)
    folder = out.is_dir() or not out.suffix
    if folder:
        out.mkdir(parents=True, exist_ok=True)
        write_tables(out, site)
    lines = log_lines(stream(str(seed), site, mix), f"log {seed}", FIRST_DAY, timedelta(seconds=1.7))
    with open_log(out / "tracking.log" if folder else out) as log:
        log.writelines(islice(lines, events))


def write_sample_set(folder: Path) -> None:
    """The tables, and three days of logs under ``folder/logs``; README.md says what is in which file."""
    site = made_up_site(SEED, LEARNERS)
    events = stream(str(SEED), site, "typical")
    step = timedelta(hours=17) / PER_DAY
    days = [
        list(islice(log_lines(events, f"day {number} {SEED}", FIRST_DAY + number * DAY, step), PER_DAY)) for number in range(3)
    ]
    logs = folder / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    write_tables(folder, site)
    with open_log(logs / "tracking.log-20240311.gz") as log:
        log.writelines(days[0])
    with open_log(logs / "tracking.log-20240312") as log:
        log.writelines(chain(days[0][-OVERLAP:], with_interruptions(days[1])))
    with open_log(logs / "lms-docker.log") as log:
        log.writelines(prefixed(line, number) for number, line in enumerate(days[2][:DOCKER]))
    with open_log(logs / "tracking-via-windows.log") as log:
        log.writelines(line[:-1] + b"\r\n" for line in with_blanks(days[2][DOCKER:], every=200))


def write_tables(folder: Path, site: Site) -> None:
    """``external_ids.csv`` and ``course_names.csv``."""
    with (folder / "external_ids.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(("user_id", "username", "external_id_type", "external_user_id"))
        for learner in site.learners:
            table.writerow((learner.user_id, learner.username, "XAPI", learner.xapi_id))
            table.writerow((learner.user_id, learner.username, "CALIPER", learner.caliper_id))
    with (folder / "course_names.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(("course_id", "display_name"))
        table.writerows((course.key, course.name) for course in site.courses)


def log_lines(events: Iterable[Fields], seed: str, start: datetime, step: timedelta) -> Iterator[bytes]:
    """The events as lines with ``time``, one in each ``step``; some have ``timestamp``, some are not escaped."""
    share = Chance(seed).share
    escaped, plain = json.JSONEncoder().encode, json.JSONEncoder(ensure_ascii=False).encode
    at = start
    for event in events:
        moment = at + step * share()
        at += step
        kind = share()
        if kind < 0.005:
            moment = moment.replace(microsecond=0)
        event["time"] = moment.isoformat()
        if kind > 0.93:
            event["timestamp"] = event["time"] if kind > 0.96 else moment.isoformat().replace("+00:00", "Z")
        if kind > 0.96:
            del event["time"]
        encode: Callable[[Fields], str] = plain if share() < 0.03 else escaped
        yield f"{encode(event)}\n".encode()


def with_blanks(lines: Iterable[bytes], every: int) -> Iterator[bytes]:
    """A blank line after every ``every`` lines."""
    for number, line in enumerate(lines, 1):
        yield line
        if not number % every:
            yield b"\n"


def with_interruptions(lines: list[bytes]) -> Iterator[bytes]:
    """Blank lines, one line of ``broken`` after every 150, and a play_video that says no time."""
    rest = iter(broken(lines))
    for number, line in enumerate(with_blanks(lines, every=250), 1):
        yield line
        if not number % 150:
            yield next(rest, b"")
    event = next(e for e in map(json.loads, lines) if e.get("name") == "play_video" and "time" in e)
    yield json.dumps({key: value for key, value in event.items() if key not in ("time", "timestamp")}).encode() + b"\n"


def broken(lines: list[bytes]) -> tuple[bytes, ...]:
    """Lines that hold no event: what disks, rotations and other loggers leave in a log."""
    event = json.loads(lines[0])
    no_payload = {key: value for key, value in event.items() if key != "event"}
    return (
        lines[0][: len(lines[0]) * 3 // 5] + b"\n",
        lines[1][:-2] + b', "note": "caf\xe9"}\n',
        b"2024-03-12 09:14:51,027 WARNING 17 [django.request] [user None] log.py:241 - Not Found: /favicon.ico\n",
        b"\0" * 200 + b"\n",
        json.dumps(no_payload).encode() + b"\n",
        b"[" + lines[2][:-1] + b"]\n",
        lines[3][:-1] + lines[4],
    )


def prefixed(line: bytes, number: int) -> bytes:
    """The line as it stands in a container's log, or in that of syslog."""
    at = FIRST_DAY + 2 * DAY + timedelta(seconds=number)
    if number % 2:
        head = f"{at:%b %d %H:%M:%S} lms-1 [service_variant=lms][tracking][env:prod] INFO [lms-1  17] [logger.py:41] - "
    else:
        head = f"{at:%Y-%m-%d %H:%M:%S},027 INFO 17 [tracking] [user {5 + number % 40}] [ip 203.0.113.9] log.py:41 - "
    return head.encode() + line


@contextmanager
def open_log(path: Path) -> Iterator[IO[bytes]]:
    """A file to write to; gz when its name says so, without time and name inside, so that its bytes are the same."""
    with path.open("wb") as file:
        if path.suffix == ".gz":
            with gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0, compresslevel=6) as packed:
                yield packed  # type: ignore[misc]
        else:
            yield file


if __name__ == "__main__":
    main()
