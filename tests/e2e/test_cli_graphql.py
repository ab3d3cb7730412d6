"""`graphql:` against a server that executes it: graphql-core, in the demo assistant."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from planrunner.demo import DEMOS, HttpServer
from tests.support.plans import PlanProject, running

pytestmark = pytest.mark.slow

FILE = """
query Models($first: Int!, $after: ID) { models(first: $first, after: $after) { ...Fields } }
query Model($id: ID!) { model(id: $id) { ...Fields context } }
fragment Fields on Model { id }
"""
PLAN = """
name: graphql
http: {base_url: "URL"}
params: {token: {type: str, secret: true, default: s3cret-token}}
users:
  Good:
    state:
      known:
        persistedQuery:
          version: 1
          sha256Hash: 6a3429acfcf287f9156ccb18e5d0d926673e2ac7f866017d124f512875774eab
      first: 2
      score: 0.5
      tags: [x, y]
      text: 'a "b" $${x} $y'
    steps:
      - graphql: {file: queries/models.graphql, operation: Models}
        variables: {first: "${first}"}
        expect: {json: {"$.data.models[*].id": [demo, demo-large], $.errors: {exists: false}}}
        extract: {last: "$.data.models[1].id"}
        record: {models: json.data.models | length}
        work: json.data.models | length
      - graphql: {file: queries/models.graphql, operation: Models}
        variables: {first: 1, after: "${last}"}
        name: after
        expect: {json: {"$.data.models[0].id": demo-small}}
      - graphql: "mutation Add($note: NoteInput!) { add(note: $note) { text tags score } }"
        variables: {note: {text: "${text}", tags: "${tags}", score: "${score}"}}
        expect:
          json: {$.data.add: {is: {text: "${text}", tags: [x, y], score: 0.5}}}
      - graphql: "{ authorization }"
        headers: {Authorization: "Bearer ${token}"}
        expect: {json: {$.data.authorization: "Bearer ${token}"}}
      - graphql: {file: queries/models.graphql, operation: Model, variables: {id: none}}
        expect: {errors: true, json: {"$.errors[0].message": there is no model none}}
      - poll: {graphql: "query Later { later(ms: 1) }"}
        until: json.data.later == 1
      - graphql: "subscription Ticks($count: Int!) { ticks(count: $count, ms: 1) }"
        variables: {count: 3}
        stream: events
        until: event.name == 'complete'
        expect: {events: 4, json: {$.data.ticks: 3}}
      - post: /graphql
        name: not known
        json: {extensions: "${known}"}
        expect: {json: {"$.errors[0].message": PersistedQueryNotFound}}
      - post: /graphql
        name: made known
        json: {query: "{ authorization }", extensions: "${known}"}
        expect: {json: {$.data: {type: object}}}
      - post: /graphql
        name: known
        json: {extensions: "${known}"}
        expect: {json: {$.data: {type: object}}}
  Bad:
    steps:
      - {graphql: "query Unknown { nothing }"}
      - {graphql: "query Partly { models { id } model(id: 7) { id } }"}
      - {graphql: "subscription Refused { nothing }", stream: events}
      - {graphql: "query Lost { authorization }", url: /nowhere}
      - {graphql: "query Warned { nothing }", expect: {soft: [errors]}}
      - {graphql: "query Late { later(ms: 9000) }", timeout: 1ms}
phases: [{users: 2, iterations_per_user: 1}]
thresholds: [max metric.models of Models == 2, sum work of Models == 2]
"""


ASKED = """\
      query Models($first: Int!, $after: ID) {
        models(first: $first, after: $after) {
          ...Fields
        }
      }

      fragment Fields on Model {
        id
      }
      {
        "variables": {
          "first": 2
        },
        "operationName": "Models"
      }
"""


@pytest.fixture
def files(project: PlanProject) -> Iterator[PlanProject]:
    project.directory = project.directory / "a folder"
    with running(_serve()) as port:
        plan = PLAN.replace("URL", f"http://127.0.0.1:{port}")
        yield project.write({"plan.yaml": plan, "queries/models.graphql": FILE})


@asynccontextmanager
async def _serve() -> AsyncIterator[int]:
    server = HttpServer(DEMOS["assistant"]())
    try:
        yield await server.start()
    finally:
        await server.stop()


def test_queries_are_executed_with_their_variables(files: PlanProject) -> None:
    """Every failure kind of HTTP, and `expect` for what GraphQL itself refuses."""
    ended = files.run("execute", "plan.yaml", "--quiet")
    outcomes = {row["endpoint"]: (row["kind"], row["status_code"]) for row in ended.rows}

    assert ended.code == 0, ended.out
    assert outcomes == {
        "Models": ("", "200"),
        "after": ("", "200"),
        "Add": ("", "200"),
        "graphql { authorization }": ("", "200"),
        "Model": ("", "200"),
        "Later": ("", "200"),
        "Ticks": ("", "200"),
        "not known": ("", "200"),
        "made known": ("", "200"),
        "known": ("", "200"),
        "Unknown": ("expect", "200"),
        "Partly": ("expect", "200"),
        "Refused": ("expect", "200"),
        "Lost": ("status", "404"),
        "Warned": ("", "200"),
        "Late": ("timeout", "0"),
    }


def test_once_shows_a_query_as_text_and_no_secret(files: PlanProject) -> None:
    """The query on its own lines, the rest of what is posted as JSON below it."""
    ended = files.run("execute", "plan.yaml", "--once", "--verbose")

    assert "s3cret" not in ended.out
    assert ASKED in ended.out
    assert "✗ no errors  errors: there is no model 7 at model" in ended.out


def test_workers_send_the_queries_of_files(files: PlanProject) -> None:
    """They have what the coordinator read."""
    ended = files.run_apart("execute", "plan.yaml", "--quiet", "--workers", "2")

    assert ended.code == 0, ended.out + ended.err
    assert len(ended.rows) == 16
