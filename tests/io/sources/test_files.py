"""Files: which are found, and each read in whole lines from a committed place on, whatever is wrong with it."""

import gzip
import os
import random
import subprocess
import sys
import zlib

import pytest
import zstandard
from apache_beam.io.filesystems import FileSystems

from edx2lrs.io.sources.file_reader import Damage, FileReader
from edx2lrs.io.sources.files import InputError, Unreadable, find, fingerprint
from edx2lrs.io.sources.inflate import inflate
from edx2lrs.io.sources.position import Reached

LINES = [b'{"n": %d}\n' % n for n in range(60_000)]
TEXT = b"".join(LINES)


def read(path, offset=0, line=0, max_bytes=100_000, max_lines=None):
    """All polls of a file: its text, the last poll."""
    reader, text = FileReader(str(path), Reached(offset, line)), b""
    while True:
        polled = reader.poll(max_bytes, max_lines)
        text += b"".join(lines.data for lines in polled.lines)
        if polled.reached.done:
            return text, polled


@pytest.fixture
def plain(tmp_path):
    path = tmp_path / "tracking.log"
    path.write_bytes(TEXT)
    return path


@pytest.fixture
def zipped(tmp_path):
    """Two members and a padded end, under a name that does not tell."""
    path = tmp_path / "tracking.log-20260101"
    path.write_bytes(gzip.compress(TEXT[:300_001]) + gzip.compress(TEXT[300_001:]) + b"\0" * 512)
    return path


@pytest.mark.parametrize("kind", ["plain", "zipped"])
def test_every_line_is_read_once_in_order(kind, request):
    text, last = read(request.getfixturevalue(kind))
    assert text == TEXT
    assert (last.reached, last.damage) == (Reached(len(TEXT), len(LINES), True), None)


@pytest.mark.parametrize("kind", ["plain", "zipped"])
def test_a_new_reader_goes_on_at_any_kept_place(kind, request):
    path, chance = str(request.getfixturevalue(kind)), random.Random(7)
    text, reached = b"", Reached()
    while not reached.done:
        reader = FileReader(path, reached)
        for _ in range(chance.randint(1, 4)):
            polled = reader.poll(30_000, chance.choice([None, 999]))
            assert [lines.first_line for lines in polled.lines][:1] in ([], [reached.lines + 1])
            text += b"".join(lines.data for lines in polled.lines)
            reached = polled.reached
            if reached.done:
                break
    assert text == TEXT


def test_a_poll_gives_no_more_lines_than_asked_for(plain):
    polled = FileReader(str(plain)).poll(1_000_000, 7)
    assert polled.reached == Reached(len(b"".join(LINES[:7])), 7, False)


def test_of_a_cut_gzip_what_can_be_read_is_read_and_the_rest_is_one_fault(zipped):
    zipped.write_bytes(zipped.read_bytes()[:20_000])
    text, last = read(zipped)
    assert TEXT.startswith(text)
    assert text.endswith(b"\n")
    assert last.damage is not None
    assert (last.damage.cause, last.damage.line) == ("truncated_gzip", text.count(b"\n") + 1)
    assert TEXT.startswith(text + last.damage.payload)


def test_of_a_damaged_gzip_what_comes_before_is_read(zipped):
    whole = zipped.read_bytes()
    second = whole.index(b"\x1f\x8b", 2)
    zipped.write_bytes(whole[: second + 10] + b"\xff" * 5_000)
    text, last = read(zipped)
    assert text == TEXT[:300_001].rpartition(b"\n")[0] + b"\n"
    assert last.damage.cause == "corrupt_gzip"


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"PK\x03\x04" + b"\x00" * 50, "zip"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(range(256)) * 8, "PNG"),
        (bytes(range(256)) * 8, "binary"),
        (b"\0" * 600_000, "NUL"),
    ],
)
def test_a_binary_file_is_one_fault(tmp_path, content, word):
    path = tmp_path / "picture.log"
    path.write_bytes(content)
    text, last = read(path)
    assert text == b""
    assert last.damage == Damage("not_a_log", last.damage.message, 1, b"")
    assert word in last.damage.message


def test_a_block_of_nul_bytes_in_a_log_is_no_binary_file(tmp_path):
    path = tmp_path / "copytruncated.log"
    path.write_bytes(b"\0" * 500 + b"\n" + TEXT)
    text, last = read(path)
    assert (len(text), last.damage) == (len(TEXT) + 501, None)


def test_an_empty_file_is_done_at_once(tmp_path):
    path = tmp_path / "empty.log"
    path.touch()
    assert read(path)[1].reached.done


def test_a_file_that_has_vanished_is_named(tmp_path):
    with pytest.raises(Unreadable, match=r"gone\.log: cannot be read"):
        FileReader(str(tmp_path / "gone.log"))
    with pytest.raises(Unreadable, match=r"gone\.log"):
        fingerprint(str(tmp_path / "gone.log"))


def test_folders_and_globs_find_files_once_by_path_and_leave_hidden_ones_out(tmp_path):
    for name in ("b.log", "a.log.gz", "2026/03/c.log", ".hidden.log"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"{}\n")
    folder = [file.path.removeprefix(f"{tmp_path}/") for file in find([str(tmp_path), f"{tmp_path}/*.log"])]
    assert folder == ["2026/03/c.log", "a.log.gz", "b.log"]
    assert [file.size for file in find([f"{tmp_path}/*.gz"])] == [3]


