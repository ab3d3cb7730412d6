"""The shipped plans about etcd and services: whole runs against real servers, and no debris."""

from __future__ import annotations

import csv
import os
import re
import time
from pathlib import Path

import psutil
import pytest

from tests.support.etcd_servers import cluster, free_ports, needs_etcd
from tests.support.plans import Ended, PlanProject

pytestmark = pytest.mark.slow

PLANS = Path(__file__).parents[2] / "plans"
ETCD_HELPER = str(PLANS / "etcd-helper.yaml")
MOST_S = 40


def ours() -> set[str]:
    """Return the command lines that a run could leave behind."""
    found = set()
    for process in psutil.process_iter(["cmdline", "status"]):
        words = process.info["cmdline"] or []
        program = Path(words[0]).name if words else ""
        is_ours = program == "etcd" or "demo" in words or any("supervisor.py" in w for w in words)
        if is_ours and process.info["status"] != psutil.STATUS_ZOMBIE:
            found.add(" ".join(words))
    return found


def of_run(before: set[str], scratch: Path) -> set[str]:
    """Return what is left of a run: other tests may have servers of their own up meanwhile."""
    deadline = time.monotonic() + 5
    while found := {words for words in ours() - before if str(scratch) in words}:
        if time.monotonic() > deadline:
            break
        time.sleep(0.05)
    return found


def executed(project: PlanProject, *arguments: str) -> Ended:
    """Execute a plan with a place for temporary files of its own, and without variables."""
    scratch = project.directory / "scratch"
    scratch.mkdir()
    before = ours()
    env = {"TMPDIR": str(scratch), "http_proxy": "http://127.0.0.1:1"}
    ended = project.run_apart("execute", *arguments, "--out", "out", env=env)
    assert "Traceback" not in ended.err
    assert of_run(before, scratch) == set()
    assert list(scratch.iterdir()) == []
    return ended


@needs_etcd
def test_the_etcd_plan_answers_its_question_and_leaves_nothing(project: PlanProject) -> None:
    """Is it the API or etcd? Both are started, loaded, compared, and gone afterwards."""
    began = time.monotonic()
    quick = [f"--override=phases.{name}.spawn_rate=50/s" for name in ("low", "medium", "high")]

    ended = executed(project, ETCD_HELPER, "--set", "hold=4s", "--set", "ops=100", *quick)

    assert time.monotonic() - began < MOST_S
    assert ended.code == 0, ended.out + ended.err
    metrics = ended.metrics
    verdicts = {row["threshold"]: row for row in metrics["judgements"]}
    assert {row["verdict"] for row in verdicts.values()} <= {"pass", "warn"}
    [comparison] = [row for row in verdicts.values() if row["threshold"].startswith("ratio")]
    assert re.fullmatch(r"[\d.]+ [mu]s ÷ [\d.]+ [mu]s", comparison["reason"])
    assert comparison["reason"] in ended.out
    assert comparison["reason"] in ended.files["out/report.html"].read_text("utf-8")
    tracks = {track["name"] for track in metrics["tracks"]}
    assert {"service.api.cpu", "service.api.rss", "service.etcd.cpu"} <= tracks
    assert "etcd requests go through grpc.aio" in " ".join(metrics["notices"])
    assert {"out/etcd.log", "out/api.log"} <= set(ended.files)
    for load in ("low", "medium", "high"):
        [*rows, total] = csv.DictReader(
            ended.files[f"out/locust_{load}_stats.csv"].read_text("utf-8").splitlines()
        )
        assert {(row["Type"], row["Name"]) for row in rows} <= {
            ("GET", "/kv/:key"), ("POST", "/kv"), ("DELETE", "/kv/:key"),
        }  # fmt: skip
        assert int(total["Request Count"]) == sum(int(row["Request Count"]) for row in rows)
    for port in re.findall(r"127\.0\.0\.1:(\d+)", ended.files["out/api.log"].read_text()):
        assert not _listens(int(port))


def _listens(port: int) -> bool:
    return any(
        connection.status == psutil.CONN_LISTEN and connection.laddr.port == port
        for connection in psutil.net_connections("tcp")
    )


@pytest.mark.parametrize(
    ("profile", "more"),
    [
        ("quick", ["--hold", "1s"]),
        ("load", ["--set", "duration=1", "--tag", "pkd_service"]),
        ("stress", ["--set", "ramp_up=2", "--set", "max_users=30"]),
    ],
)
def test_the_plan_of_services_runs_in_every_profile(
    project: PlanProject, profile: str, more: list[str]
) -> None:
    """Three services, each with users of its own, and a table of good, warning and critical."""
    plan = str(PLANS / "services-load.yaml")

    ended = executed(project, plan, "--profile", profile, *more)

    assert ended.code == 0, ended.out + ended.err
    rows = {row["threshold"]: row["verdict"] for row in ended.metrics["judgements"]}
    assert rows["throughput > 10/s"] == rows["p95 of tag:pkd_service < 5s"] == "pass"
    assert (rows["p95 of tag:ui_app < 5s"] == "n/a") is (profile == "load")
    stages = {row["name"] for row in ended.metrics["rows"] if row["by"] == "stage"}
    assert (len(stages) == 10) is (profile == "stress")


FEW = ["--users", "20", "--spawn-rate", "100/s", "--hold", "2s"]
BRIEF = ["--stages", "1s:20, 2s:20, 500ms:0"]
PLATFORM_PROFILES = {
    **dict.fromkeys(("quick", "smoke", "load", "stress", "spike", "endurance"), FEW),
    **dict.fromkeys(("k6", "stress_k6", "spike_k6"), BRIEF),
}


