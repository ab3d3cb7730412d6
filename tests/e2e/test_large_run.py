"""What reports of a run of two hours, fifty requests and ten million samples may cost."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from planrunner.results.files.metrics_json import write_metrics
from tests.support.long_run import make_long_run

pytestmark = pytest.mark.slow

# Of a process of its own: what this one has in memory would count as the command's otherwise.
MEASURED = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_utime + used.ru_stime, used.ru_maxrss, file=sys.stderr)
"""
FORMATS = ("report.html", "junit.xml", "summary.md")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory that such a run leaves; made once, in some seconds."""
    directory = tmp_path_factory.mktemp("large")
    result = make_long_run(every=10, factor=50)
    assert result.totals.total_requests > 10_000_000
    write_metrics(result, directory / "metrics.json")
    return directory


def test_metrics_stay_small(run: Path) -> None:
    """A series has at most 600 points, however long the run was."""
    assert (run / "metrics.json").stat().st_size < 5_000_000


def test_reports_cost_seconds_and_little_memory(run: Path) -> None:
    """HTML, JUnit and summary, from metrics.json alone."""
    wanted = [part for name in FORMATS for part in ("--format", name)]
    command = [sys.executable, "-m", "planrunner", "report", str(run), *wanted]
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, *command], capture_output=True, text=True, check=True
    )
    cpu_s, peak_kib = map(float, done.stderr.split())
    assert cpu_s < 5
    assert peak_kib * 1024 < 300_000_000
    assert (run / "report.html").stat().st_size < 3_000_000
    assert all((run / name).stat().st_size > 1_000 for name in FORMATS)
