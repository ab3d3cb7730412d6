"""The index of docs/adr accounts for every number, and references to decisions resolve."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs" / "adr"
PAGES = {int(path.name[:4]): path for path in FOLDER.glob("[0-9]*.md")}
ROW = re.compile(r"^\| (?:\[(\d+)\]\(([\w-]+\.md)\)|(\d+)) \| ([^|]+) \|", re.MULTILINE)
INDEX = [
    (int(linked or plain), file, text)
    for linked, file, plain, text in ROW.findall((FOLDER / "README.md").read_text(encoding="utf-8"))
]

# `ADR 12`, `ADRs 10 and 11`; in a decision also `0012`, which is how they name each other.
IN_PROSE = re.compile(r"\bADRs? ((?:\d+(?:, | and |–|-)?)+)")
BY_DECISIONS = re.compile(r"(?<![\d.,])00\d\d\b(?!-)")
BY_PATH = re.compile(r"\badr/(\d{4}[\w-]*\.md)")
TEXTS = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "planrunner/**/*.py", "tests/**/*.py", "benchmarks/*.*")
    for path in ROOT.glob(pattern)
    if path != Path(__file__).resolve()
)


def test_the_index_counts_from_one_to_the_highest_number() -> None:
    """A decision that went keeps its number, and the index says why."""
    numbers = [number for number, _, _ in INDEX]

    assert numbers == list(range(1, max(PAGES) + 1)), "add the page to docs/adr/README.md"


@pytest.mark.parametrize(("number", "file", "text"), INDEX, ids=lambda value: str(value)[:4])
def test_a_line_of_the_index_leads_to_its_page_or_says_what_happened(
    number: int, file: str, text: str
) -> None:
    """A page begins with its number, a title and its status."""
    if not file:
        assert number not in PAGES
        assert re.match(r"(Never used|Withdrawn|Merged)\b", text)
        return
    page = PAGES[number].read_text(encoding="utf-8")

    assert PAGES[number].name == file
    assert re.match(rf"# {number}\. \S.*\n\nStatus: \S", page)


def references(path: Path) -> Iterator[int | str]:
    """Yield the decisions that a file refers to: their numbers, and names of their files."""
    text = path.read_text(encoding="utf-8")
    yield from BY_PATH.findall(text)
    for numbers in IN_PROSE.findall(text):
        yield from map(int, re.findall(r"\d+", numbers))
    if path in PAGES.values():
        yield from map(int, BY_DECISIONS.findall(text))


def test_references_to_decisions_resolve() -> None:
    """In code, docs and in decisions themselves."""
    pages = {*PAGES, *(path.name for path in PAGES.values())}

    lost = {str(path.relative_to(ROOT)): {*references(path)} - pages for path in TEXTS}

    assert {path: names for path, names in lost.items() if names} == {}


def test_references_are_found() -> None:
    """There is one of each form, so that a pattern that finds nothing is noticed."""
    found = {path.name: list(references(path)) for path in TEXTS}

    assert "0012-cheap-values.md" in found["values.py"]
    assert 12 in found["test_cli_starts.py"]
    assert 17 in found["0023-typical-seconds-are-compared.md"]
