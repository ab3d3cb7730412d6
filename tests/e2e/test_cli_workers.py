"""`execute --workers`: real processes, and what becomes of them."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.http_servers import HttpServer
from tests.support.plans import PlanProject, plan_text

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for processes in /proc"),
]

COUNTED = "phases: [{users: 7, iterations: 1000}]"
LONG = "phases: [{users: 6, hold: 60s, graceful_stop: 1s}]"
PAUSED = "users: {A: {wait: 20ms, tasks: [{get: /}]}}"


def children(pid: int) -> list[int]:
    """The processes that a process has started."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                stat = (entry / "stat").read_text()
            except OSError:
                continue
            parent, state = stat.rpartition(")")[2].split()[1::-1]
            if int(parent) == pid and state != "Z":
                found.append(int(entry.name))
    return sorted(found)


def is_running(pid: int) -> bool:
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def until(is_so: Callable[[], object], seconds: float = 30) -> None:
    """Wait until something is so, and fail when it takes too long."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def under_load(process: subprocess.Popen[str], target: HttpServer, workers: int) -> list[int]:
    """Wait until requests come; return the workers' processes."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        if len(target.requests) > 20 and len(found := children(process.pid)) == workers:
            return found
        time.sleep(0.05)
    out, err = process.communicate()
    raise AssertionError(f"no load: {out}\n{err}")


def test_workers_make_one_run(project: PlanProject, target: HttpServer) -> None:
    """A thousand iterations are a thousand samples, in one result."""
    project.write({"plan.yaml": plan_text(COUNTED, url=target.url)})

    ended = project.run("execute", "plan.yaml", "--workers", "3", "--out", "out")

    assert ended.code == 0
    assert ended.metrics["totals"]["total_requests"] == 1000
    host = ended.metrics["host"]
    assert host["workers"] == "3"
    assert host["workers began within"].endswith("s")
    assert len(host["processor of each worker at most"].split(", ")) == 3
    assert len(ended.rows) == 1000
    times = [row["timestamp"] for row in ended.rows]
    assert len({time[:10] for time in times}) <= 2


def test_the_demo_shop_is_started_once(project: PlanProject) -> None:
    """Services belong to the coordinator; all workers know their ports."""
    project.write(
        {
            "plan.yaml": plan_text(
                "services: {shop: {demo: shop}}",
                'http: {base_url: "${services.shop.url}"}',
                "users: {A: {wait: 10ms, tasks: [{get: /products}, {get: /, weight: 2}]}}",
                "phases: [{users: 5, iterations: 100}, {rate: 50/s, hold: 2s}]",
            )
        }
    )

    ended = project.run("execute", "plan.yaml", "--workers", "2")

    assert ended.code == 0
    assert ended.metrics["totals"]["total_requests"] == 200


CHOOSING = """
data: {topics: {list: [python, docker, api], order: random, per: iteration}}
users:
  Reader:
    weight: 3
    wait: 0ms..3ms
    tasks:
      - {get: "/list/${topics}?u=${user.id}", weight: 3}
      - {get: "/page/${rand.int(1, 1000000)}?u=${user.id}"}
  Writer:
    wait: exponential(1ms)
    state: {made: []}
    tasks:
      - task: make
        steps: [{post: "/make/${rand.lower(8)}?u=${user.id}"}, {push: {made: "${rand.lower(3)}"}}]
      - task: change
        weight: 4
        needs: {is: made, else: make}
        steps: [{put: "/change/${made | random}?u=${user.id}"}, {pop: {made: random, as: gone}}]
phases:
  - {name: load, users: 9, iterations_per_user: 25}
  - {name: again, users: 5, iterations_per_user: 10}
"""


