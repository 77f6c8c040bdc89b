"""gzip in small pieces: several members, a cut tail and damage each have an answer, and nothing is held."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator

MAGIC = b"\x1f\x8b"
_GZIP_FORMAT = zlib.MAX_WBITS | 16
PIECE = 256 * 1024


class Damaged(Exception):
    """The gzip stream ends early or is not one from some place on. ``cause``: ``truncated_gzip`` or ``corrupt_gzip``."""

    def __init__(self, cause: str, message: str) -> None:
        super().__init__(message)
        self.cause = cause


def inflate(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The text of a gzip file, in pieces of at most 256 KiB (RFC 1952; members follow each other, zero bytes may pad the end).

    Raises ``Damaged`` after everything that could be read was given.
    """
    stream = zlib.decompressobj(_GZIP_FORMAT)
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
            except zlib.error:
                raise Damaged("corrupt_gzip", "the gzip data are damaged from here on") from None
            if text:
                yield text
            if stream.eof:
                data = stream.unused_data
                stream, begun = zlib.decompressobj(_GZIP_FORMAT), False
            else:
                data = stream.unconsumed_tail
                if not data and len(text) == PIECE:
                    yield from _rest(stream)
                    if stream.eof:
                        data = stream.unused_data
                        stream, begun = zlib.decompressobj(_GZIP_FORMAT), False
    if begun:
        raise Damaged("truncated_gzip", "the gzip data end before their end mark")


def _rest(stream: zlib._Decompress) -> Iterator[bytes]:
    """What zlib holds back after all input was taken in."""
    while not stream.eof:
        text = stream.decompress(b"", PIECE)
        if not text:
            return
        yield text
