"""What pages say about the plugin: its options, and a project whose tests run as they are."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

import planrunner
from tests.support.doc_pages import ROOT
from tests.support.own_pytest import RunsPytest
from tests.support.user_types import strictly_checked

pytest_plugins = ["pytester"]

PAGE = ROOT / "docs" / "reference" / "pytest.md"


def test_the_reference_has_every_option(run_pytest: RunsPytest) -> None:
    """And each key of the ini file."""
    page = PAGE.read_text("utf-8")
    own = run_pytest("--help").stdout.str()

    options = set(re.findall(r"^  (--(?:perf|planrunner)[a-z-]*)", own, re.MULTILINE))
    keys = set(re.findall(r"^  ((?:perf|planrunner)_[a-z_]+) \(", own, re.MULTILINE))
    assert set(re.findall(r"^\| `(--[a-z-]+)`", page, re.MULTILINE)) == options
    assert set(re.findall(r"^\| `((?:perf|planrunner)_[a-z_]+)`", page, re.MULTILINE)) == keys


@pytest.mark.slow
def test_the_example_runs(run_pytest: RunsPytest, pytester: pytest.Pytester) -> None:
    """With nothing but `pytest`."""
    shutil.copytree(ROOT / "docs" / "examples" / "pipeline", pytester.path, dirs_exist_ok=True)

    result = run_pytest()

    result.assert_outcomes(passed=4)
    [directory] = (pytester.path / "reports" / "components-small").iterdir()
    assert planrunner.load(directory).passed
    assert [*planrunner.load(directory).phases] == [
        "ingest[csv]",
        "ingest[parquet]",
        "check_quality",
        "revenue_by_city",
    ]


TYPED = """\
from planrunner.pytest_plugin import Perf, PlanRuns

def total(numbers: list[int]) -> int:
    return sum(numbers)

async def wait() -> str:
    return ""

def test_types(perf: Perf, planrunner_run: PlanRuns) -> None:
    reveal_type(perf(total, [1, 2], work=2, limit="1s").value)
    reveal_type(perf(wait).value)
    reveal_type(planrunner_run("shop.yaml", users=3).passed)
    perf(total, [1], limits="1s")
"""


@pytest.mark.slow(seconds=15)
def test_fixtures_are_typed(tmp_path: Path) -> None:
    """In a project of a user, with mypy's strictest settings."""
    (tmp_path / "test_types.py").write_text(TYPED, "utf-8")

    checked = strictly_checked(tmp_path, "test_types.py").stdout

    assert re.findall(r'Revealed type is "(?:builtins\.)?(\w+)"', checked) == ["int", "str", "bool"]
    assert re.findall(r"error: (.*)", checked) != []
    assert 'Perf" matches argument types' in checked or "limits" in checked
