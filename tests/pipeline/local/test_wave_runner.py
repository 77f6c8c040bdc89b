"""A wave through the graph: what it makes is handed back, and nothing of a wave that broke off."""

import json

import pytest

from edx2lrs.io.sources.file_reader import FileReader
from edx2lrs.io.state.pieces import PieceKey
from edx2lrs.pipeline.compiled_config import JobSpec
from edx2lrs.pipeline.local.wave import Stretch, Wave
from edx2lrs.pipeline.local.wave_runner import WaveRunner
from edx2lrs.pipeline.local.worker_messages import WaveAt
from edx2lrs.transforms.counters import Counted
from edx2lrs.transforms.packing.blocks import Origin, unpack_origin_lines
from testkit.configurations import consumer, yaml_of

CONFIG = yaml_of(consumer(url="http://127.0.0.1:9/xAPI"))


def event(number):
    return {
        "name": "edx.course.enrollment.activated",
        "time": f"2026-03-11T12:00:00.{number:06}+00:00",
        "context": {"user_id": 7, "course_id": "course-v1:A+B+C", "org_id": "A"},
        "event": {"user_id": 7, "course_id": "course-v1:A+B+C", "mode": "audit"},
    }


@pytest.fixture
def runner(tmp_path, monkeypatch):
    monkeypatch.setenv("EDX2LRS_ID_KEY", "a key of the tests")
    (tmp_path / "c.yaml").write_text(CONFIG)
    return WaveRunner(JobSpec(str(tmp_path / "c.yaml")))


@pytest.fixture
def wave(tmp_path):
    """A wave of events and one line of junk."""

    def wave(number):
        log = tmp_path / "a.log"
        log.write_text("".join(f"{json.dumps(event(n))}\n" for n in range(number)) + "junk\n")
        chunk = FileReader(str(log)).poll(1_000_000)
        return Wave([Stretch(PieceKey(str(log)), chunk)])

    return wave


def test_a_wave_gives_its_blocks_failures_and_counts(runner, wave):
    for number in (250, 3):
        made = runner.run(wave(number))
        assert sum(block.size for block in made.blocks) == number
        lines = [line for block in made.blocks for line in unpack_origin_lines(block.origins)]
        assert [Origin.of_line(line).position.rpartition(":")[2] for line in lines] == [str(n + 1) for n in range(number)]
        assert [failure.cause for failure in made.failures] == ["not_json"]
        assert made.tally[Counted("", "read")] == number + 1
        assert made.tally[Counted("campus", "translated")] == number


def test_a_wave_tells_how_far_it_is(runner, wave, monkeypatch):
    told = []
    monkeypatch.setattr(runner, "_tell", told.append)
    monkeypatch.setattr("edx2lrs.pipeline.local.wave_runner._EVERY", 0.0)
    runner.run(wave(600), again=True)
    assert told == [WaveAt(0, True), WaveAt(256, True), WaveAt(512, True), WaveAt(601, True), WaveAt(None)]


def test_nothing_is_left_of_a_wave_that_broke_off(runner, wave, monkeypatch):
    with monkeypatch.context() as broken:
        broken.setattr("edx2lrs.pipeline.steps.PackBlocks.finish_bundle", lambda _: 1 / 0)  # two blocks have left by then
        with pytest.raises(Exception, match="division"):
            runner.run(wave(250))
    made = runner.run(wave(3))
    assert sum(block.size for block in made.blocks) == 3
    assert made.tally[Counted("", "read")] == 4
