"""Records of dead letters on their way through the job once more: a file of lines, which is read as a log is (a piece of the
kind ``letters``, ``io.state.pieces``)."""

from __future__ import annotations

from zlib import crc32

import msgspec
import zstandard

from edx2lrs.io.dead_letters.letters import DeadLetter
from edx2lrs.io.sources.lines import LONGEST_LINE

_PACKED_FROM = 65_536  # bytes: of a longer record the line would be too long


class SpooledRecord(msgspec.Struct, frozen=True, array_like=True):
    """A record where it was read at first, and the one consumer that it is for (None: all that are entitled)."""

    position: str
    consumer: str | None
    attributes: dict[str, str]
    body: bytes
    packed: bool = False


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(SpooledRecord).decode


def spool_line(letter: DeadLetter) -> bytes | None:
    """The line of the record that ``letter`` holds; None when it is longer than any line that is read."""
    packed = len(letter.payload) > _PACKED_FROM
    body = zstandard.ZstdCompressor().compress(letter.payload) if packed else letter.payload
    content = _encode(SpooledRecord(letter.position, letter.consumer, letter.attributes, body, packed))
    line = b"%08x%b\n" % (crc32(content), content)
    return line if len(line) <= LONGEST_LINE else None


def spooled_record(line: bytes) -> SpooledRecord | None:
    """What ``spool_line`` made a line of, with its body unpacked. None: the line was damaged on the disk."""
    has_checksum = line[:1] != b"["  # lines of former versions have none
    content = line[8:] if has_checksum else line
    if has_checksum and b"%08x" % crc32(content) != line[:8]:
        return None
    try:
        record = _decode(content)
        body = zstandard.ZstdDecompressor().decompress(record.body) if record.packed else record.body
    except (msgspec.DecodeError, zstandard.ZstdError):
        return None
    return msgspec.structs.replace(record, body=body, packed=False)
