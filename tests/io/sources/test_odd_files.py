"""Files that are behind links, that have odd names, or that are no files: read once, or named."""

from __future__ import annotations

import os
import socket

import pytest

from edx2lrs.io.sources.file_names import on_disk, printable
from edx2lrs.io.sources.file_reader import FileReader
from edx2lrs.io.sources.files import InputError, Unreadable, find


@pytest.fixture
def logs(tmp_path):
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / "a.log").write_bytes(b"{}\n")
    return folder


def found_in(*inputs):
    """The names of the files that are found, below the folder of the test; and what is left out."""
    left_out: list[str] = []
    paths = [file.path.partition("/logs/")[2] or file.path for file in find([str(each) for each in inputs], left_out.append)]
    return paths, left_out


def test_a_linked_folder_is_read(logs, tmp_path):
    (tmp_path / "disk2" / "2023").mkdir(parents=True)
    (tmp_path / "disk2" / "2023" / "b.log").write_bytes(b"{}\n")
    (logs / "2023").symlink_to(tmp_path / "disk2" / "2023")
    (logs / "other").symlink_to(tmp_path / "disk2")
    assert found_in(logs) == (["2023/b.log", "a.log"], [])
    assert found_in(logs / "2023") == (["2023/b.log"], [])
    assert found_in(f"{logs}/20*/*.log") == (["2023/b.log"], [])


@pytest.mark.parametrize("glob", ["link/*.log", "l*/*.log", "**/a.log"])
def test_a_glob_finds_a_file_by_the_name_of_a_link_as_well(logs, glob):
    (logs / "real").mkdir()
    (logs / "a.log").rename(logs / "real" / "a.log")
    (logs / "link").symlink_to("real")
    paths, _ = found_in(logs / glob)
    assert paths == (["real/a.log"] if glob.startswith("**") else ["link/a.log"])


def test_links_that_lead_in_a_circle_are_no_files_twice(logs):
    (logs / "inner").mkdir()
    (logs / "inner" / "up").symlink_to("..")
    (logs / "self").symlink_to(".")
    assert found_in(logs) == (["a.log"], [])


def test_a_link_to_a_folder_above_is_named(logs):
    (logs / "up").symlink_to("../..")
    paths, left_out = found_in(logs)
    assert paths == ["a.log"]
    assert "logs/up is a link to a folder above" in left_out[0]


def test_a_file_with_several_names_is_read_once_by_the_name_that_is_no_link(logs):
    (logs / "Current.log").symlink_to("a.log")
    os.link(logs / "a.log", logs / "b.log")
    assert found_in(logs) == (["a.log"], [])
    assert found_in(logs / "Current.log") == (["Current.log"], [])


def test_what_is_no_file_is_named_and_never_waited_for(logs, monkeypatch):
    os.mkfifo(logs / "tracking.pipe")
    (logs / "gone.log").symlink_to("nowhere")
    (logs / "circle.log").symlink_to("circle.log")
    (logs / "null.log").symlink_to("/dev/null")
    with socket.socket(socket.AF_UNIX) as server:
        monkeypatch.chdir(logs)  # the path of a socket is short
        server.bind("sock")
    paths, left_out = found_in(logs)
    assert paths == ["a.log"]
    assert sorted(message.partition("/logs/")[2] for message in left_out) == [
        "circle.log: is not read: Too many levels of symbolic links",
        "gone.log: is not read: is a link to nothing",
        "null.log: is not read: is a device, and no file",
        "sock: is not read: is a socket, and no file",
        "tracking.pipe: is not read: is a pipe, and no file",
    ]


def test_a_pipe_that_is_asked_for_is_an_error(logs):
    os.mkfifo(logs / "pipe")
    with pytest.raises(InputError, match="is a pipe, and no file; give a file"):
        find([str(logs / "pipe")])
    with pytest.raises(Unreadable, match="is a pipe, and no file"):  # it may have come after the listing
        FileReader(str(logs / "pipe"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_folder_that_cannot_be_listed_is_named(logs):
    (logs / "closed").mkdir(mode=0)
    assert "logs/closed cannot be listed: Permission denied" in found_in(logs)[1][0]


NAMES = [b"caf\xe9.log", b"a\nb.log", b"esc\x1b[31m.log", b"\\xe9.log", b"\xff\xfe", b"\\\xe9x41", b"a\\b"]
NAMES += [text.encode() for text in ("ü.log", "a\u202eb")]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_printable_and_can_be_turned_back(logs, name):
    path = os.path.join(os.fsencode(logs), name)
    with open(path, "wb") as file:
        file.write(b"{}\n")
    shown = printable(os.fsdecode(path))
    assert shown.isprintable()
    assert shown.encode()
    assert os.fsencode(on_disk(shown)) == path
    assert shown in [file.path for file in find([str(logs)])]
    assert [file.path for file in find([shown])] == [shown]
    assert FileReader(shown).poll(100).size == 3


def test_usual_names_are_as_they_are_and_no_two_names_are_shown_alike():
    assert printable("/logs/Kurs 1/tracking.log-20240311é.gz") == "/logs/Kurs 1/tracking.log-20240311é.gz"
    assert len({printable(os.fsdecode(name)) for name in NAMES}) == len(NAMES)
    assert printable(r"\xe9") == r"\x5cxe9"
