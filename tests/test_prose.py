"""Words that made messages and docs read as translated do not come back.

CONTRIBUTING.md (Prose) has the rules; this finds the cheap part of them. It looks at texts that a
reader of planrunner sees: strings of the code but docstrings, templates, and pages of the docs.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parent.parent
MODULES: Final = sorted((ROOT / "planrunner").rglob("*.py"))
TEMPLATES: Final = sorted((ROOT / "planrunner" / "report" / "templates").glob("*.html"))
PAGES: Final = sorted(
    path for path in (ROOT / "docs").rglob("*.md") if path.parent != ROOT / "docs" / "adr"
)
"""Decision records stay as they were written."""

PATTERNS: Final = {
    r"\b(hold|holds|holding|held)\b[^.;]*\bagainst\b": "compare with, judge by",
    r"\b(tell|tells|told)\b": "report, say, distinguish",
    r"\b(nobody|somebody|anybody|whoever|whom)\b": "name the user, process or caller",
    r"\bwho (is|are|has|have|wants?|waits?|asks?|sets?|gets?|got)\b": "name the subject",
    r"\blies? around\b": "say what planrunner does with it",
    r"\b(goes|go) with\b": "can't be combined with, needs, use … with",
    r"(?<!there )\b(is|are|was) no (?!longer\b|more\b|match\b)[a-z]": "is not a …",
    r"\bstands? (in|inside|above|beside|before|where|for)\b": "is, appears, precedes",
    r"\bsurely\b": "with 95 % confidence",
    r"\bby hand\b": "manually",
    r"\b(is|was|be|been) found out\b": "name what finds it",
    r"\bhad no time\b": "timed out",
}
"""Each pattern with what to write instead."""

ALLOWED: Final = {
    "changed by hand": "what a person does while a run lasts, as its verdict and its stage say",
    "can't tell": "the fourth outcome of a comparison: a value in its JSON, which readers parse",
}
"""Texts that may have one of these words, each with its reason."""


def texts_of(module: Path) -> Iterator[tuple[int, str]]:
    """Yield the strings of a module that are longer than a word, with their line."""
    tree = ast.parse(module.read_text(encoding="utf-8"))
    apart = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=str(text)) if " " in text.strip() and id(node) not in apart:
                yield node.lineno, text


def prose_of(page: Path) -> Iterator[tuple[int, str]]:
    """Yield the lines of a page outside its blocks of code."""
    is_code = False
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        if line.lstrip().startswith("```"):
            is_code = not is_code
        elif not is_code:
            yield number, re.sub(r"`[^`]*`", "`…`", line)


def faults_in(path: Path, texts: Iterator[tuple[int, str]]) -> list[str]:
    """Return where a text has one of the words, with what to write instead."""
    found = []
    for line, text in texts:
        shown = text
        for allowed in ALLOWED:
            shown = shown.replace(allowed, "")
        found += [
            f"{path.relative_to(ROOT)}:{line}: `{match[0]}`: {instead}"
            for pattern, instead in PATTERNS.items()
            if (match := re.search(pattern, shown, re.IGNORECASE))
        ]
    return found


@pytest.mark.slow
def test_messages_of_the_code_read_as_english() -> None:
    """Diagnostics, hints, errors, notices, help and descriptions of keys are all strings."""
    faults = [fault for module in MODULES for fault in faults_in(module, texts_of(module))]

    assert faults == []


def test_templates_of_reports_read_as_english() -> None:
    """They are shown as they are, but for what is filled in."""
    faults = [fault for page in TEMPLATES for fault in faults_in(page, prose_of(page))]

    assert faults == []


@pytest.mark.parametrize("page", [*PAGES, ROOT / "README.md"], ids=lambda page: str(page.name))
def test_a_page_reads_as_english(page: Path) -> None:
    """Blocks of code and code in a sentence are left out: they quote."""
    assert faults_in(page, prose_of(page)) == []


@pytest.mark.parametrize("text", ALLOWED)
def test_what_is_allowed_is_still_said(text: str) -> None:
    """An exception that no text needs any more goes."""
    sources = [*(path.read_text(encoding="utf-8") for path in MODULES)]

    assert any(text in source for source in sources)
