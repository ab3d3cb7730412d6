"""How often expectations held, as a result has it."""

from __future__ import annotations

import re

import pytest

from tests.support.http_servers import Request, Wire, reply, serve
from tests.support.plans import PlanProject, running

PLAN = """
name: expectations
http: {{base_url: "{url}"}}
users:
  A:
    steps:
      - {{get: /ok, expect: {{status: 200}}}}
      - {{get: /ok, name: plain}}
      - get: /half
        expect: {{status: 200, json: {{$.id: 7, $.name: x}}, time: < 1us, soft: [time]}}
      - {{get: /gone, expect: {{json: {{$.id: 7}}}}}}
phases: [{{users: 1, iterations: 4}}]
"""


async def answer(asked: Request, wire: Wire) -> None:
    match asked.target:
        case "/gone":
            await wire.send(reply(404, b"{}"))
        case "/half":
            await wire.send(reply(200, b'{"id": 7, "name": "y"}'))
        case _:
            await wire.send(reply(200, b"ok"))


@pytest.mark.slow
def test_each_expectation_is_counted_for_itself(project: PlanProject) -> None:
    """A sample has only the first that broke; here each has its own, of two workers too."""
    for workers in ("1", "2"):
        with running(serve(answer)) as server:
            project.write({"plan.yaml": PLAN.format(url=server.url)})

            ended = project.run_apart("execute", "plan.yaml", "--workers", workers)

        assert [tuple(one.values()) for one in ended.metrics["expectations"]] == [
            ("GET /ok", "status 200", 4, 0, False),
            ("GET /half", "status 200", 4, 0, False),
            ("GET /half", "json $.id: 7", 4, 0, False),
            ("GET /half", "json $.name: x", 0, 4, False),
            ("GET /half", "time < 1us", 0, 4, True),
            ("GET /gone", "json $.id: 7", 0, 4, False),
        ]
        assert re.search(r"^ GET /half: json \$\.name: x +0 +4$", ended.out, re.MULTILINE)
        assert re.search(r"^ GET /half: time < 1us \(soft\) +0 +4$", ended.out, re.MULTILINE)
