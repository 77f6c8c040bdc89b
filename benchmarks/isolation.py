"""What the consumers that are well notice of one that hangs and one that answers after 5 s: the time from kept to arrived.

python benchmarks/isolation.py [--seconds 30] [--rounds 3]

Each round has a phase in which all five are well and one in which two are not, each with a state directory of its own. Both run at
once, so that what else the machine does befalls both. The hanging one accepts connections and never answers.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import multiprocessing
import os
import tempfile
import time
import uuid
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import quantiles
from typing import NamedTuple

import orjson

from edx2lrs.io.delivery.credentials import credentials_of
from edx2lrs.io.delivery.lrs import LrsClient
from edx2lrs.io.delivery.senders import Senders
from edx2lrs.io.sources.position import Reached
from edx2lrs.io.state.pieces import PieceKey, SeenPiece
from edx2lrs.io.state.state import open_state
from edx2lrs.io.state.waves import KeptWave, ReadPiece
from edx2lrs.transforms.config_types import BatchOptions, Consumer
from edx2lrs.transforms.formats.hashes import hash8
from edx2lrs.transforms.packing.blocks import BlockStatement, Origin, pack

WELL = ("one", "two", "three")
ILL = {"hanging": 3600.0, "slow": 5.0}
WAVE_SECONDS = 0.25
WAVE_STATEMENTS = 50  # of each consumer
PAD = "x" * 1000


async def _serve(delays: Mapping[str, float], pipe: Connection) -> None:
    """LRSs on one port, told apart by their path; gives what arrived when, after being asked for it."""
    taken: dict[str, list[float]] = {}

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                name = head.split(b"/", 2)[1].decode()
                length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
                body = await reader.readexactly(length)
                await asyncio.sleep(delays.get(name, 0.0))
                now = time.monotonic()
                statements = orjson.loads(body)
                taken.setdefault(name, []).extend(now - each["kept"] for each in statements)
                answer = orjson.dumps([each["id"] for each in statements])
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(answer) + answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=1 << 20)
    pipe.send(server.sockets[0].getsockname()[1])
    await asyncio.get_running_loop().run_in_executor(None, pipe.recv)
    pipe.send(taken)


def _lrs(delays: Mapping[str, float], pipe: Connection) -> None:
    asyncio.run(_serve(delays, pipe))


class Phase(NamedTuple):
    """Seconds that the statements of the well consumers took; bytes of memory and disk at its end; statements that wait."""

    seconds: list[float]
    memory: int
    disk: int
    waiting: int


def phase(seconds: float, delays: Mapping[str, float]) -> Phase:
    """Keeps statements for all consumers, as waves do, while senders deliver them."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.Process(target=_lrs, args=(delays, theirs), daemon=True)
    process.start()
    port = ours.recv()
    consumers = [
        Consumer(name=name, protocol="xapi", access="all", url=f"http://127.0.0.1:{port}/{name}", batch=BatchOptions(interval=0.2))
        for name in (*WELL, *ILL)
    ]
    with tempfile.TemporaryDirectory() as folder, open_state(Path(folder), ids=5_000_000, statements=1_000_000) as state:
        state.ledger.begin_run("benchmark", [consumer.name for consumer in consumers], "benchmark")
        state.pieces.register([SeenPiece(PieceKey("log"), 1, "00", 1)])

        def connect(consumer: Consumer) -> LrsClient:
            return LrsClient(consumer, credentials_of(consumer, str), "http://lms")

        senders = Senders(state.outbox, consumers, connect, [].append)
        senders.start()
        end, wave = time.monotonic() + seconds, 0
        while time.monotonic() < end:
            blocks = [pack(consumer.name, _statements()) for consumer in consumers]
            state.keep_wave(KeptWave([ReadPiece(PieceKey("log"), wave, Reached(wave + 1, wave + 1, False))], blocks, [], {}))
            senders.wake()
            wave += 1
            time.sleep(WAVE_SECONDS)
        time.sleep(1.0)
        memory = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        disk = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())
        waiting = sum(state.outbox.waiting_counts().values())
        ours.send("end")
        taken = ours.recv()
        process.kill()
        senders.stop(5)
    return Phase([took for name in WELL for took in taken[name]], memory, disk, waiting)


def _statements() -> list[BlockStatement]:
    made = []
    for _ in range(WAVE_STATEMENTS):
        identifier = uuid.uuid4()
        body = orjson.dumps({"id": str(identifier), "kept": time.monotonic(), "pad": PAD})
        made.append(BlockStatement(identifier.bytes, body, hash8(body), Origin("log:1")))
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=30.0, help="of each phase")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    before: list[float] = []
    during: list[float] = []
    for _ in range(arguments.rounds):
        with ProcessPoolExecutor(2, initializer=logging.disable) as pool:
            well, ill = pool.map(partial(phase, arguments.seconds), ({}, ILL))
        before += well.seconds
        during += ill.seconds
        grown, on_disk = (ill.memory - well.memory) / 1e6, (ill.disk - well.disk) / 1e6
        print(f"{ill.waiting:,} statements wait: {on_disk:+.1f} MB on disk, {grown:+.1f} MB of memory")
    for share in (50, 99):
        first, then = (quantiles(times, n=100)[share - 1] for times in (before, during))
        print(f"p{share} of the well ones, two others being ill: {then / first:.2f} times of before")


if __name__ == "__main__":
    main()
