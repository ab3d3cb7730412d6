"""The reference of diagnostics has a section for each code, and its examples are true."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from planrunner.compiler import compile_plan
from planrunner.compiler.review import review
from planrunner.language.diagnostics import Code, PlanError
from planrunner.plan.bundle import Bundle
from planrunner.plan.loader import load_bundle
from planrunner.plan.params.resolve import ParamSources
from tests.support.missing import hidden

PAGE = Path(__file__).resolve().parents[3] / "docs" / "reference" / "diagnostics.md"
SECTIONS = {
    section.partition("\n")[0].strip(): section
    for section in re.split(r"^### ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
}
EXAMPLES = {
    code: found[1]
    for code, section in SECTIONS.items()
    if (found := re.search(r"```yaml\n(.*?)```", section, re.DOTALL))
}

# What an example leaves out.
REST = {
    "name": "name: shop\n",
    "http": 'http: {base_url: "http://localhost:8000"}\n',
    "users": "users:\n  Visitor:\n    tasks:\n      - get: /\n",
    "stages": "stages:\n  - {duration: 30s, users: 10}\n",
}


NOT_THERE = {"not-available": ("socksio",)}
"""What an example needs to be missing."""


def codes_of(text: str) -> set[str]:
    try:
        plan = load_bundle(Bundle("plan.yaml", {"plan.yaml": text}), ParamSources())
        compile_plan(plan)
    except PlanError as error:
        return {fault.code.value for fault in review(error)}
    return set()


def test_the_page_lists_every_code_in_the_order_of_the_enum() -> None:
    """A new code comes with its section, a removed one takes it along."""
    assert list(SECTIONS) == [code.value for code in Code]


@pytest.mark.parametrize("code", EXAMPLES)
def test_an_example_has_the_fault_that_its_section_is_about(code: str) -> None:
    """And no other one."""
    example = EXAMPLES[code]
    present = set(re.findall(r"^([a-z-]+):", example, re.MULTILINE))
    if present & {"phases", "profiles"}:
        present.add("stages")
    text = example + "".join(part for key, part in REST.items() if key not in present)

    with hidden(*NOT_THERE.get(code, ())):
        found = codes_of(text)

    assert found == {code}


def test_every_section_shows_and_explains() -> None:
    """Text, an example, and what to do."""
    for code, section in SECTIONS.items():
        parts = re.split(r"```(?:yaml|text)\n.*?```", section, flags=re.DOTALL)
        assert len(parts) == 2, code
        assert all(len(part.split("\n## ")[0].split()) > 2 for part in parts), code
