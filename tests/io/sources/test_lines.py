"""Lines out of a stream: numbered right however the stream is cut up, and a long one held only in part."""

import pytest

from edx2lrs.io.sources.lines import KEPT_OF_A_LONG_LINE, Lines, LongLine, cut, first_lines

TEXT = b"one\n\ntwo\r\nthree is longer\n\nlast without end"


def flat(parts):
    """Each line with its number; a long one by its length."""
    for part in parts:
        if isinstance(part, LongLine):
            yield part.line, part.length
        else:
            lines = part.data.splitlines(keepends=True)
            assert len(lines) == part.size
            yield from enumerate(lines, part.first_line)


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 100])
def test_lines_are_the_same_wherever_the_stream_is_cut(size):
    pieces = [TEXT[start : start + size] for start in range(0, len(TEXT), size)]
    assert list(flat(cut(pieces, 1))) == list(enumerate(TEXT.splitlines(keepends=True), 1))


def test_numbering_goes_on_from_the_first_line_asked_for():
    assert next(cut([b"a\nb\n"], 41)) == Lines(b"a\nb\n", 41, 2)


@pytest.mark.parametrize("end", [b"\n", b""])
def test_a_long_line_is_told_by_number_and_length_and_the_next_line_is_whole(end):
    pieces = [b"short\n", *[b"x" * 10] * 5, end or b"y", b"next\n"] if end else [b"short\n", *[b"x" * 10] * 5]
    found = list(flat(cut(pieces, 1, longest=20)))
    assert found[:2] == [(1, b"short\n"), (2, 50 + len(end))]
    assert found[2:] == ([(3, b"next\n")] if end else [])


def test_of_a_line_of_50_mb_only_the_head_is_kept():
    held = cut((b"z" * 262_144 for _ in range(200)), 1)
    (long,) = held
    assert (long.length, len(long.head)) == (200 * 262_144, KEPT_OF_A_LONG_LINE)


def test_a_part_of_the_lines_can_be_taken():
    assert first_lines(Lines(b"a\nb\nc\n", 5, 3), 2) == (Lines(b"a\nb\n", 5, 2), Lines(b"c\n", 7, 1))
