"""Large plain files in parts: each line is read by exactly one of them, whatever the parts' size, whenever the file grows."""

from __future__ import annotations

import gzip
import os
import random
import time

import pytest

from edx2lrs.io.sources.file_reader import STILL_WRITTEN, FileReader
from edx2lrs.io.sources.files import find
from edx2lrs.io.state.state import open_state
from edx2lrs.io.state.waves import KeptWave, ReadPiece
from edx2lrs.pipeline.local import wave as waves
from edx2lrs.pipeline.local.input_pieces import register
from testkit.pieces import finish

LINES = [b'{"n": %d, "pad": "%s"}\n' % (n, b"x" * (n * 7919 % 97)) for n in range(2_000)]
TEXT = b"".join(LINES)


@pytest.fixture
def state(tmp_path):
    with open_state(tmp_path / "state", ids=100, statements=100) as state:
        state.ledger.begin_run("test", ["one"], "job")
        yield state


def read(state, path, part, wave_bytes=5_000):
    """Registers the file and reads all that is not done, as workers do; gives its records, and the bytes that waves count."""
    register(find([str(path)]), state.pieces, part)
    records, size = [], 0
    while (piece := state.pieces.claim("worker")) is not None:
        waits = ""
        while not piece.reached.done and not waits:
            reader = FileReader(piece.key.file, piece.reached, piece.key.start, piece.bound, may_grow=True)
            chunk = reader.poll(wave_bytes, 100)
            waits = chunk.waits
            reader.close()
            wave = waves.Wave([waves.Stretch(piece.key, chunk)])
            records += waves.records(wave)
            size += wave.size
            state.keep_wave(KeptWave(wave.read, [], [], {}))
            piece = state.pieces.get(piece.key)
    return records, size


@pytest.mark.parametrize("part", [1, 7, 40, 1_000, 65_536, len(TEXT) - 1, len(TEXT), len(TEXT) + 1])
def test_each_line_is_read_once_whatever_the_size_of_a_part(state, tmp_path, part):
    lines = LINES[:60] if part < 100 else LINES
    path = tmp_path / "tracking.log"
    path.write_bytes(b"".join(lines))
    records, size = read(state, path, part)
    assert [record.body + b"\n" for record in records] == lines
    assert size == path.stat().st_size
    assert read(state, path, part) == ([], 0)


def test_a_record_of_the_first_part_is_named_by_its_line_and_one_of_a_later_part_by_its_offset(state, tmp_path):
    path = tmp_path / "tracking.log"
    path.write_bytes(TEXT)
    records, _ = read(state, path, 10_000)
    for record in records:
        name, _, offset = record.position.rpartition("@")
        if name:
            assert TEXT[int(offset) :].startswith(record.body + b"\n")
            assert int(offset) >= 10_000
        else:
            assert LINES[int(record.position.rpartition(":")[2]) - 1] == record.body + b"\n"
    assert {record.position.rpartition("@")[0] for record in records} == {"", str(path)}


def test_what_a_file_grows_by_is_read_and_nothing_else(state, tmp_path):
    path, chance, records = tmp_path / "tracking.log", random.Random(11), []
    grown = 0
    while grown < len(LINES):
        grown += chance.randint(1, 300)
        path.write_bytes(b"".join(LINES[:grown]))
        records += read(state, path, 10_000)[0]
    assert sorted(record.body + b"\n" for record in records) == sorted(LINES)


@pytest.mark.parametrize("begins", [0, 200, 5_000], ids="as long as {} bytes at the first look".format)
def test_a_log_that_begins_like_the_one_before_is_read_from_its_start(state, tmp_path, begins):
    """A monitor asks for the same page at each midnight; the log is longer than the log before."""
    path, alike = tmp_path / "tracking.log", b'{"monitor": "%s"}\n' % (b"x" * 3_000)
    before, after = alike + b"".join(LINES[:50]), alike + b"".join(LINES[50:500])
    path.write_bytes(before[:begins])
    read(state, path, 100_000)
    path.write_bytes(before)
    read(state, path, 100_000)
    path.write_bytes(after)
    assert b"".join(record.body + b"\n" for record in read(state, path, 100_000)[0]) == after


