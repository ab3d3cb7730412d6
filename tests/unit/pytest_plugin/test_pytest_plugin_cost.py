"""A run of pytest that has nothing to do with planrunner hardly notices the plugin."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path

import pytest

from tests.support.doc_pages import ROOT

PLUGIN = "planrunner.pytest_plugin.plugin"
MOST_MS = 20
OWN = ["planrunner", "planrunner.pytest_plugin", PLUGIN]


def python(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env={"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=True,
    )


def test_pytest_finds_the_plugin() -> None:
    """By its entry point, in the same distribution."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]

    assert project["entry-points"]["pytest11"] == {"planrunner": PLUGIN}
    assert import_module(PLUGIN).pytest_collect_file
    assert not any("pytest" in one for one in project["dependencies"])


def test_nothing_else_imports_pytest() -> None:
    """Who runs plans without it doesn't have it."""
    users = {
        path.relative_to(ROOT / "planrunner").parts[0]
        for path in (ROOT / "planrunner").rglob("*.py")
        if re.search(r"^\s*(import|from) _?pytest\b", path.read_text("utf-8"), re.MULTILINE)
    }

    assert users == {"pytest_plugin"}


@pytest.mark.slow
def test_a_session_without_plans_imports_only_hooks(tmp_path: Path) -> None:
    """Though there is YAML, and tests pass."""
    (tmp_path / "data.yaml").write_text("planrunner: 1\n")
    (tmp_path / "test_a.py").write_text(
        "import sys\n"
        "def test_a(): print(sorted(one for one in sys.modules if one.startswith('planrunner')))"
    )

    out = python("-m", "pytest", "-s", "-p", PLUGIN, cwd=tmp_path).stdout

    plans = "planrunner.pytest_plugin.plans"
    assert str(sorted([*OWN, plans, f"{plans}.files"])) in out


@pytest.mark.slow
def test_loading_takes_a_few_milliseconds() -> None:
    """Beyond what pytest itself imports; the best of some tries, as the machine may be busy."""
    clock = "time.perf_counter()"
    code = f"import pytest, time; t = {clock}; import {PLUGIN}; print({clock} - t)"

    best = min(float(python("-c", code).stdout) for _ in range(5))

    assert best * 1000 < MOST_MS
