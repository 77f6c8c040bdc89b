"""The tables of the state database, and their version."""

from __future__ import annotations

APPLICATION_ID = 0x65783278  # "ex2x": marks the file as ours
VERSION = 8

TABLES = """
-- one row a thing: identity of this state, current run and job, bounds, export under way
CREATE TABLE meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
INSERT INTO meta VALUES ('identity', lower(hex(randomblob(16))));

-- what is read. offset: uncompressed bytes that are kept; listed: place in this run's input, or NULL
CREATE TABLE pieces (
    key TEXT PRIMARY KEY, head_length INTEGER NOT NULL, head_sha256 TEXT NOT NULL, size INTEGER NOT NULL,
    offset INTEGER NOT NULL, lines INTEGER NOT NULL, done INTEGER NOT NULL,
    claimed_by TEXT, attempts INTEGER NOT NULL, records_limit INTEGER, listed INTEGER
) WITHOUT ROWID;
CREATE INDEX pieces_listed ON pieces (listed) WHERE listed IS NOT NULL;

CREATE TABLE consumers (
    number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, waiting INTEGER NOT NULL, circuit_open INTEGER NOT NULL
);

-- the outbox. settled: bit i (little endian) is set when statement i needs nothing more; number: ids remembered when
-- it was kept
CREATE TABLE blocks (
    row INTEGER PRIMARY KEY AUTOINCREMENT, consumer INTEGER NOT NULL, created REAL NOT NULL, count INTEGER NOT NULL,
    number INTEGER NOT NULL, settled BLOB NOT NULL, ids BLOB NOT NULL, positions BLOB NOT NULL, bodies BLOB NOT NULL
);
CREATE INDEX blocks_consumer ON blocks (consumer, row);

CREATE TABLE runs (run INTEGER PRIMARY KEY AUTOINCREMENT, runner TEXT NOT NULL, started REAL NOT NULL);
CREATE TABLE ledger (
    run INTEGER NOT NULL, consumer TEXT NOT NULL, key TEXT NOT NULL, count INTEGER NOT NULL,
    PRIMARY KEY (run, consumer, key)
) WITHOUT ROWID;

-- dead letters that are not in a file yet
CREATE TABLE dead_letters (row INTEGER PRIMARY KEY AUTOINCREMENT, letter BLOB NOT NULL);

-- the id memory: see id_memory.py
CREATE TABLE id_runs (
    run INTEGER PRIMARY KEY AUTOINCREMENT, level INTEGER NOT NULL, size INTEGER NOT NULL,
    oldest INTEGER NOT NULL, newest INTEGER NOT NULL
);
CREATE TABLE id_chunks (run INTEGER NOT NULL, last INTEGER NOT NULL, keys BLOB NOT NULL, entries BLOB NOT NULL);
CREATE INDEX id_chunks_last ON id_chunks (run, last);
CREATE TABLE forgotten_ids (
    key INTEGER NOT NULL, rest INTEGER NOT NULL, consumer INTEGER NOT NULL, number INTEGER NOT NULL,
    PRIMARY KEY (key, rest, consumer)
) WITHOUT ROWID;
CREATE INDEX forgotten_ids_number ON forgotten_ids (number);
"""

