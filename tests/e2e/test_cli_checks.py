"""Thresholds on the share of expectations that held, as a user meets them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.http_servers import Request, Wire, reply, serve
from tests.support.plans import PlanProject, running

pytestmark = pytest.mark.slow

PLAN = """
name: checks
http: {{base_url: "{url}"}}
users:
  Buyer:
    pick: balanced
    tasks:
      - task: buy
        steps:
          - group: cart
            do:
              - {{get: /item, expect: {{json: {{$.id: 7, $.name: x}}, soft: true}}}}
          - {{get: /old, expect: {{status: 200, url: /item}}}}
      - {{get: /plain, name: plain}}
phases:
  - {{name: first, users: 2, iterations: 20, {first}}}
  - {{name: second, users: 1, iterations: 4}}
thresholds:
{thresholds}
"""


async def answer(asked: Request, wire: Wire) -> None:
    if asked.target == "/old":
        await wire.send(reply(302, b"", ("Location", "/item?from=old")))
    else:
        await wire.send(reply(200, b'{"id": 7, "name": "y"}'))


def judged(ended: Any) -> dict[str, tuple[str, str]]:
    return {
        one["threshold"]: (one["verdict"], one["observed"]) for one in ended.metrics["judgements"]
    }


def written(url: str, *thresholds: str, first: str = "") -> str:
    lines = "\n".join(f"  - {json.dumps(one)}" for one in thresholds)
    return PLAN.format(url=url, thresholds=lines, first=first or "warmup: 0s")


@pytest.mark.parametrize("workers", ["1", "2"])
def test_checks_are_judged_where_a_threshold_looks(project: PlanProject, workers: str) -> None:
    """By request, group, task and phase, and the same by one worker as by two."""
    sentences = {
        "checks > 40%": ("pass", "50 %"),
        'checks of "GET /item" < 60%': ("pass", "50 %"),
        "checks of group:cart in phase first >= 50%": ("pass", "50 %"),
        "checks of task:buy in phase second > 50%": ("fail", "exactly 50 %"),
        'ratio(checks of "GET /item", checks of "GET /old") == 1': ("pass", "1"),
        "checks over 1s > 40%": ("pass", "50 %"),
        "checks of each task > 40%": ("pass", "50 % (buy)"),
        "checks >= 100% of baseline": ("n/a", ""),
    }
    with running(serve(answer)) as server:
        project.write({"plan.yaml": written(server.url, *sentences)})

        ended = project.run_apart("execute", "plan.yaml", "--workers", workers)

    assert judged(ended) == sentences
    assert ended.code == 1


def test_broken_checks_end_a_run(project: PlanProject) -> None:
    """`abort` looks at them once a second."""
    with running(serve(answer)) as server:
        plan = written(server.url, "checks > 95%, abort").replace("iterations: 20", "hold: 60s")
        project.write({"plan.yaml": plan})

        ended = project.run("execute", "plan.yaml")

    assert ended.code == 4
    assert judged(ended) == {"checks > 95%, abort": ("fail", "50 %")}


def test_checks_are_compared_with_a_baseline(project: PlanProject) -> None:
    """What metrics.json keeps of a run suffices, also to show it again."""
    with running(serve(answer)) as server:
        plan = written(server.url, "checks >= 100% of baseline")
        project.write({"plan.yaml": plan})
        first = project.run("execute", "plan.yaml", "--out", "first")
        promoted = project.run("baseline", "promote", "first")
        second = project.run("execute", "plan.yaml", "--out", "second")
        shown = project.run("report", "second", "--format", "junit.xml")

    assert (first.code, promoted.code, second.code, shown.code) == (0, 0, 0, 0)
    assert judged(second) == {"checks >= 100% of baseline": ("pass", "50 %")}
    assert "GET /old: url: /item" in (project.directory / "second" / "junit.xml").read_text("utf-8")


def test_checks_of_what_does_not_run_are_not_applicable(project: PlanProject) -> None:
    """Without `of` they look at all requests, of which those with expectations were left out."""
    with running(serve(answer)) as server:
        project.write({"plan.yaml": written(server.url, "checks > 99%")})

        ended = project.run("execute", "plan.yaml", "--task", "plain")

    assert ended.code == 0
    assert judged(ended) == {"checks > 99%": ("n/a", "")}


def test_replies_that_never_came_are_no_checks(project: PlanProject) -> None:
    """Nothing was asked of them, so there is no share that could hold."""

    async def hang_up(_: Request, wire: Wire) -> None:
        await wire.reset()

    with running(serve(hang_up)) as server:
        plan = written(server.url, "checks > 0%")
        project.write({"plan.yaml": plan})

        ended = project.run("execute", "plan.yaml")

    assert judged(ended) == {"checks > 0%": ("no_data", "no expectations")}
