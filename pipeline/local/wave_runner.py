"""One wave at a time through the graph, on Beam's FnApiRunner, in this process.

The graph is made once and run for every wave: that is what keeps a wave's fixed cost low. What changes from wave to wave is in
the wave's folder.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Sequence

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.transforms.environments import EmbeddedPythonEnvironment

from edx2lrs.pipeline import graph
from edx2lrs.pipeline.job import JobSpec
from edx2lrs.pipeline.local.gather import Gather, Made, making
from edx2lrs.pipeline.steps import ReadRecords


class WaveRunner:
    """Runs waves from ``folder``, which belongs to this process alone."""

    def __init__(self, folder: str, job: JobSpec, beam_arguments: Sequence[str] = ()) -> None:
        os.makedirs(folder, exist_ok=True)
        self._folder = folder
        self._options = PipelineOptions(list(beam_arguments))
        pipeline = beam.Pipeline(runner=FnApiRunner(), options=self._options)
        graph.connect(pipeline | "Wave" >> beam.Impulse(), ReadRecords(folder), job, "Gather" >> Gather(folder))
        gc.freeze()  # Beam's modules are no garbage: it need not be looked for in them after every wave
        self._graph = pipeline.to_runner_api(default_environment=EmbeddedPythonEnvironment.default())

    def run(self) -> Made:
        """All that the wave in the folder makes. Raises what a step raised, as Beam wraps it."""
        making(self._folder).made = made = Made()
        gc.disable()  # a wave is bounded; what it leaves is collected after it
        try:
            FnApiRunner().run_via_runner_api(self._graph, self._options).wait_until_finish()
        finally:
            making(self._folder).made = Made()
            gc.enable()
            gc.collect()  # the runner leaves cycles that hold what passed its steps
        return made
