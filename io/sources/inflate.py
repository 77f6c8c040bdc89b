"""gzip and zstd in small pieces. Several members, a cut end and damage are all handled, and nothing is held in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from zlib import MAX_WBITS

import zstandard
from zlib_ng import zlib_ng  # like zlib, in half of the time

from edx2lrs.transforms.causes import Cause

_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_ZSTD_SKIPPABLE = b"\x2a\x4d\x18"  # after a byte 0x50 to 0x5f: what parallel compressors begin with (RFC 8878, 3.1.2)
_GZIP_FORMAT = MAX_WBITS | 16
PIECE = 256 * 1024
_ZSTD_PIECE = 8 * 1024  # a decoder gives all the text of its input at once

Unpack = Callable[[Iterable[bytes]], Iterator[bytes]]


class Damaged(Exception):
    """The compressed data end too early, or are invalid from some byte on. ``cause``: ``truncated_gzip``, ``corrupt_gzip``,
    ``truncated_zstd`` or ``corrupt_zstd``."""

    def __init__(self, cause: Cause, message: str) -> None:
        super().__init__(message)
        self.cause = cause


def unpacker(head: bytes) -> Unpack | None:
    """The function that inflates a file which begins with ``head``; None for a file that is not compressed."""
    if head.startswith(_GZIP):
        return inflate
    if head.startswith(_ZSTD) or (head[:1] and 0x50 <= head[0] <= 0x5F and head[1:4] == _ZSTD_SKIPPABLE):
        return unzstd
    return None


def inflate(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The text of a gzip file, in pieces of at most 256 KiB (RFC 1952; members follow each other, zero bytes may pad the end).
    Raises ``Damaged`` after everything that could be read was given."""
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


def unzstd(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The text of a zstd file (RFC 8878; frames follow each other). Raises ``Damaged`` after everything that could be read was
    given."""
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
                if text:
                    yield text
                data = b""
                if frame.eof:
                    data, frame = frame.unused_data, None
    if frame is not None:
        raise Damaged("truncated_zstd", "the zstd data end before their end mark")
