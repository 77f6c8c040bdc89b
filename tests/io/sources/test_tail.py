"""A growing log, rotated in every way, while it is read and while nobody reads."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import re
import shutil

import pytest

from edx2lrs.io.sources import tail
from edx2lrs.io.sources.source import SourceError
from edx2lrs.io.sources.tail import Tail


class Log:
    """A log that somebody writes; its lines are numbers."""

    def __init__(self, folder):
        self.path = folder / "tracking.log"
        self.written = 0

    def write(self, lines=1, end="\n"):
        with open(self.path, "a", encoding="utf-8") as file:
            for _ in range(lines):
                self.written += 1
                file.write(f'{{"n": {self.written}}}{end}')

    def rename(self, name):
        part = self.path.with_name(name)
        self.path.rename(part)
        return part

    def copy_and_truncate(self, name):
        part = self.path.with_name(name)
        shutil.copyfile(self.path, part)
        os.truncate(self.path, 0)
        return part


def pack(part):
    packed = part.with_name(f"{part.name}.gz")
    with gzip.open(packed, "wb") as file:
        file.write(part.read_bytes())
    status = part.stat()
    os.utime(packed, ns=(status.st_atime_ns, status.st_mtime_ns))  # as gzip does
    part.unlink()
    return packed


class Reader:
    """The log's reader, which can be ended and started again from the position that was kept last."""

    def __init__(self, path):
        self.path = path
        self.position = None
        self.numbers = []
        self.ids = []
        self.positions = []
        self.failures = []
        self.source = None

    def start(self, linger=0.0):
        self.source = Tail(str(self.path), self.position, linger)
        return self

    def end(self):
        self.source.close()

    def read(self, keep=True, most=1_000):
        """Until nothing more comes; what is read is kept, or as good as lost in a kill."""
        before = self.position
        while True:
            polled = self.source.poll(most, 0.0)
            if not polled.messages and not polled.failures:
                break
            self.position = str(polled.cursor)
            if keep:
                self.numbers += [int(message.body[6:-1]) for message in polled.messages]
                self.ids += [message.id for message in polled.messages]
                self.positions += [str(message.position) for message in polled.messages]
                self.failures += polled.failures
        if not keep:
            self.position = before
        return self

    def has_read(self, count):
        return self.numbers == list(range(1, count + 1)) and len(set(self.ids)) == count


@pytest.fixture
def log(tmp_path):
    return Log(tmp_path)


@pytest.fixture
def reader(log):
    started = Reader(log.path)
    yield started
    started.end()


def test_a_log_that_does_not_exist_yet_is_waited_for(log, reader):
    reader.start().read()
    log.write(2)
    assert reader.read().has_read(2)


def test_records_are_named_by_file_and_line_and_blank_lines_are_none(log, reader):
    log.path.write_text('\n{"n": 1}\r\n\n   \n{"n": 2}\n')
    reader.start().read()
    assert reader.numbers == [1, 2]
    assert reader.positions == [f"{log.path}:2", f"{log.path}:5"]


def test_a_half_written_line_waits_for_its_end(log, reader):
    log.write(1)
    log.write(1, end="")
    assert reader.start().read().has_read(1)
    with open(log.path, "a") as file:
        file.write("\n")
    assert reader.read().has_read(2)


def test_it_goes_on_where_it_was_kept_and_reads_again_what_was_not(log, reader):
    log.write(3)
    reader.start().read()
    log.write(3)
    reader.read(keep=False)
    reader.end()
    log.write(1)
    reader.start()
    assert reader.read().has_read(7)


def test_a_poll_gives_no_more_than_it_was_asked_for(log, reader):
    log.write(10)
    reader.start()
    sizes = [len(reader.source.poll(4, 0.0).messages) for _ in range(4)]
    assert sizes == [4, 4, 2, 0]


@pytest.mark.parametrize("most", [2, 1_000])
def test_rotation_by_rename_while_it_is_read(log, reader, most):
    log.write(3)
    reader.start(linger=60).read(most=most)
    log.write(2)
    log.rename("tracking.log.1")
    log.write(2)
    assert reader.read(most=most).has_read(7)


def test_what_a_slow_process_still_writes_to_the_rotated_log_is_read(log, reader):
    log.write(1)
    with open(log.path, "a") as slow:
        reader.start(linger=60).read()
        log.rename("tracking.log-20261121")
        log.write(1)
        reader.read()
        slow.write('{"n": 3}\n')
        slow.flush()
        assert reader.read().has_read(3)