def test_a_seed_makes_the_same_choices_on_any_number_of_workers(
    project: PlanProject, target: HttpServer
) -> None:
    """User by user and request by request, whatever the machine does meanwhile."""
    project.write({"plan.yaml": plan_text(CHOOSING, url=target.url)})
    totals, by_user, sequences = [], [], []

    for run, workers in enumerate(["2", "2", "1"]):
        target.requests.clear()
        line = ("execute", "plan.yaml", "--workers", workers, "--seed", "7", "--out", f"{run}")
        metrics = project.run(*line).metrics
        sent: dict[str, list[str]] = {}
        for request in target.requests:
            path, _, user = request.target.partition("?u=")
            sent.setdefault(user, []).append(f"{request.method} {path}")
        rows = [row for row in metrics["rows"] if row["by"] == "request" and not row["phase"]]
        totals.append({row["name"]: row["count"] for row in rows})
        by_user.append(sent)
        sequences.append(sorted(sent.values()))

    assert sum(totals[0].values()) >= 9 * 25 + 5 * 10
    assert totals[0] == totals[1] == totals[2]
    assert by_user[0] == by_user[1]
    assert sequences[0] == sequences[2]  # numbers of users depend on who starts them


def test_what_a_plan_reads_is_read_once(project: PlanProject, target: HttpServer) -> None:
    """Imports, params of the command line and unique rows come to each worker."""
    project.write(
        {
            "more.yaml": "users: {A: {tasks: [{get: '/${rows.n}?who=${who}'}]}}",
            "rows.csv": "n\n" + "\n".join(map(str, range(60))),
            "plan.yaml": plan_text(
                "imports: [more.yaml]",
                "params: {who: {type: str}}",
                "data: {rows: {csv: rows.csv, per: iteration, unique: true, on_end: stop_plan}}",
                "users: {}",
                "phases: [{users: 4, hold: 60s}]",
                url=target.url,
            ).replace("users: {}\n", ""),
        }
    )

    ended = project.run("execute", "plan.yaml", "--workers", "2", "--set", "who=me")

    assert ended.code == 0
    assert ended.metrics["totals"]["total_requests"] == 60


def test_a_killed_worker_ends_the_run_with_3(project: PlanProject, target: HttpServer) -> None:
    """Within two seconds, with its name and why, and with reports of what had arrived."""
    project.write({"plan.yaml": plan_text(PAUSED, LONG, url=target.url)})
    process = project.spawn("execute", "plan.yaml", "--workers", "2", "--out", "out")
    _, second = under_load(process, target, 2)
    time.sleep(1.5)

    os.kill(second, signal.SIGKILL)
    killed = time.monotonic()
    ended = project.end(process)

    assert ended.code == 3
    assert time.monotonic() - killed < 2 + 1 + 3  # graceful stop, reports, a busy machine
    because = ended.metrics["ended_because"]
    assert because.startswith("worker ")
    assert f"(process {second}) died: it was killed by SIGKILL" in because
    assert because in " ".join(ended.out.split())
    total = ended.metrics["totals"]["total_requests"]
    assert total > 20
    assert ended.metrics["validity"]["level"] == "invalid"
    assert ended.metrics["validity"]["reasons"][0].startswith(because)
    assert len(ended.rows) == total
    assert f"{total:,}" in ended.files["out/report.html"].read_text("utf-8")


def test_a_killed_coordinator_leaves_no_worker(project: PlanProject, target: HttpServer) -> None:
    """The system closes its sockets."""
    project.write({"plan.yaml": plan_text(PAUSED, LONG, url=target.url)})
    process = project.spawn("execute", "plan.yaml", "--workers", "3", "--out", "out")
    workers = under_load(process, target, 3)
    until(lambda: any(file.stat().st_size for file in project.directory.glob("out/*-?.bin")))

    process.kill()
    process.communicate()

    until(lambda: not any(map(is_running, workers)), seconds=2)
    told = project.run("report", "out")
    assert re.search(r"[1-9]\d* requests", told.out)
    assert "the run was killed" in told.out


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_all_gracefully(
    project: PlanProject, target: HttpServer, number: signal.Signals
) -> None:
    """Also when a terminal sends it to the whole process group."""
    project.write({"plan.yaml": plan_text(PAUSED, LONG, url=target.url)})
    process = project.spawn(
        "execute", "plan.yaml", "--workers", "2", "--out", "out", start_new_session=True
    )
    workers = under_load(process, target, 2)

    os.killpg(process.pid, number)
    ended = project.end(process)

    assert ended.code == 130
    assert ended.metrics["ended_because"] == f"interrupted by {number.name}"
    assert ended.metrics["aborted"] == 0
    assert not any(map(is_running, workers))


