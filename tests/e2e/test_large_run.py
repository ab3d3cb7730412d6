"""What reports of a run of two hours, fifty requests and ten million samples may cost."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from planrunner.results.metrics_json import write_metrics
from tests.support.long_run import make_long_run

pytestmark = pytest.mark.slow

FORMATS = ("report.html", "junit.xml", "summary.md")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory that such a run leaves; made once, in half a minute."""
    directory = tmp_path_factory.mktemp("large")
    result = make_long_run(factor=5)
    assert result.totals.total_requests > 10_000_000
    write_metrics(result, directory / "metrics.json")
    return directory


def test_metrics_stay_small(run: Path) -> None:
    """A series has at most 600 points, however long the run was."""
    assert (run / "metrics.json").stat().st_size < 5_000_000


@pytest.mark.skipif(not hasattr(os, "wait4"), reason="the system doesn't tell what a process took")
def test_reports_cost_seconds_and_little_memory(run: Path) -> None:
    """HTML, JUnit and summary, from metrics.json alone."""
    wanted = [part for name in FORMATS for part in ("--format", name)]
    process = subprocess.Popen([sys.executable, "-m", "planrunner", "report", str(run), *wanted])
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    assert usage.ru_utime + usage.ru_stime < 5
    assert usage.ru_maxrss * 1024 < 300_000_000
    assert (run / "report.html").stat().st_size < 3_000_000
    assert all((run / name).stat().st_size > 1_000 for name in FORMATS)
