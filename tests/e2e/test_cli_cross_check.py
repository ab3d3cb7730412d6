"""`planrunner cross-check`: real tools send the same to one server, in turn."""

from __future__ import annotations

import json
import os
import signal
import time
from collections import Counter
from pathlib import Path

import psutil
import pytest

from planrunner.tools.installed import find_program
from planrunner.tools.registry import named_tool
from tests.support.http_servers import HttpServer, Request, Wire, reply, serve
from tests.support.plans import PlanProject, running

_OWN = Path(__file__).parents[2] / ".tools" / "locust" / "bin"

PLAN = """\
name: shop
params: {{token: {{type: str, secret: true, env: SHOP_TOKEN}}}}
http: {{base_url: "{url}", headers: {{Authorization: "Bearer ${{token}}"}}}}
users: {{Buyer: {{steps: [{{post: /orders, json: {{id: 7}}, expect: {{status: 200}}}}]}}}}
phases: [{{name: peak, users: 2, hold: 1s}}]
"""


async def answer(_: Request, wire: Wire) -> None:
    await wire.send(reply(200, b"ok", ("Connection", "keep-alive")))


def need(*names: str) -> None:
    """Skip the test where a tool isn't installed, but not in CI."""
    for name in names:
        if not find_program(named_tool(name)):
            assert not os.environ.get("CI"), f"{name} is missing"
            pytest.skip(f"needs {name}")


def agents(server: HttpServer) -> Counter[str]:
    """Count requests by who sent them."""
    return Counter(
        one.headers.get("user-agent", "wrk").partition("/")[0].split()[0]
        for one in server.requests
        if one.method != "CONNECT"
    )


