"""docs/how-to/make-targets.md: its Makefile runs as the page says."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "how-to" / "make-targets.md").read_text("utf-8")
MAKEFILE = re.findall(r"^```make[^\n]*\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
TARGETS = re.findall(r"^\| `make ([\w-]+)` \|", PAGE, re.MULTILINE)

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("make") is None, reason="needs make"),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder as the page describes it."""
    (tmp_path / "plans").mkdir()
    shutil.copy(ROOT / "plans" / "services-load.yaml", tmp_path / "plans")
    (tmp_path / "Makefile").write_text(MAKEFILE[0], encoding="utf-8")
    return tmp_path


def made(folder: Path, *arguments: str) -> str:
    runner = shlex.join([sys.executable, "-m", "planrunner"])
    line = ["make", "--no-print-directory", *arguments, f"PLANRUNNER={runner}"]
    ended = subprocess.run(
        line, cwd=folder, capture_output=True, text=True, timeout=100, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def test_the_page_describes_every_target_and_variable() -> None:
    """In the order of the Makefile."""
    assert len(MAKEFILE) == 1
    assert re.findall(r"^(perf-[\w-]+):", MAKEFILE[0], re.MULTILINE) == TARGETS
    described = re.findall(r"^\| `(\w+)` \| `?(\w+)`? \|", PAGE, re.MULTILINE)
    defaults = dict(re.findall(r"^(\w+) +\?= (.+)$", MAKEFILE[0], re.MULTILINE))
    assert {name: defaults[name] for name, _ in described} == dict(described)


@pytest.mark.parametrize("target", TARGETS)
def test_each_target_is_a_planrunner_command(folder: Path, target: str) -> None:
    """With the service and a directory of its own."""
    printed = made(folder, "-n", target, "SERVICE=ui_app")

    assert "-m planrunner " in printed
    assert ("--tag ui_app" in printed) is (target in ("perf-test-load", "perf-test-stress"))


def test_a_load_test_has_the_users_and_the_time_of_the_command_line(folder: Path) -> None:
    """The variables reach the plan through the environment; its reports lie where they did."""
    made(folder, "perf-test-load", "USERS=3", "DURATION=2")

    [run] = (folder / "reports" / "performance").glob("load_test_pkd_service_*")
    assert {"results.csv", "metrics.json", "report.html"} <= {path.name for path in run.iterdir()}
    metrics = json.loads((run / "metrics.json").read_text("utf-8"))
    assert metrics["loads"][0]["requested"] == 3
    assert {row["name"] for row in metrics["rows"] if row["by"] == "user"} == {"PkdUser"}
    # Three users make at most ten requests a second each, as every request has its pause.
    assert 0 < metrics["totals"]["total_requests"] <= 3 * 2 * 10


def test_a_stress_test_ends_with_max_users_and_reports_can_be_cleaned(folder: Path) -> None:
    """Ten steps, and nothing is left of them."""
    made(folder, "perf-reports-clean")
    made(folder, "perf-test-stress", "MAX_USERS=20", "RAMP_UP=2", "SERVICE=document_processing")

    reports = folder / "reports" / "performance"
    [run] = reports.glob("stress_test_document_processing_*")
    metrics = json.loads((run / "metrics.json").read_text("utf-8"))
    assert metrics["loads"][0]["requested"] == 20
    assert len({row["name"] for row in metrics["rows"] if row["by"] == "stage"}) == 10

    made(folder, "perf-reports-clean")

    assert list(reports.iterdir()) == []
