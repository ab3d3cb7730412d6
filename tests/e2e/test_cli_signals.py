"""Signals end a command whatever it does, and its exit code is what its result says."""

from __future__ import annotations

import json
import os
import random
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.http_servers import HttpServer
from tests.support.plans import PlanProject, plan_text

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals as POSIX has them")

ALL = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]

SHORT = "phases: [{users: 2, iterations: 20}]"
LONG = "phases: [{users: 2, hold: 60s, graceful_stop: 200ms}]"

HOOKS = """\
import itertools, re

def backtrack():
    open("hangs", "w").close()
    re.match("(a+)+$", "a" * 80 + "b")

def loop():
    open("hangs", "w").close()
    while True:
        pass

def spin_in_c():
    open("hangs", "w").close()
    sum(itertools.repeat(0))
"""

SIGNALLED_AT_IMPORT = """
import os, sys
class Finder:
    def find_spec(self, name, *_):
        if name == {module!r}:
            os.kill(os.getpid(), {number})
sys.meta_path.insert(0, Finder())
"""

SIGNALLED_WHILE_REPORTING = """
import os, time
import planrunner.runner.report_files as files
before = files.report_files
numbers = {numbers}
def report_files(*arguments):
    while numbers:
        number = numbers.pop()
        os.kill(os.getpid(), number)
        time.sleep(0.05)
    {then}
    yield from before(*arguments)
files.report_files = report_files
"""


