"""ARCHITECTURE.md against the code: its layers are the contract's, and its paths exist."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
QUOTED = sorted(set(re.findall(r"`([^`\n]+)`", PAGE)))
PATHS = [text for text in QUOTED if re.fullmatch(r"[\w./-]+", text) and "/" in text]
LINKS = re.findall(r"\]\(([^)#]+)\)", PAGE)
NAMES = [text for text in QUOTED if re.fullmatch(r"[A-Z]\w+", text)]

SOURCE = "\n".join(path.read_text("utf-8") for path in (ROOT / "planrunner").rglob("*.py"))


def section(title: str) -> str:
    return PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]


def first_cells(title: str) -> list[str]:
    rows = [line for line in section(title).splitlines() if line.startswith("| ")]
    return [row.split("|")[1].strip() for row in rows[1:]]


def test_layers_are_those_of_the_import_contract() -> None:
    """The same packages, row by row; which of a row comes first is no matter."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    (contract,) = [
        each for each in project["tool"]["importlinter"]["contracts"] if each["type"] == "layers"
    ]
    enforced = [sorted(re.findall(r"\w+", layer)) for layer in contract["layers"]]

    described = [sorted(re.findall(r"`(\w+)`", cell)) for cell in first_cells("Layers")]

    assert enforced == described


@pytest.mark.parametrize("path", PATHS)
def test_a_path_exists(path: str) -> None:
    """In the package, or else at the top of the repository."""
    assert (ROOT / "planrunner" / path).exists() or (ROOT / path).exists()


@pytest.mark.parametrize("name", NAMES)
def test_a_type_or_constant_exists(name: str) -> None:
    """By its name, somewhere in the package."""
    assert re.search(rf"^(class )?{name}\b", SOURCE, re.MULTILINE)


@pytest.mark.parametrize("link", LINKS)
def test_a_link_leads_somewhere(link: str) -> None:
    """To a page of the repository."""
    assert (ROOT / link).exists()


def test_the_page_has_paths_of_every_kind() -> None:
    """Otherwise what is above would find nothing to check."""
    assert len(PATHS) > 30
    assert {"RunGraph", "DataFormat", "PLUGIN"} <= set(NAMES)
    assert "planrunner.runner.run" in " ".join(QUOTED)
