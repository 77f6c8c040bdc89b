"""Messages that were kept are known when they come again; those of a wave that died are known as such."""

from __future__ import annotations

import pytest

from edx2lrs.io.state import messages
from edx2lrs.io.state.errors import StaleWave
from edx2lrs.io.state.messages import MessageKey, SeenMessage, StreamPart
from edx2lrs.io.state.waves import KeptWave
from edx2lrs.transforms.counters import Counted


def keys(*ids):
    return [MessageKey(id_) for id_ in ids]


def kept(source, ids, before=None, position=None):
    return KeptWave(StreamPart(source, keys(*ids), 1_000.0, before, position), [], [], {Counted("", "read"): len(ids)})


def test_a_message_that_was_kept_is_known(state):
    state.messages.begin("a", keys("1", "2"))
    state.keep_wave(kept("a", ["1", "2"]))
    seen = state.messages.seen("a", keys("1", "2", "3"))
    assert {key.id for key, message in seen.items() if message.kept} == {"1", "2"}
    assert state.messages.seen("b", keys("1")) == {}


def test_a_wave_with_a_message_that_was_kept_is_not_kept(state):
    state.messages.begin("a", keys("1"))
    state.keep_wave(kept("a", ["1"]))
    state.messages.begin("a", keys("1", "2"))
    with pytest.raises(StaleWave):
        state.keep_wave(kept("a", ["1", "2"]))
    state.messages.forget("a", keys("1", "2"))
    assert {key.id: message.kept for key, message in state.messages.seen("a", keys("1", "2")).items()} == {"1": True}
    assert state.ledger.totals()[Counted("", "read")] == 1


def test_waves_that_began_and_were_not_kept_are_counted_by_their_size(state):
    state.messages.begin("a", keys("1", "2"))
    state.messages.begin("a", keys("1"))
    state.messages.begin("a", keys("1"))
    assert state.messages.seen("a", keys("1", "2")) == {
        MessageKey("1"): SeenMessage(False, 2, 1),
        MessageKey("2"): SeenMessage(False, 1, 2),
    }


def test_what_can_be_no_record_is_known_by_its_position_and_is_no_message_of_that_id(state):
    both = [MessageKey("1"), MessageKey("1", failed=True)]
    state.messages.begin("a", both)
    state.messages.forget("a", both[:1])
    assert list(state.messages.seen("a", both)) == both[1:]


def test_a_position_moves_only_from_where_it_is(state):
    assert state.messages.position("a") is None
    state.keep_wave(kept("a", [], None, "one"))
    state.keep_wave(kept("a", [], "one", "two"))
    with pytest.raises(StaleWave):
        state.keep_wave(kept("a", [], "one", "three"))
    assert state.messages.position("a") == "two"


def test_many_ids_are_looked_up_at_once(state):
    ids = [str(number) for number in range(1_800)]
    state.messages.begin("a", keys(*ids))
    state.keep_wave(kept("a", ids))
    assert len(state.messages.seen("a", keys(*ids))) == 1_800


def test_the_memory_is_bounded_by_count(state, monkeypatch):
    monkeypatch.setattr(messages, "REMEMBERED", 20)
    for first in range(0, 100, 10):
        ids = [str(number) for number in range(first, first + 10)]
        state.messages.begin("a", keys(*ids))
        state.keep_wave(kept("a", ids))
    assert sorted(int(key.id) for key in state.messages.seen("a", keys(*map(str, range(100))))) == list(range(80, 100))


def test_what_is_old_is_forgotten_only_after_the_job_has_run_for_long(state, monkeypatch):
    now = messages.time.time()
    state.messages.begin("a", keys("1"))
    state.keep_wave(kept("a", ["1"]))
    monkeypatch.setattr(messages.time, "time", lambda: now + 86_400)
    state.ledger.begin_run("test", ["one", "two"], "job")  # after a day in which nothing ran
    monkeypatch.setattr(messages.time, "time", lambda: now + 86_400 + 60)
    state.keep_wave(kept("a", []))
    assert state.messages.seen("a", keys("1"))
    monkeypatch.setattr(messages.time, "time", lambda: now + 86_400 + 3_600)
    state.keep_wave(kept("a", []))
    assert not state.messages.seen("a", keys("1"))


def test_a_state_that_has_read_messages_names_a_consumer_that_is_new_to_it(open_at):
    state = open_at()
    state.ledger.begin_run("test", ["one"], "job")
    state.messages.begin("a", keys("1"))
    state.keep_wave(kept("a", ["1"]))
    assert state.ledger.new_consumers(["one", "two"]) == ["two"]
