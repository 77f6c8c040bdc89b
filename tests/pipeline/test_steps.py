"""The steps of the graph, one by one: what each gives as ``good``, as ``failures`` and as ``tallies``.

A chunk with a record of each kind goes through one step, with Beam's ``TestPipeline``."""

from __future__ import annotations

import json
import uuid
from collections import Counter
from types import SimpleNamespace
from typing import Any

import apache_beam as beam
import msgspec
import pytest
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.testing import util
from apache_beam.testing.test_pipeline import TestPipeline as Pipeline
from hamcrest import assert_that, contains_exactly, contains_inanyorder, empty, equal_to, has_length, has_properties

from edx2lrs.pipeline.compiled_config import JobSpec, current_config
from edx2lrs.pipeline.records import Record
from edx2lrs.pipeline.steps import (
    Chunk,
    FilterEvents,
    MatchConsumers,
    Matched,
    PackBlocks,
    Parsed,
    ParseRecords,
    StatementsFor,
    Translate,
    step,
)
from edx2lrs.transforms.counters import Counted
from edx2lrs.transforms.event import Event, event_hash
from edx2lrs.transforms.mapping.statement import Statement
from edx2lrs.transforms.matching.time_window import TimeWindow, moment
from edx2lrs.transforms.packing.blocks import BYTES_IN_A_BLOCK, STATEMENTS_IN_A_BLOCK, origin_line, pack_lines
from edx2lrs.transforms.packing.shards import shard_of
from edx2lrs.transforms.records.parse import parse
from testkit.configurations import consumer, yaml_of
from testkit.tracking_records import record

CAMPUS, WAREHOUSE, VIDEOS = 0, 1, 2
CONFIG = yaml_of(
    consumer("campus", access={"orgs": {"allow": ["edX"]}}),
    consumer("warehouse", "caliper", access={"orgs": {"allow": ["edX"]}}),
    consumer("videos", access={"orgs": {"allow": ["edX"]}}, match_params={"name": "play_video"}),
    events={"block": ["pause_video"]},
)
VIDEO = {"id": "b42", "currentTime": 1.5, "duration": 60}
NONE = empty()
ORIGIN = origin_line("log:1", "play_video")
OUTPUTS = ("good", "failures", "tallies")