def until(is_so: Callable[[], object], seconds: float = 30) -> None:
    """Wait until something is so, and fail when it takes too long."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.slow
@pytest.mark.parametrize("number", ALL)
@pytest.mark.parametrize("command", ["execute", "validate"])
@pytest.mark.parametrize("module", ["planrunner.cli.group", "planrunner.plan.loader"])
def test_an_early_signal_is_130(
    project: PlanProject, number: signal.Signals, command: str, module: str
) -> None:
    """From the first lines of the entry point on, while everything is still imported."""
    project.write({"plan.yaml": plan_text(SHORT, url="http://127.0.0.1:9")})
    first = SIGNALLED_AT_IMPORT.format(module=module, number=int(number))

    ended = project.run_apart(command, "plan.yaml", first=first)

    assert (ended.code, ended.out, ended.files) == (130, "", {})
    assert ended.err.strip() == "interrupted"


@pytest.mark.slow
def test_sighup_ends_a_run_as_sigterm_does(project: PlanProject, target: HttpServer) -> None:
    """Its terminal is gone, and its result is not."""
    project.write({"plan.yaml": plan_text(LONG, url=target.url)})
    process = project.spawn("execute", "plan.yaml", "--out", "out")
    until(lambda: target.requests)

    process.send_signal(signal.SIGHUP)
    ended = project.end(process)

    assert ended.code == 130 == ended.metrics["exit_code"]
    assert ended.metrics["ended_because"] == "interrupted by SIGHUP"
    assert "out/report.html" in ended.files


@pytest.mark.slow
def test_nohup_is_obeyed(project: PlanProject, target: HttpServer) -> None:
    """Whoever starts a run with SIGHUP ignored wants it to go on."""
    project.write({"plan.yaml": plan_text("stages: [{duration: 1s, users: 2}]", url=target.url)})
    process = project.spawn(
        "execute",
        "plan.yaml",
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN),
    )
    until(lambda: target.requests)

    process.send_signal(signal.SIGHUP)

    assert project.end(process).code == 0


@pytest.mark.slow
@pytest.mark.parametrize("number", ALL)
def test_a_signal_while_reports_are_written_waits_for_them(
    project: PlanProject, target: HttpServer, number: signal.Signals
) -> None:
    """The result was known, so the exit code is its own."""
    project.write({"plan.yaml": plan_text(SHORT, url=target.url)})
    first = SIGNALLED_WHILE_REPORTING.format(numbers=[int(number)], then="time.sleep(0.3)")

    ended = project.run_apart("execute", "plan.yaml", "--out", "out", first=first)

    assert ended.code == 0 == ended.metrics["exit_code"]
    assert ended.files["out/report.html"].read_text("utf-8").rstrip().endswith("</html>")
    assert "PASS" in ended.out


@pytest.mark.slow
def test_a_second_signal_does_not_wait_for_reports(
    project: PlanProject, target: HttpServer
) -> None:
    """But the exit code remains that of the result, which is kept first."""
    project.write({"plan.yaml": plan_text(SHORT, url=target.url)})
    numbers = [int(signal.SIGINT), int(signal.SIGTERM)]
    first = SIGNALLED_WHILE_REPORTING.format(numbers=numbers, then="time.sleep(60)")
    began = time.monotonic()

    ended = project.run_apart("execute", "plan.yaml", "--out", "out", first=first)

    assert time.monotonic() - began < 30
    assert ended.code == 0 == ended.metrics["exit_code"]
    assert "out/report.html" not in ended.files


def hanging(project: PlanProject, target: HttpServer, hook: str, workers: int) -> subprocess.Popen:
    """Start a run, and return when one of its steps has been hanging for a moment."""
    steps = f"[{{get: /}}, {{think: 1200ms}}, {{python: {hook}}}]"
    users = f"hooks: hooks.py\nusers: {{A: {{tasks: [{{task: a, steps: {steps}}}]}}}}"
    project.write({"plan.yaml": plan_text(users, LONG, url=target.url), "hooks.py": HOOKS})
    process = project.spawn("execute", "plan.yaml", "--out", "out", f"--workers={workers}")
    until((project.directory / "hangs").exists)
    time.sleep(0.2)
    return process


@pytest.mark.slow
@pytest.mark.parametrize(
    ("hook", "workers"), [("backtrack", 1), ("loop", 1), ("loop", 2), ("spin_in_c", 2)]
)
def test_one_signal_ends_a_run_whose_step_hangs(
    project: PlanProject, target: HttpServer, hook: str, workers: int
) -> None:
    """Some seconds after the graceful stop the iteration is cut or the worker killed."""
    process = hanging(project, target, hook, workers)

    process.send_signal(signal.SIGTERM)
    ended = project.end(process)

    assert ended.code == 130 == ended.metrics["exit_code"]
    assert ended.metrics["totals"]["total_requests"] == len(target.requests)
    assert "out/report.html" in ended.files
    assert "Traceback" not in ended.err
    if workers > 1:
        assert ended.metrics["validity"]["level"] == "invalid"
        assert "was silent for 5 s" in ended.metrics["validity"]["reasons"][0]


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("hook", ["backtrack", "loop", "spin_in_c"])
def test_two_signals_end_a_run_at_once_whatever_it_does(
    project: PlanProject, target: HttpServer, hook: str, workers: int
) -> None:
    """Only a process that spins in C has no exit code of its own."""
    process = hanging(project, target, hook, workers)

    process.send_signal(signal.SIGINT)
    time.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    began = time.monotonic()
    ended = project.end(process)

    assert time.monotonic() - began < 1 + 2  # and a busy machine
    if (hook, workers) == ("spin_in_c", 1):
        assert ended.code == -signal.SIGKILL
        assert "the run did not listen to signals and was killed" in ended.err
        assert "2 requests" in project.run("report", "out").out
    else:
        assert ended.code == 130
        if "out/metrics.json" in ended.files:
            assert ended.metrics["exit_code"] == 130


@pytest.mark.slow
def test_services_do_not_survive_a_run_that_is_ended_by_force(project: PlanProject) -> None:
    """Their supervisors see that it is gone."""
    command = f"{shlex.quote(sys.executable)} service.py"
    project.write(
        {
            "service.py": (
                "import os, signal, time\n"
                "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
                "open('pid', 'w').write(str(os.getpid()))\n"
                "print('up', flush=True)\n"
                "time.sleep(600)\n"
            ),
            "plan.yaml": plan_text(
                f"services: {{a: {{run: {json.dumps(command)}, ready: {{log: up}}, "
                "stop: {grace: 2s}}}",
                "users: {A: {tasks: [{task: a, steps: [{think: 1s}]}]}}",
                LONG,
                url="http://127.0.0.1:9",
            ),
        }
    )
    process = project.spawn("execute", "plan.yaml", "--out", "out")
    until((project.directory / "out" / "unfinished.json").exists)
    pid = int((project.directory / "pid").read_text())

    process.send_signal(signal.SIGTERM)
    process.send_signal(signal.SIGTERM)
    ended = project.end(process)

    # A machine that is busy enough keeps the process from hearing the signals in time.
    assert ended.code in (130, -signal.SIGKILL)
    assert ended.metrics["exit_code"] == 130  # kept before the service was stopped
    until(lambda: not is_alive(pid), seconds=10)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return sys.platform != "linux"
    except OSError:
        return False
    return state != "Z"


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(12))
def test_the_exit_code_is_the_one_in_the_result_whenever_signals_come(
    project: PlanProject, target: HttpServer, seed: int
) -> None:
    """At the start, under load, around its end, while reports are written, and after."""
    draw = random.Random(seed)
    project.write({"plan.yaml": plan_text("phases: [{users: 2, hold: 300ms}]", url=target.url)})
    process = project.spawn("execute", "plan.yaml", "--out", "out")
    numbers = draw.choices(ALL, k=draw.choice([1, 1, 2, 3]))

    time.sleep(draw.uniform(0.5, 2))  # not before Python runs the first line
    for number in numbers:
        process.send_signal(number)
        time.sleep(draw.choice([0, 0.05, 0.2]))
    ended = project.end(process)

    assert "Traceback" not in ended.err
    if "out/metrics.json" not in ended.files:
        assert ended.code == 130
        return
    kept = json.loads(ended.files["out/metrics.json"].read_text("utf-8"))
    assert ended.code == kept["exit_code"]
    assert len(numbers) > 1 or "out/report.html" in ended.files
