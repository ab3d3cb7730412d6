"""Pictures of the documentation: the script makes each of them, and a page shows it."""

from __future__ import annotations

import re
from typing import Final

import pytest

from planrunner.plan.loader import load
from publishing.pictures import FOLDER, PICTURES, PLANS
from tests.support.doc_pages import PAGES

SHOWN: Final = [
    (words, (page.parent / target).resolve())
    for page in PAGES
    for words, target in re.findall(r"!\[([^]]*)\]\(([^)]+)\)", page.read_text("utf-8"))
]
_MOST_BYTES: Final = 250_000


def test_the_script_makes_every_picture() -> None:
    """`make pictures` after a change of its list."""
    assert sorted(path.name for path in FOLDER.iterdir()) == sorted(PICTURES)


@pytest.mark.parametrize("picture", PICTURES)
def test_a_picture_is_small_and_loads_nothing(picture: str) -> None:
    """An SVG draws with the fonts of the reader's system, and names no host but namespaces."""
    path = FOLDER / picture
    assert path.stat().st_size < _MOST_BYTES
    if path.suffix == ".svg":
        text = path.read_text("utf-8")
        assert re.findall(r"url\((?!#)|href=|<image|<script|@font-face|@import", text) == []


def test_pages_show_every_picture_and_say_what_is_in_it() -> None:
    """A reader who can't see it gets a sentence."""
    assert {path for _, path in SHOWN} == {FOLDER / picture for picture in PICTURES}
    assert [path.name for words, path in SHOWN if len(words) < 40] == []


def test_the_plan_in_pictures_is_valid() -> None:
    """The other one has typos."""
    assert load(PLANS / "evening.yaml", environ={}).document
