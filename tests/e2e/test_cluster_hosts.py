"""`execute --cluster` on three hosts: real networks, clocks apart, and what becomes of faults."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil
import pytest

from planrunner.results.files.samples import ROW_BYTES
from tests.support.net_hosts import NetHosts, needs_hosts, net_hosts, wait_until
from tests.support.plans import plan_text

pytest.importorskip("distributed")

pytestmark = [pytest.mark.slow, needs_hosts, pytest.mark.xdist_group("cluster hosts")]

LOADED = """
hooks: steps/hooks.py
data: {people: {csv: people.csv, order: sequential, per: iteration}}
users:
  A:
    tasks:
      - task: greet
        steps:
          - {python: {call: greeting, args: {name: "${people.name}"}, as: words}}
          - {post: "/hello?to=${words}", body_file: body.txt}
phases: [{name: main, users: 6, iterations: 300}]
thresholds: [error_rate < 1%, "p95 < 10s"]
"""
WITH_A_TOOL = """
users: {A: {tasks: [{get: /own}]}}
params: {base: {type: str}}
phases:
  - {name: main, users: 6, iterations: 30}
  - {name: legacy, tool: k6, script: legacy/load.js, env: {BASE: "${base}"}, start_at: 0s}
thresholds: [error_rate < 1%, "count of tag:tool=k6 == 5", 'count of "GET /own" == 30']
"""
STEADY = "users: {A: {tasks: [{get: /}]}}\nphases: [{name: main, rate: 60/s, hold: HOLD}]"
FILES = {
    "steps/hooks.py": "from words import hello\n\ndef greeting(name):\n    return hello(name)\n",
    "steps/words.py": "def hello(name):\n    return 'hello-' + name\n",
    "people.csv": "name\n" + "".join(f"n{number}\n" for number in range(300)),
    "body.txt": "a body of some bytes",
    "legacy/load.js": "import http from 'k6/http'; export const options = {iterations: 5};\n"
    "export default () => http.get(`${__ENV.BASE}/theirs`);\n",
}


@pytest.fixture(scope="module")
def hidden(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of all plans and runs, which no host but this one sees."""
    return tmp_path_factory.mktemp("project")


@pytest.fixture(scope="module")
def hosts(hidden: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NetHosts]:
    with net_hosts(tmp_path_factory.mktemp("hosts"), 3, hidden) as made:
        yield made


class ClusterRun:
    """A run that goes on."""

    def __init__(self, hosts: NetHosts, folder: Path, text: str, *options: str) -> None:
        self._folder = folder
        for name, content in {"plan.yaml": plan_text(text, url=hosts.target), **FILES}.items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(content, "utf-8")
        line = [sys.executable, "-m", "planrunner", "execute", "plan.yaml", "--out", "run"]
        line += ["--cluster", hosts.scheduler, "--quiet", *options]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(line, cwd=folder, stdout=pipe, stderr=pipe, text=True)

    def is_loaded(self) -> bool:
        """Whether samples of two seconds of all three workers have come, and so their reports."""
        files = [self._folder / "run" / f"samples-{number}.bin" for number in (1, 2, 3)]
        assert self.process.poll() is None, self.process.communicate()
        return all(file.exists() and file.stat().st_size > 40 * ROW_BYTES for file in files)

    def ended(self) -> tuple[int, dict[str, Any], str]:
        """Wait for its end; return its exit code, its metrics, and what it said."""
        out, err = self.process.communicate(timeout=90)
        metrics = self._folder / "run" / "metrics.json"
        assert metrics.exists(), (out, err)
        return self.process.returncode, json.loads(metrics.read_text("utf-8")), err

    def rows(self) -> list[dict[str, str]]:
        """Return what results.csv has."""
        with (self._folder / "run" / "results.csv").open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))


@pytest.fixture
def running(
    hosts: NetHosts, hidden: Path, request: pytest.FixtureRequest
) -> Iterator[Callable[..., ClusterRun]]:
    """Start a run, and wait until all hosts send load."""
    begun: list[ClusterRun] = []

    def run(*options: str, text: str = STEADY.replace("HOLD", "60s")) -> ClusterRun:
        folder = hidden / str(abs(hash(request.node.name)))
        folder.mkdir()
        begun.append(ClusterRun(hosts, folder, text, *options))
        if text not in {LOADED, WITH_A_TOOL}:
            wait_until(begun[-1].is_loaded, 60)
        return begun[-1]

    yield run
    for one in begun:
        if one.process.poll() is None:
            one.process.kill()
        one.process.communicate()
    wait_until(lambda: not hosts.generators())


def is_alive(process: psutil.Process) -> bool:
    """Whether a process, whose parent may be stopped, has not ended."""
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


def reasons(metrics: Mapping[str, Any]) -> str:
    return " ".join(metrics["validity"]["reasons"])