@pytest.fixture
def job(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> JobSpec:
    """``campus`` and ``warehouse`` get every event of edX, ``videos`` the plays alone; nobody gets a pause."""
    for name in ("EDX2LRS_ID_KEY", "SANDBOX_USER", "SANDBOX_PASSWORD", "SANDBOX_TOKEN"):
        monkeypatch.setenv(name, "a secret of the tests")
    (tmp_path / "c.yaml").write_text(CONFIG, encoding="utf-8")
    return JobSpec(str(tmp_path / "c.yaml"))


def through(do_fn: beam.DoFn, *items: Any, good: Any, tallies: dict[Counted, int], failures: Any = NONE) -> None:
    """One chunk of ``items`` through the step. ``good`` and ``failures`` match lists, of items (``PackBlocks`` gives blocks) and of
    failures; ``tallies`` are the counts that are not zero."""

    def flat(outputs: list[Any]) -> list[Any]:
        return [item for output in outputs for item in (output if isinstance(output, Chunk) else [output])]

    def counts(outputs: list[Any]) -> dict[Counted, int]:
        total: Counter[Counted] = Counter()
        for tally in outputs:
            total.update(tally)
        return {counted: number for counted, number in total.items() if number}

    def check(outputs: list[tuple[str, Any]]) -> None:
        by_name: dict[str, list[Any]] = {name: [each for of, each in outputs if of == name] for name in OUTPUTS}
        assert_that(flat(by_name["good"]), good)
        assert_that(by_name["failures"], failures)
        assert_that(counts(by_name["tallies"]), equal_to(tallies))

    with Pipeline(runner=FnApiRunner()) as pipeline:
        made = pipeline | beam.Create([Chunk(items)]) | "Step" >> step(do_fn)
        named = [made[name] | name >> beam.Map(beside, name) for name in OUTPUTS]
        util.assert_that(named | beam.Flatten(), check)


def beside(output: Any, name: str) -> tuple[str, Any]:
    return name, output


def line(name: str = "play_video", event: Any = VIDEO, at: int = 1, **top: Any) -> Record:
    """A record of ``name`` at line ``at`` of a log."""
    return Record("log", at, None, json.dumps(record(name, event, **top)).encode())


def parsed(read: Record) -> Parsed:
    event = parse(read.body)
    assert isinstance(event, Event)
    return Parsed(read, event)


def matched(read: Record, *consumers: int) -> Matched:
    return Matched(read, parsed(read).event, consumers)


def test_parse_makes_events_in_normal_form_and_dead_letters(job: JobSpec) -> None:
    no_json = Record("log", 3, None, b"no event", attributes={"key": "7"})
    no_time = line(at=4, time=None)
    good = contains_exactly(
        has_properties(record=has_properties(position="log:1"), event=has_properties(name="play_video", user_id=5)),
        has_properties(record=has_properties(position="log:2"), event=has_properties(name="play_video")),
    )
    failures = contains_inanyorder(
        has_properties(stage="parse", cause="not_json", payload=b"no event", position="log:3", consumer=None, attributes={"key": "7"}),
        has_properties(stage="parse", cause="no_time", payload=no_time.body, position="log:4", payload_kind="record"),
    )
    tallies = {Counted("", "dead", "not_json"): 1, Counted("", "dead", "no_time"): 1, Counted("", "named_by_event_type"): 1}
    named_by_type = line(name="", event_type="play_video", at=2)
    through(ParseRecords(job), line(), named_by_type, no_json, no_time, good=good, failures=failures, tallies=tallies)


def test_parse_makes_a_record_of_each_event_of_a_line(job: JobSpec) -> None:
    first, second, half = line().body, line("pause_video").body, line().body[:50]
    good = contains_exactly(
        has_properties(record=has_properties(position="log:7", body=first), event=has_properties(name="play_video")),
        has_properties(record=has_properties(position="log:7", body=second), event=has_properties(name="pause_video")),
    )
    failures = contains_exactly(has_properties(cause="not_json", position="log:7", payload=half))
    tallies = {Counted("", "read"): 2, Counted("", "dead", "not_json"): 1}  # the line itself was counted when it was read
    through(ParseRecords(job), Record("log", 7, None, first + second + half), good=good, failures=failures, tallies=tallies)


def test_filter_counts_what_no_consumer_could_want_by_the_reason(job: JobSpec) -> None:
    since = job._replace(window=TimeWindow(since=moment("2023-01-01")))
    early, late = "2022-12-31T23:59:59Z", {"received_at": "2023-01-02T00:00:00+00:00"}
    unknown = [line("nobody.knows.it", at=3), line("write to bob@example.com", at=6)]
    items = [line(), line("pause_video", at=2), *unknown, line(at=4, time=early)]
    items.append(line(at=5, time=early, context=late))
    tallies = {Counted("", "filtered", reason): 1 for reason in ("blocked", "outside_time")}
    tallies |= {Counted("", "unknown_names", name): 1 for name in ("nobody.knows.it", "other")}
    tallies[Counted("", "filtered", "unknown_event")] = 2
    good = contains_exactly(*(has_properties(record=has_properties(position=position)) for position in ("log:1", "log:5")))
    through(FilterEvents(since), *map(parsed, items), good=good, tallies=tallies)


def test_match_gives_the_indexes_of_the_consumers_and_counts_for_each(job: JobSpec) -> None:
    stranger = line(at=3, context={"course_id": "course-v1:MITx+C1+2026", "org_id": "MITx"})
    again = msgspec.structs.replace(line(at=4), only="videos")  # a dead letter that is for one consumer
    items = [line(), line("edx.course.enrollment.activated", at=2), stranger, again]
    good = contains_inanyorder(
        has_properties(record=has_properties(position="log:1"), consumers=(CAMPUS, WAREHOUSE, VIDEOS)),
        has_properties(record=has_properties(position="log:2"), consumers=(CAMPUS, WAREHOUSE)),
        has_properties(record=has_properties(position="log:4"), consumers=(VIDEOS,)),
    )
    by_name = {Counted("campus", "matched"): 2, Counted("warehouse", "matched"): 2, Counted("videos", "matched"): 2}
    left = {Counted(name, "filtered", "not_entitled"): 1 for name in ("campus", "warehouse", "videos")}
    left[Counted("videos", "filtered", "not_wanted")] = 1
    tallies = {Counted("", "matched"): 3, Counted("", "filtered", "no_consumer"): 1, **by_name, **left}
    through(MatchConsumers(job), *map(parsed, items), good=good, tallies=tallies)


def test_translate_makes_statements_once_for_consumers_that_share_them_and_refuses_for_each(job: JobSpec) -> None:
    play, wrong = line(), line(event={"currentTime": 1.5}, at=2)
    menu = line("edx.video.language_menu.shown", {"id": "b42"}, at=3)  # xAPI has no mapping for it
    common = {"event_hash": event_hash(parsed(play).event), "origin_line": ORIGIN, "statements": has_length(1)}
    good = contains_inanyorder(
        has_properties(consumers=(CAMPUS, VIDEOS), **common),
        has_properties(consumers=(WAREHOUSE,), **common),
        has_properties(consumers=(WAREHOUSE,), origin_line=origin_line("log:3", "edx.video.language_menu.shown")),
    )
    refused = {"stage": "translate", "cause": "missing", "payload": wrong.body, "position": "log:2"}
    failures = contains_inanyorder(*(has_properties(consumer=name, **refused) for name in ("campus", "warehouse", "videos")))
    tallies = {
        **{Counted(name, "translated"): number for name, number in (("campus", 1), ("warehouse", 2), ("videos", 1))},
        **{Counted(name, "dead_records", "missing"): 1 for name in ("campus", "warehouse", "videos")},
        Counted("campus", "skipped"): 1,
    }
    everybody = (CAMPUS, WAREHOUSE, VIDEOS)
    items = [matched(play, *everybody), matched(wrong, *everybody), matched(menu, CAMPUS, WAREHOUSE)]
    through(Translate(job), *items, good=good, failures=failures, tallies=tallies)


def test_pack_gives_blocks_of_one_consumer_each_and_closes_a_full_one(job: JobSpec) -> None:
    full = statements_for(CAMPUS, count=STATEMENTS_IN_A_BLOCK)
    last = statements_for(CAMPUS, WAREHOUSE, first=STATEMENTS_IN_A_BLOCK)
    id_, body = uuid.UUID(int=STATEMENTS_IN_A_BLOCK).bytes, b'{"number":%d}' % STATEMENTS_IN_A_BLOCK
    whole = {"size": 1, "ids": id_, "bodies": pack_lines(body), "origins": pack_lines(ORIGIN.encode())}
    good = contains_inanyorder(
        has_properties(consumer="campus", size=STATEMENTS_IN_A_BLOCK),
        has_properties(consumer="campus", **whole),
        has_properties(consumer="warehouse", **whole),
    )
    through(PackBlocks(job), full, last, good=good, tallies={})


@pytest.mark.parametrize(
    ("sizes", "blocks"),
    [
        ([50] * 250, [100, 100, 50]),
        ([BYTES_IN_A_BLOCK * 2, 50, BYTES_IN_A_BLOCK - 10, 50], [1, 1, 1, 1]),
        ([BYTES_IN_A_BLOCK // 2] * 5, [2, 2, 1]),
    ],
)
def test_one_record_with_many_or_long_statements_fills_several_blocks(job: JobSpec, sizes: list[int], blocks: list[int]) -> None:
    made = [Statement(str(uuid.UUID(int=number)), b"x" * size) for number, size in enumerate(sizes)]
    good = contains_exactly(*(has_properties(consumer="campus", size=size) for size in blocks))
    through(PackBlocks(job), StatementsFor((CAMPUS,), made, b"12345678", "log:1"), good=good, tallies={})


def test_pack_keeps_shards_apart_where_each_shard_has_a_state_of_its_own(job: JobSpec) -> None:
    many = statements_for(CAMPUS, count=40)
    of_shards = Counter(shard_of(uuid.UUID(each.id).bytes, current_config(job).compiled.shards[CAMPUS]) for each in many.statements)
    assert len(of_shards) > 1
    good = contains_inanyorder(*(has_properties(consumer="campus", size=size) for size in of_shards.values()))
    through(PackBlocks(job, sharded=True), many, good=good, tallies={})


def statements_for(*consumers: int, count: int = 1, first: int = 0) -> StatementsFor:
    made = [Statement(str(uuid.UUID(int=first + number)), b'{"number":%d}' % (first + number)) for number in range(count)]
    return StatementsFor(consumers, made, b"eventhsh", ORIGIN)


@pytest.mark.parametrize("step_type", [FilterEvents, MatchConsumers])
def test_what_crashes_a_filter_or_a_rule_goes_to_nobody(step_type: Any) -> None:
    """The record is a dead letter, and nothing of the record is in its message."""

    def crash(_: Event) -> Any:
        raise RuntimeError("with data of the record")

    do_fn = step_type(JobSpec("c.yaml"))
    do_fn.compiled = SimpleNamespace(filter_event=crash, match=SimpleNamespace(decide=crash), names=("c",))
    do_fn.start_bundle()
    (output,) = do_fn.process(Chunk([parsed(line())]))
    message = "unexpected RuntimeError in this step; please report it (with a made-up record)"
    assert_that(output.value, has_properties(stage=do_fn.stage, cause="crash", message=message, position="log:1"))
    assert {key: number for key, number in do_fn.tally.items() if number} == {Counted("", "dead", "crash"): 1}
