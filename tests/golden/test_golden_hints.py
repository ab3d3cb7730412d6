"""Every hint of the golden diagnostics is followed, and what it is about is gone.

By the quick fixes of the language server where there are any, else as an author would.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from planrunner.compiler import compile_plan
from planrunner.compiler.review import review
from planrunner.language.diagnostics import Diagnostic, PlanError
from planrunner.lsp.documents.half_typed import read_tree
from planrunner.lsp.findings.faulty_text import FaultyText
from planrunner.lsp.findings.mendings import mendings
from planrunner.lsp.grammar.shapes import shape_of_plan
from planrunner.plan.loader import load
from planrunner.plan.yaml.source import Source
from tests.support.followed_hints import BY_HAND
from tests.support.mended_texts import mended_by

HERE = Path(__file__).parent / "diagnostics"
PLANS = sorted(HERE.glob("*.yaml"))

QUOTED = re.compile(r"`([^`]+)`")
SCALAR = re.compile(
    r"""(?<=[\[{,:-] )[^\[\]{},"'\n]+|"[^"]*"|'[^']*'|(?<=\[)[^\[\],]+|(?<=: ).+|(?<=- ).+"""
)


def findings_of(path: Path) -> list[Diagnostic]:
    try:
        compile_plan(load(path, environ={}))
    except PlanError as error:
        return list(review(error))
    return []


def followed(stem: str, text: str, found: Diagnostic) -> Iterator[str]:
    """Yield the plan as it is when the hint is followed; several where it can be read so."""
    if edits := BY_HAND.get((stem, found.hint)):
        for old, new in edits:
            assert old in text, f"{stem}: {old!r}"
            text = text.replace(old, new, 1)
        yield text
        return
    lines = text.splitlines(keepends=True)
    row = found.span.line - 1
    line, start = lines[row], found.span.column - 1
    end = found.span.end_column - 1 if found.span.end_line == found.span.line else len(line) - 1
    if found.hint.startswith("leave it out"):
        yield "".join([*lines[:row], *lines[row + 1 :]])
    words = QUOTED.findall(found.message)[:1]
    for proposal in QUOTED.findall(found.hint):
        for begin, stop in pieces(line, start, end, (proposal.partition(":")[0] + ":", *words)):
            changed = f"{line[:begin]}{proposal}{line[stop:]}"
            yield "".join([*lines[:row], changed, *lines[row + 1 :]])


def pieces(line: str, start: int, end: int, words: tuple[str, ...]) -> Iterator[tuple[int, int]]:
    """Yield what of a line a proposal may stand for: the marked word, its sentence, its entry."""
    yield start, end
    key, *named = words
    for word in named:
        if (at := line.find(word)) >= 0:
            yield at, at + len(word)
    if (at := line.rfind(key, 0, end)) >= 0:
        yield at, end
    if (at := line.find("- ")) >= 0:
        yield at + 2, len(line.rstrip())
    for scalar in SCALAR.finditer(line):
        if scalar.start() <= start < scalar.end():
            yield scalar.start(), scalar.end()
            yield scalar.start() + 1, scalar.end() - 1


def edits_of(text: str, found: Diagnostic) -> list[tuple[str, str]]:
    """Return what the language server offers to mend a finding, and the text then."""
    if "\udc80" <= max(text) <= "\udcff":  # not UTF-8, which no editor sends
        return []
    faulty = FaultyText(found, Source(found.span.file, text), read_tree(text), shape_of_plan())
    return [(one.title, mended_by(text, one)) for one in mendings(faulty)]


AMBIGUOUS = {
    # the phase whose level has the other unit
    ("invalid-value.sustainable-unit", "Replace by `in phase most`"),
    # what is meant stands in the list already
    ("invalid-value.url", "Replace by `url`"),
}


def is_ended(found: Diagnostic, before: list[Diagnostic], after: list[Diagnostic]) -> bool:
    """Whether a finding is gone, and no other of its kind stands in its line instead."""
    same = [one for one in after if key_of(one) == key_of(found)]
    known = {one.message for one in before}
    new = [one for one in after if one.message not in known and one.code is found.code]
    return len(same) < sum(key_of(one) == key_of(found) for one in before) and not any(
        one.span.line == found.span.line for one in new
    )


def key_of(found: Diagnostic) -> tuple[str, str]:
    return found.code, found.message


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the plans and of what lies beside them."""
    copy = tmp_path_factory.mktemp("diagnostics")
    for file in HERE.iterdir():
        if file.suffix != ".txt" and file.is_file():
            (copy / file.name).write_bytes(file.read_bytes())
    return copy


@pytest.mark.slow
@pytest.mark.parametrize("plan", PLANS, ids=lambda path: path.stem)
def test_hints_that_are_followed_end_their_findings(plan: Path, folder: Path) -> None:
    """They lead to sentences that can be read, and name what the plan has."""
    mended = folder / plan.name
    text = plan.read_text(encoding="utf-8", errors="surrogateescape")
    before = findings_of(mended)

    def ends(found: Diagnostic, candidate: str) -> bool:
        mended.write_text(candidate, encoding="utf-8", errors="surrogateescape")
        return is_ended(found, before, findings_of(mended))

    useless = []
    try:
        for found in before:
            edits = edits_of(text, found)
            useless += [
                f"{found.span}: {found.message}\n{found.source}\nquick fix: {title}"
                for title, candidate in edits
                if not ends(found, candidate) and (plan.stem, title) not in AMBIGUOUS
            ]
            candidates = () if edits or not found.hint else followed(plan.stem, text, found)
            if found.hint and not edits and not any(ends(found, one) for one in candidates):
                useless.append(f"{found.span}: {found.message}\n{found.source}\nhint: {found.hint}")
    finally:
        mended.write_bytes(plan.read_bytes())

    assert useless == []


@pytest.mark.slow
def test_every_edit_by_hand_belongs_to_a_hint() -> None:
    """A hint that has changed must not leave behind what its author did."""
    hints = {(plan.stem, found.hint) for plan in PLANS for found in findings_of(plan)}

    assert set(BY_HAND) <= hints
