"""`http:` of a plan, its classes, tasks and flows, as a user meets it."""

from __future__ import annotations

import pytest

from tests.support.http_servers import Request, Wire, reply, serve
from tests.support.plans import PlanProject, running

pytestmark = pytest.mark.slow

PLAN = """
name: scopes
params: {{team: {{type: str, default: s3cr3t-team, secret: true}}}}
imports: [lib/flows.yaml]
http:
  base_url: "{url}"
  expect: {{schema: ok.json}}
  tags: {{team: "${{team}}", cached: "${{json.cached}}"}}
users:
  A:
    tasks:
      - task: t
        http: {{headers: {{X-Task: "${{user.class}}"}}}}
        steps:
          - {{call: {{flow: look, page: 7}}}}
          - {{get: /bad, expect: {{schema: null, status: 404}}, tags: {{cached: null}}}}
phases: [{{users: 2, iterations: 4}}]
thresholds: ["count of tag:cached=yes == 4", "error_rate < 1%"]
"""
FLOWS = """
flows:
  look:
    args: {page: 1}
    http: {headers: {X-Page: "${page}"}, expect: {json: {$.page: "7"}}}
    do: [{get: "/look/${page}"}]
"""
SCHEMA = '{"type": "object", "required": ["page"]}'


async def answer(asked: Request, wire: Wire) -> None:
    if asked.target == "/bad":
        await wire.send(reply(404, b"none"))
    else:
        words = f'{{"page": "{asked.headers["x-page"]}", "cached": "yes"}}'
        await wire.send(reply(200, words.encode()))


def test_requests_take_what_stands_around_them(project: PlanProject) -> None:
    """A flow of an imported file too; a file is where the default stands, not the request."""
    for workers in ("1", "2"):
        with running(serve(answer)) as server:
            files = {"plan.yaml": PLAN.format(url=server.url), "lib/flows.yaml": FLOWS}
            project.write({**files, "ok.json": SCHEMA})

            ended = project.run_apart("execute", "plan.yaml", "--workers", workers)

        assert ended.code == 0, ended.out + ended.err
        found = {(row["endpoint"], row["tags"]) for row in ended.rows}
        assert found == {("GET /look/${page}", "cached=yes;team=***"), ("GET /bad", "team=***")}
        assert "s3cr3t" not in ended.out


def test_a_schema_that_is_not_there_is_blamed_where_it_is_named(project: PlanProject) -> None:
    """Though the request that shows it stands in another file."""
    files = {"plan.yaml": PLAN.format(url="http://127.0.0.1:1"), "lib/flows.yaml": FLOWS}

    ended = project.write(files).run("validate", "plan.yaml")

    assert ended.code == 2
    assert (
        ended.err.startswith("plan.yaml:7:20: error[file-not-found]") or "plan.yaml:7" in ended.err
    )


def test_once_and_explain_show_what_a_request_takes(project: PlanProject) -> None:
    """Its expectations are judged, and its pause is a step of its own."""
    plan = """
    name: shown
    http: {{base_url: "{url}", expect: {{status: 200}}, pause: 1ms, tags: {{team: core}}}}
    users: {{A: {{steps: [{{get: /bad}}]}}}}
    phases: [{{users: 1, iterations: 1}}]
    """
    with running(serve(answer)) as server:
        project.write({"plan.yaml": plan.format(url=server.url)})
        once = project.run("execute", "plan.yaml", "--once")
    explained = project.run("explain", "plan.yaml", "--graph", "text")
    in_words = project.run("explain", "plan.yaml")

    assert once.code == 1
    assert "status 200" in once.out
    assert "think 1ms" in once.out
    assert "request GET /bad (expect.status, tags.team, pause 1ms)" in explained.out
    assert "GET /bad (pause 1ms)\n" in in_words.out
