"""The steps of the graph, one by one: what each gives as ``good``, as ``failures`` and as ``tallies``.

Every test pipes one chunk through one step, with Beam's ``TestPipeline``."""

from __future__ import annotations

import json
import uuid
from collections import Counter
from typing import Any

import apache_beam as beam
import msgspec
import pytest
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.testing import util
from apache_beam.testing.test_pipeline import TestPipeline as Pipeline
from hamcrest import assert_that, contains_exactly, contains_inanyorder, empty, equal_to, has_length, has_properties
from hamcrest.core.base_matcher import BaseMatcher
from hamcrest.core.description import Description

from edx2lrs.io.sources.position import Position
from edx2lrs.pipeline.compiled_config import JobSpec, compiled_config
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
from edx2lrs.transforms.packing.blocks import STATEMENTS_IN_A_BLOCK, Block, Origin, unpack_bodies, unpack_origin_lines
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
    return Record(Position("log", at), json.dumps(record(name, event, **top)).encode())


def parsed(read: Record) -> Parsed:
    event = parse(read.body)
    assert isinstance(event, Event)
    return Parsed(read, event)


def matched(read: Record, *consumers: int) -> Matched:
    return Matched(read, parsed(read).event, consumers)


def crash(_: Any) -> Any:
    raise RuntimeError("with data of the record")


def crashed(stage: str, at: str = "log:1") -> Any:
    """The dead letter of a record that a step could not bear; nothing of the record is in its message."""
    message = "unexpected RuntimeError in this step; please report it (with a made-up record)"
    return has_properties(stage=stage, cause="crash", message=message, position=at)


# ParseRecords: a record becomes an event in normal form


def test_parse_gives_the_event_beside_its_record() -> None:
    good = contains_exactly(has_properties(record=has_properties(position="log:7"), event=has_properties(name="play_video", user_id=5)))
    through(ParseRecords(), line(at=7), good=good, tallies={})


def test_parse_makes_a_dead_letter_of_each_record_that_is_no_event() -> None:
    no_json = Record(Position("log", 1), b"no event", attributes={"key": "7"})
    no_time = line(at=2, time=None)
    failures = contains_inanyorder(
        has_properties(stage="parse", cause="not_json", payload=b"no event", position="log:1", consumer=None, attributes={"key": "7"}),
        has_properties(stage="parse", cause="no_time", payload=no_time.body, position="log:2", payload_kind="record"),
    )
    tallies = {Counted("", "dead", "not_json"): 1, Counted("", "dead", "no_time"): 1}
    through(ParseRecords(), no_json, no_time, line(at=3), good=has_length(1), failures=failures, tallies=tallies)


def test_parse_counts_an_event_that_is_named_by_its_event_type() -> None:
    unnamed = line(name="", event_type="play_video")
    good = contains_exactly(has_properties(event=has_properties(name="play_video")))
    through(ParseRecords(), unnamed, good=good, tallies={Counted("", "named_by_event_type"): 1})


# FilterEvents: what no consumer could want goes no further


def test_filter_counts_what_it_leaves_out_by_the_reason(job: JobSpec) -> None:
    since = job._replace(window=TimeWindow(since=moment("2023-01-01")))
    items = [line(), line("pause_video", at=2), line("nobody.knows.it", at=3), line(at=4, time="2022-12-31T23:59:59Z")]
    tallies = {Counted("", "filtered", reason): 1 for reason in ("blocked", "unknown_event", "outside_time")}
    good = contains_exactly(has_properties(record=has_properties(position="log:1")))
    through(FilterEvents(since), *map(parsed, items), good=good, tallies=tallies)


def test_filter_lets_nothing_through_that_crashes_it(job: JobSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled_config(job), "filter_event", crash)
    failures = contains_exactly(crashed("filter"))
    through(FilterEvents(job), parsed(line()), good=empty(), failures=failures, tallies={Counted("", "dead", "crash"): 1})


# MatchConsumers: who is entitled to an event and asked for it


def test_match_gives_the_indexes_of_the_consumers_and_counts_for_each(job: JobSpec) -> None:
    stranger = line(at=3, context={"course_id": "course-v1:MITx+C1+2026", "org_id": "MITx"})
    items = [line(), line("edx.course.enrollment.activated", at=2), stranger]
    good = contains_inanyorder(
        has_properties(record=has_properties(position="log:1"), consumers=(CAMPUS, WAREHOUSE, VIDEOS)),
        has_properties(record=has_properties(position="log:2"), consumers=(CAMPUS, WAREHOUSE)),
    )
    by_name = {Counted("campus", "matched"): 2, Counted("warehouse", "matched"): 2, Counted("videos", "matched"): 1}
    tallies = {Counted("", "matched"): 2, Counted("", "filtered", "no_consumer"): 1, **by_name}
    through(MatchConsumers(job), *map(parsed, items), good=good, tallies=tallies)


def test_match_gives_a_record_that_is_for_one_consumer_to_no_other(job: JobSpec) -> None:
    again = parsed(msgspec.structs.replace(line(), only="videos"))
    tallies = {Counted("", "matched"): 1, Counted("videos", "matched"): 1}
    through(MatchConsumers(job), again, good=contains_exactly(has_properties(consumers=(VIDEOS,))), tallies=tallies)


