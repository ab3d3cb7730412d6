"""A plan or a command line with a name that will go still works, and says so."""

from __future__ import annotations

import json

import pytest

from planrunner.language import deprecations
from planrunner.language.deprecations import Deprecation
from tests.support.plans import PlanProject

PLAN = """\
name: old
users:
  A:
    wait: 0s
    tasks: [{task: rest, steps: [{think: 1ms}]}]
phases: [{users: 1, iterations: 1}]
thresholds: ["count of task:rest >= 0"]
"""
WORDS = "`wait` is deprecated since 0.3 and goes on 2027-06-30: use `pace`"


@pytest.fixture(autouse=True)
def _deprecated(monkeypatch: pytest.MonkeyPatch, project: PlanProject) -> None:
    """As the next version might list them."""
    key = Deprecation("users.*.wait", "0.3", "2027-06-30", "use `pace`")
    option = Deprecation("--run-time", "0.3", "2027-06-30", "use `--hold`")
    monkeypatch.setattr(deprecations, "KEYS", (key,))
    monkeypatch.setattr(deprecations, "OPTIONS", (option,))
    project.write({"plan.yaml": PLAN})


def test_validate_warns_at_the_key(project: PlanProject) -> None:
    """The plan stays valid; the JSON has the place, and a severity that editors know."""
    shown = project.run("validate", "plan.yaml")
    document = project.run("validate", "plan.yaml", "--format", "json")

    assert (shown.code, document.code) == (0, 0)
    assert f"  warning: plan.yaml:4:5: {WORDS}" in shown.out
    [found] = [one for one in json.loads(document.out) if one["severity"] == "warning"]
    assert (found["code"], found["line"], found["column"]) == ("deprecated", 4, 5)
    assert found["message"] == WORDS
    assert WORDS not in [one["message"] for one in json.loads(document.out) if one != found]


def test_a_run_gives_notice(project: PlanProject) -> None:
    """In the summary and in metrics.json, so that a nightly run shows it too."""
    ended = project.run("execute", "plan.yaml", "--out", "out")

    assert f"plan.yaml:4:5: {WORDS}" in ended.metrics["notices"]


def test_a_command_warns_of_its_option(project: PlanProject) -> None:
    """On stderr, whatever the command does then."""
    ended = project.run("validate", "plan.yaml", "--run-time", "1s")

    assert (
        "warning: `--run-time` is deprecated since 0.3 and goes on 2027-06-30: use `--hold`"
        in ended.err
    )
