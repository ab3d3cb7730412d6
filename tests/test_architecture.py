"""The house rules that a linter doesn't know."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MODULES = sorted((ROOT / "planrunner").rglob("*.py"))
FORBIDDEN_NAMES = {"utils", "helpers", "common", "core", "manager", "util", "helper"}


# As ruff formats them, what stands at the first level begins a line.
EXPORTED = re.compile(r"^__all__ = (\[.*?\])", re.MULTILINE | re.DOTALL)
TYPE = re.compile(r"^(?:class (\w+)\b.*[(:]|(\w+)(?:: [^=\n]+)? = )", re.MULTILINE)


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def exported(path: Path) -> list[str]:
    """Return the literal `__all__` of a module, nothing when it has none."""
    found = EXPORTED.search(text_of(path))
    return list(ast.literal_eval(found[1])) if found else []


def test_a_module_fits_in_a_head() -> None:
    """A file does one thing, in at most 450 lines, under a name that says which."""
    lines = {name_of(path): text_of(path).count("\n") for path in MODULES}

    assert {name: count for name, count in lines.items() if count > 450} == {}
    assert [name_of(path) for path in MODULES if path.stem in FORBIDDEN_NAMES] == []


FOLDERS = sorted({path.parent for path in MODULES})


def defined(path: Path) -> set[str]:
    """Return the names that a module defines at its first level."""
    body = ast.parse(text_of(path)).body
    return {getattr(node, "name", "") for node in body} | {
        target.id
        for node in body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def test_a_folder_can_be_read_at_a_glance() -> None:
    """A dozen modules, or more where each implements one contract, and so defines the same name."""
    for folder in FOLDERS:
        modules = [path for path in sorted(folder.glob("*.py")) if path.stem != "__init__"]
        if len(modules) > 12:
            shared = set.intersection(*(defined(path) for path in modules)) - {"__all__", ""}

            assert shared, folder


def types_of(path: Path) -> Iterator[str]:
    """Yield the classes and type aliases that a module defines, without leading underscores."""
    for name in (("".join(names)).lstrip("_") for names in TYPE.findall(text_of(path))):
        if name[:1].isupper() and not name.isupper():
            yield name


def test_a_type_name_means_one_thing() -> None:
    """A reader who meets a name knows which type it is, without looking at imports."""
    places: dict[str, list[str]] = {}
    for path in MODULES:
        for name in types_of(path):
            places.setdefault(name, []).append(name_of(path))

    assert {name: where for name, where in places.items() if len(where) > 1} == {}


def test_commands_and_paths_of_a_workplace_stay_out() -> None:
    """No absolute path of a developer's machine is part of the source."""
    offenders = [
        name_of(path) for path in MODULES if re.search(r"/(home|work|Users)/\w+/", text_of(path))
    ]

    assert offenders == []


ROOMS = sorted(
    ".".join(folder.relative_to(ROOT).parts)
    for folder in FOLDERS
    if exported(folder / "__init__.py")
)


@pytest.mark.parametrize("room", ROOMS)
def test_a_package_has_what_it_exports(room: str) -> None:
    """Names that are imported when they are asked for are found too."""
    package = import_module(room)

    assert [name for name in package.__all__ if not hasattr(package, name)] == []


def test_a_package_says_what_it_is_for() -> None:
    """In a sentence."""
    for folder in FOLDERS:
        said = ast.get_docstring(ast.parse(text_of(folder / "__init__.py")))

        assert said, folder
        assert said.split("\n")[0].endswith("."), folder
