"""Runs one wave at a time through the graph, on Beam's FnApiRunner, in this process.

The graph is made once and run for every wave, so the fixed cost of a wave is low.
"""

from __future__ import annotations

import gc
import time
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.transforms.environments import EmbeddedPythonEnvironment

from edx2lrs.io.state.waves import KeptWave
from edx2lrs.pipeline import graph
from edx2lrs.pipeline.compiled_config import JobSpec, current_config
from edx2lrs.pipeline.local.graph_ends import Gather, ReadWave, under_way
from edx2lrs.pipeline.local.wave import MessageWave, Wave
from edx2lrs.pipeline.local.worker_messages import WaveAt
from edx2lrs.transforms.counters import Counted

_EVERY = 0.5  # seconds


def _ignore(_: WaveAt) -> None:
    """Nobody wants to know it."""


class WaveRunner:
    """Runs waves of ``job``. ``tell`` gets how far each wave is, twice a second, and its end."""

    def __init__(self, job: JobSpec, beam_arguments: Sequence[str] = (), tell: Callable[[WaveAt], None] | None = None) -> None:
        current_config(job)  # reads the tables, which may take long, before a wave begins
        self._tell = tell or _ignore
        self._job = job
        name = uuid.uuid4().hex
        self._under_way = under_way(name)
        self._options = PipelineOptions(list(beam_arguments))
        pipeline = beam.Pipeline(runner=FnApiRunner(), options=self._options)
        graph.connect(pipeline | "Wave" >> beam.Impulse(), ReadWave(name), job, "Gather" >> Gather(name))
        gc.freeze()  # Beam's modules are no garbage, so the collector need not look at them after every wave
        self._graph = pipeline.to_runner_api(default_environment=EmbeddedPythonEnvironment.default())

    def run(self, wave: Wave | MessageWave, again: bool = False) -> KeptWave:
        """All that ``wave`` makes; ``again``: a process has ended in it before. Raises what a step raised, as Beam wraps it."""
        self._under_way.wave = wave
        self._under_way.on_records = partial(self._tell_now_and_then, again)
        self._tell(WaveAt(0, again))
        self._next = time.monotonic() + _EVERY
        gc.disable()  # a wave is bounded; its garbage is collected after the wave
        try:
            FnApiRunner().run_via_runner_api(self._graph, self._options).wait_until_finish()
            made = self._under_way.made
            tally: Counter[Counted] = Counter()
            for each in made["tallies"]:
                tally.update(each)
            return KeptWave(wave.read, made["blocks"], made["failures"], tally, current_config(self._job).compiled.terms)
        finally:
            self._under_way.clear()
            gc.enable()
            gc.collect()  # the runner leaves reference cycles that hold the elements of the wave
            self._tell(WaveAt(None))

    def _tell_now_and_then(self, again: bool, records: int) -> None:
        if (now := time.monotonic()) >= self._next:
            self._next = now + _EVERY
            self._tell(WaveAt(records, again))
