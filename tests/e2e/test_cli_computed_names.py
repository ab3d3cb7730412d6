"""Requests whose names users compute, as results, reports and gates have them."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.support.http_servers import Request, Wire, reply, serve
from tests.support.plans import PlanProject, running

pytestmark = pytest.mark.slow

PLAN = """
name: names
params: {{key: {{type: str, default: s3cr3t-key, secret: true}}}}
http: {{base_url: "{url}"}}
data: {{pages: {{list: [a, b, c]}}}}
users:
  A:
    steps:
      - {{get: "/${{pages}}", name: "GET /${{pages}}", expect: {{json: {{$.id: 7}}}}}}
      - {{get: /n, name: "n ${{iteration}}"}}
      - {{get: /k, name: "k ${{key}}"}}
      - {{poll: /p, name: "p ${{json.id}}", until: json.id == 7}}
phases: [{{users: 2, iterations: 120}}]
thresholds:
  - count of "GET /${{pages}}" == 120
  - count of "GET /b" == 40
  - count of "n ${{iteration}}" == 120
  - count of "n 0" == 1
  - count of "p 7" == 120
"""


async def answer(asked: Request, wire: Wire) -> None:
    await wire.send(reply(200, b'{"id": 7}'))


def test_a_name_of_each_value_up_to_a_limit(project: PlanProject) -> None:
    """Metrics, raw samples and gates agree, with two workers too, whatever names came first."""
    for workers in ("1", "2"):
        with running(serve(answer)) as server:
            project.write({"plan.yaml": PLAN.format(url=server.url)})

            ended = project.run_apart("execute", "plan.yaml", "--workers", workers)

        assert ended.code == 0, ended.out + ended.err
        rows = Counter(row["endpoint"] for row in ended.rows)
        numbered = {name for name in rows if name.startswith("n ")}
        assert len(numbered) == 50
        assert rows["__other__"] == 70
        assert {name: rows[name] for name in rows.keys() - numbered} == {
            **dict.fromkeys(("GET /a", "GET /b", "GET /c"), 40),
            "__other__": 70,
            "k ***": 120,
            "p 7": 120,
        }
        tabled = [one for one in ended.metrics["rows"] if one["by"] == "request"]
        assert {one["name"]: one["count"] for one in tabled if not one["phase"]} == rows
        assert ended.metrics["expectations"] == [
            {
                "request": "GET /${pages}",
                "expected": "json $.id: 7",
                "held": 120,
                "broken": 0,
                "is_soft": False,
            }
        ]
        assert "the name `n ${iteration}` came to more than 50 names" in ended.out


def test_a_name_without_a_value_is_a_failure_before_anything_is_sent(
    project: PlanProject,
) -> None:
    """Under the name as it is written."""
    plan = """
    name: names
    http: {{base_url: "{url}"}}
    users: {{A: {{steps: [{{get: /}}, {{get: /n, name: "n ${{json.nothing.there}}"}}]}}}}
    phases: [{{users: 1, iterations: 3}}]
    """
    with running(serve(answer)) as server:
        project.write({"plan.yaml": plan.format(url=server.url)})

        ended = project.run("execute", "plan.yaml")

    assert ended.code == 1
    failed = [row for row in ended.rows if row["success"] == "false"]
    assert {(row["endpoint"], row["kind"]) for row in failed} == {
        ("n ${json.nothing.there}", "extract")
    }


def test_each_request_is_each_name(project: PlanProject) -> None:
    """A name that never came of its template is no data of the template."""
    plan = """
    name: names
    http: {{base_url: "{url}"}}
    users:
      A:
        steps:
          - {{get: /n, name: "n ${{iteration}}"}}
          - {{get: /n, name: "never ${{iteration}}", when: "iteration > 9"}}
    phases: [{{users: 1, iterations: 3}}]
    thresholds: [p95 of each "n *" < 10s, p95 of each request < 10s, "count of /^n [01]$/ == 2"]
    """
    with running(serve(answer)) as server:
        project.write({"plan.yaml": plan.format(url=server.url)})

        ended = project.run("execute", "plan.yaml")

    assert ended.code == 1
    assert "1 without data, 2 held" in ended.out
    assert "no data of 1 of 4 requests: never ${iteration}" in ended.out


def test_once_shows_the_name_that_the_user_gives(project: PlanProject) -> None:
    """A secret in it is masked there too."""
    with running(serve(answer)) as server:
        project.write({"plan.yaml": PLAN.format(url=server.url)})

        ended = project.run("execute", "plan.yaml", "--once")

    assert ended.code == 0
    for name in ("GET /a", "n 0", "k ***", "p 7"):
        assert f"✓ {name}" in ended.out
    assert "s3cr3t" not in ended.out


def test_a_template_is_compared_with_the_baselines_names(project: PlanProject) -> None:
    """All names that came of it, whichever these were."""
    plan = PLAN.partition("thresholds:")[0] + (
        "thresholds: ['p95 of \"GET /${{pages}}\" < 5000% of baseline', "
        "'p95 of \"GET /a\" < 5000% of baseline']\n"
    )
    with running(serve(answer)) as server:
        project.write({"plan.yaml": plan.format(url=server.url)})
        first = project.run("execute", "plan.yaml", "--out", "first")
        saved = project.run("baseline", "promote", "first")
        second = project.run("execute", "plan.yaml", "--out", "second")

    assert (first.code, saved.code, second.code) == (0, 0, 0), saved.err
    assert "2 held" in second.out
