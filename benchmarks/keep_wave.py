"""What keeping a wave costs per statement, with few and with many ids remembered, beside a B-tree of ids on the same
disk.

python benchmarks/keep_wave.py [--ids 3000000]
"""

from __future__ import annotations

import argparse
import os
import sqlite3
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from edx2lrs.io.sources.position import Reached
from edx2lrs.io.state.pieces import PieceKey, SeenPiece
from edx2lrs.io.state.state import State, open_state
from edx2lrs.io.state.waves import KeptWave, ReadPiece
from edx2lrs.transforms.packing.blocks import Block, BlockStatement, Origin, pack

WAVE = 30_000
BLOCK = 100
MEASURED_WAVES = 10
BODY = b'{"actor":{"account":{"name":"%032x"}},"verb":{"id":"http://adlnet.gov/expapi/verbs/completed"}}'


def wave(state: State, bodies: Block, size: int) -> Callable[[], object]:
    """Keeps ``size`` new statements and settles nothing."""
    piece = state.pieces.get(PieceKey("piece"))
    assert piece is not None
    blocks = [
        bodies._replace(consumer="lrs", size=BLOCK, ids=os.urandom(16 * BLOCK), checks=os.urandom(16 * BLOCK))
        for _ in range(size // BLOCK)
    ]
    read = ReadPiece(piece.key, piece.reached.offset, Reached(piece.reached.offset + 1, piece.reached.lines + 1))
    kept = KeptWave([read], blocks, [], {})
    return lambda: state.keep_wave(kept)


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def of_state(folder: Path, ids: int) -> list[float]:
    """Seconds of waves: the first ones, then those with ``ids`` remembered."""
    made = [BODY % int.from_bytes(os.urandom(16), "big") for _ in range(BLOCK)]
    bodies = pack("lrs", [BlockStatement(b"", body, b"", Origin(f"/logs/a:{n}")) for n, body in enumerate(made)])
    with open_state(folder, ids=2 * ids, statements=2 * ids) as state:
        state.ledger.begin_run("benchmark", ["lrs"], "benchmark")
        state.pieces.register([SeenPiece(PieceKey("piece"), 1, "", 1)])
        return [seconds(wave(state, bodies, WAVE)) for _ in range(ids // WAVE + MEASURED_WAVES)]


def of_b_tree(path: Path, ids: int) -> list[float]:
    """Seconds of the same ids in one table with the id as its key: looked up, inserted, committed; nothing else is
    kept."""
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = OFF")
    database.execute("PRAGMA temp_store = MEMORY")
    for table in ("TABLE ids", "TEMP TABLE wave_ids"):
        database.execute(f"CREATE {table} (id BLOB PRIMARY KEY, checks BLOB) WITHOUT ROWID")

    def keep(rows: list[tuple[bytes, bytes]]) -> None:
        rows.sort()
        database.execute("DELETE FROM wave_ids")
        database.execute("BEGIN IMMEDIATE")
        database.executemany("INSERT INTO wave_ids VALUES (?, ?)", rows)
        database.execute("SELECT id FROM wave_ids CROSS JOIN ids USING (id)").fetchall()
        database.execute("INSERT INTO ids SELECT * FROM wave_ids")
        database.execute("COMMIT")

    for _ in range(ids // (10 * WAVE)):
        keep([(os.urandom(16), os.urandom(16)) for _ in range(10 * WAVE)])
    database.execute("PRAGMA synchronous = FULL")
    waves = [[(os.urandom(16), os.urandom(16)) for _ in range(WAVE)] for _ in range(MEASURED_WAVES)]
    return [seconds(lambda rows=rows: keep(rows)) for rows in waves]  # type: ignore[misc]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ids", type=int, default=3_000_000, help="ids that are remembered in the end")
    ids = parser.parse_args().ids
    with tempfile.TemporaryDirectory() as folder:
        times = of_state(Path(folder) / "state", ids)
        first, last = (median(part) / WAVE * 1e6 for part in (times[:MEASURED_WAVES], times[-MEASURED_WAVES:]))
        b_tree = median(of_b_tree(Path(folder) / "b-tree.db", ids)) / WAVE * 1e6
    print(f"waves of {WAVE:,} statements, kept on disk; microseconds a statement")
    print(f"  all of a wave, few ids remembered         {first:6.2f}")
    print(f"  all of a wave, {ids:>10,} ids remembered {last:6.2f}   ratio {last / first:.2f}")
    print(f"  the ids alone in a B-tree, as many        {b_tree:6.2f}   ratio {b_tree / last:.2f}")


if __name__ == "__main__":
    main()
