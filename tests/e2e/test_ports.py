"""tests/examples/ports: three tests of strangers as plans, which send what their originals send."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from tests.support.http_servers import HttpServer, Request, Respond, Wire, reply, serve
from tests.support.plans import Ended, PlanProject, running

PORTS: Final = Path(__file__).parents[1] / "examples" / "ports"
NAMES: Final = sorted(path.name for path in PORTS.glob("*.yaml"))
MOVED: Final = reply(302, b"", ("Location", "/home"))

Answer = Callable[[Request], bytes]


def answering(answer: Answer) -> Respond:
    async def respond(request: Request, wire: Wire) -> None:
        await wire.send(answer(request))

    return respond


def run_port(
    project: PlanProject, name: str, answer: Answer, *words: str, **changes: str
) -> tuple[Ended, list[Request]]:
    """Run a plan with pauses of 1 ms, and with other texts in place of some of its own."""
    text = (PORTS / name).read_text("utf-8")
    for ours, instead in {"think: 1s": "think: 1ms", "think: 2s": "think: 1ms", **changes}.items():
        assert ours in text or ours.startswith("think")
        text = text.replace(ours, instead)
    codes = (PORTS / "data" / "short-codes.csv").read_text("utf-8")
    project.write({name: text, "data/short-codes.csv": codes})
    with running(serve(answering(answer))) as server:
        return _ended(project, name, server, words), server.requests


def _ended(project: PlanProject, name: str, server: HttpServer, words: tuple[str, ...]) -> Ended:
    port = server.url.rpartition(":")[2]
    where = ("--set", f"port={port}") if name.startswith("jmx") else ("--host", server.url)
    return project.run("execute", name, *where, "--formats", "metrics.json", *words)


def reasons(ended: Ended) -> list[str]:
    """Return why the run would be biased, but for a machine that is busy."""
    said = ended.metrics["validity"]["reasons"]
    return [one for one in said if not re.search("generator|late|loop|processor", one)]


def lines(requests: list[Request]) -> list[str]:
    return [f"{request.method} {request.target}" for request in requests]


@pytest.mark.parametrize("name", NAMES)
def test_a_port_is_valid(name: str, project: PlanProject) -> None:
    """Without a notice, as it lies there."""
    ended = project.run("validate", str(PORTS / name))

    assert (ended.code, ended.out.strip()) == (0, f"{PORTS / name}: valid")


@pytest.mark.e2e
def test_five_thread_groups_send_threads_times_loops(project: PlanProject) -> None:
    """Beside each other, each after its ramp; a code of the file for each request, in its order."""

    def answer(request: Request) -> bytes:
        if request.method == "POST":
            return reply(201, b'{"shortCode": "x1"}')
        return reply(200, b"{}") if "/api/" in request.target else MOVED

    ended, requests = run_port(
        project, "jmx-snaplink.yaml", answer,
        *("--set", "threads=3", "--set", "loops=2", "--set", "ramp_up=20ms"),
        **{
            "ramp_up: 5s": "ramp_up: 20ms", "ramp_up: 2s": "ramp_up: 20ms",
            "ramp_up: 1s": "ramp_up: 20ms", "ramp_up: 60s": "ramp_up: 20ms",
            "{Creation: 20}": "{Creation: 2}", "{UnderLoad: 500}": "{UnderLoad: 5}",
            "< 50ms": "< 5s",
        },
    )  # fmt: skip

    redirects = [one for one in requests if re.fullmatch(r"/abc[123]", one.target)]
    assert ended.code == 0, ended.out
    assert len(redirects) == 3 * 2 + 5 * 1
    assert {one.headers["accept"] for one in redirects} == {"*/*"}
    assert [one.method for one in requests].count("POST") == 2 * 10
    assert sum(one.target.startswith("/api/v1/stats/abc") for one in requests) == 10 * 5
    assert lines(requests).count("GET /api/v1/metrics") == 5 * 5
    body = json.loads(next(one.body for one in requests if one.method == "POST"))
    assert re.fullmatch(r"https://example\.com/test/\d+-\d{14}", body["originalUrl"])
    assert reasons(ended) == []


@pytest.mark.e2e
def test_checks_are_no_failures_and_cookies_last_for_an_iteration(project: PlanProject) -> None:
    """A reply without an id breaks a check: it is no failure, but too few checks hold."""

    def answer(request: Request) -> bytes:
        if request.target == "/health":
            return reply(200, b"{}", ("Set-Cookie", "sid=1"))
        if request.method == "POST":
            return reply(201, b'{"name": "without an id"}')
        return reply(200, b'[{"id": "w7"}]')

    ended, requests = run_port(
        project, "k6-mgx.yaml", answer,
        **{'{from: 1, stages: "2m:50, 5m:100, 10m:100, 3m:0"': "{users: 1, iterations: 2"},
    )  # fmt: skip

    assert ended.code == 1, ended.out
    assert [one["verdict"] for one in ended.metrics["judgements"]] == [*3 * ["pass"], "fail"]
    assert ended.metrics["totals"]["failed_requests"] == 0
    assert [one["broken"] for one in ended.metrics["expectations"] if "id" in one["expected"]] == [
        2
    ]
    assert [re.sub(r"query=\w+", "query=Q", line) for line in lines(requests)] == 2 * [
        "GET /health",
        "GET /api/workspaces",
        "POST /api/workspaces",
        "GET /api/workspaces/w7/workflows",
        "GET /api/workspaces/w7/knowledge/search?query=Q&limit=10",
    ]
    assert [one.headers.get("cookie") for one in requests] == 2 * [None, *4 * ["sid=1"]]
    assert re.fullmatch(rb'\{"name":"load-test-\d{13}",.*', requests[2].body)


VISIT: Final = (
    r"((GET /login|GET /signup) )*POST /signup GET /home POST /deposit GET /home "
    r"((GET /|GET /home|POST /payment GET /home|POST /deposit GET /home|POST /login GET /home) )*"
    r"POST /logout GET /home"
)


def bank(request: Request) -> bytes:
    if request.method == "GET":
        return reply(200, b"")
    cookies = [("Set-Cookie", "token=t")] if request.target in ("/signup", "/login") else []
    if request.target == "/logout":
        cookies = [("Set-Cookie", "token=; Max-Age=0")]
    return reply(302, b"", ("Location", "/home"), *cookies)


@pytest.mark.e2e
def test_users_pass_from_one_task_set_to_the_other(project: PlanProject) -> None:
    """Sign-up, a first deposit, and so on until the sign-out; then all of it again."""
    ended, requests = run_port(
        project, "locust-bank-of-anthos.yaml", bank,
        **{"users: 10, spawn_rate: 1/s, hold: 5m, graceful_stop: 0s": "users: 1, iterations: 3"},
    )  # fmt: skip

    visits = re.split(r"(?<=POST /logout GET /home) ", " ".join(lines(requests)))
    assert ended.code == 0, ended.out
    assert len(visits) == 3
    assert [visit for visit in visits if not re.fullmatch(VISIT, visit)] == []
    deposits = [one.body.decode() for one in requests if one.target == "/deposit"]
    assert all(
        re.match(r"account=%7B%22account_num%22%3A%2211111\d{5}%22%2C%22routing_num", body)
        for body in deposits
    )
    assert "&amount=1000000&" in deposits[0]
    signed_in = [one for one in requests if one.target in ("/payment", "/deposit", "/logout")]
    assert {one.headers.get("cookie") for one in signed_in} == {"token=t"}
    assert ended.metrics["totals"]["failed_requests"] == 0


@pytest.mark.slow
@pytest.mark.e2e
def test_the_end_of_the_phase_cuts_visits_and_biases_nothing(project: PlanProject) -> None:
    """The mix of what is open to a user is no fault of the run, nor is a visit without an end."""
    ended, _ = run_port(
        project, "locust-bank-of-anthos.yaml", bank,
        **{"spawn_rate: 1/s, hold: 5m": "hold: 300ms"},
    )  # fmt: skip

    assert ended.code == 0, ended.out
    assert reasons(ended) == []
