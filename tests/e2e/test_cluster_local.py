"""`execute --cluster local:N`: a real Dask cluster of this machine."""

from __future__ import annotations

import json

import pytest

from tests.support.etcd_servers import free_ports
from tests.support.http_servers import HttpServer
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
    assert host["clock_error_ns"] == 0
    assert host["round_trip_ns"] > 0


def test_a_scheduler_that_is_not_there_is_said(project: PlanProject) -> None:
    """Before anything is sent."""
    project.write({"plan.yaml": plan_text(COUNTED)})

    [free_port] = free_ports(1)
    ended = project.run("execute", "plan.yaml", "--cluster", f"tcp://127.0.0.1:{free_port}")

    assert ended.code == 3
    assert "no Dask scheduler answers at tcp://127.0.0.1" in ended.err
