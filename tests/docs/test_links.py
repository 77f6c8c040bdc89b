"""The pages: every link leads somewhere, and every path or module that a page names is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
PAGES = sorted(
    page for folder in ("", "docs", "templates", "benchmarks") for page in (CHECKOUT / folder).glob("*.md" if not folder else "**/*.md")
)
FLOORS = ("transforms", "io", "pipeline")
FOLDERS = (*FLOORS, "tests", "templates", "benchmarks", "docs")

LINK = re.compile(r"(?<!!)\[[^\]]*\]\(<?([^)\s>]+)>?\)")
NAMED_PATH = re.compile(rf"^(?:{'|'.join(FOLDERS)})/[\w./*-]*$")
NAMED_MODULE = re.compile(rf"^edx2lrs(?:\.(?:{'|'.join(FLOORS)}))(?:\.\w+)*$")
MADE_BY_THE_READER = re.compile(r"transforms/families/bookmark/")


def prose(page: Path) -> str:
    """The page without its fenced blocks."""
    return re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)


def in_back_ticks(page: Path) -> list[str]:
    return re.findall(r"`([^`\n]+)`", prose(page))


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives the page's headings."""
    headings = re.findall(r"^#+ +(.+)$", prose(page), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def is_module(dotted: str) -> bool:
    """Whether the dotted name is a module, a package or a name in one of these."""
    path = CHECKOUT.joinpath(*dotted.split(".")[1:])
    if path.is_dir() or path.with_suffix(".py").is_file():
        return True
    outer, _, name = dotted.rpartition(".")
    module = CHECKOUT.joinpath(*outer.split(".")[1:])
    source = next((file for file in (module.with_suffix(".py"), module / "__init__.py") if file.is_file()), None)
    return source is not None and re.search(rf"\b{name}\b", source.read_text(encoding="utf-8")) is not None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(CHECKOUT)))
def test_links_lead_to_a_file_and_its_heading(page: Path) -> None:
    broken = []
    for link in LINK.findall(prose(page)):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.exists() or (anchor and target.suffix == ".md" and anchor not in anchors(target)):
            broken.append(link)
    assert not broken


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(CHECKOUT)))
def test_named_paths_are_there(page: Path) -> None:
    named = {name for name in in_back_ticks(page) if NAMED_PATH.match(name) and not MADE_BY_THE_READER.match(name)}
    assert not [name for name in sorted(named) if not any(CHECKOUT.glob(name.rstrip("/")))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(CHECKOUT)))
def test_named_modules_are_there(page: Path) -> None:
    named = {name for name in in_back_ticks(page) if NAMED_MODULE.match(name)}
    assert not [name for name in sorted(named) if not is_module(name)]


def test_every_page_is_in_the_index() -> None:
    docs = CHECKOUT / "docs"
    index = docs / "README.md"
    linked = {(docs / link.partition("#")[0]).resolve() for link in LINK.findall(prose(index)) if "://" not in link}
    assert not [page.name for page in docs.glob("*.md") if page != index and page not in linked]