def test_the_unfinished_last_line_of_a_rotated_log_is_read_when_nobody_finishes_it(log, reader):
    log.write(1)
    log.write(1, end="")
    reader.start().read()
    log.rename("tracking.log.1")
    log.write(1)
    assert sorted(reader.read().numbers) == [1, 2, 3]


def test_rotation_by_copytruncate_while_it_is_read(log, reader):
    log.write(3)
    reader.start().read()
    log.write(2)
    log.copy_and_truncate("tracking.log.1")
    log.write(1)
    assert reader.read().has_read(6)


def test_a_truncated_log_that_has_grown_beyond_the_old_place(log, reader):
    log.write(3)
    reader.start().read()
    log.write(2)
    log.copy_and_truncate("tracking.log.1")
    log.write(20)
    assert reader.read().has_read(25)


def test_a_log_cut_off_without_a_copy_is_told(log, reader, caplog):
    log.write(3)
    reader.start().read()
    os.truncate(log.path, 0)
    log.write(1)
    assert reader.read().has_read(4)
    assert "was cut off" in caplog.text


def test_a_hole_before_what_is_written_to_a_truncated_log_is_no_record(log, reader):
    with open(log.path, "w") as writer:  # not for appending: it goes on at its own place
        writer.write('{"n": 1}\n')
        writer.flush()
        reader.start().read()
        log.copy_and_truncate("tracking.log.1")
        writer.write('{"n": 2}\n')
        writer.flush()
        assert reader.read().has_read(2)


ROTATIONS = {
    "renamed": lambda log, name: log.rename(name),
    "copied": lambda log, name: log.copy_and_truncate(name),
    "renamed and packed": lambda log, name: pack(log.rename(name)),
    "copied and packed": lambda log, name: pack(log.copy_and_truncate(name)),
}


@pytest.mark.parametrize("rotate", ROTATIONS.values(), ids=ROTATIONS.keys())
@pytest.mark.parametrize("read_before", [0, 3], ids=["nothing new was read", "some was read"])
def test_rotated_once_while_nobody_reads(log, reader, rotate, read_before):
    log.write(2)
    reader.start().read()
    log.write(read_before)
    reader.read()
    reader.end()
    log.write(2)
    rotate(log, "tracking.log.1")
    log.write(2)
    assert reader.start().read().has_read(log.written)


@pytest.mark.parametrize("rotate", ROTATIONS.values(), ids=ROTATIONS.keys())
def test_rotated_three_times_while_nobody_reads(log, reader, rotate):
    log.write(3)
    reader.start().read()
    reader.end()
    for day in (1, 2, 3):
        log.write(2)
        rotate(log, f"tracking.log-2026112{day}")
    log.write(2)
    assert reader.start().read().has_read(11)


def test_older_parts_are_not_read_when_the_log_is_read_for_the_first_time(log, reader):
    log.write(2)
    pack(log.rename("tracking.log.2"))
    log.write(2)
    log.rename("tracking.log.1")
    log.write(2)
    reader.start().read()
    assert reader.numbers == [5, 6]
    log.rename("tracking.log-20261121")
    log.write(1)
    reader.read()
    assert reader.numbers == [5, 6, 7]


@pytest.mark.parametrize("rotate", ROTATIONS.values(), ids=ROTATIONS.keys())
@pytest.mark.parametrize("read_before", [0, 2])
def test_rotated_twice_between_two_looks_while_the_log_was_empty(log, reader, rotate, read_before):
    log.write(read_before)
    log.path.touch()
    reader.start().read()
    if read_before:
        log.copy_and_truncate("tracking.log-001")
        reader.read()
    for number in (2, 3):
        log.write(2)
        rotate(log, f"tracking.log-00{number}")
    log.write(2)
    reader.read()
    assert reader.has_read(log.written)


@pytest.mark.parametrize("is_running", [True, False])
@pytest.mark.parametrize("is_packed", [True, False])
def test_copied_and_then_renamed_before_the_next_look(log, reader, is_packed, is_running):
    """The renamed part is the file that what was copied lay in."""
    log.write(2)
    reader.start().read()
    if not is_running:
        reader.end()
    log.write(1)
    copy = log.copy_and_truncate("tracking.log-001")
    if is_packed:
        pack(copy)
    log.write(2)
    log.rename("tracking.log-002")
    log.write(1)
    if not is_running:
        reader.start()
    reader.read()
    assert reader.has_read(6)


