"""Standard streams that are closed, full or gone: what can't be printed is dropped."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.http_servers import HttpServer
from tests.support.plans import Ended, PlanProject, plan_text

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="descriptors as POSIX has them")

needs_full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")

SHORT = "phases: [{users: 2, iterations: 20}]"
FAILS = "thresholds: ['p95 < 1us']"

STARTS = f"exec {shlex.quote(sys.executable)} -m planrunner "


def in_shell(project: PlanProject, words: str) -> Ended:
    """Run a command line as a shell starts it, with its redirections."""
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {words}"],
        cwd=project.directory,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    files = {
        str(path.relative_to(project.directory)): path
        for path in project.directory.rglob("*")
        if path.is_file()
    }
    assert "Traceback" not in done.stderr
    assert "bug" not in done.stderr
    return Ended(done.returncode, done.stdout, done.stderr, files)


@pytest.mark.parametrize(
    "redirected",
    [
        ">&-",
        "2>&-",
        "<&-",
        "<&- >&- 2>&-",
        "--workers 2 <&- >&- 2>&-",
        pytest.param(">/dev/full", marks=needs_full),
        pytest.param(">/dev/full 2>/dev/full", marks=needs_full),
        pytest.param("--json >/dev/full", marks=needs_full),
    ],
)
@pytest.mark.parametrize(("gate", "code"), [("", 0), (FAILS, 1)], ids=["passes", "fails"])
@pytest.mark.slow
def test_a_run_goes_on_and_its_exit_code_is_its_verdict(
    project: PlanProject, target: HttpServer, redirected: str, gate: str, code: int
) -> None:
    """Every file is there, and the server saw what they say."""
    project.write({"plan.yaml": plan_text(SHORT, gate, url=target.url)})

    ended = in_shell(project, f"{STARTS} execute plan.yaml --out out {redirected}")

    assert ended.code == code == ended.metrics["exit_code"]
    assert {"out/metrics.json", "out/results.csv", "out/report.html"} <= set(ended.files)
    assert ended.metrics["totals"]["failed_requests"] == 0


@pytest.mark.slow
def test_a_run_outlives_the_reader_of_its_output(project: PlanProject, target: HttpServer) -> None:
    """As in `planrunner execute plan.yaml | head -0`."""
    project.write({"plan.yaml": plan_text(SHORT, FAILS, url=target.url)})

    ended = in_shell(project, f"( {STARTS} execute plan.yaml --out out 2>&1 ) | true")

    assert ended.code == 1
    assert "out/report.html" in ended.files


@pytest.mark.slow
@needs_full
@pytest.mark.parametrize(
    "words", ["validate plan.yaml", "explain plan.yaml", "--version", "--help"]
)
def test_a_command_whose_output_is_lost_has_failed(project: PlanProject, words: str) -> None:
    """There is nothing else that it could leave."""
    project.write({"plan.yaml": plan_text(SHORT, url="http://127.0.0.1:9")})

    ended = in_shell(project, f"{STARTS} {words} >/dev/full")

    assert (ended.code, ended.out) == (3, "")
    assert ended.err == (
        "error: cannot write to standard output: No space left on device\n"
        "hint: make room, or send the output to another file\n"
    )


@pytest.mark.slow
@needs_full
def test_what_is_wrong_with_a_plan_outranks_what_cannot_be_said(project: PlanProject) -> None:
    """The exit code says it without a word."""
    project.write({"plan.yaml": "users: 5\n"})

    assert in_shell(project, f"{STARTS} validate plan.yaml >/dev/full 2>/dev/full").code == 2


@pytest.mark.slow
@pytest.mark.parametrize(
    "words", ["validate plan.yaml", "explain plan.yaml", "schema", "--version"]
)
def test_a_closed_output_is_no_fault(project: PlanProject, words: str) -> None:
    """Whoever closes it wants the exit code only."""
    project.write({"plan.yaml": plan_text(SHORT, url="http://127.0.0.1:9")})

    assert in_shell(project, f"{STARTS} {words} <&- >&- 2>&-").code == 0


@pytest.mark.slow
def test_a_reader_that_has_seen_enough_is_no_fault(project: PlanProject) -> None:
    """As in `planrunner schema | head -1`."""
    assert in_shell(project, f"( {STARTS} schema ) | true").code == 0
