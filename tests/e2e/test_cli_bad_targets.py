"""Targets that are not there, say nothing, or say nonsense: a verdict, never a traceback."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from contextlib import suppress

import pytest

from planrunner.engine.coordinator import accumulator
from planrunner.units import NS_PER_S
from tests.support.http_servers import (
    HttpServer,
    Request,
    Wire,
    closed_port,
    reply,
    serve,
    serve_raw,
)
from tests.support.plans import Ended, PlanProject, plan_text, running

pytestmark = pytest.mark.slow

SHORT = "stages: [{duration: 400ms, users: 2}]"


async def silent(wire: Wire, _: int) -> None:
    await wire.hang()


async def close_at_once(wire: Wire, _: int) -> None:
    await wire.close()


async def garbage(wire: Wire, _: int) -> None:
    with suppress(asyncio.IncompleteReadError):
        await wire.reader.readuntil(b"\r\n\r\n")  # with bytes unread, closing would be a reset
    await wire.send(b"\x00\xff\x16SSH-2.0-nonsense\r\n\r\n" * 9)


def failures_of(ended: Ended) -> set[str]:
    """Return the failure kinds in the raw samples, which must be as many as the totals say."""
    assert len(ended.rows) == ended.metrics["totals"]["total_requests"]
    return {row["kind"] for row in ended.rows if row["success"] == "false"}


@pytest.mark.parametrize(
    ("converse", "timeout", "kind"),
    [
        (silent, "100ms", "timeout"),
        (close_at_once, "10s", "reset"),
        (garbage, "10s", "protocol"),
    ],
)
def test_a_target_that_does_not_answer_as_it_should_fails_the_run(
    project: PlanProject, converse: object, timeout: str, kind: str
) -> None:
    """Exit 1, because the requests were sent; each failure by its kind."""
    with running(serve_raw(converse)) as server:  # type: ignore[arg-type] # parametrized
        http = f'http: {{base_url: "{server.url}", timeout: {timeout}}}'
        project.write({"plan.yaml": plan_text(http, SHORT)})
        ended = project.run("execute", "plan.yaml")

    assert ended.code == 1
    assert "Traceback" not in ended.err
    assert ended.metrics["totals"]["successful_requests"] == 0
    assert failures_of(ended) == {kind}
    assert f" {kind}" in ended.out


def test_a_target_that_refuses_connections_gets_no_load(project: PlanProject) -> None:
    """Exit 3 before anything is sent; no directory is left."""
    project.write({"plan.yaml": plan_text(SHORT, url=f"http://127.0.0.1:{closed_port()}")})

    ended = project.run("execute", "plan.yaml")

    assert (ended.code, ended.out, ended.files) == (3, "", {})
    assert "connection refused" in ended.err
    assert "hint: start the target" in ended.err
    assert not list(project.directory.glob("reports/*/*"))


def test_a_target_is_looked_for_once_however_many_classes_have_settings(
    project: PlanProject, target: HttpServer
) -> None:
    """A connection for the check, and one for each user."""
    classes = (
        "users: {A: {steps: [{get: /}]}, B: {http: {headers: {X: '1'}}, steps: [{get: /}]},"
        " C: {http: {headers: {X: '2'}}, on_stop: [{get: '/${iteration}'}], steps: [{get: /}]}}"
    )
    load = "phases: [{users: 3, iterations_per_user: 2}]"
    project.write({"plan.yaml": plan_text(classes, load, url=target.url)})

    ended = project.run("execute", "plan.yaml")

    assert ended.code == 0
    assert target.connections == 1 + 3
    [last] = [one.target for one in target.requests if one.target != "/"]
    assert last in {f"/{number}" for number in range(1, 6)}


def test_a_target_that_dies_in_the_middle_ends_the_run(
    project: PlanProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Users back off, the run ends with exit 3, and what was measured is kept."""
    monkeypatch.setattr(accumulator, "UNREACHABLE_AFTER_NS", NS_PER_S)

    async def answer(_: Request, wire: Wire) -> None:
        await wire.send(reply(200, b"ok"))
        if len(server.requests) >= 50:
            server.vanish()

    with running(serve(answer)) as server:
        load = "phases: [{users: 2, hold: 60s}]"
        users = "users: {A: {wait: 5ms, tasks: [{get: /}]}}"
        project.write({"plan.yaml": plan_text(users, load, url=server.url)})
        ended = project.run("execute", "plan.yaml")

    totals = ended.metrics["totals"]
    assert ended.code == ended.metrics["exit_code"] == 3
    assert "no request reached the target for" in ended.metrics["ended_because"]
    assert "no request reached the target for" in ended.out
    assert totals["successful_requests"] >= 49
    assert totals["failed_requests"] < 100  # two users that don't hammer: 10 a second each
    assert "connect" in failures_of(ended)
    assert "users paused" in json.dumps(ended.metrics["notices"])
    assert ended.metrics["backoff"] >= 2
    assert "Traceback" not in ended.err


def test_a_target_that_is_away_for_a_moment_does_not_end_the_run(project: PlanProject) -> None:
    """Its failures count, and the thresholds judge."""

    async def once(_: Request, wire: Wire) -> None:
        await wire.send(reply(200, b"ok"))
        if len(server.requests) == 20:
            server.vanish()

    with running(serve(once)) as server:
        users = "users: {A: {wait: 5ms, tasks: [{get: /}]}}"
        load = "stages: [{duration: 1500ms, users: 1}]"
        project.write({"plan.yaml": plan_text(users, load, url=server.url)})
        ended = project.run("execute", "plan.yaml")

    assert ended.code == 1
    assert ended.metrics["ended_because"] == "finished"
    assert failures_of(ended) <= {"connect", "reset"}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_before_the_load_leaves_nothing(
    project: PlanProject, number: signal.Signals
) -> None:
    """While a service starts there is nothing to report yet; the service is stopped."""
    project.write(
        {
            "plan.yaml": plan_text(
                "services: {shop: {demo: shop}}",
                'http: {base_url: "${services.shop.url}"}',
                SHORT,
            )
        }
    )
    process = project.spawn("execute", "plan.yaml")
    while not list(project.directory.glob("reports/*/*")) and process.poll() is None:
        time.sleep(0.005)
    time.sleep(0.05)  # of the quarter of a second that the service needs to start

    process.send_signal(number)
    ended = project.end(process)

    assert ended.code == 130
    assert "Traceback" not in ended.err
    assert "interrupted" in ended.err
    assert set(ended.files) == {"plan.yaml"}
    assert not list(project.directory.glob("reports/*/*"))
