"""Matrices from the outside: the options that pick, what completes them, Python, the defaults."""

from __future__ import annotations

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
