"""`planrunner.yaml` on the command line: beside plans, with workers, in suites, by itself."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.support.http_servers import HttpServer, always, reply, serve
from tests.support.plans import PlanProject, running

pytestmark = pytest.mark.slow

PLAN = """
name: shop
environments: {small: {profile: smoke}}
users: {A: {tasks: [{get: "/${area}"}]}}
profiles:
  load: [{users: 4, iterations: 40}]
  smoke: [{users: 2, iterations: 6}]
"""
DEFAULTS = """
params:
  host: {type: url, default: "http://127.0.0.1:1"}
  area: {type: str, default: east}
http: {base_url: "${host}", headers: {X-Shared: "yes"}}
thresholds: [p95 < 20s]
report: {formats: [metrics.json]}
"""


@pytest.fixture
def target() -> Iterator[HttpServer]:
    with running(serve(always(reply(200, b"ok")))) as server:
        yield server


def files(project: PlanProject, target: HttpServer) -> list[str]:
    project.write({"some plans/planrunner.yaml": DEFAULTS})
    for name in ("a", "b"):
        project.write({f"some plans/{name}.yaml": PLAN.replace("name: shop", f"name: {name}")})
    return ["--set", f"host={target.url}", "--env", "small", "--quiet"]


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_run_has_the_defaults_and_the_profile_of_its_environment(
    project: PlanProject, target: HttpServer, workers: str
) -> None:
    """Each worker too: all requests, the judgement and the reports are those of one."""
    options = files(project, target)

    ended = project.run(
        "execute", "some plans/a.yaml", *options, "--workers", workers, "--out", "out"
    )

    assert ended.code == 0, ended.err
    assert len(target.requests) == 6
    assert Counter(request.target for request in target.requests) == {"/east": 6}
    metrics = json.loads((project.directory / "out" / "metrics.json").read_text())
    assert (metrics["profile"], metrics["profile_reason"]) == ("smoke", "environment small")
    assert [one["threshold"] for one in metrics["judgements"]] == ["p95 < 20s"]
    assert sorted(path.name for path in (project.directory / "out").iterdir()) == ["metrics.json"]


def test_a_suite_leaves_the_defaults_out(project: PlanProject, target: HttpServer) -> None:
    """As `plans/*.yaml` names them too; alone they are refused, and `validate` checks them."""
    options = files(project, target)
    plans = [f"some plans/{name}.yaml" for name in ("a", "b", "planrunner")]

    ended = project.run("execute", *plans, *options, "--out", "out")
    alone = project.run("execute", plans[2], *options)
    checked = project.run("validate", *plans)

    assert (ended.code, len(target.requests)) == (0, 12), ended.err
    assert alone.code == 2
    assert "is not a plan: it holds defaults" in alone.err
    assert checked.out.splitlines() == [f"{plan}: valid" for plan in plans]


def test_a_try_says_what_comes_from_where(project: PlanProject, target: HttpServer) -> None:
    """`explain` names places, and `--once` sends what the defaults say."""
    options = files(project, target)

    explained = project.run("explain", "some plans/a.yaml", *options[:-1])
    tried = project.run("execute", "some plans/a.yaml", *options[:-1], "--once")

    assert f"params.host     --set host = {target.url}" in explained.out
    assert "params.area     some plans/planrunner.yaml:4 = east" in explained.out
    assert "load: 1 phase of profile smoke (environment small)" in explained.out
    assert tried.code == 0, tried.err
    assert target.requests[0].headers["x-shared"] == "yes"
