"""The records of an Avro file that anybody may have written: read a block at a time, within bounds.

A block of some kilobytes can be packed from gigabytes, and a schema can ask for any number of values that take no byte."""

from __future__ import annotations

import bz2
import io
import lzma
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, BinaryIO

import fastavro
import msgspec
import zstandard

LARGEST_BLOCK = 64 * 1024 * 1024
"""Bytes of the records of one block, packed or not."""

_MAGIC = b"Obj\x01"
_SYNC_BYTES = 16
_META = fastavro.parse_schema({"type": "map", "values": "bytes"})
_PLAIN = frozenset({"null", "boolean", "int", "long", "float", "double", "bytes", "string"})


class AvroError(Exception):
    """The bytes are no Avro file that is read here; the text says why."""


def _unpacked(data: bytes, most: int) -> bytes:
    return data[:most]


def _inflated(data: bytes, most: int) -> bytes:
    return zlib.decompressobj(-zlib.MAX_WBITS).decompress(data, most)


def _of_zstandard(data: bytes, most: int) -> bytes:
    return zstandard.ZstdDecompressor().stream_reader(data).read(most)


def _of_bzip2(data: bytes, most: int) -> bytes:
    return bz2.BZ2Decompressor().decompress(data, most)


def _of_xz(data: bytes, most: int) -> bytes:
    return lzma.LZMADecompressor(memlimit=4 * LARGEST_BLOCK).decompress(data, most)


_CODECS: Mapping[str, Callable[[bytes, int], bytes]] = {
    "null": _unpacked, "deflate": _inflated, "zstandard": _of_zstandard, "bzip2": _of_bzip2, "xz": _of_xz,
}


def records(file: BinaryIO, schema: Any = None) -> Iterator[Any]:
    """The records of ``file`` as ``schema`` has them, a record (parsed) with a field that takes at least a byte; without ``schema``, as
    they were written. Raises ``AvroError``, and what fastavro raises for bytes that are no Avro."""
    if file.read(len(_MAGIC)) != _MAGIC:
        raise AvroError("no Avro file")
    meta: Any = fastavro.schemaless_reader(file, _META, None)
    written = msgspec.json.decode(meta["avro.schema"])
    if schema is not None and not all(_ends(field["type"]) for field in written["fields"]):
        raise AvroError("fields of types that are not read here")
    codec = meta.get("avro.codec", b"null").decode()
    if codec not in _CODECS:
        raise AvroError(f"unknown codec; expected {', '.join(_CODECS)}")
    writer, sync = fastavro.parse_schema(written), file.read(_SYNC_BYTES)
    while (number := _long(file)) is not None:
        size = _long(file) or 0
        if not 0 <= size <= LARGEST_BLOCK:
            raise AvroError(f"a block of {size} bytes; {LARGEST_BLOCK} are read at most")
        packed = file.read(size)
        if file.read(_SYNC_BYTES) != sync:
            raise AvroError("a block without its end")
        block = _CODECS[codec](packed, LARGEST_BLOCK + 1)
        if len(block) > LARGEST_BLOCK:
            raise AvroError(f"a block that is packed from more than {LARGEST_BLOCK} bytes")
        if not 0 <= number <= len(block):
            raise AvroError(f"{number} records in {len(block)} bytes")
        content = io.BytesIO(block)
        for _ in range(number):
            yield fastavro.schemaless_reader(content, writer, schema)


def _ends(written: Any) -> bool:
    """Whether a value of the type takes at least a byte for each part that is read (an array may have any number without one)."""
    types = written if isinstance(written, list) else [written]
    inner = [each.get("values", each["type"]) if isinstance(each, dict) else each for each in types]
    return all(isinstance(each, str) and each in _PLAIN for each in inner)


def _long(file: BinaryIO) -> int | None:
    """A whole number in Avro's form; None at the end of the file."""
    number = shift = 0
    while shift < 70 and (byte := file.read(1)):
        number |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:
            return number >> 1 ^ -(number & 1)
        shift += 7
    if shift:
        raise AvroError("a number that does not end")
    return None
