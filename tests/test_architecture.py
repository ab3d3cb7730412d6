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
    """A file does one thing, in at most 450 lines, under a name that says which."""
    lines = path.read_text(encoding="utf-8").count("\n")

    assert lines <= 450
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


FOLDERS = sorted({path.parent for path in MODULES})


def defined(path: Path) -> set[str]:
    """Return the names that a module defines at its first level."""
    body = ast.parse(path.read_text(encoding="utf-8")).body
    return {getattr(node, "name", "") for node in body} | {
        target.id
        for node in body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: str(path.relative_to(ROOT)))
def test_folder_can_be_read_at_a_glance(folder: Path) -> None:
    """A dozen modules, or more where each implements one contract, and so defines the same name."""
    modules = [path for path in sorted(folder.glob("*.py")) if path.stem != "__init__"]
    if len(modules) <= 12:
        return
    shared = set.intersection(*(defined(path) for path in modules)) - {"__all__", ""}

    assert shared


def types_of(path: Path) -> Iterator[str]:
    """Yield the classes and type aliases that a module defines, without leading underscores."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        names = []
        if isinstance(node, ast.ClassDef):
            names = [node.name]
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names = [target.id for target in targets if isinstance(target, ast.Name)]
        for name in (name.lstrip("_") for name in names):
            if name[:1].isupper() and not name.isupper():
                yield name


def test_a_type_name_means_one_thing() -> None:
    """A reader who meets a name knows which type it is, without looking at imports."""
    places: dict[str, list[str]] = {}
    for path in MODULES:
        for name in types_of(path):
            places.setdefault(name, []).append(str(path.relative_to(ROOT)))

    assert {name: where for name, where in places.items() if len(where) > 1} == {}


def test_commands_and_paths_of_a_workplace_stay_out() -> None:
    """No absolute path of a developer's machine is part of the source."""
    offenders = [
        str(path.relative_to(ROOT))
        for path in MODULES
        if re.search(r"/(home|work|Users)/\w+/", path.read_text(encoding="utf-8"))
    ]

    assert offenders == []


ROOMS = sorted(
    ".".join(folder.relative_to(ROOT).parts)
    for folder in FOLDERS
    if exported(ast.parse((folder / "__init__.py").read_text(encoding="utf-8")))
)


@pytest.mark.parametrize("room", ROOMS)
def test_a_package_has_what_it_exports(room: str) -> None:
    """Names that are imported when they are asked for are found too."""
    package = import_module(room)

    assert [name for name in package.__all__ if not hasattr(package, name)] == []


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_package_says_what_it_is_for(folder: Path) -> None:
    """In a sentence."""
    said = ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8")))

    assert said
    assert said.split("\n")[0].endswith(".")


A_WORKER_RUNS = (
    "engine",
    "protocols",
    "metrics",
    "schedule",
    "data",
    "graph",
    "language",
    "timing",
)
"""With worker_main: what is read there is the coordinator's time, which may be another host's."""

DURATIONS = {
    "engine/recording/generator_health.py": "how long a collection took",
    "protocols/exec/clients/costs.py": "what an empty command takes",
    "protocols/python/clients/child.py": "taken over into the run's time by `isolated`",
    "protocols/python/clients/costs.py": "what an empty function takes",
    "protocols/python/clients/isolated.py": "takes times of `child` over into the run's",
    "timing/batches.py": "what a batch of calls takes",
    "timing/garbage.py": "how long collections took",
    "timing/machine.py": "how long a stretch was",
}
"""Read the clock of their host, and compare that with nothing that a `Clock` says."""


def test_whoever_reads_the_hosts_clock_only_measures_how_long_something_took() -> None:
    """A moment is asked of the `Clock` that was given: the host's may be hours from the run's."""
    paths = [
        path for path in MODULES if path.relative_to(ROOT / "planrunner").parts[0] in A_WORKER_RUNS
    ]
    found = {
        path.relative_to(ROOT / "planrunner").as_posix()
        for path in [*paths, ROOT / "planrunner" / "runner" / "worker_main.py"]
        if re.search(r"perf_counter|\bmonotonic\b|loop\(?\)?\.time\(", path.read_text("utf-8"))
    }

    assert found == DURATIONS.keys()
