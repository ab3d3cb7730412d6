"""Changes wait in changelog.d, one file each; towncrier leaves a misnamed one out in silence."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "changelog.d"
FRAGMENTS = sorted(path for path in FOLDER.iterdir() if path.name != "README.md")
KINDS = ["security", "removed", "deprecated", "added", "changed", "fixed"]
NAME = re.compile(rf"(\d+|\+[\w-]+)\.({'|'.join(KINDS)})(\.\d+)?\.md")


@pytest.mark.parametrize("path", FRAGMENTS, ids=lambda path: str(path.name))
def test_a_fragment_names_its_kind_and_holds_a_sentence(path: Path) -> None:
    """The name decides on the section; towncrier adds the bullet."""
    text = path.read_text(encoding="utf-8")

    assert NAME.fullmatch(path.name), f"NAME.KIND.md, with KIND one of {', '.join(KINDS)}"
    assert re.match(r"[^-*#\s]", text)
    assert text.rstrip().endswith(".")


@pytest.mark.parametrize(
    ("name", "is_right"),
    [
        ("12.fixed.md", True),
        ("12.fixed.1.md", True),
        ("+two-words.added.md", True),
        ("words.added.md", False),
        ("12.bugfix.md", False),
        ("12.md", False),
    ],
)
def test_only_towncrier_s_names_are_right(name: str, is_right: bool) -> None:  # noqa: FBT001
    """An issue's number, or a plus and words."""
    assert bool(NAME.fullmatch(name)) is is_right


def test_tool_and_instructions_know_the_same_kinds() -> None:
    """In the order of the sections of a release."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    page = (FOLDER / "README.md").read_text(encoding="utf-8")

    configured = [kind["directory"] for kind in settings["tool"]["towncrier"]["type"]]
    documented = re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)

    assert configured == KINDS
    assert documented == KINDS


def test_a_release_has_a_place_to_go() -> None:
    """Towncrier writes below its marker, above all earlier versions."""
    page = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")

    head, marker, versions = page.partition("<!-- towncrier release notes start -->\n")

    assert marker
    assert "\n## " not in head
    assert "\n## " in versions
