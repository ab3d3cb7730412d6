"""`execute --cluster local:N`: a real Dask cluster of this machine."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.etcd_servers import free_ports
from tests.support.http_servers import HttpServer
from tests.support.net_hosts import wait_until
from tests.support.plans import PlanProject, plan_text

pytest.importorskip("distributed")

pytestmark = pytest.mark.slow

COUNTED = "phases: [{users: 7, iterations: 1000}]"


def test_a_cluster_gives_the_result_of_one_worker(project: PlanProject, target: HttpServer) -> None:
    """A thousand iterations are a thousand rows, each with its worker."""
    project.write({"plan.yaml": plan_text(COUNTED, url=target.url)})

    ended = project.run_apart("execute", "plan.yaml", "--cluster", "local:2", "--workers", "3")

    assert ended.code == 0
    assert ended.metrics["totals"]["total_requests"] == 1000
    assert ended.metrics["host"]["workers"] == "3"
    assert len(ended.rows) == 1000
    assert {row["worker"] for row in ended.rows} == {"1", "2", "3"}


def test_a_check_shows_each_dask_worker(project: PlanProject) -> None:
    """And what it can generate would take longer."""
    checked = project.run_apart("cluster", "check", "local:1", "--seconds", "0", "--json")

    [host] = json.loads(checked.out)["hosts"]
    assert checked.code == 0
    assert host["faults"] == []
    assert host["address"].startswith("tls://127.0.0.1:")  # others on this machine reach it too
    assert host["clock_error_ns"] == 0
    assert host["round_trip_ns"] > 0


def test_a_scheduler_that_is_not_there_is_said(project: PlanProject) -> None:
    """Before anything is sent, and without the ten seconds for which Dask goes on trying."""
    project.write({"plan.yaml": plan_text(COUNTED)})
    [free_port] = free_ports(1)

    address = f"tcp://127.0.0.1:{free_port}"
    ended = project.run("execute", "plan.yaml", "--cluster", address)

    assert ended.code == 3
    assert f"no Dask scheduler answers at {address}: nothing listens there\n" in ended.err


def test_a_script_needs_no_guard(project: PlanProject, target: HttpServer) -> None:
    """Dask's processes don't run it again, as multiprocessing would."""
    project.write(
        {
            "plan.yaml": plan_text("phases: [{users: 2, iterations: 20}]", url=target.url),
            "script.py": "import planrunner\n"
            "result = planrunner.run('plan.yaml', cluster='local:1', formats=[])\n"
            "print(result.exit_code, result.requests['GET /'].count)\n",
        }
    )
    root = str(Path(__file__).parents[2])

    ended = subprocess.run(
        [sys.executable, "script.py"],
        cwd=project.directory,
        env={**os.environ, "PYTHONPATH": root},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert ended.stdout == "0 20\n", ended.stderr


def test_ctrl_c_is_for_the_coordinator(project: PlanProject, target: HttpServer) -> None:
    """A terminal sends it to all processes of the command; the load ends gracefully."""
    steady = "users: {A: {wait: 20ms, tasks: [{get: /}]}}\nphases: [{users: 4, hold: 60s}]"
    project.write({"plan.yaml": plan_text(steady, url=target.url)})
    process = project.spawn(
        *("execute", "plan.yaml", "--cluster", "local:1", "--out", "out"), start_new_session=True
    )
    wait_until(lambda: len(target.requests) > 50, 60)

    os.killpg(process.pid, signal.SIGINT)

    ended = project.end(process)
    assert ended.code == 130
    assert ended.metrics["ended_because"] == "interrupted by SIGINT"
    assert "Traceback" not in ended.err
    assert not any(one["lost"] for host in ended.metrics["hosts"] for one in host["workers"])
