"""The page on how to write a protocol shows the package that the tests install."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.echo_servers import ECHO

PAGE = Path(__file__).resolve().parents[3] / "docs" / "how-to" / "write-a-protocol.md"
BLOCKS = re.findall(
    r"^```(?:python|toml)\n(.*?)^```", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL
)
FILES = [
    path
    for path in sorted(ECHO.rglob("*"))
    if path.suffix in (".py", ".toml") and path.name != "__init__.py"
]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_the_page_shows_every_file_as_it_is(path: Path) -> None:
    """What readers copy is what runs."""
    assert path.read_text("utf-8").rstrip() + "\n" in BLOCKS


def test_the_page_shows_nothing_else() -> None:
    """One block a file."""
    assert len(BLOCKS) == len(FILES)
