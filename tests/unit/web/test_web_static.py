"""The page's own files: small, loaded at once, and never a parser of markup."""

from __future__ import annotations

import re
from pathlib import Path

STATIC = Path(__file__).parents[3] / "planrunner" / "web" / "static"
SCRIPTS = {
    path.relative_to(STATIC).as_posix(): path.read_text("utf-8") for path in STATIC.rglob("*.js")
}
LATER = re.compile(r"plans/|main\.js")


def test_what_a_run_needs_is_loaded_at_once() -> None:
    """A module that the page doesn't name is asked for only when another one imports it."""
    page = (STATIC / "index.html").read_text("utf-8")
    named = re.findall(r'rel="modulepreload" href="static/([^"]+)"', page)

    assert sorted(named) == sorted(name for name in SCRIPTS if not LATER.match(name))


def test_scripts_are_small_and_write_only_text() -> None:
    """What a plan or a target says never becomes markup or code."""
    faults = [
        f"{name}: {found}"
        for name, text in SCRIPTS.items()
        for found in re.findall(r"(?:inner|outer)HTML|insertAdjacent|document\.write|eval\(", text)
    ]

    assert faults == []
    assert {name for name, text in SCRIPTS.items() if text.count("\n") > 300} == set()
