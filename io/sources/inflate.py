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
    stream = zlib_ng.decompressobj(_GZIP_FORMAT)
    begun = False
    for piece in pieces:
        data = piece
        while data:
            if not begun:
                data = data.lstrip(b"\0")
                if not data:
                    break
                begun = True
            try:
                text = stream.decompress(data, PIECE)
            except zlib_ng.error:  # type: ignore[misc]  # its stub declares an instance
                raise Damaged("corrupt_gzip", "the gzip data are damaged from here on") from None
            if text:
                yield text
            if stream.eof:
                data = stream.unused_data
                stream, begun = zlib_ng.decompressobj(_GZIP_FORMAT), False
            else:
                data = stream.unconsumed_tail
                if not data and len(text) == PIECE:
                    yield from _rest(stream)
                    if stream.eof:
                        data = stream.unused_data
                        stream, begun = zlib_ng.decompressobj(_GZIP_FORMAT), False
    if begun:
        raise Damaged("truncated_gzip", "the gzip data end before their end mark")


def _rest(stream: zlib_ng._Decompress) -> Iterator[bytes]:
    """The text that the decompressor still holds after all input was read."""
    while not stream.eof:
        text = stream.decompress(b"", PIECE)
        if not text:
            return
        yield text


def unzstd(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The text of a zstd file (RFC 8878; frames follow each other). Raises ``Damaged`` after everything that could be read was
    given."""
    decompressor = zstandard.ZstdDecompressor()
    frame = decompressor.decompressobj()
    begun = False
    for piece in pieces:
        for at in range(0, len(piece), _ZSTD_PIECE):
            data = piece[at : at + _ZSTD_PIECE]
            while data:
                begun = True
                try:
                    text = frame.decompress(data)
                except zstandard.ZstdError:
                    raise Damaged("corrupt_zstd", "the zstd data are damaged from here on") from None
                if text:
                    yield text
                data = b""
                if frame.eof:
                    data = frame.unused_data
                    frame, begun = decompressor.decompressobj(), False
    if begun:
        raise Damaged("truncated_zstd", "the zstd data end before their end mark")
