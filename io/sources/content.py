"""What the bytes of a file are, told by the bytes alone: text, text in another encoding, packed text, or no log at all."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import chain
from typing import NamedTuple

from edx2lrs.io.sources.inflate import PIECE, Damaged, Unpack, unpacker

HEAD = 8 * 1024
"""Bytes of the text that tell what the text is."""
_MOST_LAYERS = 5  # of packing, one in the other
_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32-le",  # before the mark of UTF-16, which it begins with
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
_ASCII_IN_A_ROW = 16  # characters of the first line that tell UTF-16 without a mark
_KINDS = {
    b"PK\x03\x04": "a zip file", b"PK\x05\x06": "a zip file", b"7z\xbc\xaf\x27\x1c": "a 7z file", b"Rar!\x1a\x07": "a rar file",
    b"\x04\x22\x4d\x18": "an lz4 file", b"\xff\x06\x00\x00sNaPpY": "a snappy file", b"LZIP": "an lzip file", b"\x1f\x9d": "a .Z file",
    b"Obj\x01": "an Avro file", b"PAR1": "a Parquet file", b"ORC": "an ORC file", b"SQLite format 3\0": "an SQLite database",
    b"\x89PNG": "a PNG image", b"\xff\xd8\xff": "a JPEG image", b"GIF8": "a GIF image", b"%PDF-": "a PDF document",
    b"\x7fELF": "a program", b"Salted__": "an encrypted file", b"age-encryption.org/": "an encrypted file",
    b"-----BEGIN PGP": "an encrypted file",
}
_TAR = slice(257, 262)
_CONTROL = bytes([*range(1, 8), *range(14, 27), 28, 29, 31, 127])  # signs that no log has
_begins_an_object = re.compile(rb'\{\s*"[\w@$.-]+"\s*:').search


class FileText(NamedTuple):
    """The text of a file: its first bytes, and the whole of it in pieces of at most 256 KiB (UTF-8, without a mark at its start)."""

    head: bytes
    pieces: Iterator[bytes]


def is_stored_as_text(head: bytes) -> bool:
    """Whether a file that begins with ``head`` is neither packed nor in another encoding: its bytes can be read from any place on."""
    return unpacker(head) is None and _encoding(head) is None


def text_of(pieces: Iterator[bytes]) -> FileText:
    """The text in the ``pieces`` of a file. The pieces of the text raise ``Damaged`` after everything that could be read was given."""
    for _ in range(_MOST_LAYERS):
        head, pieces = _peek(pieces)
        unpack = unpacker(head) or _decoder(head)
        if unpack is None:
            break
        pieces = unpack(pieces)
    return FileText(*_peek(pieces))


def not_a_log(head: bytes) -> str | None:
    """What a text that begins with ``head`` is instead of a log: a file of another kind. None for what may be a log."""
    has_objects = _begins_an_object(head) is not None
    for magic, kind in _KINDS.items():
        if head.startswith(magic) and not (has_objects and magic.isalnum()):  # a prefix may begin with such a word
            return kind
    if head[_TAR] == b"ustar":
        return "a tar file"
    if unpacker(head):
        return f"a file that is packed more than {_MOST_LAYERS} times"
    text = head.replace(b"\0", b"")  # a hole
    if len(text) - len(text.translate(None, _CONTROL)) > len(text) // 64 and not has_objects:
        return "a binary file"
    return None


def _peek(pieces: Iterator[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """The first bytes, and all pieces. Damage within the first bytes comes after them."""
    first: list[bytes] = []
    rest: Iterator[bytes] = pieces
    try:
        while sum(map(len, first)) < HEAD and (piece := next(pieces, b"")):
            first.append(piece)
    except Damaged as damage:
        rest = _raising(damage)
    return b"".join(first)[:HEAD], chain(first, rest)


def _raising(damage: Damaged) -> Iterator[bytes]:
    raise damage
    yield


def _encoding(head: bytes) -> str | None:
    """The encoding of a text that begins with ``head``; None for UTF-8 and what is like it. Without a mark, UTF-16 is known by the NUL
    bytes beside the signs of the first words."""
    for mark, encoding in _MARKS.items():
        if head.startswith(mark):
            return encoding
    even, odd = head[: 2 * _ASCII_IN_A_ROW : 2], head[1 : 2 * _ASCII_IN_A_ROW : 2]
    if len(odd) == _ASCII_IN_A_ROW and not (any(even) and any(odd)) and (all(even) or all(odd)):
        return "utf-16-le" if all(even) else "utf-16-be"
    return None


def _decoder(head: bytes) -> Unpack | None:
    encoding = _encoding(head)
    return partial(_as_utf8, encoding) if encoding else None


def _as_utf8(encoding: str, pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The text as UTF-8, without its mark. What is no character stays what is no UTF-8."""
    decoder = codecs.getincrementaldecoder(encoding)("surrogatepass" if "16" in encoding else "replace")
    mark = "\ufeff"
    for piece in pieces:
        for start in range(0, len(piece), PIECE // 2):  # two bytes become three at most
            text = decoder.decode(piece[start : start + PIECE // 2])
            if text:
                yield text.removeprefix(mark).encode(errors="surrogatepass")
                mark = ""
    left = decoder.getstate()[0]
    if left:
        yield b"\xff" + left
