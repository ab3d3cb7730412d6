"""The house rules that a linter doesn't know."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MODULES = sorted((ROOT / "planrunner").rglob("*.py"))
FORBIDDEN_NAMES = {"utils", "helpers", "common", "core", "manager", "util", "helper"}


def exported(tree: ast.Module) -> list[str] | None:
    """Return the literal `__all__` of a module, None when it has none."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and any(
            isinstance(target, ast.Name) and target.id == "__all__" for target in node.targets
        ):
            return list(ast.literal_eval(node.value))
    return None


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_module_fits_in_a_head(path: Path) -> None:
    """A file does one thing, in at most 400 lines, under a name that says which."""
    lines = path.read_text(encoding="utf-8").count("\n")

    assert lines <= 400
    assert path.stem not in FORBIDDEN_NAMES


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_exports_exist(path: Path) -> None:
    """`__all__` names only what the module defines; ruff keeps it sorted."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = exported(tree)
    if names is None:
        return
    text = path.read_text(encoding="utf-8")

    assert [name for name in names if not re.search(rf"\b{re.escape(name)}\b", text)] == []


def test_commands_and_paths_of_a_workplace_stay_out() -> None:
    """No absolute path of a developer's machine is part of the source."""
    offenders = [
        str(path.relative_to(ROOT))
        for path in MODULES
        if re.search(r"/(home|work|Users)/\w+/", path.read_text(encoding="utf-8"))
    ]

    assert offenders == []