UPGRADES = {
    1: """
-- streams. position: how far a source is read that has no memory of its own
CREATE TABLE sources (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, position TEXT);
-- the newest messages: those kept, so that one that comes again is known; and those of waves that began and were not kept
CREATE TABLE messages (
    row INTEGER PRIMARY KEY AUTOINCREMENT, source INTEGER NOT NULL, id TEXT NOT NULL, begun REAL NOT NULL, kept INTEGER NOT NULL,
    attempts INTEGER NOT NULL, records_limit INTEGER NOT NULL, UNIQUE (source, id)
);
""",
    2: """
-- parts of files. start, bound: lines that begin there are the piece's; stored: bytes as stored that were read
ALTER TABLE pieces ADD COLUMN file TEXT NOT NULL DEFAULT '';
ALTER TABLE pieces ADD COLUMN start INTEGER NOT NULL DEFAULT 0;
ALTER TABLE pieces ADD COLUMN bound INTEGER;
ALTER TABLE pieces ADD COLUMN stored INTEGER NOT NULL DEFAULT 0;
UPDATE pieces SET file = key;
""",
    3: """
-- dead letters that were taken over to be sent again. time: the letter's, in ms; attempts: before that; folder: where it lies;
-- marked: a file beside it says so too
CREATE TABLE sent_again (
    row INTEGER PRIMARY KEY AUTOINCREMENT, letter BLOB NOT NULL UNIQUE, time INTEGER NOT NULL, attempts INTEGER NOT NULL,
    consumer TEXT, folder TEXT NOT NULL, marked INTEGER NOT NULL
);
CREATE INDEX sent_again_unmarked ON sent_again (row) WHERE NOT marked;
""",
    4: """
-- the next one is found as fast among many that are done
CREATE INDEX pieces_unclaimed ON pieces (listed) WHERE listed IS NOT NULL AND NOT done AND claimed_by IS NULL;
""",
    5: """
-- a piece is a file from a byte on. kind: log, or letters: records of dead letters, which were known by their path before
CREATE TABLE pieces_6 (
    file TEXT NOT NULL, start INTEGER NOT NULL, kind TEXT NOT NULL, bound INTEGER,
    head_length INTEGER NOT NULL, head_sha256 TEXT NOT NULL, size INTEGER NOT NULL,
    offset INTEGER NOT NULL, lines INTEGER NOT NULL, done INTEGER NOT NULL, stored INTEGER NOT NULL,
    claimed_by TEXT, attempts INTEGER NOT NULL, records_limit INTEGER, listed INTEGER,
    PRIMARY KEY (file, start)
) WITHOUT ROWID;
INSERT INTO pieces_6 SELECT
    file, start,
    iif(bound IS NULL AND file GLOB '*/replay/[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9].letters', 'letters', 'log'),
    bound, head_length, head_sha256, size, offset, lines, done, stored, claimed_by, attempts, records_limit, listed
FROM pieces;
DROP TABLE pieces;
ALTER TABLE pieces_6 RENAME TO pieces;
CREATE INDEX pieces_listed ON pieces (listed) WHERE listed IS NOT NULL;
CREATE INDEX pieces_unclaimed ON pieces (listed) WHERE listed IS NOT NULL AND NOT done AND claimed_by IS NULL;
-- failed: what can be no record; id is its position, which stood behind the word failure before
CREATE TABLE messages_6 (
    row INTEGER PRIMARY KEY AUTOINCREMENT, source INTEGER NOT NULL, id TEXT NOT NULL, failed INTEGER NOT NULL, begun REAL NOT NULL,
    kept INTEGER NOT NULL, attempts INTEGER NOT NULL, records_limit INTEGER NOT NULL, UNIQUE (source, id, failed)
);
INSERT INTO messages_6 SELECT
    row, source, iif(id GLOB 'failure *', substr(id, 9), id), id GLOB 'failure *', begun, kept, attempts, records_limit
FROM messages ORDER BY row;
DROP TABLE messages;
ALTER TABLE messages_6 RENAME TO messages;
""",
    6: """
-- checksums (seals.py). seals: of a block's row and of each of its texts; settled and letter end with their own
ALTER TABLE blocks ADD COLUMN seals BLOB NOT NULL DEFAULT x'';
UPDATE blocks SET settled = seal(settled), seals = block_seals(consumer, created, count, number, ids, positions, bodies);
UPDATE dead_letters SET letter = seal(letter);
""",
    7: """
-- under which terms statements were made; of a consumer, today's (NULL: it is not in the configuration). held: how many of those that
-- wait were made under other terms
CREATE TABLE terms (number INTEGER PRIMARY KEY AUTOINCREMENT, content TEXT NOT NULL UNIQUE);
ALTER TABLE consumers ADD COLUMN terms INTEGER;
ALTER TABLE consumers ADD COLUMN held INTEGER NOT NULL DEFAULT 0;
ALTER TABLE blocks ADD COLUMN terms INTEGER;
CREATE INDEX blocks_terms ON blocks (consumer, terms);
""",
}
"""What makes a database of each version one of the next."""
