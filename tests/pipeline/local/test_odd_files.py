"""A hundred damaged and odd files in one folder: of each, every whole event arrives, and what is lost is named, with exit code 1."""

from __future__ import annotations

import bz2
import codecs
import gzip
import io
import json
import lzma
import os
import random
import tarfile
import zipfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import NamedTuple

import zstandard

from edx2lrs.io.dead_letters.letters import read as read_dead_letters
from testkit.configurations import consumer, yaml_of
from testkit.tracking_records import played

CONFIG = yaml_of(consumer("one"))
CHANCE = random.Random(20261128)
_numbers = count(1)


class Odd(NamedTuple):
    """``events``: how many arrive (None: at least one). ``is_whole``: whether nothing else is in the file."""

    content: bytes
    events: int | None
    is_whole: bool


def lines(number: int = 5, end: bytes = b"\n") -> bytes:
    """Events that are in no other file."""
    return b"".join(played(next(_numbers)) + end for _ in range(number))


def cut(packed: bytes, at: int) -> bytes:
    return packed[:at] if at > 0 else packed[: len(packed) + at]


def damaged(packed: bytes, at: int) -> bytes:
    return packed[:at] + bytes(byte ^ 0xFF for byte in packed[at : at + 4]) + packed[at + 4 :]


def zipped(text: bytes, mode: int = zipfile.ZIP_DEFLATED) -> bytes:
    with zipfile.ZipFile(file := io.BytesIO(), "w", mode) as archive:
        archive.writestr("tracking.log", text)
    return file.getvalue()


def tarred(text: bytes, mode: str) -> bytes:
    with tarfile.open(fileobj=(file := io.BytesIO()), mode=mode) as archive:  # type: ignore[call-overload]
        about = tarfile.TarInfo("tracking.log")
        about.size = len(text)
        archive.addfile(about, io.BytesIO(text))
    return file.getvalue()


