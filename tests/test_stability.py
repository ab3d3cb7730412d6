"""docs/explanation/stability.md promises what there is."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

from planrunner.language.deprecations import KEYS, OPTIONS

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "explanation" / "stability.md").read_text("utf-8")


def row(surface: str) -> str:
    found = re.search(rf"^\| {surface} \|(.*)$", PAGE, re.MULTILINE)
    assert found, f"the table has no row `{surface}`"
    return found[1]


def test_names_for_python_are_those_that_are_exported() -> None:
    """A new public name of the runner is stable too, or belongs elsewhere."""
    runner = import_module("planrunner.runner")
    named = set(re.findall(r"`([\w.]+)`", row("Python")))

    assert set(runner.__all__) <= named
    for name in named - set(runner.__all__) - {"planrunner.__version__"}:
        import_module(name)
    for name in runner.__all__:
        assert hasattr(runner, name)


def test_the_page_says_whether_anything_is_deprecated() -> None:
    """Each name with its date, or that there is none."""
    for one in (*KEYS, *OPTIONS):
        assert one.until in PAGE
    assert ("Nothing is deprecated at present." in PAGE) == (not KEYS and not OPTIONS)
