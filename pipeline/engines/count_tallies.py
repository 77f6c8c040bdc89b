"""The ledger on Flink and Dataflow: counts as Beam metrics, and the report from totals in keyed state.

Namespaces of the metrics are ``edx2lrs.records`` and ``edx2lrs.consumer.NAME``, their names the keys of the ledger. On Flink they
begin anew when the job is restarted from a checkpoint; the totals in the state do not.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import apache_beam as beam
import msgspec
from apache_beam.coders import BytesCoder
from apache_beam.metrics import Metrics
from apache_beam.transforms.timeutil import TimeDomain
from apache_beam.transforms.userstate import ReadModifyWriteStateSpec, TimerSpec, on_timer
from apache_beam.transforms.window import GlobalWindow

from edx2lrs.io.paths import write_bytes
from edx2lrs.pipeline import report
from edx2lrs.pipeline.compiled_config import JobSpec, current_config
from edx2lrs.transforms.counters import Counted, Tally, counted, grouped, unsettled

_RECORDS, _CONSUMER = "edx2lrs.records", "edx2lrs.consumer."
_REPORT_EVERY = 10.0


class ReportPlace(msgspec.Struct, frozen=True):
    """Where the report goes (local or of any Beam file system), and what it says of the job."""

    path: str
    runner: str
    dead_letters: str


class CountTallies(beam.PTransform):
    """Takes tallies. ``place`` is None: no report is written by the workers."""

    def __init__(self, job: JobSpec, place: ReportPlace | None, streaming: bool) -> None:
        super().__init__()
        self._job, self._place, self._streaming = job, place, streaming

    def expand(self, tallies: beam.PCollection) -> beam.PCollection:
        encoded = tallies | "As metrics" >> beam.ParDo(AsMetrics()).with_output_types(tuple[bytes, bytes])
        if self._place is None:
            return encoded
        return encoded | "Report" >> beam.ParDo(WriteReport(self._job, self._place, self._streaming))


class AsMetrics(beam.DoFn):
    """Counts a tally, and gives it as bytes under the one key of the report."""

    def process(self, tally: Tally) -> Iterator[tuple[bytes, bytes]]:
        tally = {each: number for each, number in tally.items() if each.key != "unknown_names"}  # of which there is no end
        for each, number in tally.items():
            Metrics.counter(f"{_CONSUMER}{each.consumer}" if each.consumer else _RECORDS, each.text).inc(number)
        yield b"", _encoded(tally)


def observe_waiting(consumer: str, waiting: int, since: float | None) -> None:
    """Two distributions over the shards of ``consumer``, each time that one is served: ``waiting`` statements are left, and for how
    many seconds the oldest of those that were never sent waits (``oldest_age``; ``since``: wall time)."""
    namespace = f"{_CONSUMER}{consumer}"
    Metrics.distribution(namespace, "waiting").update(waiting)
    Metrics.distribution(namespace, "oldest_age").update(int(max(0.0, time.time() - since)) if since else 0)


class WriteReport(beam.DoFn):
    """Adds tallies up in the state, and writes the report every 10 s in which something came, and at the end."""

    TOTALS = ReadModifyWriteStateSpec("totals", BytesCoder())
    WRITE = TimerSpec("write", TimeDomain.REAL_TIME)
    END = TimerSpec("end", TimeDomain.WATERMARK)

    def __init__(self, job: JobSpec, place: ReportPlace, streaming: bool) -> None:
        super().__init__()
        self._spec, self._place, self._streaming = job, place, streaming
        self._started = time.time()

    def process(
        self,
        keyed: tuple[bytes, bytes],
        totals: Any = beam.DoFn.StateParam(TOTALS),
        write: Any = beam.DoFn.TimerParam(WRITE),
        end: Any = beam.DoFn.TimerParam(END),
    ) -> None:
        before = totals.read()
        counts, due = _decoded(before) if before else (Counter(), 0)
        counts.update(_decoded(keyed[1])[0])
        if not before:
            end.set(GlobalWindow().max_timestamp())
        now = time.time()
        is_set = now < due <= now + _REPORT_EVERY + 1  # the clock may have been set back
        if self._streaming and not is_set:  # else a timer is set, or was lost with the machine that should have kept it
            due = int(now + _REPORT_EVERY)
            write.set(due)
        totals.write(_encoded(counts, due))

    @on_timer(WRITE)
    def write(self, totals: Any = beam.DoFn.StateParam(TOTALS)) -> None:
        self._write(_decoded(totals.read())[0])

    @on_timer(END)
    def end(self, totals: Any = beam.DoFn.StateParam(TOTALS)) -> None:
        self._write(_decoded(totals.read())[0])

    def _write(self, totals: Tally) -> None:
        consumers = current_config(self._spec).compiled.names
        seconds = time.time() - self._started
        place = self._place
        content = report_of(totals, consumers, place.runner, seconds, place.dead_letters)
        write_bytes(place.path, json.dumps(content, indent=1).encode() + b"\n")


def report_of(totals: Tally, consumers: tuple[str, ...], runner: str, seconds: float, dead_letters: str) -> dict[str, Any]:
    """The report of a job whose state ends with it: what is not settled waits in that."""
    names = {**dict.fromkeys(consumers), **dict.fromkeys(each.consumer for each in totals if each.consumer)}
    counts = grouped(totals)
    waiting = {name: unsettled(counts, name) for name in names}
    return report.report(
        totals, totals, waiting, {}, {}, runner=runner, seconds=seconds, dead_letters=dead_letters, state="the engine's state"
    )


def totals_of(result: Any) -> Counter[Counted]:
    """What a pipeline's metrics have counted, as the ledger would."""
    totals: Counter[Counted] = Counter()
    for counter in result.metrics().query()["counters"]:
        name = counter.key.metric
        if name.namespace == _RECORDS:
            totals[counted("", name.name)] += counter.result
        elif name.namespace.startswith(_CONSUMER):
            totals[counted(name.namespace[len(_CONSUMER) :], name.name)] += counter.result
    return totals


_DUE = ("", "due")  # beside the counts in the state


def _encoded(tally: Tally, due: int = 0) -> bytes:
    """``tally``, and when the next report is due."""
    triples = [(each.consumer, each.text, number) for each, number in tally.items()]
    return msgspec.msgpack.encode([*triples, (*_DUE, due)] if due else triples)


def _decoded(encoded: bytes) -> tuple[Counter[Counted], int]:
    triples = msgspec.msgpack.decode(encoded, type=list[tuple[str, str, int]])
    counts = Counter({counted(consumer, text): number for consumer, text, number in triples if (consumer, text) != _DUE})
    return counts, sum(number for consumer, text, number in triples if (consumer, text) == _DUE)
