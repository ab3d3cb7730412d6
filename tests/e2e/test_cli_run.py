"""`planrunner run URL`: a whole run without a plan."""

from __future__ import annotations

import pytest

from tests.support.http_servers import HttpServer
from tests.support.plans import PlanProject

SHORT = ("--users", "2", "--hold", "300ms", "--out", "out")


@pytest.mark.slow
def test_one_line_is_a_run_with_a_verdict_and_reports(
    project: PlanProject, target: HttpServer
) -> None:
    ended = project.run("run", f"{target.url}/x?y=1", *SHORT)

    assert ended.code == 0
    assert ended.metrics["rows"][0]["name"] == "GET /x?y=1"
    assert ended.metrics["totals"]["failed_requests"] == 0
    assert {"out/metrics.json", "out/results.csv", "out/report.html"} <= set(ended.files)
    assert {request.target for request in target.requests} == {"/x?y=1"}


@pytest.mark.slow
def test_what_is_sent_is_what_was_given_and_secrets_stay_secret(
    project: PlanProject, target: HttpServer
) -> None:
    header = ("-H", "Authorization: Bearer sword-fish", "-X", "put", "-d", '{"a": 1}')

    ended = project.run("run", target.url, *header, *SHORT)

    assert ended.code == 0
    [first, *_] = target.requests
    assert (first.method, first.body) == ("PUT", b'{"a": 1}')
    assert first.headers["authorization"] == "Bearer sword-fish"
    assert first.headers["content-type"] == "application/json"
    for path in ended.files.values():
        assert b"sword-fish" not in path.read_bytes()


@pytest.mark.slow
def test_a_saved_plan_runs_by_itself(project: PlanProject, target: HttpServer) -> None:
    """And is never written over another file."""
    project.run("run", target.url, "--save", "plans/quick.yaml", *SHORT)

    again = project.run("run", target.url, "--save", "plans/quick.yaml")
    executed = project.run("execute", "plans/quick.yaml", "--hold", "300ms", "--out", "out2")

    assert again.code == 2
    assert "`plans/quick.yaml` exists" in again.err
    assert executed.code == 0


def test_a_target_that_is_not_there_is_exit_3(project: PlanProject) -> None:
    ended = project.run("run", "http://127.0.0.1:9/")

    assert ended.code == 3
    assert "start the target" in ended.err
    assert not ended.files


def test_a_url_that_ends_as_a_plan_does_is_a_url(project: PlanProject) -> None:
    """APIs serve their descriptions."""
    ended = project.run("run", "http://127.0.0.1:9/openapi.yaml")

    assert ended.code == 3
    assert "nothing answers at `http://127.0.0.1:9`" in ended.err