def test_three_hosts_make_one_run(running: Callable[..., ClusterRun], hosts: NetHosts) -> None:
    """Every iteration once, with its row of the data; times are those of this host.

    Samples come back when the load is over: elsewhere they do so as it goes on.
    """
    run = running("--cluster-samples", "at_end", text=LOADED)
    code, metrics, said = run.ended()

    assert code == 0, (said, metrics["failing_samples"])
    assert metrics["totals"]["total_requests"] == 300
    rows = run.rows()
    assert len(rows) == 300
    assert {row["worker"] for row in rows} == {"1", "2", "3"}
    assert {host["name"] for host in metrics["hosts"]} == set(hosts.names)
    for host in metrics["hosts"]:
        assert abs(host["clock_offset_ns"]) > 500 * 10**9  # they are a thousand seconds apart
        assert 0 < host["clock_error_ns"] < 50_000_000
    began = datetime.fromisoformat(metrics["started"])
    times = [(datetime.fromisoformat(row["timestamp"]) - began).total_seconds() for row in rows]
    assert 0 <= min(times) < max(times) <= metrics["duration_seconds"] + 0.1


def test_a_tool_runs_once_where_the_coordinator_is(
    running: Callable[..., ClusterRun], hosts: NetHosts
) -> None:
    """Its script is on no other host, and no other host has the tool."""
    run = running("--set", f"base={hosts.target}", text=WITH_A_TOOL)
    code, metrics, said = run.ended()

    assert code == 0, (said, metrics["failing_samples"])
    assert sorted(row["endpoint"] for row in run.rows()) == ["GET /own"] * 30 + ["GET /theirs"] * 5


def test_nothing_is_left_of_a_coordinator_that_was_killed(
    running: Callable[..., ClusterRun], hosts: NetHosts
) -> None:
    """On no host, after five seconds."""
    run = running()
    assert len(hosts.generators()) == 3

    run.process.kill()

    assert wait_until(lambda: not hosts.generators()) < 5


def test_a_worker_that_is_killed_may_be_tolerated(
    running: Callable[..., ClusterRun], hosts: NetHosts
) -> None:
    """The others go on, and the run says what was missing from when on."""
    run = running("--tolerate", "1", text=STEADY.replace("HOLD", "12s"))
    hosts.generators(1)[0].kill()

    code, metrics, _ = run.ended()

    assert code == 0
    assert metrics["validity"]["level"] in (
        "biased",
        "invalid",
    )  # a busy machine is one more reason
    assert "on host2 died: it was killed by SIGKILL" in reasons(metrics)
    assert metrics["ended_because"] == "finished"


def test_a_dask_worker_that_is_killed_ends_the_run(
    running: Callable[..., ClusterRun], hosts: NetHosts
) -> None:
    """At once, gracefully, with what had come by then; nothing of it stays on its host."""
    run = running()
    hosts.dask_worker(2).kill()
    killed = time.monotonic()

    code, metrics, _ = run.ended()

    assert code == 3
    assert time.monotonic() - killed < 2 + 8  # to notice it, and to write reports on a busy machine
    assert "on host3 died: its Dask worker has ended" in metrics["ended_because"]
    assert metrics["totals"]["total_requests"] > 0
    assert not hosts.generators(2)
    hosts.restart_worker(2)


def test_a_network_that_fails_for_a_while_costs_nothing(
    running: Callable[..., ClusterRun], hosts: NetHosts
) -> None:
    """What was measured meanwhile arrives later, once."""
    run = running(text=STEADY.replace("HOLD", "15s"))
    hosts.cut(0)
    time.sleep(5)
    hosts.mend(0)

    _, metrics, _ = run.ended()

    assert metrics["ended_because"] == "finished"
    assert metrics["totals"]["total_requests"] + metrics["loads"][0]["dropped"] == 900
    assert len(run.rows()) == metrics["totals"]["total_requests"]


def test_a_network_that_fails_for_good_ends_the_run(
    running: Callable[..., ClusterRun], hosts: NetHosts
) -> None:
    """After ten seconds; what is cut off ends by itself five seconds later."""
    run = running()
    hosts.cut(0)
    try:
        code, metrics, _ = run.ended()
        assert code == 3
        assert "on host1 could not be reached for 10 s" in metrics["ended_because"]
        wait_until(lambda: not hosts.generators(), 20)
    finally:
        hosts.mend(0)
    hosts.restart_worker(0)


def test_a_worker_that_hangs_with_its_agent_is_noticed(
    running: Callable[..., ClusterRun], hosts: NetHosts
) -> None:
    """A Dask worker that is stopped is as good as gone; its worker ends though nobody ends it."""
    run = running()
    stopped = hosts.dask_worker(1)
    stopped.send_signal(signal.SIGSTOP)
    try:
        code, metrics, _ = run.ended()
        wait_until(lambda: not [one for one in hosts.generators() if is_alive(one)], 20)
    finally:
        stopped.send_signal(signal.SIGCONT)

    assert code == 3
    assert "on host2 could not be reached for 10 s" in metrics["ended_because"]


def test_a_scheduler_that_ends_is_noticed(
    running: Callable[..., ClusterRun], hosts: NetHosts
) -> None:
    """Dask's workers end with it, and what Dask itself logs of that is not for the terminal."""
    run = running()
    hosts.kill_scheduler()
    try:
        code, metrics, said = run.ended()

        assert code == 3
        assert not said, said
        assert metrics["totals"]["total_requests"] > 0
        wait_until(lambda: not hosts.generators())
    finally:
        hosts.restart()