def test_match_gives_what_crashes_it_to_nobody(job: JobSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled_config(job), "match", crash)
    failures = contains_exactly(crashed("match"))
    through(MatchConsumers(job), parsed(line()), good=empty(), failures=failures, tallies={Counted("", "dead", "crash"): 1})


# Translate: an event becomes statements, once for all consumers that want the same ones


def test_translate_makes_statements_once_for_consumers_that_share_them(job: JobSpec) -> None:
    play = line()
    common = {"event_hash": event_hash(parsed(play).event), "origin": Origin("log:1", "play_video"), "statements": has_length(1)}
    good = contains_inanyorder(
        has_properties(consumers=(CAMPUS, VIDEOS), **common), has_properties(consumers=(WAREHOUSE,), **common)
    )
    tallies = {Counted(name, "translated"): 1 for name in ("campus", "warehouse", "videos")}
    through(Translate(job), matched(play, CAMPUS, WAREHOUSE, VIDEOS), good=good, tallies=tallies)


def test_translate_refuses_for_each_consumer_that_would_have_got_the_statements(job: JobSpec) -> None:
    wrong = line(event={"currentTime": 1.5})
    failures = contains_inanyorder(
        *(
            has_properties(stage="translate", cause="missing", consumer=name, payload=wrong.body, position="log:1")
            for name in ("campus", "warehouse", "videos")
        )
    )
    tallies = {Counted(name, "dead_records", "missing"): 1 for name in ("campus", "warehouse", "videos")}
    through(Translate(job), matched(wrong, CAMPUS, WAREHOUSE, VIDEOS), good=empty(), failures=failures, tallies=tallies)


def test_translate_skips_what_a_protocol_has_no_mapping_for(job: JobSpec) -> None:
    menu = line("edx.video.language_menu.shown", {"id": "b42"})
    good = contains_exactly(has_properties(consumers=(WAREHOUSE,)))
    tallies = {Counted("campus", "skipped"): 1, Counted("warehouse", "translated"): 1}
    through(Translate(job), matched(menu, CAMPUS, WAREHOUSE), good=good, tallies=tallies)


# PackBlocks: statements in blocks of one consumer each


def statements_for(*consumers: int, count: int = 1, first: int = 0) -> StatementsFor:
    made = [Statement(str(uuid.UUID(int=first + number)), b'{"number":%d}' % (first + number)) for number in range(count)]
    return StatementsFor(consumers, made, b"eventhsh", Origin("log:1", "play_video"))


class holding(BaseMatcher[Block]):  # noqa: N801 - a matcher is read as a function
    """A block with these ids, bodies and origins."""

    def __init__(self, ids: bytes, bodies: list[bytes], origins: list[Origin]) -> None:
        self._expected = (ids, bodies, origins)

    def _matches(self, item: Block) -> bool:
        origins = [Origin.of_line(each) for each in unpack_origin_lines(item.origins)]
        return (item.ids, unpack_bodies(item.bodies), origins) == self._expected

    def describe_to(self, description: Description) -> None:
        description.append_text(f"a block with {self._expected}")


def test_pack_gives_each_consumer_a_block_of_its_own(job: JobSpec) -> None:
    both, one = statements_for(CAMPUS, WAREHOUSE), statements_for(CAMPUS, first=1)
    good = contains_inanyorder(has_properties(consumer="campus", size=2), has_properties(consumer="warehouse", size=1))
    through(PackBlocks(job), both, one, good=good, tallies={})


def test_pack_keeps_the_statements_with_their_ids_and_where_they_came_from(job: JobSpec) -> None:
    ids = uuid.UUID(int=0).bytes + uuid.UUID(int=1).bytes
    good = contains_exactly(holding(ids, [b'{"number":0}', b'{"number":1}'], [Origin("log:1", "play_video")] * 2))
    through(PackBlocks(job), statements_for(VIDEOS, count=2), good=good, tallies={})


def test_pack_closes_a_block_that_is_full(job: JobSpec) -> None:
    full, rest = statements_for(CAMPUS, count=STATEMENTS_IN_A_BLOCK), statements_for(CAMPUS, first=STATEMENTS_IN_A_BLOCK)
    good = contains_inanyorder(has_properties(size=STATEMENTS_IN_A_BLOCK), has_properties(size=1))
    through(PackBlocks(job), full, rest, good=good, tallies={})


def test_pack_keeps_shards_apart_where_each_shard_has_a_state_of_its_own(job: JobSpec) -> None:
    many = statements_for(CAMPUS, count=40)
    of_shards = Counter(shard_of(uuid.UUID(each.id).bytes, compiled_config(job).shards[CAMPUS]) for each in many.statements)
    assert len(of_shards) > 1
    good = contains_inanyorder(*(has_properties(consumer="campus", size=size) for size in of_shards.values()))
    through(PackBlocks(job, sharded=True), many, good=good, tallies={})
