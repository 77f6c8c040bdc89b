"""A state directory of an earlier version is taken up: nothing that it knows is lost or read again."""

from __future__ import annotations

import sqlite3

import pytest

from edx2lrs.io.sources.position import Reached
from edx2lrs.io.state.integrity import FILE_NAME
from edx2lrs.io.state.messages import MessageKey, SeenMessage
from edx2lrs.io.state.pieces import PieceKey, SeenPiece
from edx2lrs.io.state.schema import APPLICATION_ID, TABLES, UPGRADES
from edx2lrs.io.state.state import open_state
from edx2lrs.io.state.terms import HeldStatements


@pytest.fixture
def of_version(tmp_path):
    """Makes a state directory as ``version`` had it, changed by ``sql``; opens it as this version does."""
    opened = []

    def make(version, sql):
        connection = sqlite3.connect(tmp_path / FILE_NAME)
        before = "".join(UPGRADES[number] for number in range(1, version))
        connection.executescript(f"{TABLES}{before}{sql} PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {version};")
        connection.close()
        opened.append(open_state(tmp_path, ids=100, statements=100))
        return opened[-1]

    yield make
    for state in opened:
        state.close()


PIECES = """
INSERT INTO pieces (key, head_length, head_sha256, size, offset, lines, done, attempts, file, start, bound, stored) VALUES
    ('/logs/a.log', 9, 'aa', 700, 300, 3, 0, 0, '/logs/a.log', 0, 256, 300),
    ('256@/logs/a.log', 9, 'aa', 700, 512, 5, 1, 0, '/logs/a.log', 256, 512, 256),
    ('/logs/x.letters', 9, 'bb', 50, 0, 0, 0, 0, '/logs/x.letters', 0, 256, 0),
    ('/state/replay/0000000007.letters', 9, 'cc', 90, 20, 1, 0, 0, '/state/replay/0000000007.letters', 0, NULL, 20);
"""


def test_parts_of_files_go_on_where_they_were(of_version):
    state = of_version(5, PIECES)
    assert state.pieces.get(PieceKey("/logs/a.log")).reached == Reached(300, 3, False)
    assert state.pieces.get(PieceKey("/logs/a.log", 256)).reached == Reached(512, 5, True)

    state.pieces.register([SeenPiece(PieceKey("/logs/a.log", start), 9, "aa", 700, start + 256) for start in (0, 256, 512)])
    assert state.pieces.claim("worker").reached.offset == 300
    assert state.pieces.claim("worker").key == PieceKey("/logs/a.log", 512)
    assert state.pieces.claim("worker") is None


def test_records_of_dead_letters_are_told_from_a_log_that_is_named_like_them(of_version):
    state = of_version(5, PIECES)
    assert state.pieces.get(PieceKey("/logs/x.letters")).kind == "log"
    assert state.list_spools() == 1
    spool = state.pieces.claim("worker")
    assert state.pieces.claim("worker") is None
    assert (spool.kind, spool.reached) == ("letters", Reached(20, 1, False))
    assert spool.key.file == str(state.folder / "replay" / "0000000007.letters")


MESSAGES = """
INSERT INTO sources VALUES (1, 'kafka://one:9092/t?group=g', NULL);
INSERT INTO messages VALUES (7, 1, 't/0/1', 5.0, 1, 1, 9), (8, 1, 'failure t[0]@2', 5.0, 1, 1, 9), (9, 1, 't/0/3', 5.0, 0, 2, 4);
"""


def test_messages_that_were_kept_are_known_when_they_come_again(of_version):
    state = of_version(5, MESSAGES)
    keys = [MessageKey("t/0/1"), MessageKey("t[0]@2", failed=True), MessageKey("t/0/3"), MessageKey("t/0/4")]
    assert state.messages.seen("kafka://one:9092/t?group=g", keys) == {
        keys[0]: SeenMessage(True, 1, 9),
        keys[1]: SeenMessage(True, 1, 9),
        keys[2]: SeenMessage(False, 2, 4),
    }


WAITING = """
INSERT INTO consumers (number, name, waiting, circuit_open) VALUES (1, 'one', 1, 0), (2, 'gone', 1, 0);
INSERT INTO blocks (row, consumer, created, count, number, settled, ids, positions, bodies) VALUES
    (1, 1, 5.0, 1, 1, x'00', x'00112233445566778899aabbccddeeff', x'', x''),
    (2, 2, 5.0, 1, 1, x'00', x'00112233445566778899aabbccddeeff', x'', x'');
"""


def test_what_waited_before_terms_were_noted_is_taken_for_what_it_would_be_today(of_version):
    state = of_version(6, WAITING)
    state.ledger.begin_run("test", ["one"], "job", {"one": '{"access": "1"}'})

    assert state.outbox.sendable_counts() == {"one": 1, "gone": 0}
    assert state.outbox.held() == [HeldStatements("gone", 1, None)]