def packed_files() -> Iterator[tuple[str, Odd]]:
    zstd = zstandard.ZstdCompressor(write_checksum=True).compress
    for kind, pack in {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress, "zst": zstd}.items():
        yield f"whole.{kind}", Odd(pack(lines()), 5, True)
        yield f"wrong-extension-{kind}.log", Odd(pack(lines()), 5, True)
        yield f"members.{kind}", Odd(pack(lines()) + pack(lines()), 10, True)
        yield f"twice.{kind}.gz", Odd(gzip.compress(pack(lines())), 5, True)
        yield f"empty.{kind}", Odd(pack(b""), 0, True)
        packed = pack(lines(300))
        for at in (6, 11, len(packed) // 2, -9, -5, -1):
            yield f"cut-{at}.{kind}", Odd(cut(packed, at), None if at > 11 or at < 0 else 0, False)
        yield f"damaged.{kind}", Odd(damaged(packed, len(packed) // 2), None, False)
        yield f"waste-after.{kind}", Odd(pack(lines()) + b"waste" * 20, 5, False)
    text = lines(50)
    wrong = gzip.compress(text)
    yield "bad-crc.gz", Odd(damaged(wrong, len(wrong) - 8), None, False)
    yield "bad-length.gz", Odd(damaged(wrong, len(wrong) - 4), None, False)
    yield "padded.gz", Odd(gzip.compress(lines()) + bytes(700), 5, True)
    yield "text.gz", Odd(lines(), 5, True)
    yield "half-a-line.gz", Odd(gzip.compress(lines()[:-40]), 4, False)


def other_files() -> Iterator[tuple[str, Odd]]:
    waste = CHANCE.randbytes
    for name, content in {
        "picture.png": b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + waste(3000),
        "picture.log": b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + waste(3000),
        "photo.jpg": b"\xff\xd8\xff\xe0\x00\x10JFIF" + waste(3000),
        "page.pdf": b"%PDF-1.7\n" + waste(3000),
        "random.log": waste(50_000),
        "random.gz": gzip.compress(waste(50_000)),
        "small.bin": waste(40),
        "one-byte": b"\x80",
        "program": b"\x7fELF\x02\x01\x01" + waste(3000),
        "encrypted": b"Salted__" + waste(2000),
        "age.log": b"age-encryption.org/v1\n-> X25519 abc\n" + waste(2000),
        "secret.asc": b"-----BEGIN PGP MESSAGE-----\n\nhQEMA\n-----END PGP MESSAGE-----\n",
        "nulls": bytes(1000),
        "nulls-much.log": bytes(1_000_000),
        "a.zip": zipped(lines()),
        "stored.zip": zipped(lines(), zipfile.ZIP_STORED),
        "a.tar": tarred(lines(), "w"),
        "a.tar.gz": tarred(lines(), "w:gz"),
        "a.tar.bz2": tarred(lines(), "w:bz2"),
        "a.7z": b"7z\xbc\xaf\x27\x1c\0\4" + waste(3000),
        "a.rar": b"Rar!\x1a\x07\x01\x00" + waste(3000),
        "a.parquet": b"PAR1" + waste(3000),
        "a.db": b"SQLite format 3\0" + waste(3000),
        "brackets.log": b"[" * 1_000_000,
        "braces.log": b"{" * 1_000_000,
        "deep.log": b'{"name": "a", "event": ' + b'{"a": ' * 100_000 + b"\n",
        "words.txt": b"Read me first.\nThen do it.\n",
        "page.html": b"<html><body>\n<p>a</p>\n</body></html>\n",
        "a.csv": b"id,name\n1,ann\n",
        "long.log": b"x" * 6_000_000,
        "unclear.csv": b'a,b\n"{""event"": 1}","{""event"": 1}"\n',
        "latin.txt": "é à ü\n".encode("latin-1") * 50,
        "half-json.log": lines(1)[:-60],
        "list.json": b"[1, 2, 3]\n",
        "null.json": b"null\n",
        "number.json": b"5",
        "text.json": b'"text"',
    }.items():
        yield name, Odd(content, 0, False)
    yield "empty.log", Odd(b"", 0, True)
    yield "blank.log", Odd(b"\n \n\r\n\t\n", 0, True)
    yield "carriage-returns.log", Odd(lines(end=b"\r\n"), 5, True)
    yield "mixed-ends.log", Odd(lines(2, b"\r\n") + lines(2) + b"\r\n\n" + lines(1, b""), 5, True)
    yield "double.log.gz.bak", Odd(gzip.compress(lines()), 5, True)
    yield "mark.log", Odd(codecs.BOM_UTF8 + lines(2) + codecs.BOM_UTF8 + lines(2), 4, True)
    yield "utf-16.log", Odd(lines().decode().encode("utf-16"), 5, True)
    yield "utf-16-be.log", Odd(codecs.BOM_UTF16_BE + lines().decode().encode("utf-16-be"), 5, True)
    yield "utf-16-odd.log", Odd(lines().decode().encode("utf-16")[:-1], None, False)
    yield "hole.log", Odd(lines(2) + bytes(20_000) + lines(2), 4, True)
    yield "hole-and-bad-byte.log", Odd(lines(1).replace(b"bob", b"b\xffb") + bytes(2000) + lines(2), 2, False)
    yield "long-and-short.log", Odd(lines(1) + b"y" * 6_000_000 + b"\n" + lines(1), 2, False)
    yield "bad-bytes.log", Odd(lines(1) + waste(300).replace(b"\n", b"") + b"\n" + lines(1), 2, False)
    yield "together.log", Odd(lines(3, b"") + lines(1)[:90], 3, False)
    yield "cut.log", Odd(lines(3)[:-50], 2, False)
    yield "array.json", Odd(b"[\n" + lines(3, b",\n")[:-2] + b"\n]\n", 3, True)
    docker = [json.dumps({"log": f"{line}\n", "stream": "stdout", "time": "2024"}) for line in lines(3).decode().splitlines()]
    yield "x-json.log", Odd("\n".join(docker).encode(), 3, True)
    yield "syslog", Odd(b'<134>1 2024-03-13T06:00:01Z lms t 1 - [a@1 b="c"] ' + lines(1), 1, True)


FILES = {**dict(packed_files()), **dict(other_files())}


def test_each_odd_file_is_read_or_named(edx2lrs, sandbox, config, tmp_path: Path, assert_adds_up) -> None:  # type: ignore[no-untyped-def]
    assert len(FILES) > 100
    logs = tmp_path / "logs"
    (logs / "folder.log").mkdir(parents=True)
    for name, odd in FILES.items():
        (logs / name).write_bytes(odd.content)
        os.utime(logs / name, (1e9, 1e9))  # nobody writes to it any more
    result = edx2lrs("run", "--config", config(sandbox.address, CONFIG), "--input", "logs", "--state", "state")
    assert result.code == 1, result.text
    assert "Traceback" not in result.text
    assert_adds_up(result.report)
    letters = [letter.position for letter in read_dead_letters(str(tmp_path / "state" / "dead-letters"), print)]
    named = {Path(position.rpartition(":")[0]).name for position in letters}
    lost = {name for name, odd in FILES.items() if not odd.is_whole}
    assert named == lost
    for name in (name for name, odd in FILES.items() if odd.events == 0 and not odd.is_whole):
        assert f"{name}: " in result.text, name
    expected = sum(odd.events for odd in FILES.values() if odd.events is not None)
    assert sandbox.stored("one") >= expected
    assert result.report["consumers"]["one"]["delivered"] == sandbox.stored("one")
