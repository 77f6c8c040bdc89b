"""Killed at random moments while waves are kept and settled, the state still adds up."""

from __future__ import annotations

import random
import subprocess
import sys
from collections import Counter

import pytest
from hamcrest import assert_that, equal_to

from edx2lrs.io.state.pieces import PieceKey, SeenPiece
from edx2lrs.io.state.state import open_state
from edx2lrs.transforms.counters import Counted
from testkit.sums import assert_records_add_up, assert_statements_add_up

# a wave holds 50 new statements, 10 of the wave before, and a line that fails; a thread settles, every seventh as dead
JOB = """
import hashlib, sys, threading
from pathlib import Path
from edx2lrs.io.sources.position import Reached
from edx2lrs.io.state.outbox import Settlement
from edx2lrs.io.state.pieces import PieceKey, SeenPiece
from edx2lrs.io.state.state import open_state
from edx2lrs.io.state.waves import KeptWave, ReadPiece
from edx2lrs.transforms.packing.blocks import BlockStatement, Origin, pack
from edx2lrs.transforms.failure import Failure
from edx2lrs.transforms.counters import Counted

def statement(number):
    digest = hashlib.sha1(str(number).encode()).digest()
    return BlockStatement(digest[:16], b"%d" % number, digest[:8], Origin(f"piece:{number}"))

def settle(state):
    while True:
        for block in state.outbox.waiting_blocks("one"):
            for s in block.waiting.statements():
                number = int(s.body)
                refused = Failure("deliver", "rejected", "refused", s.origin.position, s.body, "statement", "one")
                settlement = (
                    Settlement(s.row, (s.index,), "dead_statements", refused) if number % 7 == 0
                    else Settlement(s.row, (s.index,), "delivered")
                )
                state.outbox.settle("one", [settlement], {"requests": 1})

state = open_state(Path(sys.argv[1]), ids=2_000, statements=100)
state.ledger.begin_run("test", ["one", "two"], "job")
state.pieces.register([SeenPiece(PieceKey("piece"), 1, "a", 10**9)])
threading.Thread(target=settle, args=(state,), daemon=True).start()
piece = state.pieces.claim("worker")
offset = piece.reached.offset
while True:
    state.pieces.begin_wave({PieceKey("piece"): 0})
    numbers = range(max(0, offset * 50 - 10), offset * 50 + 50)
    blocks = [pack(name, [statement(n) for n in numbers]) for name in ("one", "two")]
    failed = Failure("parse", "not_json", "no JSON", f"piece:{offset}", b"{")
    tally = {Counted("", "read"): 61, Counted("", "matched"): 60, Counted("", "dead", "not_json"): 1}
    state.keep_wave(KeptWave([ReadPiece(PieceKey("piece"), offset, Reached(offset + 1, offset + 1, False))], blocks, [failed], tally))
    offset += 1
    print(offset, flush=True)
"""


@pytest.mark.parametrize("seed", range(2))
def test_the_sums_survive_kills(tmp_path, seed):
    chance = random.Random(seed)
    last_seen = 0
    for _ in range(4):
        job = subprocess.Popen([sys.executable, "-c", JOB, str(tmp_path)], stdout=subprocess.PIPE, text=True)
        for _ in range(chance.randint(1, 12)):
            last_seen = int(job.stdout.readline())
        job.kill()
        job.communicate()

    with open_state(tmp_path, ids=2_000, statements=100) as state:
        waves = state.pieces.get(PieceKey("piece")).reached.offset
        assert waves >= last_seen
        totals = Counter(state.ledger.totals())
        waiting = state.outbox.waiting_counts()
        blocks = {name: state.outbox.waiting_blocks(name, limit=10_000) for name in waiting}
        letters = Counter(letter.cause for letter in state.dead_letters.read())

    assert_records_add_up(totals)
    assert_statements_add_up(totals, waiting)
    assert totals[Counted("", "read")] == 61 * waves
    dead_by = {(each.key, each.cause) for each in totals if each.key in ("dead", "dead_statements")}
    assert dead_by <= {("dead", "not_json"), ("dead_statements", "rejected")}
    assert not {"filtered", "taken_over", "already_stored", "conflicts"} & {each.key for each in totals if totals[each]}
    assert letters == Counter({"not_json": waves, "rejected": totals[Counted("one", "dead_statements", "rejected")]})
    for name in ("one", "two"):
        assert totals[Counted(name, "statements")] == 50 * waves + 10 * (waves - 1)
        assert waiting[name] == sum(block.waiting.size for block in blocks[name])
    dead = totals[Counted("one", "dead_statements", "rejected")]
    assert totals[Counted("one", "requests")] == totals[Counted("one", "delivered")] + dead
    assert_that(sorted(int(s.body) for block in blocks["two"] for s in block.waiting.statements()), equal_to(list(range(50 * waves))))


def test_a_claim_of_a_killed_job_is_free_again(tmp_path):
    job = subprocess.Popen([sys.executable, "-c", JOB, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    offset = int(job.stdout.readline())
    job.kill()
    job.communicate()

    with open_state(tmp_path, ids=2_000, statements=100) as state:
        assert state.pieces.get(PieceKey("piece")).claimed_by == "worker"
        state.pieces.register([SeenPiece(PieceKey("piece"), 1, "a", 10**9)])
        assert state.pieces.claim("another").reached.offset >= offset
