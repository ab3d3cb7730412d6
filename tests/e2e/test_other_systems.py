"""Systems other than the one tests run on: what they lack is hidden from the whole command."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.missing import WINDOWS, write_hiding_site

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="what is hidden are parts of Linux"),
]

ROOT = Path(__file__).resolve().parents[2]
PLAN = """\
name: elsewhere
services: {shop: {demo: shop}}
http: {base_url: "${services.shop.url}"}
users: {Visitor: {tasks: [{get: /products}]}}
phases:
  - {name: counted, users: 2, iterations: 20}
  - {name: arrivals, rate: 40/s, hold: 1s, arrivals: uniform}
thresholds: [error_rate < 1%, "count of 'GET /products' == 60"]
"""
ENDLESS = PLAN.replace("hold: 1s", "hold: 60s, graceful_stop: 1s")

# uvloop has no timers of the kernel to offer in place of these.
NO_TIMERFD = """
import ctypes, os
def refuse(*_, **__):
    raise OSError(38, "Function not implemented")
ctypes.CDLL = refuse
if hasattr(os, "timerfd_create"):
    os.timerfd_create = refuse
"""
MACOS = """
import asyncio, httpx, multiprocessing, os, psutil, subprocess, sys, sysconfig, zoneinfo
sysconfig.get_config_vars()
for name in ("pidfd_open", "posix_fallocate", "sched_getaffinity", "timerfd_create"):
    if hasattr(os, name):
        delattr(os, name)
sys.platform = "darwin"
"""
SYSTEMS = {
    "no uvloop": (("uvloop",), ""),
    "no timerfd": ((), NO_TIMERFD),
    "macos": (("uvloop",), MACOS),
    "windows": (("fcntl", "grp", "pty", "pwd", "resource", "termios", "tty", "uvloop"), WINDOWS),
}
EVERY_MODULE = """
import importlib, pkgutil, planrunner, sys
for module in pkgutil.walk_packages(planrunner.__path__, "planrunner."):
    if module.name.startswith("planrunner.mcp.") and sys.platform == "win32":
        continue  # its SDK imports what only a real Windows has
    if not module.name.endswith(("__main__", ".locust_listener")):  # which Locust runs
        importlib.import_module(module.name)
"""


def environment(system: str, folder: Path) -> dict[str, str]:
    names, before = SYSTEMS[system]
    site = write_hiding_site(folder / "site", *names, before=before)
    return {**os.environ, "PYTHONPATH": os.pathsep.join([site, str(ROOT)])}


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_plan_runs_there(system: str, tmp_path: Path) -> None:
    """With a service, users and arrivals: every request is made, and every report."""
    (tmp_path / "plan.yaml").write_text(PLAN)

    done = subprocess.run(
        [sys.executable, "-m", "planrunner", "execute", "plan.yaml", "--out", "run"],
        env=environment(system, tmp_path),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert {path.name for path in (tmp_path / "run").iterdir()} >= {"metrics.json", "report.html"}


@pytest.mark.parametrize("system", ["macos", "windows"])
def test_every_module_can_be_imported_there(system: str, tmp_path: Path) -> None:
    """Nothing at the top of a module needs what only Linux has."""
    done = subprocess.run(
        [sys.executable, "-c", EVERY_MODULE],
        env=environment(system, tmp_path),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("system", ["no uvloop", "windows"])
def test_ctrl_c_ends_a_run_there(system: str, tmp_path: Path) -> None:
    """Gracefully, with its result."""
    (tmp_path / "plan.yaml").write_text(ENDLESS)
    process = subprocess.Popen(
        [sys.executable, "-m", "planrunner", "execute", "plan.yaml", "--out", "run"],
        env=environment(system, tmp_path),
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    samples = tmp_path / "run" / "samples.bin"
    deadline = time.monotonic() + 60
    while not (samples.exists() and samples.stat().st_size) and time.monotonic() < deadline:
        time.sleep(0.05)

    process.send_signal(signal.SIGINT)

    assert process.wait(30) == 130
    kept = json.loads((tmp_path / "run" / "metrics.json").read_text("utf-8"))
    assert kept["exit_code"] == 130


def test_a_service_is_stopped_on_windows(tmp_path: Path) -> None:
    """Its supervisor has neither process groups nor signals there, and asks `taskkill`."""
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "taskkill").write_text('#!/bin/sh\necho "$@" > killed\nkill -9 "$4"\n')
    (tools / "taskkill").chmod(0o755)
    script = ROOT / "planrunner" / "supervision" / "supervisor.py"
    supervisor = subprocess.Popen(
        [sys.executable, str(script)],
        env={**environment("windows", tmp_path), "PATH": f"{tools}:{os.environ['PATH']}"},
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    job = {
        "command": [sys.executable, "-c", "import time; time.sleep(600)"],
        "cwd": str(tmp_path),
        "log": str(tmp_path / "log"),
        "most": 0,
        "copy": "",
        "secrets": "",
        "mask": "",
        "signal": "TERM",
        "grace_s": 60.0,
        "scratch": "",
    }
    assert supervisor.stdin is not None
    assert supervisor.stdout is not None
    supervisor.stdin.write(json.dumps(job).encode() + b"\n")
    supervisor.stdin.flush()
    started = json.loads(supervisor.stdout.readline())["started"]

    said, _ = supervisor.communicate(timeout=30)  # closes its input

    assert supervisor.returncode == 0
    assert json.loads(said) == {"ended": -9, "cpu_s": None}  # no `resource` there
    assert (tmp_path / "killed").read_text().split() == ["/F", "/T", "/PID", str(started)]