@pytest.mark.slow
def test_all_tools_send_the_same(project: PlanProject, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many requests as they say, the same headers, on as many connections as there are users."""
    monkeypatch.setenv("PATH", f"{os.environ['PATH']}{os.pathsep}{_OWN}")
    need("ab", "wrk", "hey", "k6", "locust")
    with running(serve(answer)) as server:
        ended = project.run(
            *("cross-check", f"{server.url}/a?b=c", "--users", "2", "--hold", "1s"),
            *(
                "--rounds",
                "1",
                "--with",
                "k6,locust,wrk,ab,hey,artillery",
                "--json",
                "--keep",
                "kept",
            ),
        )

    assert ended.code == 0, ended.err
    data = json.loads(ended.out)
    tools = {one["name"]: one for one in data["tools"]}
    assert [*tools] == ["planrunner", "k6", "locust", "wrk", "ab", "hey"]
    assert [one["name"] for one in data["left_out"]] == ["artillery"]
    for name, word in (
        ("planrunner", "planrunner"),
        ("k6", "Grafana"),
        ("locust", "python-requests"),
        ("ab", "ApacheBench"),
        ("hey", "hey"),
        ("wrk", "wrk"),
    ):
        [one] = tools[name]["rounds"]
        sent = agents(server)[word]
        assert 0 <= sent - one["requests"] <= 3, name  # those on their way at the end
        assert one["failures"] == 0
        assert one["cpu_seconds"] > 0
        assert one["p99_ns"] >= one["p50_ns"] >= 0  # ab counts whole milliseconds
    loaded = [one for one in server.requests if one.method != "CONNECT"]
    assert {one.target for one in loaded} <= {"/a?b=c", "/"}  # planrunner looks whether it answers
    assert {one.headers.get("accept-encoding") for one in loaded if one.target != "/"} == {
        "gzip, deflate, br, zstd"
    }
    assert (project.directory / "kept" / "k6.js").is_file()


@pytest.mark.slow
def test_a_plan_with_a_secret(project: PlanProject, monkeypatch: pytest.MonkeyPatch) -> None:
    """Scripts take it from their environment; it is on no command line and in no result."""
    need("k6", "ab")
    monkeypatch.setenv("SHOP_TOKEN", "xyzzy-1234")
    with running(serve(answer)) as server:
        project.write({"plan.yaml": PLAN.format(url=server.url)})
        ended = project.run(
            *("cross-check", "plan.yaml", "--with", "k6,ab", "--rounds", "1", "--json"),
            *("--keep", "kept", "--only-hosts", "own"),
        )

    assert ended.code == 0, ended.err
    data = json.loads(ended.out)
    assert [one["name"] for one in data["tools"]] == ["planrunner", "k6"]
    assert "command line" in data["left_out"][0]["reason"]
    assert {one.headers.get("authorization") for one in server.requests} == {"Bearer xyzzy-1234"}
    assert "xyzzy-1234" not in ended.out + ended.err
    kept = [one for one in (project.directory / "kept").rglob("*") if one.is_file()]
    assert not any(b"xyzzy-1234" in one.read_bytes() for one in kept)


@pytest.mark.slow
def test_an_interruption_shows_what_there_is(project: PlanProject) -> None:
    """And nothing goes on."""
    need("wrk")
    with running(serve(answer)) as server:
        child = project.spawn(
            *("cross-check", server.url, "--with", "wrk"),
            *("--users", "1", "--hold", "1s", "--rounds", "50"),
        )
        assert child.stderr is not None
        for line in child.stderr:
            if line.startswith("round 1 of 50: wrk"):
                break
        below = psutil.Process(child.pid).children(recursive=True)
        child.send_signal(signal.SIGINT)
        out, _ = child.communicate(timeout=60)

    assert child.returncode == 130
    assert "interrupted after 1 of 50 rounds: interrupted by SIGINT" in out
    assert "\nwrk  " in out
    deadline = time.monotonic() + 5
    while any(one.is_running() and one.status() != "zombie" for one in below):
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.slow
def test_a_tool_that_is_killed_is_named_and_no_success(project: PlanProject) -> None:
    """Its row says so, whatever the others measured."""
    need("k6")
    with running(serve(answer)) as server:
        child = project.spawn(
            *("cross-check", server.url, "--with", "k6", "--users", "1", "--hold", "1s"),
            *("--rounds", "1"),
        )
        assert child.stderr is not None
        for line in child.stderr:
            if line.startswith("round 1 of 1: planrunner"):
                break
        deadline = time.monotonic() + 30
        while not (found := _below(child.pid, "k6")):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        found[0].kill()
        out, _ = child.communicate(timeout=60)

    assert child.returncode == 3
    assert [line.split()[:2] for line in out.splitlines() if line.startswith("k6 ")] == [
        ["k6", "failed"],
        ["k6", "failed:"],
    ]
    assert "k6 failed: k6 was killed by signal 9" in out


def _below(pid: int, name: str) -> list[psutil.Process]:
    return [one for one in psutil.Process(pid).children(recursive=True) if one.name() == name]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (
            ("http://127.0.0.1:1", "--with", "artillery"),
            3,
            "artillery: it is not installed; get it",
        ),
        (("http://127.0.0.1:1", "--with", "ax"), 2, "no tool is called `ax`"),
        (("nowhere.yaml",), 2, "there is no such file"),
        (("other.yaml",), 2, "is a run of another tool already"),
        (("services.yaml",), 2, "the plan starts `shop`"),
        (("search.yaml",), 2, "searches for a load"),
        (("two.yaml", "--with", "ab"), 3, "ab: an iteration is more than one request"),
        (("two.yaml", "--output", "two.yaml"), 2, "`two.yaml` exists"),
    ],
)
def test_what_can_not_be_compared(
    project: PlanProject, arguments: tuple[str, ...], code: int, words: str
) -> None:
    """Each with what to do; nothing is sent."""
    if "ab" in arguments:
        need("ab")
    users = 'http: {base_url: "http://127.0.0.1:1"}\nusers: {A: {steps: [{get: /}, {get: /b}]}}\n'
    load = "phases: [{users: 1, hold: 1s}]\n"
    project.write({"two.yaml": f"name: t\n{users}{load}"})
    project.write({"other.yaml": "name: t\nphases: [{name: old, tool: k6, script: a.js}]\n"})
    search = "phases: [{search: {vary: users, from: 1, to: 9, hold: 1s, step: 1, slo: [p95 < 1s]}}]"
    project.write({"search.yaml": f"name: t\n{users}{search}\n"})
    services = "services: {shop: {run: planrunner demo shop}}"
    project.write({"services.yaml": f"name: t\n{services}\n{users}{load}"})
    (project.directory / "a.js").write_text("")

    ended = project.run("cross-check", *arguments)

    assert (ended.code, ended.out) == (code, "")
    assert words in ended.err
