"""Matrices from the outside: the options that pick, what completes them, Python, the defaults."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest

import planrunner
from planrunner.cli.plan_names import names_in
from tests.support.http_servers import HttpServer, always, reply, serve
from tests.support.plans import PlanProject, plan_text, running

PLAN = """
params: {size: {type: int, default: 1}, form: {type: str, default: csv}}
cases: {small: {size: 10}, large: {size: 20}}
users: {A: {steps: [{get: "/${form}/${size}", name: load}]}}
phases:
  - {name: sized, users: 1, iterations: 3, warmup: 1, matrix: {case: [small, large], form: [a, b]}}
  - {name: crowds, iterations: 2, matrix: {users: [1, 2]}}
thresholds: [scalability of load in phase sized over size < 1000]
"""
SIZED = [f"sized[case={case},form={form}]" for case in ("small", "large") for form in "ab"]


@pytest.fixture
def target() -> Iterator[HttpServer]:
    with running(serve(always(reply(200, b"ok")))) as server:
        yield server


@pytest.fixture
def matrix(project: PlanProject, target: HttpServer) -> PlanProject:
    project.write({"plan.yaml": plan_text(PLAN, url=target.url)})
    return project


def paths(target: HttpServer) -> list[str]:
    return [request.target for request in target.requests]


@pytest.mark.slow
def test_combinations_run_in_order_and_their_warm_up_is_no_result(
    matrix: PlanProject, target: HttpServer
) -> None:
    ended = matrix.run("execute", "plan.yaml", "--phase", "sized", "--quiet")

    assert ended.code == 0, ended.err
    assert paths(target) == [f"/{form}/{size}" for size in (10, 20) for form in "ab" for _ in "123"]
    assert ended.metrics["totals"]["total_requests"] == 8
    assert ended.metrics["warmup"] == 4
    [judged] = ended.metrics["judgements"]
    assert [one["name"] for one in judged["each"]] != []
    assert {one["name"] for one in judged["each"]} == {"sized[form=a]", "sized[form=b]"}


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--case", "small", "--phase", "sized"), {"/a/10", "/b/10"}),
        (("--set", "form=b", "--phase", "sized"), {"/b/10", "/b/20"}),
        (("--phase", "sized[form=a,case=large]"), {"/a/20"}),
        (("--phase", "crowds[users=2]"), {"/csv/1"}),
    ],
)
def test_options_pick(
    matrix: PlanProject, target: HttpServer, options: tuple[str, ...], expected: set[str]
) -> None:
    ended = matrix.run("execute", "plan.yaml", "--quiet", *options)

    assert ended.code == 0, ended.err
    assert set(paths(target)) == expected


def test_a_level_that_the_matrix_sets_is_no_option(matrix: PlanProject) -> None:
    ended = matrix.run("explain", "plan.yaml", "--phase", "crowds", "--users", "3")

    assert ended.code == 2
    assert "the matrix of `phases.1` sets `users`" in ended.err
    assert "hint: pick from it with `--phase" in ended.err


def test_python_picks_a_case(matrix: PlanProject, target: HttpServer) -> None:
    result = planrunner.run(
        matrix.directory / "plan.yaml", case="large", phase="sized", out=matrix.directory / "run"
    )

    assert set(paths(target)) == {"/a/20", "/b/20"}
    assert result.passed


def test_cases_and_combinations_are_completed(matrix: PlanProject) -> None:
    plan = matrix.directory / "plan.yaml"

    assert names_in(plan, "cases") == ["small", "large"]
    assert names_in(plan, "phases") == [
        *("sized", *SIZED),
        *("crowds", "crowds[users=1]", "crowds[users=2]"),
    ]


def test_cases_of_the_defaults_are_checked_there(project: PlanProject) -> None:
    project.write(
        {
            "planrunner.yaml": "params: {size: {type: int, default: 1}}\n"
            "cases: {small: {size: many, other: 1}}\n"
        }
    )

    ended = project.run("validate", "planrunner.yaml")

    assert ended.code == 2
    assert "planrunner.yaml:2:23: error[invalid-param]" in ended.err
    assert "other" not in ended.err.replace("other: 1", "")


def test_trying_a_plan_takes_the_first_combination(matrix: PlanProject, target: HttpServer) -> None:
    ended = matrix.run("execute", "plan.yaml", "--once")

    assert ended.code == 0, ended.err
    assert paths(target) == ["/a/10"]
    assert "user A in phase sized[case=small,form=a]" in ended.out


def test_trying_a_case_names_it(matrix: PlanProject, target: HttpServer) -> None:
    ended = matrix.run("execute", "plan.yaml", "--once", "--case", "large", "--json")

    parts = [json.loads(line) for line in ended.out.splitlines()]
    assert [one["phase"] for one in parts if one.get("kind") == "user"] == [SIZED[2]]
    assert paths(target) == ["/a/20"]


@pytest.mark.slow
def test_a_case_is_named_wherever_runs_are_looked_back_at(
    matrix: PlanProject, target: HttpServer
) -> None:
    """Runs of other cases are no trend, no baseline and no change of each other."""
    text = plan_text(PLAN, url=target.url)
    judged = "scalability of load in phase sized over size < 1000"
    compared = text.replace(judged, "med of load in phase sized < 500% of baseline")
    matrix.write({"plan.yaml": compared})
    for case in ("small", "large"):
        options = ("--phase", "sized", "--case", case, "--out", f"runs/{case}", "--quiet")
        ended = matrix.run("execute", "plan.yaml", *options)
        if case == "small":
            assert ended.code == 0, ended.err
            assert matrix.run("baseline", "promote", "runs/small").code == 0

    assert ended.code == 1
    (found,) = ended.metrics["judgements"]
    assert (found["verdict"], found["observed"]) == ("no_data", "not in baseline")
    lacking = "`sized[case=large,form=a]`, `sized[case=large,form=b]`"
    assert any(f": the baseline lacks {lacking}, so" in one for one in ended.metrics["notices"])
    told = matrix.run("compare", "runs/small", "runs/large")
    assert "the runs have different phases: `case=small` and `case=large`" in told.out
    told = matrix.run("history", "runs")
    assert re.search(r"case=small .*\n.*case=large ", told.out)


@pytest.mark.slow
def test_a_suite_picks_the_case_of_each_plan(matrix: PlanProject, target: HttpServer) -> None:
    """A plan that has no such case is named before anything is sent."""
    text = plan_text(PLAN, url=target.url)
    matrix.write({"other.yaml": text.replace("small", "tiny")})
    options = ("--phase", "sized", "--case", "small", "--quiet")

    refused = matrix.run("execute", "plan.yaml", "other.yaml", *options)

    assert refused.code == 2
    assert "no case is called `small`" in refused.err
    assert "other.yaml" in refused.err
    assert paths(target) == []
    matrix.write({"other.yaml": text})
    ended = matrix.run("execute", "plan.yaml", "other.yaml", *options)
    assert ended.code == 0, ended.err
    assert set(paths(target)) == {"/a/10", "/b/10"}
