"""The last step on this machine: everything that a wave made is kept in the state directory, in one transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import apache_beam as beam
import msgspec

from edx2lrs.io.state.state import State, join_state
from edx2lrs.io.state.waves import KeptMessages, KeptWave, Reached
from edx2lrs.pipeline.local import wave as waves
from edx2lrs.pipeline.local.message_wave import MessageWave
from edx2lrs.transforms.blocks import Block
from edx2lrs.transforms.failure import Failure

_BLOCK, _FAILURE, _TALLY = 0, 1, 2
_KINDS: dict[int, Any] = {_BLOCK: Block, _FAILURE: Failure, _TALLY: list[tuple[str, str, int]]}


class _Part(msgspec.Struct, array_like=True):
    """A part of what is kept, as it crosses the shuffle; what its body is, ``kind`` tells."""

    kind: int
    body: msgspec.Raw


def _encoded(kind: int, body: Any) -> tuple[bytes, bytes]:
    """Under the one key of a wave."""
    return b"", msgspec.msgpack.encode((kind, body))


def encode_block(block: Block) -> tuple[bytes, bytes]:
    return _encoded(_BLOCK, block)


def encode_failure(failure: Failure) -> tuple[bytes, bytes]:
    return _encoded(_FAILURE, failure)


def encode_tally(tally: dict[tuple[str, str], int]) -> tuple[bytes, bytes]:
    return _encoded(_TALLY, [(consumer, key, number) for (consumer, key), number in tally.items()])


class Gathered(NamedTuple):
    """What a wave made."""

    blocks: list[Block]
    failures: list[Failure]
    tally: Counter[tuple[str, str]]


def gathered(parts: Iterable[bytes]) -> Gathered:
    """The parts of one wave, decoded; tallies are added up."""
    blocks: list[Block] = []
    failures: list[Failure] = []
    tally: Counter[tuple[str, str]] = Counter()
    for encoded in parts:
        part = msgspec.msgpack.decode(encoded, type=_Part)
        body = msgspec.msgpack.decode(part.body, type=_KINDS[part.kind])
        if part.kind == _BLOCK:
            blocks.append(body)
        elif part.kind == _FAILURE:
            failures.append(body)
        else:
            for consumer, key, number in body:
                tally[consumer, key] += number
    return Gathered(blocks, failures, tally)


class KeepInState(beam.PTransform):
    """Gathers a wave's blocks, failures and tallies, as bytes, and keeps them."""

    def __init__(self, folder: str, state_directory: str) -> None:
        super().__init__()
        self._folder = folder
        self._state_directory = state_directory

    def expand(self, parts: dict[str, beam.PCollection]) -> beam.PCollection:
        encoded = (
            parts["blocks"] | "Encode blocks" >> beam.Map(encode_block),
            parts["failures"] | "Encode failures" >> beam.Map(encode_failure),
            parts["tallies"] | "Encode tallies" >> beam.Map(encode_tally),
        )
        gathered_by_wave = encoded | "Meet" >> beam.Flatten() | "Gather" >> beam.GroupByKey()
        return gathered_by_wave | "In one transaction" >> beam.ParDo(_Keep(self._folder, self._state_directory))


class _Keep(beam.DoFn):
    """One transaction for a wave. Raises ``StateFault``, and ``StaleWave`` when the wave was kept already."""

    def __init__(self, folder: str, state_directory: str) -> None:
        super().__init__()
        self._folder = folder
        self._state_directory = state_directory
        self._state: State | None = None

    def setup(self) -> None:
        self._state = join_state(Path(self._state_directory))

    def teardown(self) -> None:
        if self._state is not None:
            self._state.close()

    def process(self, keyed: tuple[bytes, Iterable[bytes]]) -> None:
        assert self._state is not None
        wave = waves.read(self._folder)
        made = gathered(keyed[1])
        if isinstance(wave, MessageWave):
            of_stream = (wave.source, wave.ids, wave.since, wave.before, wave.position)
            self._state.keep_messages(KeptMessages(*of_stream, made.blocks, made.failures, made.tally))
            return
        self._state.keep_wave(KeptWave(reached(wave), made.blocks, made.failures, made.tally))


def reached(wave: waves.Wave) -> list[Reached]:
    """How far the wave reads each of its pieces."""
    return [Reached(each.piece, each.start, each.end, each.end_line, each.done) for each in wave.stretches]