@pytest.mark.parametrize("profile", PLATFORM_PROFILES)
def test_the_plan_of_the_platform_runs_in_every_profile(project: PlanProject, profile: str) -> None:
    """Shortened; its targets for processor and memory are judged in all of them."""
    plan = str(PLANS / "platform.yaml")

    ended = executed(project, plan, "--profile", profile, *PLATFORM_PROFILES[profile])

    assert ended.code in (0, 1), ended.out + ended.err
    assert ended.metrics["totals"]["failed_requests"] == 0
    judged = {row["threshold"]: row["verdict"] for row in ended.metrics["judgements"]}
    assert judged["error_rate < 0.1%"] == "pass"
    assert judged["growth of service.platform.rss over 10m < 100MB"] == "pass"
    # Of latencies, which a busy machine lengthens, and of users that wait for 5 s and longer, a
    # run this short only has to say something.
    assert judged["service.platform.cpu < 80%"] in ("pass", "fail")
    assert {"p95 < 500ms", "p99 < 1000ms", "p95 of user:HeavyUser < 30s"} <= set(judged)
    assert (judged["throughput in profile stress > 100/s"] == "n/a") is (profile != "stress")


@needs_etcd
@pytest.mark.parametrize("shared", ["", ", connections: 2"], ids=["each its own", "shared"])
def test_connections_are_a_parameter_of_the_load(
    project: PlanProject, tmp_path: Path, shared: str
) -> None:
    """The notice says which way the numbers came about; proxies of the environment don't count."""
    folder = tmp_path / "etcd"
    folder.mkdir()
    with cluster(folder) as started:
        endpoint = started.members[0].endpoint
        project.write({
            "plan.yaml": "name: connections\n"
            f'etcd: {{endpoints: ["{endpoint}"]{shared}}}\n'
            "users: {A: {steps: [{etcd.put: {key: k, value: v}}]}}\n"
            "phases: [{users: 4, iterations: 40}]\n"
        })  # fmt: skip

        ended = executed(project, "plan.yaml")

    assert ended.code == 0, ended.out + ended.err
    [notice] = [text for text in ended.metrics["notices"] if "grpc.aio" in text]
    assert ("2 shared connections" in notice) is bool(shared)


@needs_etcd
def test_etcd_that_is_not_there_is_exit_3(project: PlanProject) -> None:
    """Nothing is sent, and all endpoints are named."""
    port = free_ports(1)[0]
    project.write({
        "plan.yaml": f'name: none\netcd: {{endpoints: ["127.0.0.1:{port}"]}}\n'
        "users: {A: {steps: [{etcd.get: {key: k}}]}}\nstages: [{duration: 1s, users: 1}]\n"
    })  # fmt: skip

    ended = executed(project, "plan.yaml")

    assert (ended.code, ended.out, ended.files) == (3, "", {})
    assert f"127.0.0.1:{port}" in ended.err


@needs_etcd
def test_etcd_that_is_killed_mid_run_ends_it_with_the_reason(project: PlanProject) -> None:
    """A service of the plan that dies is no failed request among others."""
    run = (
        "etcd --name d --data-dir ${services.etcd.dir}/d --listen-client-urls ${services.etcd.url} "
        "--advertise-client-urls ${services.etcd.url} --listen-peer-urls http://127.0.0.1:0 "
        "--initial-advertise-peer-urls http://127.0.0.1:0 --initial-cluster d=http://127.0.0.1:0"
    )
    project.write({
        "plan.yaml": "name: killed\n"
        f'services: {{etcd: {{run: "{run}", port: auto}}}}\n'
        'etcd: {endpoints: ["127.0.0.1:${services.etcd.port}"]}\n'
        "users: {A: {wait: 5ms, steps: [{etcd.put: {key: k, value: v}}]}}\n"
        "phases: [{users: 2, hold: 60s}]\n"
    })  # fmt: skip
    scratch = project.directory / "scratch"
    scratch.mkdir()
    process = project.spawn("execute", "plan.yaml", "--out", "out", env={"TMPDIR": str(scratch)})
    deadline = time.monotonic() + 20
    while not (found := _etcd_below(scratch)) and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(2.5)

    os.kill(found[0], 9)
    ended = project.end(process)

    assert ended.code == 3, ended.out + ended.err
    assert "service `etcd` was killed by signal 9" in ended.metrics["ended_because"]
    assert ended.metrics["totals"]["successful_requests"] > 10
    assert list(scratch.iterdir()) == []


def _etcd_below(scratch: Path) -> list[int]:
    return [
        process.pid
        for process in psutil.process_iter(["cmdline"])
        if process.info["cmdline"]
        and Path(process.info["cmdline"][0]).name == "etcd"
        and str(scratch) in " ".join(process.info["cmdline"])
    ]


@needs_etcd
def test_each_task_of_the_etcd_plan_runs_once(project: PlanProject) -> None:
    """What is sent and answered is shown; the reader finds the key that the writer wrote."""
    ended = project.run_apart("execute", ETCD_HELPER, "--once", "-v")

    assert ended.code == 0, ended.out + ended.err
    shown = [line.strip() for line in ended.out.splitlines()]
    reads = shown[shown.index("user EtcdReader") : shown.index("user ApiUser")]
    assert any(re.fullmatch(r"→ get 127\.0\.0\.1:\d+", line) for line in reads)
    assert any(re.match(r"← OK  [\d.]+ [mu]?s, connect ", line) for line in reads)
    assert sum(bool(re.fullmatch(r'"key": "/perf/[0-9a-f]{6}/0",?', line)) for line in reads) == 2
    assert reads[-3:-1] == ["expect  ✓ status OK", "expect  ✓ found: true"]