def test_a_log_that_was_empty_when_it_was_listed_is_known_by_what_was_read_of_it(state, tmp_path):
    path = tmp_path / "tracking.log"
    path.touch()
    register(find([str(path)]), state.pieces)
    path.write_bytes(LINES[0])
    reader = FileReader(str(path), may_grow=True)
    state.keep_wave(KeptWave([ReadPiece(state.pieces.claim("worker").key, 0, reader.poll(1_000).kept)], [], [], {}))
    path.write_bytes(LINES[1] + LINES[2])
    assert len(read(state, path, 100_000)[0]) == 2


@pytest.mark.parametrize("part", [50, 10_000])
@pytest.mark.parametrize("pack", [None, gzip.compress])
def test_a_file_that_grows_by_half_lines_gives_each_line_once(state, tmp_path, part, pack):
    path, chance, records = tmp_path / "tracking.log", random.Random(12), []
    text = b"".join(LINES[:300])
    grown = 0
    while grown < len(text):
        grown += chance.randint(1, 700)
        if pack is None:
            path.write_bytes(text[:grown])
            records += read(state, path, part)[0]
        else:  # a copy of the log that a job packs now and then
            path.write_bytes(pack(text[:grown], mtime=0))
            records = [*{record.body: record for record in [*records, *read(state, path, part)[0]]}.values()]
    assert sorted(record.body + b"\n" for record in records) == sorted(LINES[:300])


def test_half_a_last_line_is_read_at_once_where_nobody_writes_any_more(state, tmp_path):
    path = tmp_path / "tracking.log"
    path.write_bytes(LINES[0] + LINES[1][:-3])
    long_ago = time.time() - STILL_WRITTEN - 60
    os.utime(path, (long_ago, long_ago))
    assert [record.body for record in read(state, path, 10_000)[0]] == [LINES[0][:-1], LINES[1][:-3]]


def test_a_whole_last_line_without_a_line_break_is_read_at_once(state, tmp_path):
    path = tmp_path / "tracking.log"
    path.write_bytes(LINES[0] + LINES[1][:-1])
    assert len(read(state, path, 10_000)[0]) == 2
    path.write_bytes(LINES[0] + LINES[1] + LINES[2])
    assert [record.body + b"\n" for record in read(state, path, 10_000)[0]] == [LINES[2]]


def test_another_content_under_the_same_name_is_read_from_its_start(state, tmp_path):
    path = tmp_path / "tracking.log"
    path.write_bytes(TEXT)
    read(state, path, 10_000)
    path.write_bytes(b'{"another": true}\n' + TEXT)
    assert len(read(state, path, 10_000)[0]) == len(LINES) + 1


def test_a_line_longer_than_a_part_belongs_to_the_part_that_it_begins_in(state, tmp_path):
    path = tmp_path / "tracking.log"
    path.write_bytes(b"a\n" + b"b" * 5_000 + b"\nc\n" + b"{d}" * 1_000)
    records, size = read(state, path, 1_000)
    assert [record.body[:1] for record in records] == [b"a", b"b", b"c", b"{"]
    assert size == path.stat().st_size


def test_a_packed_file_is_one_piece(state, tmp_path):
    path = tmp_path / "tracking.log.gz"
    path.write_bytes(gzip.compress(TEXT))
    assert register(find([str(path)]), state.pieces, 100) == 1
    records, size = read(state, path, 100)
    assert len(records) == len(LINES)
    assert size == len(TEXT)


def test_progress_counts_bytes_as_they_are_stored(state, tmp_path):
    plain, packed = tmp_path / "a.log", tmp_path / "b.log.gz"
    plain.write_bytes(TEXT)
    packed.write_bytes(gzip.compress(TEXT))
    register(find([str(plain), str(packed)]), state.pieces, 10_000)
    before = state.pieces.progress()
    piece = state.pieces.claim("worker")
    state.pieces.begin_wave({piece.key: 4_000}, 10)
    assert before.size == plain.stat().st_size + packed.stat().st_size
    assert (before.read, state.pieces.progress().read) == (0, 4_000)
    finish(state, piece.key)
    assert state.pieces.progress().read == 10_000


def test_progress_counts_files_and_not_their_parts(state, tmp_path):
    path = tmp_path / "a.log"
    path.write_bytes(TEXT)
    register(find([str(path)]), state.pieces, len(TEXT) // 2 + 1)
    done = []
    for _ in range(2):
        finish(state, state.pieces.claim("worker").key)
        done.append((state.pieces.progress().done, state.pieces.progress().listed))
    assert done == [(0, 1), (1, 1)]