def test_an_empty_log_that_is_truncated_brings_no_older_parts_back(log, reader):
    log.write(2)
    log.rename("tracking.log.1")
    log.path.touch()
    reader.start().read()
    log.rename("tracking.log-20261121")
    log.write(1)
    reader.read()
    assert reader.numbers == [3]


def test_a_position_in_two_logs_survives_a_restart(log, reader):
    log.write(2)
    with open(log.path, "a") as slow:
        reader.start(linger=60).read()
        log.rename("tracking.log.1")
        log.write(1)
        reader.read()
        reader.end()
        slow.write('{"n": 4}\n')
        slow.flush()
    reader.start(linger=60).read()
    assert reader.numbers == [1, 2, 3, 4]


def test_a_rotated_log_that_is_gone_is_told_and_the_new_one_is_read(log, reader, caplog):
    log.write(2)
    reader.start().read()
    reader.end()
    log.write(1)
    log.rename("tracking.log.1").unlink()
    log.write(1)
    reader.start().read()
    assert reader.numbers == [1, 2, 4]
    assert "was rotated away" in caplog.text
    assert "after line 2" in caplog.text


@pytest.mark.parametrize("exists", [True, False], ids=["a log with something in it", "no log yet"])
def test_rotated_after_a_start_at_which_nothing_was_read(log, reader, exists):
    log.write(1)
    pack(log.rename("tracking.log.1"))
    log.write(2 if exists else 0)
    if not exists:
        log.path.unlink()
    reader.start()
    reader.position = str(reader.source.resume_point())
    reader.end()
    log.write(2)
    log.rename("tracking.log-20261121")
    log.write(1)
    reader.start().read()
    assert reader.numbers == list(range(2, log.written + 1))


def test_other_files_of_the_folder_are_no_parts(log, reader):
    log.write(1)
    reader.start().read()
    reader.end()
    for name in ("tracking.log.bak", "tracking_other.log", "nginx.log.1", "tracking.log.1.tmp"):
        log.path.with_name(name).write_text('{"n": 99}\n')
    log.rename("tracking-20261121.log")
    log.write(1)
    reader.start().read()
    assert reader.numbers == [1, 2]


def test_a_line_that_is_too_long_is_a_failure_and_the_next_is_read(log, reader):
    log.write(1)
    with open(log.path, "a") as file:
        file.write("x" * 5_000_000 + "\n")
    log.write(1)
    reader.start().read()
    assert reader.numbers == [1, 2]
    assert [(failure.cause, failure.position) for failure in reader.failures] == [("line_too_long", f"{log.path}:2")]


def test_a_line_that_is_too_long_and_not_finished_is_waited_for(log, reader):
    with open(log.path, "a") as file:
        file.write("x" * 5_000_000)
    reader.start().read()
    assert reader.failures == []
    with open(log.path, "a") as file:
        file.write("\n")
    log.write(1)
    assert reader.read().has_read(1)
    assert len(reader.failures) == 1


def test_a_log_that_cannot_be_read_is_a_fault_of_the_source(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SourceError, match=r"tail:.*file/tracking\.log.* cannot be read"):
        Tail(str(tmp_path / "file" / "tracking.log")).poll(1, 0.0)


def alike(log, lines=1):
    """Lines of which the first 1,100 bytes are the same."""
    with open(log.path, "a") as file:
        for _ in range(lines):
            log.written += 1
            pad = 0 if log.path.stat().st_size else "x" * 1_100
            file.write(json.dumps({"pad": pad, "n": log.written}) + "\n")
            file.flush()


@pytest.mark.parametrize("rotate", ROTATIONS.values(), ids=ROTATIONS.keys())
@pytest.mark.parametrize("read_before", [0, 1, 2])
@pytest.mark.parametrize("is_running", [True, False])
def test_logs_that_begin_alike_are_told_apart(log, rotate, read_before, is_running):
    """A monitor asks for the same page at each midnight; the new log is longer than the old one."""
    source = Tail(str(log.path), None, 0.0)
    position, numbers = str(source.resume_point()), []

    def read():
        nonlocal position
        while (polled := source.poll(1_000, 0.0)).messages:
            position = str(polled.cursor)
            numbers.extend(int(re.search(rb'"n": (\d+)', message.body)[1]) for message in polled.messages)

    for day in (1, 2, 3):
        alike(log, read_before)
        if read_before:
            read()
        if not is_running:
            source.close()
        alike(log, day)
        rotate(log, f"tracking.log-2026112{day}")
        alike(log, 5)
        if not is_running:
            source = Tail(str(log.path), position, 0.0)
        read()
    source.close()
    assert sorted(numbers) == list(range(1, log.written + 1))


