"""Short hashes of texts."""

from __future__ import annotations

from xxhash import xxh3_64_digest


def hash8(data: bytes) -> bytes:
    """8 bytes (XXH3). Two texts have different hashes, unless somebody made the texts for the same hash."""
    return xxh3_64_digest(data)
