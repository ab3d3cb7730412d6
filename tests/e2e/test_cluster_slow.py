"""`execute --cluster` over a network that takes 25 ms each way and loses a packet in a hundred."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.etcd_servers import free_ports
from tests.support.http_servers import HttpServer
from tests.support.net_hosts import needs_hosts, wait_until
from tests.support.plans import PlanProject, plan_text
from tests.support.slow_links import SlowLinks, slow_links

pytest.importorskip("distributed")

pytestmark = [pytest.mark.slow, needs_hosts]

HOST = "127.0.0.1"
DELAY_S = 0.025
STEADY = "users: {A: {tasks: [{get: /}]}}\nphases: [{name: main, rate: 50/s, hold: 5s}]"


@pytest.fixture
def far(tmp_path: Path) -> Iterator[tuple[str, SlowLinks]]:
    """A scheduler, and two Dask workers behind the network, each with a clock of its own."""
    near, *own = free_ports(3)
    with slow_links(DELAY_S, 0.01) as links, ExitStack() as stack:

        def start(name: str, *command: str) -> Path:
            log = tmp_path / f"{name}.log"
            with log.open("wb") as file:
                process = subprocess.Popen(command, cwd=tmp_path, stdout=file, stderr=file)
            stack.callback(process.wait)
            stack.callback(process.kill)
            return log

        dask = (sys.executable, "-m", "dask")
        start(
            "scheduler", *dask, "scheduler", "--host", HOST, "--port", f"{near}", "--no-dashboard"
        )
        to_scheduler = links.open(HOST, (HOST, near))
        for number, port in enumerate(own):
            shift = ("unshare", "--time", "--monotonic", f"{1000 + number}", "--fork")
            way = f"tcp://{HOST}:{links.open(HOST, (HOST, port))}"
            log = start(
                f"worker{number}",
                *(*shift, "--kill-child", *dask, "worker", f"tcp://{HOST}:{to_scheduler}"),
                *("--listen-address", f"tcp://{HOST}:{port}", "--contact-address", way),
                *("--nthreads", "1", "--no-nanny", "--no-dashboard"),
            )
            wait_until(lambda log=log: "Registered to" in log.read_text(), 60)  # type: ignore[misc]
        yield f"tcp://{HOST}:{near}", links


def test_a_run_over_a_slow_network_is_whole_and_begins_together(
    project: PlanProject, target: HttpServer, far: tuple[str, SlowLinks]
) -> None:
    """Its clocks are known as well as that can be, and the run says how well that is."""
    scheduler, links = far
    project.write({"plan.yaml": plan_text(STEADY, url=target.url)})

    ended = project.run_apart("execute", "plan.yaml", "--quiet", "--cluster", scheduler)

    assert ended.code == 0, ended.err
    assert links.lost > 0
    metrics = ended.metrics
    assert metrics["totals"]["total_requests"] + metrics["loads"][0]["dropped"] == 250
    assert len(ended.rows) == metrics["totals"]["total_requests"]
    for host in metrics["hosts"]:
        assert DELAY_S <= host["clock_error_ns"] / 1e9 < 4 * DELAY_S
        assert host["first_arrival_ns"] < 1e9
