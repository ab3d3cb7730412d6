"""Patterns that trap engines which backtrack: every command ends in time, with its reports."""

from __future__ import annotations

import signal
from time import monotonic, sleep

import pytest

from tests.support.http_servers import Request, Wire, reply, serve
from tests.support.plans import PlanProject, running

PLAN = r"""
name: traps
http: {base_url: "%s"}
users:
  A: {steps: [{get: /short, expect: {matches: "^(a+)+$"}}]}
  B: {steps: [{get: /long, expect: {matches: '^(\w+\s?)*$'}}]}
  C: {steps: [{get: /long, expect: {matches: "(.*a){25}$"}}]}
  D: {steps: [{get: /long, extract: {x: {regex: "(a|a)*b", index: all}}}]}
  E:
    steps:
      - get: /middle
        expect: {matches: '(a+)+\1$'}
stages: [{duration: 700ms, users: 5}]
"""
SIZES = {"/short": 29, "/middle": 10_000, "/long": 1_000_000}


async def letters(request: Request, wire: Wire) -> None:
    await wire.send(reply(body=b"a" * SIZES[request.target] + b"!"))


def test_validate_says_what_is_limited(project: PlanProject) -> None:
    """At the pattern's place; linear patterns go without saying."""
    project.write({"plan.yaml": PLAN % "http://127.0.0.1:9"})

    ended = project.run("validate", "plan.yaml")

    assert ended.code == 0
    [notice] = [line for line in ended.out.splitlines() if "notice" in line]
    assert notice == (
        "  notice: plan.yaml:12:27: the pattern `(a+)+\\1$` has a backreference, so it runs on the "
        "slower engine, which gives up on a text after 250 ms"
    )


@pytest.mark.slow
def test_once_ends_and_says_why(project: PlanProject) -> None:
    """Each failure in words."""
    with running(serve(letters)) as server:
        project.write({"plan.yaml": PLAN % server.url})
        ended = project.run("execute", "plan.yaml", "--once")

    assert ended.code == 1
    assert "no match of `^(a+)+$` in a body of 30 bytes" in ended.out
    assert "no match of `(.*a){25}$` in a body of 1000001 bytes" in ended.out
    assert "nothing at regex `(a|a)*b` in a body of 1000001 bytes" in ended.out
    assert "looking for `(a+)+\\1$` took over 250 ms in a body of 10001 bytes" in ended.out


@pytest.mark.slow
def test_a_run_counts_what_failed(project: PlanProject) -> None:
    """The replies of a server can't hold up the loop: samples are as many as the server's."""
    with running(serve(letters)) as server:
        project.write({"plan.yaml": PLAN % server.url})
        began = monotonic()
        ended = project.run("execute", "plan.yaml")

    assert ended.code == 1
    assert monotonic() - began < 20
    totals = ended.metrics["totals"]
    assert 5 <= totals["total_requests"] == totals["failed_requests"] <= len(server.requests)
    kinds = {row["kind"] for row in ended.rows if row["success"] == "false"}
    assert kinds == {"expect", "extract"}


@pytest.mark.slow
def test_ctrl_c_ends_a_run_that_is_busy_matching(project: PlanProject) -> None:
    """Between two texts the loop gets its turn, and reports are written."""
    plan = PLAN.replace("/short", "/middle").replace("^(a+)+$", "(a+)+?(?!a)$")
    with running(serve(letters)) as server:
        project.write({"plan.yaml": plan.replace("700ms", "1m") % server.url})
        process = project.spawn("execute", "plan.yaml")
        while len(server.requests) < 3 and process.poll() is None:
            sleep(0.02)
        process.send_signal(signal.SIGINT)
        began = monotonic()
        ended = project.end(process)

    assert ended.code == 130
    assert monotonic() - began < 10
    assert any(name.endswith("report.html") for name in ended.files)
