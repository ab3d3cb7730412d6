"""Sentences about each, several and shares of requests: from the plan to every report."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.http_servers import HttpServer, Request, Wire, reply, serve
from tests.support.plans import Ended, PlanProject, plan_text, running

pytestmark = pytest.mark.slow

USERS = """
users:
  Buyer:
    on_start: [{get: /, name: login}]
    steps:
      - get: /
      - {group: checkout, do: [{post: /cart, name: "POST /cart"}, {get: /missing, name: lost}]}
  Admin: {count: 1, steps: [{get: /admin, name: admin}]}
"""
COUNTED = "phases: [{users: 3, iterations: 60}]"


@pytest.fixture
def target() -> Iterator[HttpServer]:
    """A server that finds neither `/missing` nor `/admin`."""

    async def respond(request: Request, wire: Wire) -> None:
        await wire.send(reply(404 if request.target in ("/missing", "/admin") else 200, b"ok"))

    with running(serve(respond)) as server:
        yield server


def judged(
    project: PlanProject, target: HttpServer, *sentences: str, workers: str = "1"
) -> tuple[Ended, list[dict[str, Any]]]:
    thresholds = "thresholds:\n" + "\n".join(f"  - {sentence}" for sentence in sentences)
    text = plan_text(USERS, COUNTED, thresholds, url=target.url)
    options = (
        "--out",
        "out",
        "--workers",
        workers,
        "--formats",
        "report.html,junit.xml,summary.md",
    )
    ended = project.write({"plan.yaml": text}).run("execute", "plan.yaml", *options)
    return ended, ended.metrics["judgements"]


@pytest.mark.parametrize("workers", ["1", pytest.param("2", marks=pytest.mark.slow)])
def test_the_worst_is_named_in_every_report(
    project: PlanProject, target: HttpServer, workers: str
) -> None:
    """By one worker and by two, with all that broke it; metrics.json has every single one."""
    ended, (found, held) = judged(
        project,
        target,
        "'error_rate of each request < 5%'",
        "'error_rate of each request < 5% except lost or admin'",
        workers=workers,
    )

    assert ended.code == 1
    assert (found["verdict"], found["observed"]) == ("fail", "100 % (admin)")
    said = "broken by 2 of 4 requests: admin 100 %, lost 100 %"
    assert found["reason"] == said
    assert [(one["name"], one["verdict"]) for one in found["each"]] == [
        ("admin", "fail"),
        ("lost", "fail"),
        ("GET /", "pass"),
        ("POST /cart", "pass"),
    ]
    assert held["verdict"] == "pass"
    for text in (ended.out, *(ended.files[f"out/{name}"].read_text("utf-8") for name in REPORTS)):
        assert "100 % (admin)" in text.replace("\\(", "(").replace("\\)", ")")
        assert said in text.replace("\n          ", " ")


REPORTS = ("report.html", "junit.xml", "summary.md")


def test_patterns_shares_and_rows_are_judged(project: PlanProject, target: HttpServer) -> None:
    """In sentences, in the long form and as a pair."""
    ended, found = judged(
        project,
        target,
        "'count of /^(GET|POST) / > 10'",
        '\'count of "*cart" or group:"check*" and lost > 1\'',
        "'share of status:404 among group:checkout > 40%'",
        "'share of user:Admin < 60%'",
        "'p95 < 10s for 2s'",
        "{metric: max, select: each group, op: '<', value: 10s, on_no_data: skip}",
        "{metric: share, select: status:404 among each request, op: '<', value: 101%}",
        "{warn: 'max of each user < 1us', fail: 'max of each user < 10s'}",
        "'errors of each phase < 1000'",
    )

    assert ended.code == 0, ended.out + ended.err
    assert [one["verdict"] for one in found[:7]] == ["pass"] * 7
    assert found[2]["observed"] == "50 %"
    assert [one["verdict"] for one in found[7:]] == ["warn", "pass", "pass"]
    assert found[7]["observed"] == found[8]["observed"]


def test_one_that_never_runs_fails(project: PlanProject, target: HttpServer) -> None:
    """Unless `except` or `on_no_data` says that it may."""
    users = "users: {A: {steps: [{get: /}, {get: /never, name: never, when: 'false'}]}}"
    thresholds = """
thresholds:
  - p95 of each request < 10s
  - p95 of each request < 10s except never
  - {metric: p95, select: each request, op: "<", value: 10s, on_no_data: skip}
"""
    text = plan_text(users, COUNTED, thresholds, url=target.url)

    ended = project.write({"plan.yaml": text}).run("execute", "plan.yaml", "--out", "out")

    assert ended.code == 1
    first, *others = ended.metrics["judgements"]
    assert (first["verdict"], first["observed"]) == ("no_data", "no samples (never)")
    assert [one["verdict"] for one in others] == ["pass", "pass"]


def test_each_is_compared_with_its_own_baseline(project: PlanProject, target: HttpServer) -> None:
    """A request that the baseline lacks has no data there."""
    sentence = "count of each request < 110% of baseline"
    users = "users: {{A: {{steps: [{{get: /}}{more}]}}}}"

    def run(out: str, more: str = "") -> Ended:
        text = plan_text(
            users.format(more=more), COUNTED, f"thresholds: [{sentence}]", url=target.url
        )
        return project.write({"plan.yaml": text}).run("execute", "plan.yaml", "--out", out)

    first = run("first")
    assert project.run("baseline", "promote", "first").code == 0
    second = run("second")
    third = run("third", more=", {get: /new}")

    assert first.metrics["judgements"][0]["verdict"] == "n/a"
    assert second.metrics["judgements"][0]["observed"] == "60 (GET /)"
    assert third.metrics["judgements"][0]["observed"] == "not in baseline (GET /new)"
    assert (second.code, third.code) == (0, 1)


def test_a_single_one_ends_the_run(project: PlanProject, target: HttpServer) -> None:
    """With `abort`, and the reason names it."""
    users = "users: {A: {wait: 20ms, tasks: [{get: /}, {get: /missing, name: lost}]}}"
    thresholds = "thresholds: ['error_rate of each request < 50%, abort']"
    text = plan_text(users, "phases: [{users: 4, hold: 60s}]", thresholds, url=target.url)

    ended = project.write({"plan.yaml": text}).run("execute", "plan.yaml", "--out", "out")

    assert ended.code == 4
    assert "is broken: 100 % (lost)" in ended.metrics["ended_because"]