def test_a_process_that_goes_on_in_a_rotated_log_is_told_and_its_lines_are_read(log, reader, caplog):
    log.write(1)
    with open(log.path, "a") as slow:
        reader.start().read()
        log.rename("tracking.log.1")
        log.write(1)
        reader.read().read()
        for number in (3, 4):
            log.written += 1
            slow.write(f'{{"n": {number}}}\n')
            slow.flush()
            reader.read()
            reader.end()
            reader.start()
    assert reader.read().has_read(4)
    assert "tracking.log.1 was rotated, and a process still writes to it" in caplog.text


def test_half_a_line_of_a_rotated_log_waits_for_its_end(log, reader):
    log.write(1)
    with open(log.path, "a") as slow:
        reader.start().read()
        slow.write('{"n": ')
        slow.flush()
        log.rename("tracking.log.1")
        log.write(1, end="")
        reader.read().read()
        slow.write("3}\n")
        slow.flush()
        assert reader.read().numbers == [1, 3]


def test_half_a_line_of_a_rotated_log_is_read_when_the_log_is_watched_no_more(log):
    log.write(1)
    with open(log.path, "a") as file:
        file.write('{"n": ')
    source = Tail(str(log.path), None, linger=0.0, watch=0.0)
    log.rename("tracking.log.1")
    bodies = [message.body for _ in range(4) for message in source.poll(1_000, 0.0).messages]
    source.close()
    assert bodies == [b'{"n": 1}', b'{"n": ']


def test_parts_behind_a_link_and_in_a_folder_for_old_parts(log, reader, tmp_path):
    (tmp_path / "disk" / "old").mkdir(parents=True)
    (tmp_path / "disk" / "current.log").touch()
    log.path.symlink_to("disk/current.log")
    log.write(1)
    reader.start().read()
    reader.end()
    log.write(1)
    (tmp_path / "disk" / "current.log").rename(tmp_path / "disk" / "old" / "current.log-20261121")
    log.write(1)
    (tmp_path / "disk" / "current.log").rename(tmp_path / "disk" / "current.log.1")
    log.write(1)
    assert reader.start().read().has_read(4)


def test_a_link_that_leads_to_the_log_of_the_day(log, reader, tmp_path):
    for day in ("2026-11-20", "2026-11-21", "2026-11-22"):
        log.path.unlink(missing_ok=True)
        (tmp_path / f"{day}-events.log").touch()
        log.path.symlink_to(f"{day}-events.log")
        log.write(2)
        if day != "2026-11-21":
            reader.start().read()
            log.write(1)
            reader.end()
    assert reader.start().read().has_read(8)


def test_a_log_that_is_no_file_is_a_fault_of_the_source(tmp_path):
    os.mkfifo(tmp_path / "tracking.log")
    with pytest.raises(SourceError, match=r"tracking\.log cannot be read: is a pipe, and no file"):
        Tail(str(tmp_path / "tracking.log"))


def test_how_far_behind_and_what_is_wrong_is_known(log, reader, monkeypatch):
    reader.start().read()
    assert (reader.source.behind(), reader.source.trouble()) == (0, "")
    monkeypatch.setattr(tail, "_MISSING", -1.0)
    reader.read()
    assert "tracking.log: the log has not existed for" in reader.source.trouble()
    log.write(3)
    reader.source.poll(1, 0.0)
    assert (reader.source.behind(), reader.source.trouble()) == (log.path.stat().st_size - len('{"n": 1}\n'), "")


def test_a_position_of_an_older_version_is_taken_up(log, reader):
    log.write(2)
    status, head = log.path.stat(), b'{"n": 1}\n'
    old = {"device": status.st_dev, "inode": status.st_ino, "head_length": len(head), "head": hashlib.sha256(head).hexdigest()}
    reader.position = json.dumps([{**old, "offset": len(head), "line": 1, "seen": status.st_mtime_ns}])
    reader.start().read()
    assert reader.numbers == [2]
