"""Templates are compiled once, and again when anything that they are made of is another."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from jinja2 import Environment, FileSystemLoader

from planrunner.report.formats.compiled_templates import compiled_templates


class Compiling(Environment):
    """Counts what it compiles."""

    count = 0

    def compile(self, *args: object, **named: object) -> object:  # type: ignore[override]  # as it is called
        Compiling.count += 1
        return super().compile(*args, **named)  # type: ignore[call-overload]  # as above


@pytest.fixture
def templates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.setattr(sys, "pycache_prefix", None)
    (tmp_path / "page.html").write_text("{{ 1 + 1 }}")
    (tmp_path / "made_by.py").write_text("trim_blocks = True")
    return tmp_path


def rendered(templates: Path) -> tuple[str, int]:
    """Return a page, and how often something was compiled for it."""
    Compiling.count = 0
    kept = compiled_templates(templates, str(templates / "made_by.py"))
    environment = Compiling(loader=FileSystemLoader(templates), bytecode_cache=kept)
    return environment.get_template("page.html").render(), Compiling.count


def test_a_template_is_compiled_once(templates: Path) -> None:
    """The next process reads what the first one wrote."""
    assert [rendered(templates), rendered(templates)] == [("2", 1), ("2", 0)]


@pytest.mark.parametrize("changed", ["page.html", "made_by.py"])
def test_a_change_compiles_again(templates: Path, changed: str) -> None:
    """Of the template, or of what says how they are compiled: times of files don't count."""
    rendered(templates)
    with (templates / changed).open("a") as file:
        file.write(" ")

    assert [rendered(templates)[1], rendered(templates)[1]] == [1, 0]


def test_what_python_does_not_keep_is_not_kept(
    templates: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With `-B`, and what is broken is compiled again."""
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    assert [rendered(templates), rendered(templates)] == [("2", 1), ("2", 1)]

    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    rendered(templates)
    [kept] = (templates / "__pycache__").iterdir()
    kept.write_bytes(kept.read_bytes()[:-9])

    assert rendered(templates) == ("2", 1)