@pytest.mark.parametrize(
    "glob",
    ["*.log", "**.log", "**/c.*", "?.log", "[ab].log", "[!a]*.log", "[^a]*", "202*", "202?/0[1-3]", "**/x+y(1).log", "2026/**"],
)
def test_a_local_glob_finds_what_beams_file_systems_find(tmp_path, glob):
    for name in ("a.log", "b.log", "^.log", "a[.log", "2026/03/c.log", "2026/03/x+y(1).log", "2025/04/a.log.gz"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"{}\n")
    (tmp_path / "nowhere.log").symlink_to("gone")
    asked = [f"{tmp_path}/{glob}", f"{tmp_path}/{glob}/**"]
    theirs = {data.path for match in FileSystems.match(asked) for data in match.metadata_list if not os.path.isdir(data.path)}
    assert {file.path for file in find([f"{tmp_path}/{glob}"])} == theirs


def test_a_name_that_looks_like_a_glob_is_a_name_where_it_is_there(tmp_path):
    (tmp_path / "course[1]").mkdir()
    (tmp_path / "course[1]" / "a.log").write_bytes(b"{}\n")
    assert [file.path for file in find([f"{tmp_path}/course[1]"])] == [f"{tmp_path}/course[1]/a.log"]


def test_a_name_that_looks_like_a_glob_hides_no_other_that_it_stands_for(tmp_path):
    for name in ("*.log", "a.log"):  # the first is what `gzip > *.log` leaves where there is none
        (tmp_path / name).write_bytes(b"{}\n")
    assert [file.path for file in find([f"{tmp_path}/*.log"])] == [f"{tmp_path}/*.log", f"{tmp_path}/a.log"]


def test_a_gzip_header_may_be_cut_anywhere():
    """FEXTRA, FNAME, FCOMMENT and FHCRC, in two pieces (RFC 1952, 2.3)."""
    head = b"\x1f\x8b\x08\x1e\0\0\0\0\0\x03" + b"\x03\0abc" + b"a.log\0" + b"hello\0"
    head += (zlib.crc32(head) & 0xFFFF).to_bytes(2, "little")
    packed = head + gzip.compress(TEXT[:1000])[10:]
    for cut in range(len(head) + 2):
        assert b"".join(inflate([packed[:cut], packed[cut:]])) == TEXT[:1000]


def test_local_files_are_read_without_beam(tmp_path):
    (tmp_path / "a.log").write_bytes(b"{}\n")
    program = (
        "import sys; from edx2lrs.io.sources import files; from edx2lrs.pipeline.commands import run;"
        " files.find(sys.argv[1:]); print('apache_beam' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program, tmp_path], check=True, capture_output=True, text=True).stdout == "False\n"


@pytest.mark.parametrize("glob", ["nothing-here*.gz", "nothing-here/*", "nothing-here[]", "nothing-here[[]"])
def test_an_input_without_files_is_an_error_that_names_it(tmp_path, glob, caplog):
    with pytest.raises(InputError, match=r"nothing-here.*no such file"):
        find([str(tmp_path / glob)])
    assert caplog.text == ""


def test_a_fingerprint_is_of_the_head_alone(plain):
    before = fingerprint(str(plain))
    with plain.open("ab") as file:
        file.write(b"more\n")
    assert fingerprint(str(plain)) == before


def test_an_input_may_be_several_with_commas_between(tmp_path):
    for name in ("a.log", "b.log", "c,d.log"):
        (tmp_path / name).write_bytes(b"{}\n")
    found = find([f"{tmp_path}/a.log,{tmp_path}/b.*", f"{tmp_path}/c,d.log"])
    assert [file.path.rpartition("/")[2] for file in found] == ["a.log", "b.log", "c,d.log"]


@pytest.fixture
def zstd(tmp_path):
    """Frames as pzstd writes them: each behind a frame that is skipped."""
    frames = [zstandard.compress(TEXT[:300_001]), zstandard.compress(TEXT[300_001:])]
    skipped = b"\x50\x2a\x4d\x18\x04\x00\x00\x00\x01\x02\x03\x04"
    path = tmp_path / "tracking.log-20260102"
    path.write_bytes(b"".join(skipped + frame for frame in frames))
    return path


def test_a_zstd_file_is_told_by_its_content_and_read_whole(zstd):
    assert fingerprint(str(zstd)).packed
    text, last = read(zstd)
    assert text == TEXT
    assert (last.reached, last.damage) == (Reached(len(TEXT), len(LINES), True), None)
    assert last.stored == zstd.stat().st_size


def test_of_a_cut_zstd_what_can_be_read_is_read_and_the_rest_is_one_fault(zstd):
    zstd.write_bytes(zstd.read_bytes()[:-500])
    text, last = read(zstd)
    assert TEXT[: len(TEXT) // 2] < text < TEXT
    assert TEXT.startswith(text + last.damage.payload)
    assert (last.damage.cause, last.damage.line) == ("truncated_zstd", text.count(b"\n") + 1)


def test_of_a_damaged_zstd_what_comes_before_is_read(zstd):
    whole = zstd.read_bytes()
    zstd.write_bytes(whole[: whole.rindex(b"\x28\xb5\x2f\xfd") + 10] + b"\xff" * 5_000)
    text, last = read(zstd)
    assert text == TEXT[:300_001].rpartition(b"\n")[0] + b"\n"
    assert last.damage.cause == "corrupt_zstd"
