"""What readers copy must work: every YAML block of the documentation is a valid plan."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from planrunner.compiler import compile_plan
from planrunner.plan.loader import load
from tests.support.doc_pages import ROOT, Block, blocks_of

PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
# Its examples are wrong on purpose; a test of their own holds each against its section.
WRONG_ON_PURPOSE = ROOT / "docs" / "reference" / "diagnostics.md"

# A fragment begins with a root key; what a plan needs besides is added below it.
DEFAULTS = {
    "name": "name: fragment",
    "users": "users: {Visitor: {tasks: [{get: /}]}}",
    "http": 'http: {base_url: "http://127.0.0.1:8000"}',
}
LOADS = ("stages", "phases", "profiles")


def _blocks() -> Iterator[object]:
    """Yield every YAML block, named by its page and line."""
    for page in PAGES:
        if page != WRONG_ON_PURPOSE:
            for block in blocks_of(page):
                if block.language == "yaml":
                    yield pytest.param(block, id=f"{block.page}:{block.line}")


def whole(text: str) -> str:
    """Return the block as a plan, with what a fragment leaves out."""
    has = set(re.findall(r"^([a-z_]+):", text, re.MULTILINE))
    missing = [line for key, line in DEFAULTS.items() if key not in has]
    if not has & set(LOADS):
        missing.append("stages: [{duration: 1s, users: 1}]")
    return text + "\n" + "\n".join(missing) + "\n"


@pytest.mark.parametrize("block", list(_blocks()))
def test_yaml_block_is_a_valid_plan(block: Block, tmp_path: Path) -> None:
    """A reader who pastes the block gets no diagnostic, with the files that the page shows."""
    for file in blocks_of(ROOT / block.page):
        if file.title:
            (tmp_path / file.title).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / file.title).write_text(file.text, encoding="utf-8")
    path = tmp_path / "plan.yaml"
    path.write_text(whole(block.text), encoding="utf-8")

    assert compile_plan(load(path, environ={})).phases


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    """Relative links name files of the repository."""
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    targets = re.findall(r"\]\(([^)#\s]+)", text)
    local = [target for target in targets if not re.match(r"[a-z]+:", target)]

    assert [target for target in local if not (page.parent / target).exists()] == []


@pytest.mark.parametrize(
    "path", sorted((ROOT / "plans").glob("*.yaml")), ids=lambda path: str(path.name)
)
def test_shipped_plan_is_valid_and_completes_in_editors(path: Path) -> None:
    """Every shipped plan compiles with no environment variable set, and names its schema."""
    assert path.read_text(encoding="utf-8").startswith(
        "# yaml-language-server: $schema=../schema/plan.schema.json\n"
    )
    assert compile_plan(load(path, environ={})).users
