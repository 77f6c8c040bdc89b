"""Files are read for what is in them: packed once or several times, in other encodings, with holes, or no log at all."""

from __future__ import annotations

import bz2
import codecs
import gzip
import io
import lzma
import random
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from edx2lrs.io.sources.content import not_a_log
from edx2lrs.io.sources.file_reader import FileChunk, FileReader
from edx2lrs.io.sources.files import fingerprint
from edx2lrs.io.sources.inflate import PIECE, unpacker
from edx2lrs.io.sources.position import Reached

TEXT = b"".join(b'{"name": "play_video", "n": %d}\n' % number for number in range(20_000))
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress, "zstd": zstandard.ZstdCompressor(write_checksum=True).compress, "bzip2": bz2.compress, "xz": lzma.compress,
}


def read(path: Path, content: bytes, reached: Reached = Reached()) -> tuple[bytes, FileChunk]:  # noqa: B008 -- immutable
    """All polls of a file with this content: its text, the last poll."""
    path.write_bytes(content)
    reader, text = FileReader(str(path), reached), b""
    while True:
        polled = reader.poll(100_000)
        text += b"".join(lines.data for lines in polled.lines)
        if polled.reached.done:
            return text, polled


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "tracking.log"


@pytest.mark.parametrize("outer", PACKERS)
@pytest.mark.parametrize("inner", PACKERS)
def test_what_is_packed_twice_is_unpacked_twice(path: Path, inner: str, outer: str) -> None:
    packed = PACKERS[outer](PACKERS[inner](TEXT))
    text, last = read(path, packed)
    assert (text, last.damage, last.reached) == (TEXT, None, Reached(len(TEXT), 20_000, True))
    assert last.stored == len(packed)
    assert fingerprint(str(path)).packed
    half = TEXT.index(b"\n", 300_000) + 1
    assert read(path, packed, Reached(half, 5))[0] == TEXT[half:]
    text, last = read(path, packed[: len(packed) // 2])
    assert last.damage is not None
    assert last.damage.cause == f"truncated_{outer}"
    assert TEXT.startswith(text + last.damage.payload)


@pytest.mark.parametrize("kind", PACKERS)
def test_members_follow_each_other_and_zero_bytes_pad(path: Path, kind: str) -> None:
    pack, half = PACKERS[kind], len(TEXT) // 2
    padding = b"" if kind == "zstd" else b"\0" * 512
    assert read(path, pack(TEXT[:half]) + padding + pack(TEXT[half:]) + padding)[0] == TEXT
    text, last = read(path, pack(TEXT) + b"\xff" * 100)
    assert text == TEXT
    assert last.damage is not None
    assert (last.damage.cause, last.damage.line) == (f"corrupt_{kind}", 20_001)


def test_what_is_packed_without_end_is_no_log(path: Path) -> None:
    packed = TEXT
    for _ in range(9):
        packed = gzip.compress(packed)
    text, last = read(path, packed)
    assert (text, last.damage and last.damage.cause) == (b"", "not_a_log")


ENCODINGS = {
    "UTF-16 LE": codecs.BOM_UTF16_LE + TEXT.decode().encode("utf-16-le"),
    "UTF-16 BE": codecs.BOM_UTF16_BE + TEXT.decode().encode("utf-16-be"),
    "UTF-16 LE without a mark": TEXT.decode().encode("utf-16-le"),
    "UTF-16 BE without a mark": TEXT.decode().encode("utf-16-be"),
    "UTF-32 LE": codecs.BOM_UTF32_LE + TEXT.decode().encode("utf-32-le"),
    "UTF-32 BE": codecs.BOM_UTF32_BE + TEXT.decode().encode("utf-32-be"),
    "UTF-16 in gzip": gzip.compress(TEXT.decode().encode("utf-16")),
}


@pytest.mark.parametrize("content", ENCODINGS.values(), ids=ENCODINGS.keys())
def test_other_encodings_are_read(path: Path, content: bytes) -> None:
    text, last = read(path, content)
    assert (text, last.damage) == (TEXT, None)
    assert fingerprint(str(path)).packed  # one part
    half = TEXT.index(b"\n", 300_000) + 1
    assert read(path, content, Reached(half, 5))[0] == TEXT[half:]


def test_what_is_no_character_costs_its_line_alone(path: Path) -> None:
    lines = ['{"a": 1}\n', '{"b": "\ud800"}\n', '{"c": "é"}\n']
    text, last = read(path, "".join(lines).encode("utf-16", "surrogatepass") + b"\x00")
    assert text.splitlines()[0] == b'{"a": 1}'
    assert text.splitlines()[2] == '{"c": "é"}'.encode()
    with pytest.raises(UnicodeDecodeError):
        text.splitlines()[1].decode()
    assert last.damage is None


@pytest.mark.parametrize("hole", [3, 9_000, 300_000, 5_000_000])
def test_a_hole_of_any_size_is_no_part_of_a_line(path: Path, hole: int) -> None:
    bad = b'{"name": "caf\xe9"}\n'
    content = bad + b"\0" * hole + TEXT
    text, last = read(path, content)
    assert text.replace(b"\0", b"") == bad + TEXT
    assert (last.reached.offset, last.reached.lines, last.damage) == (len(content), 20_001, None)
    assert read(path, b"\0" * hole + bad)[0].lstrip(b"\0") == bad
    text, last = read(path, TEXT + b"\0" * hole)
    assert (text.rstrip(b"\0"), last.reached.offset, last.damage) == (TEXT, len(TEXT) + hole, None)
    if hole > PIECE:  # the hole is read; the line that may yet follow the hole has the next number
        assert last.reached.lines == 20_000


def zipped() -> bytes:
    with zipfile.ZipFile(file := io.BytesIO(), "w") as archive:
        archive.writestr("tracking.log", TEXT)
    return file.getvalue()


def tarred(mode: str) -> bytes:
    with tarfile.open(fileobj=(file := io.BytesIO()), mode=mode) as archive:  # type: ignore[call-overload]
        about = tarfile.TarInfo("tracking.log")
        about.size = len(TEXT)
        archive.addfile(about, io.BytesIO(TEXT))
    return file.getvalue()


NO_LOGS = {
    "zip": (zipped(), "a zip file"),
    "tar": (tarred("w"), "a tar file"),
    "tar.gz": (tarred("w:gz"), "a tar file"),
    "tar.xz": (tarred("w:xz"), "a tar file"),
    "a picture in gzip": (gzip.compress(b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"), "a PNG image"),
    "7z": (b"7z\xbc\xaf\x27\x1c\0\4" + bytes(range(256)), "a 7z file"),
    "Parquet": (b"PAR1\x15\x04\x15" + bytes(range(256)), "a Parquet file"),
    "random bytes": (random.Random(1).randbytes(50_000), "a binary file"),
    "random bytes in zstd": (zstandard.compress(random.Random(1).randbytes(50_000)), "a binary file"),
    "encrypted": (b"Salted__" + random.Random(2).randbytes(500), "an encrypted file"),
}


@pytest.mark.parametrize(("content", "kind"), NO_LOGS.values(), ids=NO_LOGS.keys())
def test_what_is_no_log_is_one_fault_with_its_kind(path: Path, content: bytes, kind: str) -> None:
    text, last = read(path, content)
    assert text == b""
    assert last.damage is not None
    assert (last.damage.cause, last.damage.message.partition(",")[0]) == ("not_a_log", kind)


def test_a_log_with_odd_bytes_is_a_log() -> None:
    log = b"ORC1 tracking: " + TEXT[:2000]
    coloured, with_hole, with_waste = b"\x1b[32mINFO\x1b[0m " + log, b"\0" * 3000 + log, log + random.Random(3).randbytes(3000)
    for head in (log, coloured, with_hole, with_waste, "é\n".encode("latin-1") * 99):
        assert not_a_log(head) is None


# Frames of blocks that repeat a byte: four bytes for 128 KiB of text (RFC 8878, 3.1.1.2)
BOMBS = {
    "zstd": b"\x28\xb5\x2f\xfd\x00\x58" + ((0x20000 << 3 | 2).to_bytes(3, "little") + b"a") * 16_000,
    "gzip": gzip.compress(bytes(1000) + b"a" * 200_000_000),
    "bzip2": bz2.compress(b"a" * 200_000_000),
    "xz": lzma.compress(b"a" * 200_000_000),
}


@pytest.mark.parametrize("kind", BOMBS)
def test_a_few_packed_bytes_never_become_a_large_piece(kind: str) -> None:
    unpack = unpacker(BOMBS[kind])
    assert unpack is not None
    total = 0
    for piece in unpack([BOMBS[kind]]):
        assert len(piece) <= PIECE
        total += len(piece)
        if total > 100_000_000:
            break
    assert total > 100_000_000


MEASURES = """\
import resource, sys
from edx2lrs.io.sources.file_reader import FileReader
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
reader = FileReader(sys.argv[1])
while not reader.poll(1_000_000).reached.done:
    pass
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.parametrize("kind", BOMBS)
def test_the_memory_of_packed_input_is_bounded(path: Path, kind: str) -> None:
    path.write_bytes(BOMBS[kind])
    done = subprocess.run([sys.executable, "-c", MEASURES, str(path)], capture_output=True, text=True, check=True)
    unit = 1024 if sys.platform != "darwin" else 1
    assert int(done.stdout) * unit < 60_000_000
