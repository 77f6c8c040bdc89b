"""Tables of Markdown, which stand between two marks of a page, and tables in columns for a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

Parts = Mapping[str, Callable[[], str]]
"""By the name in the part's mark: what makes the part's text."""


def in_step(page: str, owner: str, parts: Parts) -> str:
    """The page with what stands between the marks of the module ``owner`` written anew.

    Raises ValueError for a page without such marks."""
    found = False
    for part, made in parts.items():
        begin, end = f"<!-- {part}: written by {owner} -->", f"<!-- /{part} -->"
        before, has_begin, rest = page.partition(begin)
        _, has_end, after = rest.partition(end)
        if has_begin and has_end:
            page, found = f"{before}{begin}\n{made()}{end}{after}", True
    if not found:
        raise ValueError(f"the page has no marks such as <!-- {next(iter(parts))}: written by {owner} -->")
    return page


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A table of Markdown, one line for each row."""
    return "".join(f"| {' | '.join(line)} |\n" for line in (head, ("---",) * len(head), *rows))


def columns(rows: Sequence[Sequence[str]], numbers: int = 0) -> Iterator[str]:
    """The rows as lines of a terminal, in columns; the first columns, as many as ``numbers``, end at the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [f"{cell:{'>' if at < numbers else '<'}{width}}" for at, (cell, width) in enumerate(zip(row, widths, strict=True))]
        yield "  ".join(cells).rstrip()
