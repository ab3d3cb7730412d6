"""The pages on writing a protocol and an output show the packages that the tests install."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.echo_servers import CARBON, ECHO

PAGES = Path(__file__).resolve().parents[3] / "docs" / "how-to"


@pytest.mark.parametrize(
    ("page", "package"), [("write-a-protocol.md", ECHO), ("write-an-output.md", CARBON)]
)
def test_a_page_shows_every_file_as_it_is_and_nothing_else(page: str, package: Path) -> None:
    """What readers copy is what runs, one block a file."""
    text = (PAGES / page).read_text("utf-8")
    files = [
        path.read_text("utf-8").rstrip() + "\n"
        for path in package.rglob("*")
        if path.suffix in (".py", ".toml") and path.name != "__init__.py"
    ]

    blocks = re.findall(r"^```(?:python|toml)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)

    assert sorted(blocks) == sorted(files)
