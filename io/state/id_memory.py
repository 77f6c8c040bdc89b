"""The id memory: the statement ids that each consumer was given, with 16 bytes of checks for each id, so that no statement is sent
twice.

Ids are hashes, so every wave changes pages all over a B-tree of millions of ids (measured: 16 to 21 us an id at 3 million).
Instead, ids are kept in sorted segments: one segment for each wave. Eight segments are merged into a longer segment. At a sixteenth
of the bound, the segments become a generation, which is never written again. To look a wave up, each segment's chunks are searched.
To forget, the oldest generation is dropped. A single id is forgotten by a mark; the mark is about ids that were remembered before
the mark."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from edx2lrs.io.state.id_segments import (
    CONSUMER,
    EVENT_AND_BODY,
    REST,
    Ints,
    Segment,
    delete_segment,
    insert_segment,
    load_segment,
    next_chunk,
    segments,
)
from edx2lrs.transforms.packing.verdict import verdict_on_known

Verdicts = npt.NDArray[np.uint8]
"""Of ``Verdict``."""

_GENERATIONS = 16
_FAN_IN = 8
_GENERATION_LEVEL = 100
_THINNED_LEVEL = 101  # the ids of waiting statements of a forgotten generation
_MIX = 0x9E3779B97F4A7C15  # spreads the consumers of one id over the keys; odd, from the golden ratio


class WaveIds(NamedTuple):
    """Of a wave, in its order. ``keys``: what segments are sorted by; ``entries``: rows of ``id_segments``."""

    keys: Ints
    entries: Ints


def wave_ids(blocks: Sequence[tuple[int, bytes, bytes]]) -> WaveIds:
    """The ids of blocks, given as (consumer's number, 16 bytes per id, 16 bytes of checks per id)."""
    ids = _int64(b"".join([ids for _, ids, _ in blocks]))
    checks = _int64(b"".join([checks for _, _, checks in blocks]))
    consumers = np.repeat(np.array([number for number, _, _ in blocks], dtype=np.int64), [len(ids) // 16 for _, ids, _ in blocks])
    mixed: Ints = (consumers.astype(np.uint64) * np.uint64(_MIX)).view(np.int64)
    return WaveIds(ids[:, 0] ^ mixed, np.column_stack((ids[:, 1], consumers, checks)))


def _int64(data: bytes) -> Ints:
    return np.frombuffer(data, dtype="<i8").reshape(-1, 2)


def judge(transaction: sqlite3.Connection, ids: WaveIds) -> Verdicts:
    """A ``Verdict`` for each id; never ``OVERFLOW``.

    Of equal ids within the wave, the first id is compared with the memory. The other ids are compared with the memory's entry, or
    else with the first id."""
    verdicts = np.zeros(len(ids.keys), dtype=np.uint8)
    order = np.argsort(ids.keys, kind="stable")
    known = _known(transaction, ids, order)
    suspects = {int(i) for i in order[_repeated(ids.keys[order])]} | known.keys()
    first: dict[tuple[int, ...], tuple[int, ...]] = {}
    for index in sorted(suspects):
        entry = tuple(ids.entries[index].tolist())
        name = (int(ids.keys[index]), entry[REST], entry[CONSUMER])
        checks = known.get(index) or first.setdefault(name, (index, *entry[EVENT_AND_BODY]))
        if checks[0] == index:
            continue
        verdicts[index] = verdict_on_known(checks[1] == entry[2], checks[2] == entry[3])
    return verdicts


def knows(transaction: sqlite3.Connection, consumer: int, identifier: bytes) -> bool:
    """Whether the memory has the id (16 bytes) for the consumer with this number."""
    ids = wave_ids([(consumer, identifier, bytes(16))])
    return bool(_known(transaction, ids, np.zeros(1, dtype=np.int64)))


def _repeated(sorted_keys: Ints) -> npt.NDArray[np.bool_]:
    """Which of ``sorted_keys`` have an equal neighbour."""
    same = sorted_keys[1:] == sorted_keys[:-1]
    repeated = np.zeros(len(sorted_keys), dtype=np.bool_)
    repeated[1:] |= same
    repeated[:-1] |= same
    return repeated


def _known(transaction: sqlite3.Connection, ids: WaveIds, order: Ints) -> dict[int, tuple[int, ...]]:
    """For each index that the memory knows: (-1, hash of the event, hash of the body), from the newest entry."""
    known: dict[int, tuple[int, ...]] = {}
    sorted_keys = ids.keys[order]
    marks = transaction.execute("SELECT 1 FROM forgotten_ids LIMIT 1").fetchone() is not None
    for segment in segments(transaction):  # oldest first: what was remembered later stands
        for index, entry in _found(transaction, segment, sorted_keys, ids.entries[order]):
            if not marks or not _is_forgotten(transaction, segment, int(sorted_keys[index]), entry):
                known[int(order[index])] = (-1, *entry[EVENT_AND_BODY])
    return known


def _found(transaction: sqlite3.Connection, segment: Segment, sorted_keys: Ints, entries: Ints) -> Iterator[tuple[int, list[int]]]:
    """For every id that ``segment`` has: its index in ``sorted_keys`` and the segment's entry."""
    start = 0
    while start < len(sorted_keys):
        chunk = next_chunk(transaction, segment, int(sorted_keys[start]))
        if chunk is None:
            return
        end = int(np.searchsorted(sorted_keys, chunk.keys[-1], "right"))
        wanted = sorted_keys[start:end]
        at = np.searchsorted(chunk.keys, wanted)
        for hit in np.flatnonzero(chunk.keys[at] == wanted).tolist():
            rest_and_consumer = entries[start + hit, :2].tolist()
            for entry in chunk.entries_with_key(int(at[hit])):
                if entry[:2] == rest_and_consumer:
                    yield start + hit, entry
        start = end


def _is_forgotten(transaction: sqlite3.Connection, segment: Segment, key: int, entry: Sequence[int]) -> bool:
    query = "SELECT 1 FROM forgotten_ids WHERE key = ? AND rest = ? AND consumer = ? AND number >= ?"
    return transaction.execute(query, (key, entry[REST], entry[CONSUMER], segment.newest)).fetchone() is not None


def remember(transaction: sqlite3.Connection, ids: WaveIds, which: npt.NDArray[np.bool_], bound: int) -> int:
    """Remember those ``ids`` that ``which`` marks, and forget the oldest generation when there are more than ``bound``.

    Gives how many ids were remembered ever: blocks are inserted with that number, for an id is not forgotten while it waits."""
    number = _newest(transaction)
    chosen = np.flatnonzero(which)
    if not len(chosen):
        return number
    order = chosen[np.argsort(ids.keys[chosen], kind="stable")]
    insert_segment(transaction, 0, number + 1, number + len(order), ids.keys[order], ids.entries[order])
    _merge(transaction, max(1, bound // _GENERATIONS))
    _forget_oldest(transaction, bound)
    return number + len(order)


def forget(transaction: sqlite3.Connection, consumer: int, identifiers: Sequence[bytes]) -> None:
    """Forget ``identifiers`` (16 bytes each) of a consumer, as remembered by now."""
    if not identifiers:
        return
    ids = wave_ids([(consumer, b"".join(identifiers), bytes(16 * len(identifiers)))])
    number = _newest(transaction)
    transaction.executemany(
        "INSERT OR REPLACE INTO forgotten_ids VALUES (?, ?, ?, ?)",
        [(key, rest, consumer, number) for key, rest in zip(ids.keys.tolist(), ids.entries[:, REST].tolist(), strict=True)],
    )


def _newest(transaction: sqlite3.Connection) -> int:
    return int(transaction.execute("SELECT coalesce(max(newest), 0) FROM id_runs").fetchone()[0])


def _merge(transaction: sqlite3.Connection, generation: int) -> None:
    """Merge the newest segments: all young ones into a generation if they are enough, else those of a level that is full."""
    young = [segment for segment in segments(transaction) if segment.level < _GENERATION_LEVEL]
    if sum(segment.size for segment in young) >= generation:
        _merge_segments(transaction, young, _GENERATION_LEVEL)
        return
    level = 0
    while len(full := [segment for segment in young if segment.level == level]) >= _FAN_IN:
        _merge_segments(transaction, full, level + 1)
        level += 1
        young = [segment for segment in segments(transaction) if segment.level < _GENERATION_LEVEL]


def _merge_segments(transaction: sqlite3.Connection, merging: Sequence[Segment], level: int) -> None:
    """Replace the segments ``merging``, which are neighbours in age, by one segment without the forgotten ids."""
    _replace_segments(transaction, merging, [_without_forgotten(transaction, segment) for segment in merging], level)


def _replace_segments(
    transaction: sqlite3.Connection, old: Sequence[Segment], kept: Sequence[tuple[Ints, Ints]], level: int
) -> None:
    keys, entries = np.concatenate([keys for keys, _ in kept]), np.concatenate([entries for _, entries in kept])
    order = np.argsort(keys, kind="stable")
    for segment in old:
        delete_segment(transaction, segment)
    if len(order) or level != _THINNED_LEVEL:  # the number of the newest id stays known
        insert_segment(transaction, level, old[0].oldest, old[-1].newest, keys[order], entries[order])


def _without_forgotten(transaction: sqlite3.Connection, segment: Segment) -> tuple[Ints, Ints]:
    """The segment's ids that no mark forgets. A mark stays as long as its generation, since an older segment may hold the id too."""
    keys, entries = load_segment(transaction, segment)
    marks = transaction.execute("SELECT key, rest, consumer FROM forgotten_ids WHERE number >= ?", (segment.newest,)).fetchall()
    if not marks:
        return keys, entries
    stays = np.ones(len(keys), dtype=np.bool_)
    forgotten = set(marks)
    for index in np.flatnonzero(np.isin(keys, np.array([key for key, _, _ in marks], dtype=np.int64))).tolist():
        name = (int(keys[index]), int(entries[index, REST]), int(entries[index, CONSUMER]))
        if name in forgotten:
            stays[index] = False
    return keys[stays], entries[stays]


def _forget_oldest(transaction: sqlite3.Connection, bound: int) -> None:
    """Drop whole generations, oldest first, until at most ``bound`` ids are left, besides the ids of waiting statements."""
    remembered = [segment for segment in segments(transaction) if segment.level <= _GENERATION_LEVEL]
    excess = sum(segment.size for segment in remembered) - bound
    for segment in remembered:
        if excess <= 0 or segment.level != _GENERATION_LEVEL:
            break
        _thin_up_to(transaction, segment)
        excess -= segment.size


def _thin_up_to(transaction: sqlite3.Connection, last: Segment) -> None:
    """Forget ``last`` and the older generations, except the ids of waiting statements."""
    blocks = transaction.execute("SELECT consumer, ids FROM blocks WHERE number <= ? ORDER BY row", (last.newest,))
    waiting = wave_ids([(consumer, ids, bytes(len(ids))) for consumer, ids in blocks]).keys
    leaving = [segment for segment in segments(transaction) if segment.level >= _GENERATION_LEVEL and segment.newest <= last.newest]
    kept = [_waiting_of(transaction, segment, waiting) for segment in leaving]
    _replace_segments(transaction, leaving, kept, _THINNED_LEVEL)
    transaction.execute("DELETE FROM forgotten_ids WHERE number <= ?", (last.newest,))


def _waiting_of(transaction: sqlite3.Connection, segment: Segment, waiting: Ints) -> tuple[Ints, Ints]:
    keys, entries = _without_forgotten(transaction, segment)
    stays = np.isin(keys, waiting)
    return keys[stays], entries[stays]