def test_a_threshold_aborts_all(project: PlanProject, target: HttpServer) -> None:
    """Judged over all workers: exit 4, soon after its window."""
    abort = "thresholds: ['p95 over 2s < 1us, abort']"
    project.write({"plan.yaml": plan_text(PAUSED, LONG, abort, url=target.url)})

    ended = project.run("execute", "plan.yaml", "--workers", "2")

    assert ended.code == 4
    assert ended.metrics["duration_seconds"] < 2 + 1 + 1


@pytest.mark.parametrize("text", ["0", "many", "-1"])
def test_a_number_of_workers_that_is_none_is_refused(project: PlanProject, text: str) -> None:
    """With what it may be."""
    project.write({"plan.yaml": plan_text()})

    ended = project.run("execute", "plan.yaml", f"--workers={text}")

    assert ended.code == 2
    assert "neither `auto` nor a number" in ended.err


def test_secrets_are_masked_in_what_workers_say(project: PlanProject, target: HttpServer) -> None:
    """As on one worker."""
    project.write(
        {
            "plan.yaml": plan_text(
                "params: {token: {type: str, secret: true}}",
                "users: {A: {wait: 1s, steps: [{log: 'x ${token}'}, {get: /}]}}",
                "stages: [{duration: 2s, users: 2}]",
                url=target.url,
            )
        }
    )

    ended = project.run("execute", "plan.yaml", "--workers", "2", "--set", "token=hush-hush")

    assert ended.code == 0
    assert "hush-hush" not in ended.out + ended.err
    assert "x ***" in ended.err


def test_a_run_goes_on_without_a_killed_worker(project: PlanProject, target: HttpServer) -> None:
    """Where it may be lost: what it had reported counts once, and what is missing is said."""
    load = "phases: [{name: load, users: 6, hold: 4s}]"
    project.write({"plan.yaml": plan_text(PAUSED, load, url=target.url)})
    process = project.spawn(
        *("execute", "plan.yaml", "--workers", "3", "--tolerate", "1", "--out", "out")
    )
    _, second, _ = under_load(process, target, 3)
    time.sleep(1.5)

    os.kill(second, signal.SIGKILL)
    ended = project.end(process)

    assert (ended.code, ended.metrics["ended_because"]) == (0, "finished")
    assert f"(process {second}) died" in ended.err
    assert "the run goes on with the load of the others" in ended.err
    workers = [one for host in ended.metrics["hosts"] for one in host["workers"]]
    rows = Counter(int(row["worker"]) for row in ended.all_rows if row["kind"] != "aborted")
    assert rows == {one["number"]: one["requests"] for one in workers}
    assert rows.total() == ended.metrics["totals"]["total_requests"]
    lost = workers[1]
    assert lost["tolerated"]
    assert rows[2] < min(rows[1], rows[3])
    assert [(one["unit"], one["missing"], one["of"]) for one in lost["missing"]] == [
        ("users", 2, 6)
    ]
    assert ended.metrics["validity"]["level"] == "biased"
    assert "2 of 6 users of `A`" in ended.metrics["validity"]["reasons"][0]


def test_a_number_of_lost_workers_that_leaves_none_is_refused(project: PlanProject) -> None:
    """Before anything is started."""
    project.write({"plan.yaml": plan_text()})

    ended = project.run("execute", "plan.yaml", "--workers", "2", "--tolerate", "2")

    assert ended.code == 2
    assert "--tolerate 2 leaves none of 2 workers" in ended.err
    assert "--workers 3 or more" in ended.err
