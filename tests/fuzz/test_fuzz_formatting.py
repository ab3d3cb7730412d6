"""Plans of strangers, formatted: they mean the same, or are refused as plans are."""

from __future__ import annotations

from pathlib import Path

from hypothesis import strategies as st

from planrunner.language.diagnostics import PlanError
from planrunner.plan.formatting import format_plan
from planrunner.plan.yaml.document import parse
from tests.support.doc_pages import ROOT
from tests.support.fuzzing import fuzz
from tests.support.mutations import mutated_text

PLANS = [path.read_text("utf-8") for path in sorted((ROOT / "plans").glob("*.yaml"))]
# fmt: off
PIECES = [
    *"{}[]:,'\"#&*!|>-?\t\r\\%~", " # c\n", "\n# own\n", "\n        # deep\n", "\n\n\n", "\n  ",
    ": ", "- ", "|\n", "|+\n", ">-\n", "|2\n", "&a ", "*a", "<<: *a\n", "!!str ", "---\n", "...\n",
    "? ", "\u2028", "\x85", "\ufeff", "😀", '"${x}"', "'a: b'", '"\\u00e9"', "[use: a, use: b]",
]
# fmt: on


@fuzz(st.one_of(mutated_text(PLANS, PIECES, slips=2), mutated_text(PLANS, PIECES)), examples=12)
def test_a_formatted_plan_means_the_same(text: str, folder: Path) -> None:
    """And formatting it again changes nothing."""
    del folder  # nothing is read
    try:
        formatted = format_plan(text)
    except PlanError:
        return

    assert format_plan(formatted) == formatted
    if formatted.strip() and not formatted.startswith("#"):
        assert repr(parse(formatted, "a").data) == repr(parse(text, "a").data)
