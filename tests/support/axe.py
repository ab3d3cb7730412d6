"""axe-core in a page: what keeps people from using it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import pytest

from tests.support.browser import Browser

__all__ = ["violations"]

_AXE: Final = Path(__file__).parents[2] / ".tools" / "node_modules" / "axe-core" / "axe.min.js"
_FOUND: Final = """axe.run().then(({ violations }) => violations.map((one) =>
  [one.id, one.nodes.map((node) => node.html)]))"""


def violations(browser: Browser) -> list[object]:
    """Return each rule that the page breaks, and where; skips the test without axe."""
    if not _AXE.exists():
        reason = f"{_AXE} is missing: run `make editor-tools`"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    browser.call("Runtime.evaluate", expression=_AXE.read_text(encoding="utf-8"))
    found: list[object] = browser.evaluate(_FOUND)
    return found
