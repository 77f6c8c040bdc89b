"""gzip, zstd, bzip2 and xz in small pieces. Several members, a cut end and damage are all handled, and memory is bounded, whatever
the packed data say."""

from __future__ import annotations

import bz2
import lzma
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Protocol
from zlib import MAX_WBITS

import zstandard
from zlib_ng import zlib_ng  # like zlib, in half of the time

from edx2lrs.transforms.causes import Cause

_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_ZSTD_SKIPPABLE = b"\x2a\x4d\x18"  # after a byte 0x50 to 0x5f: what parallel compressors begin with (RFC 8878, 3.1.2)
_XZ = b"\xfd7zXZ\0"
_BZIP2, _BZIP2_BLOCKS = b"BZh", (b"1AY&SY", b"\x17rE8P\x90")
_GZIP_FORMAT = MAX_WBITS | 16
_XZ_MEMORY = 256 * 1024 * 1024  # `xz -9` asks for 65 MiB
PIECE = 256 * 1024
_ZSTD_PIECE = 128  # a decoder gives all the text of its input at once: 4 bytes may be 128 KiB of text

Unpack = Callable[[Iterable[bytes]], Iterator[bytes]]


class Damaged(Exception):
    """The compressed data end too early, or are invalid from some byte on."""

    def __init__(self, cause: Cause, message: str) -> None:
        super().__init__(message)
        self.cause = cause


def unpacker(head: bytes) -> Unpack | None:
    """The function that unpacks data which begin with ``head``; None for data that are not compressed. The function gives pieces of at
    most 256 KiB, and raises ``Damaged`` after everything that could be read was given."""
    if head.startswith(_GZIP):
        return inflate
    if head.startswith(_ZSTD) or (head[:1] and 0x50 <= head[0] <= 0x5F and head[1:4] == _ZSTD_SKIPPABLE):
        return unzstd
    if head.startswith(_XZ):
        return partial(_members, partial(lzma.LZMADecompressor, memlimit=_XZ_MEMORY), "xz", "truncated_xz", "corrupt_xz")
    if head.startswith(_BZIP2) and head[4:10] in _BZIP2_BLOCKS:
        return partial(_members, bz2.BZ2Decompressor, "bzip2", "truncated_bzip2", "corrupt_bzip2")
    return None


def inflate(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Of a gzip file (RFC 1952); members follow each other, zero bytes may pad the end."""
    stream = None
    for piece in pieces:
        data, held = piece, False
        while data or held:
            if stream is None:
                data = data.lstrip(b"\0")
                if not data:
                    break
                stream = zlib_ng.decompressobj(_GZIP_FORMAT)
            try:
                text = stream.decompress(data, PIECE)
            except zlib_ng.error:  # type: ignore[misc]  # its stub declares an instance
                raise Damaged("corrupt_gzip", "the gzip data are damaged from here on") from None
            if text:
                yield text
            data, held = stream.unconsumed_tail, len(text) == PIECE
            if stream.eof:
                data, held, stream = stream.unused_data, False, None
    if stream is not None:
        raise Damaged("truncated_gzip", "the gzip data end before their end mark")


class _Decompressor(Protocol):
    """The common part of ``bz2.BZ2Decompressor`` and ``lzma.LZMADecompressor``."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


def _members(
    new: Callable[[], _Decompressor], name: str, truncated: Cause, corrupt: Cause, pieces: Iterable[bytes]
) -> Iterator[bytes]:
    """Of a bzip2 or an xz file; members follow each other, zero bytes may pad the end."""
    stream = None
    for piece in pieces:
        data = piece
        while data or (stream and not stream.needs_input):
            if stream is None:
                data = data.lstrip(b"\0")
                if not data:
                    break
                stream = new()
            try:
                text = stream.decompress(data, PIECE)
            except (OSError, lzma.LZMAError):
                raise Damaged(corrupt, f"the {name} data are damaged from here on") from None
            if text:
                yield text
            data = b""
            if stream.eof:
                data, stream = stream.unused_data, None
    if stream is not None:
        raise Damaged(truncated, f"the {name} data end before their end mark")


def unzstd(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Of a zstd file (RFC 8878); frames follow each other."""
    decompressor = zstandard.ZstdDecompressor()
    frame = None
    for piece in pieces:
        for at in range(0, len(piece), _ZSTD_PIECE):
            data = piece[at : at + _ZSTD_PIECE]
            while data:
                frame = frame or decompressor.decompressobj()
                try:
                    text = frame.decompress(data)
                except zstandard.ZstdError:
                    raise Damaged("corrupt_zstd", "the zstd data are damaged from here on") from None
                for start in range(0, len(text), PIECE):
                    yield text[start : start + PIECE]
                data = b""
                if frame.eof:
                    data, frame = frame.unused_data, None
    if frame is not None:
        raise Damaged("truncated_zstd", "the zstd data end before their end mark")
